"""Lengths of time and distance as people write them: ``72h``, ``14d``, ``3mo``, ``2bd``, ``10000 mi``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from commsched.timing.civil import add_months

KM_PER_MILE = 1.609344
_PART = re.compile(r"(\d+)\s*(mo|bd|[smhdwy])\s*")
_DISTANCE = re.compile(r"(\d+(?:[ _,]\d{3})*(?:\.\d+)?)\s*(km|mi|h)")


@dataclass(frozen=True, slots=True)
class Duration:
    """An absolute part (hours, minutes, seconds) and a civil part (days, months, business days)."""

    exact: timedelta = timedelta()
    days: int = 0
    months: int = 0
    business_days: int = 0

    @property
    def civil(self) -> bool:
        """Whether it moves the calendar date and keeps the local time."""
        return bool(self.days or self.months or self.business_days)

    def after(self, day: date, sign: int = 1) -> date:
        """The date that is this many months and days after ``day`` (before it, if ``sign`` is -1)."""
        return add_months(day, sign * self.months) + timedelta(days=sign * self.days)

    def rough(self) -> timedelta:
        """About how long it is; months count 30 days, years 365, business days 1.4 days."""
        years, months = divmod(self.months, 12)
        return self.exact + timedelta(days=self.days + 365 * years + 30 * months + 1.4 * self.business_days)


@lru_cache(maxsize=4096)
def parse_duration(text: str) -> Duration:
    """``"72h"``, ``"90m"``, ``"14d"``, ``"2w"``, ``"3mo"``, ``"10y"``, ``"2bd"``, ``"1d 6h"``; else ``ValueError``."""
    totals: dict[str, int] = {}
    end = 0
    for part in _PART.finditer(text.strip()):
        if part.start() != end:
            break
        totals[part[2]] = totals.get(part[2], 0) + int(part[1])
        end = part.end()
    if not totals or end != len(text.strip()):
        message = f"{text!r} is not a duration; write 90m, 72h, 14d, 2w, 3mo, 10y or 2bd"
        raise ValueError(message)
    return Duration(
        exact=timedelta(seconds=totals.get("s", 0), minutes=totals.get("m", 0), hours=totals.get("h", 0)),
        days=totals.get("d", 0) + 7 * totals.get("w", 0),
        months=totals.get("mo", 0) + 12 * totals.get("y", 0),
        business_days=totals.get("bd", 0),
    )


def parse_exact(text: str) -> timedelta:
    """A duration as an absolute length: days are 24 hours; ``ValueError`` for months, years and business days."""
    duration = parse_duration(text)
    if duration.months or duration.business_days:
        message = f"{text!r} has no fixed length; write it in days or hours"
        raise ValueError(message)
    return duration.exact + timedelta(days=duration.days)


@lru_cache(maxsize=4096)
def parse_distance(text: str) -> float:
    """``"10000 mi"`` as kilometres (``"250 h"`` as hours); ``ValueError`` if it is neither."""
    match = _DISTANCE.fullmatch(text.strip())
    if match is None:
        message = f"{text!r} is not a distance; write 15000 km, 10000 mi or 250 h"
        raise ValueError(message)
    return in_km(float(re.sub(r"[ _,]", "", match[1])), match[2])


def in_km(value: float, unit: str) -> float:
    """A meter value in the unit that commsched reckons with: kilometres, or hours for meters that count hours."""
    return value * KM_PER_MILE if unit == "mi" else value


def in_unit(km: float, unit: str) -> float:
    """Kilometres (or hours) in the unit that people there read."""
    return km / KM_PER_MILE if unit == "mi" else km
