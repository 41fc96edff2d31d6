"""Civil time: local dates and hours of a place, and the UTC windows that they mean.

A local time that a clock change skips means the first instant after the gap; one that it repeats means the first of
the two. A person who may be in several zones gets the intersection.
"""

from __future__ import annotations

import calendar as months
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache, reduce
from operator import and_
from zoneinfo import ZoneInfo, available_timezones, reset_tzpath

from commsched.timing.windows import ALWAYS, Span, Windows

# Zones are those of the package tzdata, whose version is part of every world, and not whatever copy the machine has:
# the same plan everywhere, and a new plan when the rules of a zone change.
reset_tzpath(to=())

DAY = timedelta(days=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = tuple(range(7))
Hours = tuple[time, time]
# The hours of each weekday, in the order of the days.
Table = tuple[tuple[int, tuple[Hours, ...]], ...]


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name; ``KeyError`` when there is none."""
    if name not in _names():
        raise KeyError(name)
    return ZoneInfo(name)


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=65536)
def instant(local: datetime, place: ZoneInfo) -> datetime:
    """The UTC instant of a naive local time at a place."""
    first = local.replace(tzinfo=place).astimezone(UTC)
    if first.astimezone(place).replace(tzinfo=None) == local:
        return first
    return _end_of_gap(local, place)


def _end_of_gap(local: datetime, place: ZoneInfo) -> datetime:
    early = local.replace(tzinfo=place, fold=1, microsecond=0).astimezone(UTC)
    late = local.replace(tzinfo=place, fold=0, microsecond=0).astimezone(UTC)
    return _changed(early, late, early.astimezone(place).utcoffset(), place)


@lru_cache(maxsize=1024)
def clock_changes(place: ZoneInfo, first: date, last: date) -> tuple[datetime, ...]:
    """The instants at which the offset of a zone changes between two dates, to the second."""
    changes, after = [], datetime.combine(first, time(), UTC)
    end = datetime.combine(last, time(), UTC)
    while after < end:
        before, after = after, after + DAY / 2
        offset = before.astimezone(place).utcoffset()
        if after.astimezone(place).utcoffset() != offset:
            changes.append(_changed(before, after, offset, place))
    return tuple(changes)


def _changed(early: datetime, late: datetime, offset: timedelta | None, place: ZoneInfo) -> datetime:
    """The first whole second at which the offset is another one."""
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // timedelta(seconds=2) * timedelta(seconds=1)
        if middle.astimezone(place).utcoffset() == offset:
            early = middle
        else:
            late = middle
    return late


def local_date(at: datetime, place: ZoneInfo) -> date:
    """The calendar date at the place at that instant."""
    return at.astimezone(place).date()


def start_of_day(day: date, place: ZoneInfo) -> datetime:
    """The first instant of a calendar date at a place."""
    return instant(datetime.combine(day, time()), place)


def add_months(day: date, count: int) -> date:
    """The same day of the month, ``count`` months on; the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, months.monthrange(year, month + 1)[1]))


def daily(opens: time, closes: time, zones: Iterable[ZoneInfo], within: Span) -> Windows:
    """Every day from ``opens`` to ``closes`` in all of ``zones``, inside ``within``; over midnight if need be."""
    return weekly(dict.fromkeys(EVERY_DAY, ((opens, closes),)), zones, within)


def weekly(hours: Mapping[int, tuple[Hours, ...]], zones: Iterable[ZoneInfo], within: Span) -> Windows:
    """The hours of each weekday (0 is Monday) in all of ``zones``, inside ``within``."""
    return _within(tuple(sorted(hours.items())), tuple(zones), within)


@lru_cache(maxsize=4096)
def _within(table: Table, zones: tuple[ZoneInfo, ...], within: Span) -> Windows:
    """The hours inside one span: what is due on one day asks for the same of nearly everybody."""
    return reduce(and_, (_in_zone(table, place, within) for place in zones), ALWAYS.clip(*within))


def _in_zone(table: Table, place: ZoneInfo, within: Span) -> Windows:
    return _years(table, place, (within[0] - DAY).year, (within[1] + DAY).year).clip(*within)


@lru_cache(maxsize=2048)
def _years(table: Table, place: ZoneInfo, first: int, last: int) -> Windows:
    """The hours of whole years, so that a span costs a binary search and not a walk through its days."""
    by_day = dict(table)
    start = date(first, 1, 1)
    days = (start + timedelta(days=number) for number in range((date(last, 12, 31) - start).days + 1))
    return Windows(on(day, hours, place) for day in days for hours in by_day.get(day.weekday(), ()))


def by_date(hours: Callable[[date], Iterable[Hours]], place: ZoneInfo, within: Span) -> Windows:
    """The hours of each single date at a place, inside ``within``; a day before counts, for hours over midnight."""
    first, last = local_date(within[0], place) - DAY, local_date(within[1], place)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return Windows(on(day, one, place) for day in days for one in hours(day)).clip(*within)


def on(day: date, hours: Hours, place: ZoneInfo) -> Span:
    """The instants from one local time to another on a date; midnight as the end means the end of the day."""
    opens, closes = hours
    last = day if closes > opens else day + DAY
    return instant(datetime.combine(day, opens), place), instant(datetime.combine(last, closes), place)


def parse_hours(text: str) -> Hours:
    """``"09:00-12:30"`` as two local times; ``ValueError`` says what would be right."""
    try:
        opens, closes = (
            time(0) if part.strip() == "24:00" else time.fromisoformat(part.strip()) for part in text.split("-")
        )
    except ValueError as error:
        message = f"{text!r} is not a range of hours such as 09:00-12:30"
        raise ValueError(message) from error
    return opens, closes


def parse_week(week: Mapping[str, Iterable[str]]) -> dict[int, tuple[Hours, ...]]:
    """``{"mon-fri": ["09:00-17:00"]}`` as hours by weekday; ``ValueError`` names what cannot be read."""
    hours: dict[int, tuple[Hours, ...]] = {}
    for days, ranges in week.items():
        parsed = tuple(parse_hours(text) for text in ranges)
        for day in _days(days):
            hours[day] = parsed
    return hours


def _days(text: str) -> Iterable[int]:
    first, dash, last = text.lower().partition("-")
    if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
        message = f"{text!r} is not a weekday or a range of them such as mon-fri"
        raise ValueError(message)
    start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
    return [day % 7 for day in range(start, end + 1 if end >= start else end + 8)]
