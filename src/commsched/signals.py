"""What happens inside, told to whoever has asked to hear it: counters, the log, what doctor reads later.

Parts announce and do not know who listens; where nobody does, an announcement costs a look at an empty tuple. What the
plugins' observers are told is announced as well: these here are ours, and need no watch that stops them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from commsched.model.decisions import Decision
from commsched.model.facts import AnyFact
from commsched.plugin.channel import Attempt


@dataclass(frozen=True, slots=True)
class Received:
    """A fact came in, and is durable."""

    event: AnyFact


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision has changed, and is durable."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class Attempted:
    """An attempt has ended: as the hook of that name has it."""

    attempt: Attempt
    outcome: str


@dataclass(frozen=True, slots=True)
class Passed:
    """A batch of customers was worked on, and how long that took."""

    customers: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Handed:
    """A message is being handed to its channel, so long after it was to go."""

    channel: str
    late: timedelta


@dataclass(frozen=True, slots=True)
class Failed:
    """A plugin raised, overran its time or answered nonsense; ``error`` is the kind of error, and names nobody."""

    kind: Literal["policy", "observer", "channel", "calendar", "source", "plan"]
    plugin: str
    error: str


@dataclass(frozen=True, slots=True)
class Called:
    """A provider called; ``channel`` is empty where there is none of that name."""

    channel: str
    result: Literal["accepted", "forged", "failed"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody asked for a page, or pressed something on one."""

    kind: Literal["page", "press", "file", "nowhere", "failed"]
    status: int


@dataclass(frozen=True, slots=True)
class Heard:
    """An event of a provider was taken in: ``receipt`` is its id here, and that of the reply that it became.

    Whom it is about and by which attempt is empty where the event names no message of ours.
    """

    channel: str
    kind: str
    receipt: str
    customer: str = ""
    key: str = ""
    attempt: str = ""


@dataclass(frozen=True, slots=True)
class Pressed:
    """A customer pressed something on a message's page, and what came of it."""

    customer: str
    key: str
    action: str
    result: str


Signal = Received | Decided | Attempted | Passed | Handed | Failed | Called | Asked | Heard | Pressed
Listener = Callable[[Signal], None]
_listeners: tuple[Listener, ...] = ()


def announce(signal: Signal) -> None:
    """Tell everybody who listens, in the thread in which it happened; a listener must not raise and not wait."""
    for listener in _listeners:
        listener(signal)


@contextmanager
def listening(*listeners: Listener) -> Iterator[None]:
    """Let these hear what happens in this process, until the end of the block."""
    global _listeners  # noqa: PLW0603 - as a logger is one for the process, so are those who listen
    _listeners = (*_listeners, *listeners)
    try:
        yield
    finally:
        _listeners = tuple(one for one in _listeners if one not in listeners)
