"""What comes again: the instants of a cron line, and the rounds of a repeated rule."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from croniter import croniter

from commsched.timing.civil import start_of_day, zone
from commsched.timing.durations import parse_duration


@lru_cache(maxsize=256)
def fires(cron: str, place: str, first: date, last: date) -> tuple[datetime, ...]:
    """The instants of a cron line between two dates, in the zone of the place."""
    start, end = start_of_day(first, zone(place)), start_of_day(last, zone(place))
    upcoming = croniter(cron, start.astimezone(zone(place)) - timedelta(seconds=1))
    found = []
    while (at := upcoming.get_next(datetime).astimezone(UTC)) < end:
        found.append(at)
    return tuple(found)


def shifted(at: datetime | date, every: str) -> datetime | date:
    """An anchor, one round on."""
    length = parse_duration(every)
    if isinstance(at, datetime):
        return at + length.rough()
    return length.after(at) + timedelta(days=length.exact.days)
