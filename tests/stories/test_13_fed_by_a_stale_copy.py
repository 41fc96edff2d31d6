"""Story 13: one system feeds another, and the copy is stale."""

from pathlib import Path

import pytest
from copies import copy_of_the_deployment
from people import car, driver, odometer, serviced

from commsched.testing.stories import Story

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fed(tmp_path):
    """The shipped deployment, where the dealer's system must have been heard of in the last two days."""
    return Story(ROOT, tmp_path, "2026-10-20 09:00")


def due_in_november(tale):
    """Somebody whose oil change is due on 15 November, as far as the dealer's system has told."""
    return serviced(car(driver(tale)), "oil_change", "2025-11-15", source="dms")


def test_what_depends_on_a_stale_source_waits_and_says_since_when(fed):
    """The dealer's system was last heard of on 20 October: nobody is told that their oil is due."""
    tale = due_in_november(fed.heard("dms")).until("2026-11-10 09:00")
    tale.nothing(rule="oil-change-due")
    refused = tale.refused(rule="oil-change-due", code="freshness")
    assert "dms since 2026-10-20 09:00" in "; ".join(detail for _, _, detail in refused.reasons)


def test_it_goes_once_the_source_is_fresh(fed):
    """It is heard of again on 10 November, with nothing new: the message goes."""
    tale = due_in_november(fed.heard("dms")).until("2026-11-10 09:00")
    tale.heard("dms").until("2026-11-11 21:00")
    tale.sent(rule="oil-change-due", step="invite", between=("2026-11-10 09:00", "2026-11-11 21:00"))


def test_the_car_was_sold_meanwhile(fed):
    """What the source says when it is heard of again counts: the car is gone, and nobody is written to."""
    tale = due_in_november(fed.heard("dms")).until("2026-11-10 09:00")
    tale.given("asset", customer="C1", id="V1", in_use=False, source="dms").heard("dms").until("2027-01-15")
    tale.nothing(rule="oil-change-due")


def booked(tale):
    return tale.given(
        "appointment", customer="C1", id="A1", service="oil_change", asset="V1", status="booked", booked_by="customer",
        stated_by="customer", source="dms", start="2026-11-18 09:00", end="2026-11-18 09:45",
    )  # fmt: skip


def test_appointments_are_not_held_but_say_what_they_are_based_on(fed):
    """A reminder goes all the same, with the day on which we knew of the appointment."""
    tale = booked(car(driver(fed.heard("dms")))).until("2026-11-18 12:00")
    reminder = tale.sent(rule="appointment-reminders", step="reminder")
    assert "This is what we knew on October 20, 2026; if it has changed since, please tell us." in reminder.body


@pytest.mark.parametrize(("source", "says"), [("dms", True), ("desk", False)])
def test_what_is_due_says_what_it_is_based_on_where_it_is_not_held(tmp_path, source, says):
    """A garage that lets such messages go all the same: they tell the day of the last that we knew of it."""
    folder = copy_of_the_deployment(tmp_path / "deployment")
    file = folder / "config" / "commsched.toml"
    held = 'source = "dms"\n'
    assert file.read_text().count(held) == 1
    file.write_text(file.read_text().replace(held, held + 'departments = ["sales"]\n'))
    tale = due_in_november(Story(folder, tmp_path, "2026-10-20 09:00").heard("dms"))
    odometer(tale, ("2026-06-01", 31000), source=source)
    body = tale.until("2026-11-10 09:00").sent(rule="oil-change-due", step="invite").body
    assert ("This is what we knew on June 1, 2026" in body) is says


def test_counterpart_a_fresh_source_holds_nothing_and_needs_no_such_words(fed):
    """Heard of every day, everything goes, and says no more than it has to."""
    tale = booked(due_in_november(fed))
    for day in range(20, 31):
        tale.heard("dms").until(f"2026-10-{day} 23:59")
    for day in range(1, 20):
        tale.heard("dms").until(f"2026-11-{day:02} 23:59")
    assert "This is what we knew" not in tale.sent(rule="appointment-reminders", step="reminder").body


def test_counterpart_what_is_due_is_told_while_the_source_is_fresh(fed):
    """And what is due is told in time."""
    tale = due_in_november(fed)
    for day in range(20, 31):
        tale.heard("dms").until(f"2026-10-{day} 23:59")
    tale.sent(rule="oil-change-due", step="invite", between=("2026-10-20 00:00", "2026-10-30 23:00"))
