"""Civil time: what local times mean as instants, in every zone and through every clock change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commsched import (
    Span,
    Windows,
    by_date,
    daily,
    instant,
    local_date,
    parse_hours,
    parse_week,
    start_of_day,
    weekly,
    zone,
)
from commsched.testing.strategies import ZONES, instants, spans
from commsched.timing.civil import add_months

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)


def utc(text: str) -> datetime:
    """An instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("place", "local", "expected"),
    [
        ("America/Chicago", "2026-03-08T02:30", "2026-03-08T08:00"),
        ("America/Chicago", "2026-03-08T02:00", "2026-03-08T08:00"),
        ("America/Chicago", "2026-03-08T01:59:59", "2026-03-08T07:59:59"),
        ("Europe/Berlin", "2026-03-29T02:59:59", "2026-03-29T01:00"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30"),
        ("America/Santiago", "2026-09-06T00:00", "2026-09-06T04:00"),
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00"),
    ],
)
def test_a_skipped_time_is_the_first_instant_after(place, local, expected):
    """A local time that a clock change skips means the first instant after the gap."""
    assert instant(datetime.fromisoformat(local), zone(place)) == utc(expected)


@pytest.mark.parametrize(
    ("place", "local", "expected"),
    [
        ("America/Chicago", "2026-11-01T01:30", "2026-11-01T06:30"),
        ("Europe/Berlin", "2026-10-25T02:00", "2026-10-25T00:00"),
        ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45"),
    ],
)
def test_a_repeated_time_is_the_first(place, local, expected):
    """A local time that a clock change repeats means the first of the two."""
    assert instant(datetime.fromisoformat(local), zone(place)) == utc(expected)


@given(instants(FIRST, LAST), st.sampled_from(ZONES))
def test_an_instant_comes_back_from_its_local_time(at, place):
    """Away from repeated times, an instant's local time means that instant."""
    local = at.astimezone(place)
    meant = instant(local.replace(tzinfo=None, fold=0), place)
    assert meant == at or (local.fold == 1 and meant < at)


def test_a_day_whose_midnight_is_skipped_begins_after_the_gap():
    """The first instant of a date is the first that has that date."""
    begins = start_of_day(date(2026, 9, 6), zone("America/Santiago"))
    assert local_date(begins, zone("America/Santiago")) == date(2026, 9, 6)
    assert local_date(begins - SECOND, zone("America/Santiago")) == date(2026, 9, 5)


@lru_cache(maxsize=1)
def changes() -> list[tuple[str, tuple[datetime, ...]]]:
    """A zone for each different series of clock changes from 2026 to 2028, with the instants of the changes."""
    found: dict[tuple[tuple[datetime, timedelta | None], ...], str] = {}
    for name in sorted(available_timezones() - {"Factory", "localtime", "posixrules"}):
        place = zone(name)
        offsets = [(day, day.astimezone(place).utcoffset()) for day in days()]
        moved = [(first, last) for first, last in pairwise(offsets) if first[1] != last[1]]
        series = tuple((change(place, first[0], last[0]), last[1]) for first, last in moved)
        if series:
            found.setdefault(series, name)
    return [(name, tuple(at for at, _ in series)) for series, name in found.items()]


@lru_cache(maxsize=1)
def days() -> list[datetime]:
    """Midnights UTC of the three years."""
    return [FIRST + number * DAY for number in range((LAST - FIRST).days + 1)]


