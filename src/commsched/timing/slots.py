"""Slots: the times at which something that takes so long can begin, out of open hours and what is taken already.

Times lie on a grid of fifteen minutes. They come ranked: those within the hours that the customer has stated first,
then by how near they are to a wanted time; without one by how soon they are. What is spread gives the best of every
half-day before the second of any. Nothing is left out silently: what kept other times from being free is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from commsched.timing.windows import Span, Windows

# Every zone's offset is a multiple of a quarter of an hour, so that this grid stands on full quarters everywhere.
STEP = timedelta(minutes=15)
# What a booking takes is counted in cells of this length; one that begins or ends inside a cell takes the whole of it.
CELL = timedelta(minutes=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOON = 12


@dataclass(frozen=True, slots=True)
class Ask:
    """What is looked for.

    ``earliest``: before this nothing may begin. ``place``: the zone in which half-days are told apart. ``hours``: when
    it suits the customer; ``None`` if they have not said. ``near``: a wanted time. ``tell_by``: until when a customer
    must be told what to prepare for an appointment that begins then, ``None`` for nothing; ``told_from``: when that can
    be at the earliest.
    """

    duration: timedelta
    within: Span
    earliest: datetime
    place: ZoneInfo
    hours: Windows | None = None
    near: datetime | None = None
    spread: bool = True
    tell_by: Callable[[datetime], datetime | None] = lambda _: None
    told_from: datetime = _EPOCH


@dataclass(frozen=True, slots=True)
class Slot:
    """A time that can be booked: on how many resources, and whether it suits (``None``: the customer has not said)."""

    start: datetime
    end: datetime
    free: int
    suits: bool | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The free times, best first, and how many of the ``opened`` ones each thing took away.

    ``full``: nothing was free; ``notice``: too soon; ``prep``: it is too late to tell what must be prepared.
    ``unsuited`` ones are free, outside the hours that the customer has stated, and stand last.
    """

    slots: tuple[Slot, ...]
    opened: int = 0
    full: int = 0
    notice: int = 0
    prep: int = 0
    unsuited: int = 0


def find(opened: Windows, taken: Sequence[Windows], ask: Ask) -> Found:
    """The slots inside ``opened``, given what is taken on each resource."""
    possible = [step for steps in _starts(opened, ask) for step in steps]
    # Counted in numbers of steps: instants are slow to compare.
    free = Counter[int]()
    for one in taken:
        for steps in _starts(opened - one, ask):
            free.update(steps)
    slots, lost = [], Counter[str]()
    for step in possible:
        start = _EPOCH + step * STEP
        why = _against(start, free[step], ask)
        if why:
            lost[why] += 1
        else:
            slots.append(Slot(start, start + ask.duration, free[step], _suits(start, ask)))
    unsuited = sum(slot.suits is False for slot in slots)
    return Found(_ranked(slots, ask), len(possible), lost["full"], lost["notice"], lost["prep"], unsuited)


def room(opened: Windows, taken: Iterable[Windows], duration: timedelta) -> int:
    """How many appointments of this length still fit, one after the other, on all resources together."""
    free = (span for one in taken for span in opened - one)
    return sum((end - start) // duration for start, end in free)


def on_grid(at: datetime) -> bool:
    """Whether times are offered that begin at such an instant."""
    return (at - _EPOCH) % STEP == timedelta()


def cells(start: datetime, end: datetime) -> tuple[int, int]:
    """The first cell of a span and the one after its last, counted from 1970."""
    return (start - _EPOCH) // CELL, -((_EPOCH - end) // CELL)


def span_of(first: int, last: int) -> Span:
    """The span of cells from ``first`` up to, not including, ``last``."""
    return _EPOCH + first * CELL, _EPOCH + last * CELL


def _starts(windows: Windows, ask: Ask) -> Iterator[range]:
    """The steps of the grid at which the whole of it fits into one of the windows, in their order."""
    for start, end in windows.clip(*ask.within):
        yield range(-((_EPOCH - start) // STEP), (end - ask.duration - _EPOCH) // STEP + 1)


def _against(start: datetime, free: int, ask: Ask) -> str:
    if not free:
        return "full"
    if start < ask.earliest:
        return "notice"
    by = ask.tell_by(start)
    return "prep" if by is not None and by < ask.told_from else ""


def _suits(start: datetime, ask: Ask) -> bool | None:
    if ask.hours is None:
        return None
    end = start + ask.duration
    return ask.hours.clip(start, end).spans == ((start, end),)


def _ranked(slots: list[Slot], ask: Ask) -> tuple[Slot, ...]:
    wanted = ask.near if ask.near is not None else ask.within[0]
    best = sorted(slots, key=lambda slot: (slot.suits is False, abs(slot.start - wanted), slot.start))
    if not ask.spread:
        return tuple(best)
    turns: Counter[tuple[bool, date, bool]] = Counter()
    order: dict[datetime, tuple[bool, int]] = {}
    for slot in best:
        local = slot.start.astimezone(ask.place)
        half = (slot.suits is False, local.date(), local.hour < _NOON)
        order[slot.start] = (slot.suits is False, turns[half])
        turns[half] += 1
    # Sorting is stable, so that within one turn the better ones stay first.
    return tuple(sorted(best, key=lambda slot: order[slot.start]))
