"""Where a customer's clock stands, and room before an ideal time."""

from __future__ import annotations

import runpy
from datetime import UTC, datetime, timedelta
from pathlib import Path

from commsched.timing.places import places, places_of_phone, places_of_postal, zones_of_phone, zones_of_region
from commsched.timing.windows import Windows

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "src" / "commsched" / "timing" / "numbering.tsv"


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


def test_a_number_tells_its_state_or_its_country():
    """Area codes tell states and provinces, some of them two; elsewhere the country code tells who shares it."""
    assert places_of_phone("+18475550142") == ("US-IL",)
    assert places_of_phone("+19025550123") == ("CA-NS", "CA-PE")
    assert places_of_phone("+17875550123") == ("PR",)
    assert places_of_phone("+442071838750") == ("GB", "GG", "IM", "JE")
    assert places_of_phone("+18005550123") == ()  # toll-free: of no place
    assert places_of_phone("8475550142") == ()


def test_the_table_of_numbers_is_that_of_the_numbering_plans():
    """The file is what the tool makes of the installed numbering plans, but for area codes that are newer or older."""
    tool = runpy.run_path(str(ROOT / "tools" / "numbering.py"))
    made = dict(line.split("\t") for line in tool["table"]().splitlines())
    kept = dict(line.split("\t") for line in TABLE.read_text("ascii").splitlines())
    differing = {prefix for prefix in made.keys() | kept.keys() if made.get(prefix) != kept.get(prefix)}
    assert len(differing) < len(kept) / 20


def test_an_address_tells_its_state_by_the_postal_code():
    """The letters before a ZIP code or a Canadian postal code, if they are a state or a province."""
    assert places_of_postal("2100 Ridge Avenue, Evanston, IL 60201") == ("US-IL",)
    assert places_of_postal("1 Main St\nHalifax, NS B3H 4R2") == ("CA-NS",)
    assert places_of_postal("PO BOX 12345, Springfield") == ()


def test_places_are_all_that_may_be():
    """Region, addresses and numbers count together; of whom nothing is known, the home of the deployment counts."""
    assert places("us-il", ["9 Elm St, Hartford, CT 06103"], ["+13055550142"], "US-TX") == ("US-IL", "US-CT", "US-FL")
    assert places("XX", [], ["+18005550123"], "US-TX") == ("US-TX",)
    assert places(None, [], [], "") == ("",)
