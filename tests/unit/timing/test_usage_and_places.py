"""The plain usage forecast, and where a customer's clock stands."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from commsched.timing.places import zones_of_phone, zones_of_region
from commsched.timing.usage import Point, usage
from commsched.timing.windows import Windows

STEADY = [Point(date(2026, month, 1), 1000.0 * month) for month in range(1, 11)]


def test_steady_readings_give_a_certain_date():
    """A thousand kilometres a month reach 15,000 about five months after 10,000, and that is certain."""
    found = usage(STEADY)
    assert found is not None
    due, certain = found.reaches(15_000)
    assert abs((due - date(2027, 3, 1)).days) <= 5
    assert certain


@pytest.mark.parametrize(
    "wrong",
    [
        Point(date(2026, 5, 15), 44_000.0),  # a GPS fault (traccar-web #186)
        Point(date(2026, 6, 15), 12.0),  # somebody read the trip meter
        Point(date(2026, 6, 15), 60_500.0),  # a digit too many
    ],
)
def test_one_wrong_reading_moves_nothing(wrong):
    """A reading that the meter cannot have shown is left out."""
    right, with_wrong = usage(STEADY), usage([*STEADY, wrong])
    assert with_wrong.rate == pytest.approx(right.rate, rel=0.05)
    assert with_wrong.last == right.last


def test_order_does_not_matter():
    """Readings come in as they come."""
    assert usage(STEADY[::-1]) == usage(STEADY)


@pytest.mark.parametrize("points", [[], STEADY[:1], [Point(date(2026, 1, 1), 10.0), Point(date(2026, 1, 20), 500.0)]])
def test_too_little_says_nothing(points):
    """None, one, or readings of three weeks tell of no rate."""
    assert usage(points) is None


def test_a_car_that_stands_never_gets_there():
    """Where nothing is driven, nothing comes due by distance."""
    assert usage([Point(date(2026, month, 1), 500.0) for month in range(1, 9)]).reaches(9000) is None


def test_a_region_has_its_zones_and_a_split_state_both():
    """Illinois has one clock, Indiana two; a country without states its own; an unknown place none."""
    assert [str(zone) for zone in zones_of_region("US-IL")] == ["America/Chicago"]
    assert len(zones_of_region("US-IN")) == 2
    assert "Europe/Berlin" in {str(zone) for zone in zones_of_region("DE-BY")}
    assert zones_of_region("XX") == ()


def test_a_number_tells_where_it_may_be():
    """A Chicago number is on Chicago's clock; a number of no plan is nowhere."""
    assert [str(zone) for zone in zones_of_phone("+13125550123")] == ["America/Chicago"]
    assert zones_of_phone("nonsense") == ()


def test_what_is_placed_before_its_ideal_leaves_room():
    """A window that closes before the ideal is used some minutes before its end, or at its start if it is shorter."""
    start = datetime(2026, 12, 1, 8, tzinfo=UTC)
    ideal, room = start + timedelta(hours=20), timedelta(minutes=10)
    hours = Windows.between(start, start + timedelta(hours=12))
    assert hours.nearest(ideal, room) == start + timedelta(hours=11, minutes=50)
    minutes = Windows.between(start, start + timedelta(minutes=5))
    assert minutes.nearest(ideal, room) == start