def change(place: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The instant between two at which the clock changes."""
    offset = before.astimezone(place).utcoffset()
    while after - before > SECOND:
        middle = before + (after - before) / 2
        before, after = (middle, after) if middle.astimezone(place).utcoffset() == offset else (before, middle)
    return after.replace(microsecond=0)


def is_meant(at: datetime, wanted: time, place: ZoneInfo) -> bool:
    """Whether an instant is what a local time means: that time, its first occurrence, or the end of its gap."""
    local, before = at.astimezone(place), (at - SECOND).astimezone(place)
    if local.time() == wanted:
        return local.fold == 0
    naive, earlier = local.replace(tzinfo=None), before.replace(tzinfo=None)
    skipped = (datetime.combine(day, wanted) for day in (naive.date(), earlier.date()))
    return any(earlier < one < naive for one in skipped) and naive - earlier > SECOND


@pytest.mark.parametrize("hours", ["08:00-21:00", "02:30-03:30", "00:15-00:45", "22:00-02:15"])
def test_daily_hours_hold_through_every_change_of_every_zone(hours):
    """In every zone, every window opens and closes at its local time, or at the first instant after the gap."""
    opens, closes = parse_hours(hours)
    assert len(changes()) > 20
    for name, instants_of_change in changes():
        place = zone(name)
        for at in instants_of_change:
            within = (max(at - 2 * DAY, FIRST), at + 2 * DAY)
            for start, end in daily(opens, closes, (place,), within):
                assert start == within[0] or is_meant(start, opens, place), (name, start)
                assert end == within[1] or is_meant(end, closes, place), (name, end)


def test_there_is_a_window_on_every_day_of_every_zone():
    """No clock change loses or doubles a day's hours."""
    for name, _ in changes():
        windows = daily(time(8), time(21), (zone(name),), (FIRST, LAST))
        dates = [local_date(start, zone(name)) for start, _ in windows]
        assert len(dates) == len(set(dates))
        assert all(after - before == DAY for before, after in pairwise(dates))


@given(spans(FIRST, LAST), st.lists(st.sampled_from(ZONES), min_size=1, unique=True), instants(FIRST, LAST))
def test_hours_in_several_zones_are_decent_in_all(within, zones, at):
    """An instant is inside if and only if it is in the span and its local time is inside the hours in every zone."""
    inside = at in daily(time(8), time(21), zones, within)
    decent = all(time(8) <= at.astimezone(place).time() < time(21) for place in zones)
    assert inside == (within[0] <= at < within[1] and decent)


@given(spans(FIRST, LAST), spans(FIRST, LAST), st.sampled_from(ZONES))
def test_a_narrower_span_gives_the_clipped_hours(within, part, place):
    """Hours do not depend on the span in which they are asked for."""
    wide = daily(time(22), time(6), (place,), within)
    narrow = (max(within[0], part[0]), min(within[1], part[1]))
    if narrow[0] < narrow[1]:
        assert daily(time(22), time(6), (place,), narrow) == wide.clip(*narrow)


WEEK = parse_week({"mon-thu": ["09:00-12:00", "13:00-17:30"], "fri": ["20:00-03:00"], "sun": ["00:00-24:00"]})


@given(spans(datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 4, 20, tzinfo=UTC)), st.sampled_from(ZONES))
def test_hours_by_date_agree_with_hours_by_weekday(within: Span, place: ZoneInfo):
    """The same hours, asked for date by date, are the same windows."""
    assert by_date(lambda day: WEEK.get(day.weekday(), ()), place, within) == weekly(WEEK, (place,), within)


def test_midnight_as_the_end_is_the_end_of_the_day():
    """Hours from midnight to midnight are the whole day, also when it has 23 or 25 hours."""
    chicago = zone("America/Chicago")
    for day, length in ((date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 6, 1), 24)):
        within = (start_of_day(day, chicago), start_of_day(day + DAY, chicago))
        assert daily(time(0), time(0), (chicago,), within) == Windows([within])
        assert within[1] - within[0] == length * HOUR


def test_weekdays_may_be_ranges_over_the_weekend():
    """`sat-mon` is Saturday, Sunday and Monday; a later entry replaces an earlier one of the same day."""
    assert sorted(parse_week({"sat-mon": ["09:00-10:00"]})) == [0, 5, 6]
    assert parse_week({"mon-fri": ["09:00-10:00"], "fri": []})[4] == ()


@pytest.mark.parametrize("text", ["9-5", "noon", "09:00", "09:00-", "09:00-12:00-13:00", "25:00-26:00"])
def test_bad_hours_say_what_would_be_right(text):
    """What is no range of hours is an error with an example."""
    with pytest.raises(ValueError, match="09:00-12:30"):
        parse_hours(text)


@pytest.mark.parametrize("text", ["someday", "mon-", "mon-noday", "1", "mon-tue-wed"])
def test_bad_weekdays_say_what_would_be_right(text):
    """What is no weekday is an error with an example."""
    with pytest.raises(ValueError, match="mon-fri"):
        parse_week({text: ["09:00-10:00"]})


def test_an_unknown_zone_is_a_key_error():
    """Only IANA names are zones; paths out of the database are not even looked for."""
    for name in ("Chicago", "../../etc/passwd", ""):
        with pytest.raises(KeyError):
            zone(name)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-01-01", -1, "2025-12-01"),
        ("2026-06-30", 0, "2026-06-30"),
    ],
)
def test_months_keep_the_day_where_there_is_one(day, months, expected):
    """A month on is the same day, or the last of a shorter month."""
    assert add_months(date.fromisoformat(day), months) == date.fromisoformat(expected)
