"""How fast a channel may go, as people write it: ``10/s``, ``75/min``, ``2000/day``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

_RATE = re.compile(r"(\d{1,7})\s*/\s*(s|min|h|day)")
_PER = {"s": timedelta(seconds=1), "min": timedelta(minutes=1), "h": timedelta(hours=1), "day": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Rate:
    """At most one unit each ``spacing``, and so many on a day; ``None``: any number."""

    spacing: timedelta | None = None
    daily: int | None = None


def parse_spacing(text: str) -> timedelta:
    """The time from one to the next: ``"10/s"`` is 100 ms. ``ValueError`` if it is no rate."""
    count, per = _parts(text)
    return _PER[per] / count


def parse_daily(text: str) -> int:
    """How many on one day: ``"2000/day"``, or ``"2000"``. ``ValueError`` if it is neither."""
    count, per = _parts(text if "/" in text else f"{text}/day")
    if per != "day":
        message = f"{text!r} is not a number a day; write e.g. 2000/day"
        raise ValueError(message)
    return count


def _parts(text: str) -> tuple[int, str]:
    found = _RATE.fullmatch(text.strip())
    if found is None or int(found[1]) == 0:
        message = f"{text!r} is not a rate; write e.g. 10/s, 75/min, 600/h or 2000/day"
        raise ValueError(message)
    return int(found[1]), found[2]
