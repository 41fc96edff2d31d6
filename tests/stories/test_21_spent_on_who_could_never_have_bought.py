"""Story 21: a fortune spent on people who could never have bought."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from people import car, driver, odometer, serviced

from commsched.engine.channels import first_of
from commsched.store.reports import By, Deployed, Question, Summary, summarise
from commsched.testing.stories import Story

PART = 0.0083  # what a part of a text costs in config/commsched.toml
STEADY = (("2026-03-01", 20_000), ("2026-05-01", 21_000), ("2026-07-01", 22_000), ("2026-09-01", 23_000))


def by_text(tale: Story) -> Story:
    """She would rather have texts, and has said yes to offers by text."""
    long_ago = "2023-11-01 10:00"
    at = {"customer": "C1", "at": long_ago, "recorded_at": long_ago, "stated_by": "customer"}
    tale.given("contact_point", kind="phone", address="+18475550188", media=["sms"], **at)
    tale.given("preference", media=["sms"], **at)
    return tale.given("consent", medium="sms", purpose="*", granted=True, method="form", **at)


def report(tale: Story, by: By) -> Summary:
    """What `commsched report` adds up."""
    app = tale.app
    costs = app.configuration.costs
    channels = first_of(app.channels)
    asked = Question(datetime(2026, 1, 1, tzinfo=UTC), tale.clock.at, by, timedelta(days=30), tale.zone)
    with app.store.read() as connection:
        return summarise(connection, asked, Deployed(costs, channels, {rule.name: rule for rule in app.rules}))


def test_what_is_not_spent_on_who_never_buys_is_counted(story):
    """She keeps her cars ten years: no offer goes, nothing is paid, and the report says what that saved, and why."""
    tale = by_text(car(driver(story("2026-09-01 09:00"))))
    tale.given("intent", customer="C1", topic="trade_in", stance="never", stated_by="customer", **{"for": "10y"})
    tale.until("2027-06-01").nothing(rule="trade-in")
    row = report(tale, "purpose").rows["marketing"]
    assert (row.contacts, row.cost, row.vetoes, row.waiting, row.saved) == (0, 0.0, 1, 0, PART)
    assert report(tale, "policy").rows["stated_intent"].saved == PART
    assert report(tale, "department").rows["sales"].vetoes == 1
    assert list(report(tale, "week").rows) == ["2026-10-26"]


def test_who_could_not_be_reached_is_no_saving(story):
    """A message without any address would have cost nothing: the report does not boast of it."""
    long_ago = "2023-11-01 10:00"
    tale = story("2026-09-01 09:00").given(
        "customer", id="C1", name="Ana Ortiz", kind="person", at=long_ago, recorded_at=long_ago
    )
    car(tale).until("2027-06-01")
    row = report(tale, "purpose").rows["marketing"]
    assert (row.vetoes, row.saved) == (1, 0.0)


def test_counterpart_who_may_buy_gets_the_offer_and_it_is_paid_for(story):
    """Nothing speaks against the offer: it goes, as a text, and each of its parts is in the report."""
    tale = by_text(car(driver(story("2026-09-01 09:00")))).until("2027-06-01")
    tale.sent(rule="trade-in", medium="sms")
    row = report(tale, "purpose").rows["marketing"]
    assert (row.contacts, row.vetoes, row.saved) == (1, 0, 0.0)
    assert round(row.cost / PART, 6) in {1, 2, 3}
    assert report(tale, "medium").rows["sms"].cost == report(tale, "purpose").total.cost


def test_counterpart_what_came_of_a_reminder_is_seen(story):
    """She is told of the oil change, and books it: the money was not spent in vain."""
    tale = odometer(car(driver(story("2026-09-02 09:00"))), *STEADY)
    serviced(tale, "oil_change", "2026-01-10", 19_200)
    tale.until("2026-10-26 09:00")
    tale.sent(rule="oil-change-due", step="invite")
    tale.given(
        "appointment", customer="C1", id="A1", service="oil_change", asset="V1", status="booked", booked_by="customer",
        stated_by="customer", start="2026-11-03 09:00", end="2026-11-03 09:45",
    )  # fmt: skip
    tale.until("2026-11-10")
    found = report(tale, "purpose")
    assert found.rows["service"].bookings == 1
    assert (found.groups["family"].sums.bookings, found.groups["business"].sums.bookings) == (1, 0)
