"""Lengths of time and distance as people write them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commsched import parse_duration, parse_exact
from commsched.timing.durations import Duration, in_km, in_unit, parse_distance


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("45s", Duration(timedelta(seconds=45))),
        ("90m", Duration(timedelta(minutes=90))),
        ("72h", Duration(timedelta(hours=72))),
        ("14d", Duration(days=14)),
        ("2w", Duration(days=14)),
        ("3mo", Duration(months=3)),
        ("10y", Duration(months=120)),
        ("2bd", Duration(business_days=2)),
        ("1d 6h", Duration(timedelta(hours=6), days=1)),
        (" 1y2mo 3d ", Duration(days=3, months=14)),
        ("1h 1h", Duration(timedelta(hours=2))),
        ("0d", Duration()),
    ],
)
def test_durations_are_read_part_by_part(text, expected):
    """Each unit goes to its part; parts add up."""
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", " ", "3", "d", "3 months", "-3d", "1.5h", "3d!", "3d, 4h", "three days", "3D"])
def test_a_bad_duration_says_what_would_be_right(text):
    """What is no duration is an error with examples, never half of one."""
    with pytest.raises(ValueError, match="90m, 72h, 14d, 2w, 3mo, 10y or 2bd"):
        parse_duration(text)


def test_minutes_are_exact_and_days_are_civil():
    """Hours and below are absolute; days and above move the calendar date."""
    assert not parse_duration("72h").civil
    for text in ("1d", "1w", "1mo", "1y", "1bd", "1d 1h"):
        assert parse_duration(text).civil


@pytest.mark.parametrize(
    ("text", "day", "sign", "expected"),
    [
        ("3mo", "2026-11-30", 1, "2027-02-28"),
        ("10y", "2024-02-29", 1, "2034-02-28"),
        ("1mo 1d", "2026-01-31", 1, "2026-03-01"),
        ("2w", "2026-01-10", -1, "2025-12-27"),
        ("1mo", "2026-03-31", -1, "2026-02-28"),
        ("5h", "2026-03-31", 1, "2026-03-31"),
    ],
)
def test_a_date_so_long_after(text, day, sign, expected):
    """Months first, then days; hours do not move a date."""
    assert parse_duration(text).after(date.fromisoformat(day), sign) == date.fromisoformat(expected)


def test_rough_lengths_are_about_right():
    """A year is 365 days, a month 30, a business day 1.4."""
    assert parse_duration("1y 1mo 1d 1h").rough() == timedelta(days=396, hours=1)
    assert parse_duration("5bd").rough() == timedelta(days=7)


@given(st.integers(0, 999), st.integers(0, 99), st.integers(0, 9999), st.integers(0, 9999))
def test_an_exact_length_is_the_sum_of_its_parts(weeks, days, minutes, seconds):
    """Days are 24 hours where a fixed length is asked for."""
    expected = timedelta(weeks=weeks, days=days, minutes=minutes, seconds=seconds)
    assert parse_exact(f"{weeks}w {days}d {minutes}m {seconds}s") == expected


@pytest.mark.parametrize("text", ["1mo", "1y", "2bd", "1d 1mo"])
def test_what_has_no_fixed_length_is_refused(text):
    """Months, years and business days have no fixed length."""
    with pytest.raises(ValueError, match="no fixed length"):
        parse_exact(text)


@pytest.mark.parametrize(
    ("text", "km"),
    [
        ("15000 km", 15000),
        ("15,000km", 15000),
        ("15 000 km", 15000),
        ("10_000 mi", 16093.44),
        ("7500.5 km", 7500.5),
        ("250 h", 250),
    ],
)
def test_distances_are_read_in_kilometres(text, km):
    """Miles become kilometres, hours of running stay hours, and thousands may be set apart."""
    assert parse_distance(text) == pytest.approx(km)


@pytest.mark.parametrize("text", ["", "15000", "km", "-5 km", "1,50 km", "15000 kilometers", "1e4 km"])
def test_a_bad_distance_says_what_would_be_right(text):
    """What is no distance is an error with examples."""
    with pytest.raises(ValueError, match="15000 km, 10000 mi or 250 h"):
        parse_distance(text)


@given(st.floats(0, 1e7), st.sampled_from(["km", "mi", "h"]))
def test_units_convert_back(value, unit):
    """What is turned into kilometres and back is what it was."""
    assert in_unit(in_km(value, unit), unit) == pytest.approx(value)
