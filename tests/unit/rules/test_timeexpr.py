"""Time expressions: what they mean, on quiet days and on those on which clocks change; and how they are refused."""

from __future__ import annotations

import timeit
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commsched.errors import TimeExpressionError
from commsched.rules.timeexpr import parse_time, weekdays_only
from commsched.timing.civil import instant

CHICAGO = ZoneInfo("America/Chicago")
BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
NAMES = ("due", "last", "start", "booked")


def at(text: str, place: ZoneInfo = CHICAGO) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=place).astimezone(UTC)


ANCHORS = {"due": date(2026, 5, 1), "start": at("2026-05-01T14:30"), "booked": at("2026-04-20T09:15")}


def resolved(text: str, anchors=ANCHORS, place=CHICAGO, *, end_of_day=False):
    return parse_time(text, NAMES).resolve(anchors, (place,), weekdays_only, end_of_day=end_of_day)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("due", "2026-05-01T00:00"),
        ("due at 10:00", "2026-05-01T10:00"),
        ("due - 21d at 10:00", "2026-04-10T10:00"),
        ("due - 2w", "2026-04-17T00:00"),
        ("due + 1y", "2027-05-01T00:00"),
        ("due - 3mo at 08:30", "2026-02-01T08:30"),
        ("due - 1d", "2026-04-30T00:00"),
        ("due - 1bd at 09:00", "2026-04-30T09:00"),
        ("due + 1bd at 09:00", "2026-05-04T09:00"),
        ("due + 3mo - 1d + 2bd at 09:00", "2026-08-04T09:00"),
        ("due - 6h", "2026-04-30T18:00"),
        ("start", "2026-05-01T14:30"),
        ("start - 72h", "2026-04-28T14:30"),
        ("start - 90m", "2026-05-01T13:00"),
        ("start - 1d 6h", "2026-04-30T08:30"),
        ("start-1d6h", "2026-04-30T08:30"),
        ("start \u2212 3d", "2026-04-28T14:30"),
        ("start - 1d at 18:00", "2026-04-30T18:00"),
        ("start - 26h at 18:00", "2026-04-30T18:00"),
        ("start - 14h at 18:00", "2026-05-01T18:00"),
        ("start - 15h at 18:00", "2026-04-30T18:00"),
        ("due - 1h at 18:00", "2026-04-30T18:00"),
        ("start - 1d + 2h", "2026-04-30T16:30"),
        ("earliest(booked + 7d, start - 2d)", "2026-04-27T09:15"),
        ("latest(booked + 7d, start - 2d)", "2026-04-29T14:30"),
        ("earliest(latest(due, booked), start, start)", "2026-05-01T00:00"),
    ],
)
def test_an_expression_means_a_local_time(text, expected):
    """Hours are absolute, days and months civil, and a time of day is local."""
    assert resolved(text) == at(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("due", "2026-05-01T23:59:59"),
        ("due + 30d", "2026-05-31T23:59:59"),
        ("due at 10:00", "2026-05-01T10:00"),
        ("due - 72h", "2026-04-28T23:59:59"),
        ("start + 1d", "2026-05-02T14:30"),
    ],
)
def test_a_deadline_on_a_day_is_its_last_second(text, expected):
    """Only an anchor without a time of day is stretched to the end of its day."""
    assert resolved(text, end_of_day=True) == at(expected)


