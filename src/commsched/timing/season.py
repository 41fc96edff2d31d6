"""What the time of the year does to usage: from more than a year of readings, how busy each part of the year is.

Days are stretched where much is driven and shrunk where little is: on that scale a car that is driven far each summer
moves evenly, and one estimator serves both. The profile leans towards an even year as far as little is known of a part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from commsched.timing.meter import Leg

YEAR = 365.25
PARTS = 12
PART = YEAR / PARTS
# A part of the year is believed as far as more than this many days of it were seen.
LEAN_DAYS = 30.0
# Fewer legs, or a shorter time, show no season.
MIN_LEGS, MIN_DAYS = 8, 400


@dataclass(frozen=True, slots=True)
class Season:
    """How busy the parts of the year are, and the sums of that up to each; 1 is the mean of the year."""

    busy: tuple[float, ...]
    sums: tuple[float, ...]

    def stretched(self, day: float) -> float:
        """An ordinal on the scale on which usage is even."""
        year, within = divmod(day, YEAR)
        part = min(int(within / PART), PARTS - 1)
        return year * YEAR + self.sums[part] + (within - part * PART) * self.busy[part]

    def after(self, day: int, stretched_days: float) -> float:
        """How many days after ``day`` so many stretched ones have gone by."""
        goal = self.stretched(day) + stretched_days
        year, within = divmod(goal, YEAR)
        part = PARTS - 1
        while part and self.sums[part] > within:
            part -= 1
        return year * YEAR + part * PART + (within - self.sums[part]) / self.busy[part] - day


def season(legs: Sequence[Leg]) -> Season | None:
    """The season that legs (none of no days) tell of; ``None`` if they are too few, or nothing was driven."""
    if len(legs) < MIN_LEGS or legs[-1].until - legs[0].since < MIN_DAYS:
        return None
    driven, seen = [0.0] * PARTS, [0.0] * PARTS
    for leg in legs:
        _spread(leg, driven, seen)
    rate = sum(driven) / sum(seen)
    if rate <= 0:
        return None
    busy = [(km / rate + LEAN_DAYS) / (days + LEAN_DAYS) for km, days in zip(driven, seen, strict=True)]
    mean = sum(busy) / PARTS
    busy = [one / mean for one in busy]
    return Season(tuple(busy), tuple(sum(busy[:part]) * PART for part in range(PARTS)))


def _spread(leg: Leg, driven: list[float], seen: list[float]) -> None:
    """Share out what was driven among the parts of the year that the leg lies in."""
    a_day = leg.driven / (leg.until - leg.since)
    at = float(leg.since)
    while at < leg.until:
        number = int(at / PART + 1e-9)
        days = min((number + 1) * PART, leg.until) - at
        driven[number % PARTS] += a_day * days
        seen[number % PARTS] += days
        at += days
