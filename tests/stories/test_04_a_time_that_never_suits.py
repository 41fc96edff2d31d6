"""Story 04: the appointment is at a time that never suits this customer."""

from __future__ import annotations

from datetime import timedelta

from people import car, driver

from commsched.engine.booking import Look, free_times
from commsched.store.ledgers import load


def offered(tale, customer="C1", *, suiting=False, limit=6):
    """What is offered for an oil change within two weeks, by the clock of the place, and what is said of the rest."""
    now, desk = tale.clock.at, tale.app.desk()
    with tale.app.store.read() as connection:
        ledger = load(connection, [customer])[customer].ledger
        look = Look(
            tale.app.services["oil_change"], (now, now + timedelta(days=14)), ledger, suiting=suiting, limit=limit
        )
        times = free_times(desk, connection, look, now)
    return [f"{slot.start.astimezone(tale.zone):%a %d %H:%M}" for slot in times.slots], dict(times.reasons)


def works_by_day(tale, **hours):
    """They have told us when they can come."""
    return tale.given("preference", customer="C1", stated_by="customer", visit_hours=hours)


def test_what_is_offered_lies_within_the_hours_that_they_stated(story):
    """Who can come on Tuesday afternoons is offered Tuesday afternoons, in opening hours, and nothing else first."""
    tale = works_by_day(car(driver(story("2026-12-01 09:00"))), tue=["15:00-19:00"])
    times, _ = offered(tale, suiting=True, limit=100)
    assert {time.split()[1] for time in times} == {"01", "08"}
    assert all("15:00" <= time.split()[2] <= "17:15" for time in times)


def test_a_time_that_others_have_is_not_offered(story):
    """All three bays are taken at one of the times that suit: that one is not offered."""
    tale = works_by_day(car(driver(story("2026-12-01 09:00"))), tue=["15:00-16:00"])
    assert offered(tale)[0][:4] == ["Tue 01 15:00", "Tue 08 15:00", "Tue 01 15:15", "Tue 08 15:15"]
    for number in range(3):
        tale.given(
            "appointment", customer=f"C{number + 2}", id=f"A{number}", service="oil_change", status="booked",
            start="2026-12-08 14:45", end="2026-12-08 15:30", calendar="service-bays",
        )  # fmt: skip
    assert offered(tale, suiting=True)[0] == ["Tue 01 15:00", "Tue 01 15:15"]


def test_that_nothing_suits_is_said_and_not_glossed_over(story):
    """Who can come on Sundays only is offered nothing as if it suited them."""
    tale = works_by_day(car(driver(story("2026-12-01 09:00"))), sun=["09:00-17:00"])
    times, reasons = offered(tale, suiting=True)
    assert times == []
    assert "none of the free times lies within the hours that suit the customer" in reasons["hours"]


def test_nothing_is_put_on_their_calendar_without_their_press(story):
    """A time that is proposed to them is no appointment: it is not reminded of, and others can still have it."""
    tale = car(driver(story("2026-12-01 09:00")))
    before = offered(tale)[0]
    tale.given(
        "appointment", customer="C1", id="A1", service="oil_change", asset="V1", status="proposed",
        start="2026-12-08 09:00", end="2026-12-08 09:45", calendar="service-bays", booked_by="system",
        stated_by="import",
    )  # fmt: skip
    assert offered(tale)[0] == before
    tale.until("2026-12-09")
    tale.nothing(rule="appointment-reminders")


def test_counterpart_what_they_press_is_theirs_and_nobody_elses(story):
    """Without stated hours the soonest are offered; what they take is booked, confirmed, and gone for others."""
    tale = car(driver(story("2026-12-01 09:00")))
    driver(tale, "Bo Lund", customer="C2", email="bo@example.com")
    assert offered(tale)[0][:3] == ["Tue 01 10:00", "Tue 01 12:30", "Wed 02 07:30"]
    for number, customer in enumerate(("C1", "C3", "C4")):
        tale.given(
            "appointment", customer=customer, id=f"A{number}", service="oil_change", status="booked",
            start="2026-12-02 07:30", end="2026-12-02 08:15", calendar="service-bays", stated_by="customer",
            booked_by="customer",
        )  # fmt: skip
    assert offered(tale, "C2")[0][:3] == ["Tue 01 10:00", "Tue 01 12:30", "Wed 02 08:15"]
    tale.until("2026-12-01 09:30")
    tale.sent(rule="appointment-reminders", step="confirmation", customer="C1")


def test_who_waits_is_offered_a_time_that_suits_and_nothing_is_booked_for_them(story):
    """A freed time goes to the waiting list, one at a time; without their yes it lapses, and the next is asked."""
    tale = works_by_day(car(driver(story("2026-12-01 09:00"))), tue=["15:00-15:50"])
    for number in range(3):
        tale.given(
            "appointment", customer=f"X{number}", id=f"A{number}", service="oil_change", status="booked",
            start="2026-12-08 15:00", end="2026-12-08 15:45", calendar="service-bays",
        )  # fmt: skip
    tale.given("wish", customer="C1", id="W1", service="oil_change", between=["2026-12-08", "2026-12-08"])
    driver(tale, "Bo Lund", customer="C2", email="bo@example.com")
    tale.given("preference", customer="C2", stated_by="customer", visit_hours={"tue": ["15:00-15:50"]})
    tale.until("2026-12-02 09:00")
    tale.given(
        "wish", customer="C2", id="W2", service="oil_change", between=["2026-12-08", "2026-12-08"],
        at="2026-12-02 08:00",
    )  # fmt: skip
    tale.nothing(rule="waiting-list")
    tale.given("appointment", customer="X1", id="A1", status="cancelled")
    tale.until("2026-12-03 08:00")
    first = tale.sent(rule="waiting-list", customer="C1")
    assert "Tuesday, December 8, 2026 at 3:00 PM CST" in first.body
    tale.nothing(rule="waiting-list", customer="C2")
    tale.until("2026-12-04 12:00")
    tale.sent(rule="waiting-list", customer="C2", between=("2026-12-03 09:00", "2026-12-03 09:10"))
    tale.until("2026-12-09")
    tale.nothing(rule="appointment-reminders", customer="C1")
