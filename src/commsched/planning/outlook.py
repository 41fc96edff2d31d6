"""What cannot be due within a window of dates: told by two sums, before anything is forecast.

Of the services that a customer's assets need, nearly all are due in another year. To forecast each of them first would
be most of the work of planning.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import msgspec

from commsched.model.facts import Interval, ServiceRecord
from commsched.planning.metered import HOURS, KILOMETRES, Meters
from commsched.timing.durations import in_km, parse_distance
from commsched.timing.meter import Kind

# The first and the last day on which a due date matters to whoever asks.
Window = tuple[date, date]
ALWAYS: Window = (date.min, date.max)
MONTH = 365.2425 / 12
# So many days, at most, are some months longer or shorter than as many mean ones.
UNEVEN = 4
UNLIMITED = float("inf")


class Length(msgspec.Struct, frozen=True, gc=False):
    """An interval in numbers: its time takes from ``least`` to ``most`` days, for ever if it has none.

    ``uses``: how far each kind of meter must come, in kilometres or hours.
    """

    least: float
    most: float
    uses: tuple[tuple[Kind, float], ...]


@lru_cache(maxsize=4096)
def length(interval: Interval) -> Length:
    """An interval in numbers."""
    uses = []
    if interval.distance is not None:
        uses.append((KILOMETRES, parse_distance(interval.distance)))
    if interval.hours is not None:
        uses.append((HOURS, float(interval.hours)))
    if interval.months is None and interval.weeks is None and interval.days is None:
        return Length(UNLIMITED, UNLIMITED, tuple(uses))
    days = (interval.months or 0) * MONTH + (interval.weeks or 0) * 7 + (interval.days or 0)
    uneven = UNEVEN if interval.months else 0
    return Length(days - uneven, days + uneven, tuple(uses))


def read(record: ServiceRecord | None, kind: Kind) -> float | None:
    """What a meter of this kind showed by a record, in kilometres or hours; ``None`` if it says nothing of it."""
    if record is None or record.reading is None or (record.unit == "h") != (kind is HOURS):
        return None
    return in_km(record.reading, record.unit)


class _Room(msgspec.Struct, gc=False):
    """From a day on: in how many days the window begins and ends, and how far each meter comes by then.

    ``comes``: by kind of meter, what it had come before the window, and can be expected to come by its end, at most;
    ``None`` if nothing was ever read.
    """

    begins: int
    ends: int
    comes: dict[str, tuple[float, float] | None]


class Outlook:
    """What is near for one asset: which intervals may end within a window of dates."""

    __slots__ = ("_first", "_last", "_meters", "_rooms", "_spans")

    def __init__(self, meters: Meters, window: Window) -> None:
        self._first, self._last = window[0].toordinal(), window[1].toordinal()
        self._meters = meters
        self._spans: dict[str, tuple[float, float]] = {}
        # Services never done begin on one day, and many records are of one visit.
        self._rooms: dict[tuple[int, float | None, str | None], _Room] = {}

    def may_hold(self, way: Length, since: int, record: ServiceRecord | None) -> bool:
        """Whether an interval that began on an ordinal may end within the window; ``True`` when in doubt."""
        visit = (since, record.reading, record.unit) if record is not None else (since, None, None)
        room = self._rooms.get(visit)
        if room is None:
            room = self._rooms[visit] = _Room(self._first - since, self._last - since, {})
        if way.most < room.begins:
            return False  # usage can only make it earlier
        near = way.least <= room.ends
        for kind, distance in way.uses:
            if kind.unit not in room.comes:
                room.comes[kind.unit] = self._comes(kind, since, record)
            comes = room.comes[kind.unit]
            if comes is None:
                near = True
            elif distance <= comes[0]:
                return False  # it was reached before, and time can only make it earlier
            elif distance <= comes[1]:
                near = True
        return near

    def _comes(self, kind: Kind, since: int, record: ServiceRecord | None) -> tuple[float, float] | None:
        usage = self._meters.of(kind)
        start = usage.at(date.fromordinal(since), read(record, kind))
        if start is None:
            return None
        if kind.unit not in self._spans:
            self._spans[kind.unit] = usage.span(self._first, self._last)
        before, by_end = self._spans[kind.unit]
        return before - start, by_end - start
