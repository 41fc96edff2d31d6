"""How fast a meter moves: a robust rate from irregular readings, with how far it can be trusted.

The rate is the median of the slopes between all pairs of recent readings (Theil 1950, Sen 1968), which a minority of
wrong readings cannot move. Before that, readings that no meter could show (going back, or faster than ``MAX_RATE``)
are left out: the longest plausible chain of readings stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

# Nobody drives more than this for long: 1,500 km a day (a GPS fault that adds 44,000 km does not pass).
MAX_RATE = 1500.0
RECENT = 8
# A rate from readings that span less than this says little about a year.
MIN_SPAN_DAYS = 45
# The due date counts as certain when its interval is at most this long.
CERTAIN_DAYS = 60


@dataclass(frozen=True, slots=True)
class Point:
    """A meter reading: the civil date, and kilometres (or hours)."""

    on: date
    value: float


@dataclass(frozen=True, slots=True)
class Usage:
    """Kilometres (or hours) a day: the rate with its lower and upper bound, and the last reading it starts from."""

    last: Point
    rate: float
    low: float
    high: float

    def reaches(self, value: float) -> tuple[date, bool] | None:
        """The date at which the meter shows ``value``, and whether that is certain enough to act on; None if never."""
        missing = value - self.last.value
        if missing <= 0:
            return self.last.on, True
        if self.rate <= 0:
            return None
        days = missing / self.rate
        if days > MAX_DAYS:
            return None
        earliest = missing / self.high
        latest = missing / self.low if self.low > 0 else MAX_DAYS
        return self.last.on + timedelta(days=round(days)), latest - earliest <= CERTAIN_DAYS

    def at(self, day: date) -> float:
        """The value expected on a date; never below zero."""
        return max(0.0, self.last.value + self.rate * (day - self.last.on).days)


MAX_DAYS = 3650


def usage(points: Sequence[Point]) -> Usage | None:
    """The usage that readings tell of, in any order; None when they say nothing about a rate."""
    kept = _plausible(sorted(points, key=lambda point: (point.on, point.value)))[-RECENT:]
    if len(kept) <= 1 or (kept[-1].on - kept[0].on).days < MIN_SPAN_DAYS:
        return None
    slopes = sorted(
        (after.value - before.value) / (after.on - before.on).days
        for index, after in enumerate(kept)
        for before in kept[:index]
        if (after.on - before.on).days >= 1
    )
    edge = len(slopes) // 5
    low, high = (slopes[edge], slopes[-1 - edge]) if len(slopes) > 1 else (slopes[0] * 0.7, slopes[0] * 1.4)
    return Usage(kept[-1], median(slopes), low, max(high, 1e-9))


def _plausible(points: list[Point]) -> list[Point]:
    """The longest chain of readings that one meter could have shown; of equally long ones, the latest."""
    if all(_follows(before, after) for before, after in pairwise(points)):
        return points
    length, previous = [1] * len(points), [-1] * len(points)
    for index, point in enumerate(points):
        for earlier in range(index):
            if length[earlier] >= length[index] and _follows(points[earlier], point):
                length[index], previous[index] = length[earlier] + 1, earlier
    at = max(range(len(points)), key=lambda index: (length[index], index), default=-1)
    chain = []
    while at >= 0:
        chain.append(points[at])
        at = previous[at]
    return chain[::-1]


def _follows(before: Point, after: Point) -> bool:
    days = max((after.on - before.on).days, 1)
    return before.value <= after.value <= before.value + MAX_RATE * days
