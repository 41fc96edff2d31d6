"""Whatever rule a calendar has: it is laid out as the reference has it, or refused, in a bounded number of steps."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from itertools import islice

import icalendar
import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from commsched import entries_of, zone
from commsched.plugin import series
from commsched.timing.recurrence import Steps, TooLong

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
COARSE, FINE = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY"), ("HOURLY", "MINUTELY", "SECONDLY")
FIRST = st.datetimes(datetime(1800, 1, 1), datetime(2030, 12, 31)).map(lambda at: at.replace(microsecond=0))  # noqa: DTZ001 - what the clock shows


def some(least, most, *, signed=False):
    """A list of numbers of a part."""
    numbers = st.integers(least, most)
    both = numbers | numbers.map(lambda one: -one) if signed else numbers
    return st.lists(both.filter(lambda one: one or not least), min_size=1, max_size=5, unique=True)


@st.composite
def rules(draw, *, hostile):
    """A rule of the RFC's grammar; without ``hostile``, one whose meaning the RFC and dateutil agree on."""
    frequency = draw(st.sampled_from(COARSE + FINE))
    parts = [f"FREQ={frequency}"]
    if draw(st.booleans()):
        parts.append(f"INTERVAL={draw(st.integers(1, 100_000 if hostile else 30))}")
    if draw(st.booleans()):
        parts.append(f"COUNT={draw(st.integers(1, 10**9))}")
    if draw(st.booleans()):
        parts.append(f"WKST={draw(st.sampled_from(DAYS))}")
    numbered = frequency in {"YEARLY", "MONTHLY"} and draw(st.booleans())
    days = st.tuples(st.sampled_from([1, 2, 5, -1, -2]) if numbered else st.just(""), st.sampled_from(DAYS))
    optional = {
        "BYMONTH": some(1, 12),
        "BYMONTHDAY": some(1, 31, signed=True),
        "BYDAY": st.lists(days.map(lambda one: f"{one[0]}{one[1]}"), min_size=1, max_size=4, unique=True),
        "BYHOUR": some(0, 23),
        "BYMINUTE": some(0, 59),
        "BYSECOND": some(0, 59),
    }
    if frequency == "YEARLY" or hostile:
        optional |= {"BYYEARDAY": some(1, 366, signed=True), "BYWEEKNO": some(1, 53 if hostile else 51)}
    chosen = [name for name in optional if draw(st.integers(0, 3)) == 0]
    # Of a week that has begun before the first time, dateutil takes positions in what is left of it.
    if (hostile or (chosen and frequency != "WEEKLY")) and draw(st.booleans()):
        optional["BYSETPOS"] = some(1, 366 if hostile else 4, signed=True)
        chosen.append("BYSETPOS")
    return ";".join([*parts, *(f"{name}={','.join(map(str, draw(optional[name])))}" for name in chosen)])


@given(rules(hostile=False), FIRST, st.integers(0, 4000))
@settings(deadline=None, max_examples=300)
def test_a_rule_means_what_the_reference_says(text, first, later):
    """The first times from a begin on are those of python-dateutil; where it has none near, it is not asked."""
    begin = first + timedelta(days=later if "LY;" in text and text[5] in "YMWD" else later % 3)
    rule = series.rule_of(icalendar.vRecur.from_ical(text))
    try:
        ours = list(islice(rule.between(first, begin, begin + timedelta(days=1500), Steps(60_000)), 8))
    except TooLong:
        assume(False)
    assume(ours)
    theirs = (at for at in rrulestr(text, dtstart=first) if at >= begin)
    assert list(islice(theirs, len(ours))) == ours


@given(rules(hostile=True), FIRST)
@settings(deadline=None, max_examples=200)
def test_any_rule_is_laid_out_or_refused_within_its_steps(text, first):
    """Every call of a function is counted, so that no walk escapes the count that is kept in the code."""
    rule, limit, calls = series.rule_of(icalendar.vRecur.from_ical(text)), 3_000, 0
    steps = Steps(limit)

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event in {"call", "c_call"}

    begin = datetime(2026, 1, 1)  # noqa: DTZ001 - what the clock shows
    profiler = sys.getprofile()
    sys.setprofile(count)
    try:
        found = sum(1 for _ in rule.between(first, begin, begin + timedelta(days=3 * 366), steps))
    except TooLong:
        found = 0
    finally:
        sys.setprofile(profiler)
    assert found <= limit
    assert calls < 60 * limit


EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n{zone}BEGIN:VEVENT\r\nUID:busy\r\n"
    "DTSTART{of}:{first}\r\nDURATION:PT5M\r\nRRULE:{rule}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
SPAN = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))


def lay_out(rule, *, first="18000101T000000Z", of="", definition=""):
    """The entries of a calendar with one event."""
    document = EVENT.format(rule=rule, first=first, of=of, zone=definition).encode()
    return list(entries_of(document, zone("UTC"), SPAN))


@given(rules(hostile=True), st.sampled_from(["18000101T000000Z", "00010101T000000", "20260101T090000Z"]))
@settings(deadline=None, max_examples=40)
def test_a_calendar_with_any_rule_is_laid_out_or_refused_with_its_name(text, first):
    """What is refused is refused with the event's name."""
    try:
        found = lay_out(text, first=first)
    except ValueError as error:
        assert "busy" in str(error), error  # noqa: PT017 - either outcome is right
    else:
        assert len(found) <= series.MOST_STEPS // series.INSTANCE


@pytest.mark.parametrize(
    ("rule", "times"),
    [
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", 0),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30,31", 0),
        ("FREQ=SECONDLY;INTERVAL=300;BYSETPOS=2;BYDAY=MO;BYMONTH=1", 0),
        ("FREQ=HOURLY;INTERVAL=24;BYHOUR=5", 0),
        ("FREQ=DAILY;COUNT=1000000000", 730),
        ("FREQ=WEEKLY;BYDAY=MO;COUNT=9", 0),
        ("FREQ=HOURLY;INTERVAL=12", 1460),
        ("FREQ=MINUTELY;INTERVAL=1440", 730),
    ],
)
def test_rules_that_never_match_or_are_old_cost_nothing(rule, times):
    """Each of these took the library up to half a minute."""
    assert len(lay_out(rule)) == times


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY;INTERVAL=300;COUNT=1000000000", "FREQ=MINUTELY;INTERVAL=5"])
def test_what_would_take_for_ever_is_refused_with_the_events_name(rule):
    """A sentence that says which event it is; the calendar cannot be read then."""
    with pytest.raises(ValueError, match="the event busy comes again too often, or has for too long"):
        lay_out(rule + ";BYSECOND=" + ",".join(map(str, range(0, 60, 10))) if "MINUTELY" in rule else rule)


ZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:Ours\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nRRULE:{rule}\r\n"
    "TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYHOUR=1,2,3",
        "FREQ=DAILY",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=MO,TU",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;BYSECOND=0,1,2",
    ],
)
def test_zones_change_their_clock_once_a_year(rule):
    """Zones are laid out by the library itself, so only rules are let through that it lays out soon."""
    with pytest.raises(ValueError, match="the zone Ours changes its clock by a rule that does not hold once a year"):
        lay_out("FREQ=WEEKLY", first="20260105T090000", of=";TZID=Ours", definition=ZONE.format(rule=rule))
    usual = ZONE.format(rule="FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU")
    assert len(lay_out("FREQ=WEEKLY", first="20260105T090000", of=";TZID=Ours", definition=usual)) == 104


def test_the_zones_of_a_calendar_share_its_steps():
    """A definition with a thousand changes since the year 1, or a thousand documents with one, are too much."""
    ours = ZONE.format(rule="FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU").replace("16010101", "00010304")
    part = ours[ours.index("BEGIN:STANDARD") : ours.index("END:VTIMEZONE")]
    for definition in (ours.replace(part, part * 50), ours.replace("DTSTART:0001", "DTSTART:0002") * 50):
        with pytest.raises(ValueError, match="the zone Ours changes its clock too often, or has for too long"):
            lay_out("FREQ=WEEKLY", first="20260105T090000", of=";TZID=Ours", definition=definition)


def test_the_events_of_a_calendar_share_its_steps():
    """On a CalDAV server every event is a document of its own; a thousand of them are one calendar all the same."""
    budget = series.Budget(12_000)
    document = EVENT.format(rule="FREQ=DAILY", first="20200101T090000Z", of="", zone="").encode()
    assert len(list(entries_of(document, zone("UTC"), SPAN, "", budget))) == 730
    with pytest.raises(ValueError, match="the event busy comes again too often"):
        list(entries_of(document, zone("UTC"), SPAN, "", budget))
