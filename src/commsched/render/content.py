"""A rendered message, before it is framed for a channel."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says on one medium.

    ``subject`` and ``html`` are empty where the medium has none. ``segments``: how many parts an SMS is billed as; 1 on
    every other medium. ``locale``: the language tag that it was written in, such as ``es-US``. ``why``: what it says of
    why it came.
    """

    subject: str
    text: str
    html: str = ""
    segments: int = 1
    locale: str = ""
    why: str = ""
