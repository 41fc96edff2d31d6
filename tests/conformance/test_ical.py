"""Recurring events against the tables of libical and ical4j: every instance, and none besides."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from corpora import corpus

from commsched import entries_of, zone

RULES = json.loads(corpus("ical/libical_rrule_gold.json").read_text(encoding="utf-8"))
# Where python-dateutil and ical4j differ, RFC 5545 says nothing: a number of a week, or a day of a month in a yearly
# rule, without the weekday or month.
SETS = [
    case
    for case in json.loads(corpus("ical/ical4j_expected.json").read_text(encoding="utf-8"))
    if case["dateutil_agrees"]
]
HERE = zone("UTC")
SECOND = timedelta(seconds=1)
# Steps that do not go by the clock on the wall.
SHORT = ("HOURLY", "MINUTELY", "SECONDLY")


def time(text):
    """A time or a date of the tables."""
    return datetime.strptime(text.rstrip("Z"), "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d").replace(tzinfo=UTC)


def starts(first, until, *lines, place=HERE):
    """When an event of these lines begins, from its own first time on."""
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", "UID:one"]
    document = "\r\n".join([*head, *lines, "END:VEVENT", "END:VCALENDAR", ""]).encode()
    return sorted(entry.start for entry in entries_of(document, place, (first, until)))


def prop(name, value):
    """A property with a date or a time."""
    return f"{name}:{value}" if "T" in value else f"{name};VALUE=DATE:{value}"


@pytest.mark.parametrize("case", RULES, ids=lambda case: case["id"])
def test_rules_of_libical(case):
    """START-AT only moves the iterator of libical; the instances are all there are."""
    wanted = [time(one) for one in case["instances"]]
    first = time(case["DTSTART"])
    until = wanted[-1] if wanted else first
    assert starts(first, until + SECOND, prop("DTSTART", case["DTSTART"]), f"RRULE:{case['RRULE']}") == wanted


@pytest.mark.parametrize("case", [one for one in SETS if one["kind"] == "recur_dates"], ids=lambda case: case["id"])
def test_rules_of_ical4j(case):
    """From the begin of the window up to and with its end, wherever the process stands."""
    first, until = case["window"]
    found = starts(time(first), time(until) + SECOND, prop("DTSTART", first), f"RRULE:{case['rrule']}")
    assert found == [time(one) for one in case["expected"]]


@pytest.mark.parametrize(
    "case", [one for one in SETS if one["kind"] == "vevent_recurrence_set"], ids=lambda case: case["id"]
)
def test_sets_of_ical4j(case):
    """With exceptions, and with the length of each."""
    first, until = case["window"]
    lines = [prop("DTSTART", case["dtstart"]), prop("DTEND", case["dtend"]), f"RRULE:{case['rrule']}"]
    if case["exdate"]:
        lines.append(prop("EXDATE", case["exdate"]))
    wanted = [time(period.partition("/")[0]) for period in case["expected_periods"]]
    assert starts(time(first), time(until), *lines) == wanted


@pytest.mark.parametrize("name", ["America/Chicago", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"])
def test_rules_hold_by_the_clock_of_any_zone(name):
    """What libical says of times without a zone is so in each zone, on both sides of its clock changes."""
    place, tried = zone(name), 0
    for case in RULES:
        wanted = [time(one).replace(tzinfo=place) for one in case["instances"]]
        if "Z" in case["DTSTART"] + case["RRULE"] or any(word in case["RRULE"] for word in SHORT):
            continue
        if wanted and "T" in case["DTSTART"] and all(exists(one) for one in wanted):
            tried += 1
            first = time(case["DTSTART"]).replace(tzinfo=place).astimezone(UTC)
            lines = (f"DTSTART;TZID={name}:{case['DTSTART']}", f"RRULE:{case['RRULE']}")
            found = starts(first, wanted[-1].astimezone(UTC) + SECOND, *lines)
            assert found == [one.astimezone(UTC) for one in wanted], case["id"]
    assert tried > 40


def exists(local):
    """Whether the clock shows this time on that day."""
    return local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None)