@pytest.mark.parametrize(
    ("text", "anchor", "place", "expected"),
    [
        # 02:30 does not exist in Chicago on 8 March 2026.
        ("due at 02:30", date(2026, 3, 8), CHICAGO, datetime(2026, 3, 8, 8, 0, tzinfo=UTC)),
        # 01:30 comes twice on 1 November 2026: the first counts.
        ("due at 01:30", date(2026, 11, 1), CHICAGO, datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        ("due at 02:30", date(2026, 3, 29), BERLIN, datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("due at 02:30", date(2026, 10, 25), BERLIN, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        # Lord Howe Island moves its clocks by half an hour.
        ("due at 02:15", date(2026, 10, 4), LORD_HOWE, datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
        ("due at 01:45", date(2026, 4, 5), LORD_HOWE, datetime(2026, 4, 4, 14, 45, tzinfo=UTC)),
        # A day back keeps the local time, 24 hours do not.
        ("due - 1d", at("2026-03-08T14:30"), CHICAGO, at("2026-03-07T14:30")),
        ("due - 24h", at("2026-03-08T14:30"), CHICAGO, at("2026-03-07T13:30")),
        # The second of two equal local times, moved by no day, stays the second.
        ("due + 0d", datetime(2026, 11, 1, 7, 30, tzinfo=UTC), CHICAGO, datetime(2026, 11, 1, 7, 30, tzinfo=UTC)),
        # But moved by a week it is an ordinary half past one.
        ("due + 7d", datetime(2026, 11, 1, 7, 30, tzinfo=UTC), CHICAGO, at("2026-11-08T01:30")),
        ("due + 7d", datetime(2026, 10, 25, 6, 30, tzinfo=UTC), CHICAGO, datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
    ],
)
def test_clock_changes_are_minded(text, anchor, place, expected):
    """A skipped local time means the first instant after the gap, a repeated one the first of the two."""
    assert resolved(text, {"due": anchor}, place) == expected


def test_a_missing_anchor_is_no_time():
    """An expression over an anchor that is absent, or beyond all calendars, resolves to nothing."""
    assert resolved("last + 1d") is None
    assert resolved("earliest(start, last)") is None
    assert resolved("due", {"due": None}) is None
    assert resolved("due + 1y", {"due": date(9999, 6, 1)}) is None


def test_the_anchors_and_the_text_are_known():
    """What an expression needs can be asked, and it prints as it was written."""
    expression = parse_time("earliest(booked + 7d, start - 2d)", NAMES)
    assert expression.anchors == {"booked", "start"}
    assert str(expression) == expression.text == "earliest(booked + 7d, start - 2d)"
    assert hash(expression) == hash(parse_time("earliest(booked + 7d, start - 2d)", NAMES))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Column 1 of '': an anchor is missing (one of: due, last)."),
        ("dew - 3d", "Column 1 of 'dew - 3d': 'dew' is not known here; did you mean 'due'? (one of: due, last)."),
        (
            "due - 3d foo",
            (
                "Column 10 of 'due - 3d foo': 'foo' is not expected here; after the anchor come + or - and a"
                " duration, or at HH:MM."
            ),
        ),
        (
            "due - 14days",
            "Column 7 of 'due - 14days': '14days' is not a duration; write 90m, 72h, 14d, 2w, 3mo, 1y or 2bd.",
        ),
        ("due - 3.5d", "Column 7 of 'due - 3.5d': '3.5d' is not a duration; write 90m, 72h, 14d, 2w, 3mo, 1y or 2bd."),
        ("due - 300y", "Column 7 of 'due - 300y': '300y' is longer than a century."),
        (f"due - {'9' * 30}h", f"Column 7 of 'due - {'9' * 30}h': '{'9' * 30}h' is longer than a century."),
        ("due at 9:00", "Column 8 of 'due at 9:00': '9:00' is not a time of day; write 09:00 or 18:30."),
        ("due at 24:00", "Column 8 of 'due at 24:00': '24:00' is not a time of day; write 09:00 or 18:30."),
        ("due 3d", "Column 5 of 'due 3d': '3d' is too much here; an expression is ANCHOR ± DURATION … [at HH:MM]."),
        (
            "earliest(due",
            "Column 13 of 'earliest(due': earliest( must be closed with ), its parts separated by commas.",
        ),
        ("earliest(due,)", "Column 14 of 'earliest(due,)': an anchor is missing (one of: due, last)."),
        (
            "latest(due) + 3d",
            (
                "Column 13 of 'latest(due) + 3d': '+ 3d' is too much here; an expression is ANCHOR ±"
                " DURATION … [at HH:MM]."
            ),
        ),
    ],
)
def test_a_wrong_expression_is_refused_with_its_column(text, said):
    """What cannot be read is refused with the column and what would be right."""
    with pytest.raises(TimeExpressionError) as caught:
        parse_time(text, ("due", "last"))
    assert caught.value.detail == said


def test_deep_nesting_is_refused():
    """A malicious nesting ends in a sentence, not in a crash."""
    with pytest.raises(TimeExpressionError, match="nested too deeply"):
        parse_time("latest(" * 5000, NAMES)


TERMS = st.lists(
    st.tuples(st.sampled_from([1, -1]), st.integers(0, 40), st.sampled_from(["h", "m", "d", "w", "mo", "bd"])),
    max_size=4,
)
PLACES = st.sampled_from([CHICAGO, BERLIN, LORD_HOWE])
CLOCKS = st.none() | st.times(time(0), time(23, 59)).map(lambda clock: clock.replace(second=0, microsecond=0))


def _written(terms, clock, space):
    text = "due" + "".join(f"{space}{'+' if sign > 0 else '-'}{space}{count}{unit}" for sign, count, unit in terms)
    return text + (f" at {clock:%H:%M}" if clock else "")


def _add_months(day: date, count: int) -> date:
    month = day.year * 12 + day.month - 1 + count
    for last in (day.day, 30, 29, 28):
        try:
            return date(month // 12, month % 12 + 1, last)
        except ValueError:
            continue
    raise AssertionError


def _moved(day: date, terms) -> date:
    for sign, count, unit in terms:
        if unit == "mo":
            day = _add_months(day, sign * count)
        elif unit in {"d", "w"}:
            day += timedelta(days=sign * count * (7 if unit == "w" else 1))
        elif unit == "bd":
            day = weekdays_only(day, sign * count)
    return day


@given(
    TERMS,
    CLOCKS,
    PLACES,
    st.integers(0, 2 * 366 * 24 * 60),
    st.sampled_from(["", " ", "  "]),
)
def test_what_is_written_is_what_is_meant(terms, clock, place, minutes, space):
    """An expression written from its parts resolves to what a slow and plain reckoning of those parts gives."""
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    exact = sum(
        (timedelta(**{"hours" if u == "h" else "minutes": s * n}) for s, n, u in terms if u in "hm"), timedelta()
    )
    from_ = start + exact if clock else start
    here = from_.astimezone(place)
    day = _moved(here.date(), terms)
    if clock:
        expected = instant(datetime.combine(day, clock), place)
    else:
        naive = datetime.combine(day, here.time().replace(fold=0))
        expected = (start if day == here.date() else instant(naive, place)) + exact
    assert resolved(_written(terms, clock, space), {"due": start}, place) == expected


@given(TERMS, PLACES, st.dates(date(2026, 1, 1), date(2027, 12, 31)))
def test_the_last_second_of_a_day_is_on_that_day(terms, place, day):
    """A civil deadline on a date lies on the date that it names, whatever the clocks do; and after its beginning."""
    civil = [term for term in terms if term[2] not in "hm"]
    text = _written(civil, None, " ")
    begins, ends = resolved(text, {"due": day}, place), resolved(text, {"due": day}, place, end_of_day=True)
    assert begins.astimezone(place).date() == ends.astimezone(place).date() == _moved(day, civil)
    assert ends.astimezone(place).strftime("%H:%M:%S") == "23:59:59"
    assert timedelta(hours=22) < ends - begins < timedelta(hours=26)


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(-30, 30))
def test_weekdays_only_lands_on_weekdays(day, count):
    """Counting business days without holidays ends on a weekday, and there are as many on the way."""
    found = weekdays_only(day, count)
    assert count == 0 or found.weekday() < 5
    low, high = sorted((day, found))
    between = [low + timedelta(days=n) for n in range((high - low).days + 1)]
    start = day
    assert sum(each.weekday() < 5 and each != start for each in between) == abs(count)


def test_resolving_is_quick():
    """The planner resolves an expression for each step of each occurrence: it takes microseconds."""
    expression = parse_time("due - 21d at 10:00", NAMES)
    taken = min(timeit.repeat(lambda: expression.resolve(ANCHORS, (CHICAGO,), weekdays_only), number=2000, repeat=5))
    assert taken / 2000 < 20e-6
