"""Where a customer's clock stands, and room before an ideal time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from commsched.timing.places import zones_of_phone, zones_of_region
from commsched.timing.windows import Windows


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
