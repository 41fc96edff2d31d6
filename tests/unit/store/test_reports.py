"""Reports: contacts, vetoes, cost, what vetoes saved, bookings that followed, families beside businesses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from commsched.engine.channels import first_of
from commsched.store.reports import BYS, Deployed, Question, summarise

CHICAGO = ZoneInfo("America/Chicago")
SERVICE_DUE = """\
rule: oil-due
why: "Your oil is due."
purpose: service
topic: visit
department: desk
trigger: {service_due: [oil]}
steps:
  - {step: invite, at: due - 21d at 10:00, not_before: due - 60d, deadline: due + 60d, template: thanks}
"""
NO = {"medium": "*", "purpose": "*", "granted": False, "method": "phone", "stated_by": "customer"}


@pytest.fixture
def shop(garage, configuration):
    """The small deployment where a mail costs a cent and each part of a text eight."""
    priced = configuration.replace('medium = "email"\n', 'medium = "email"\ncost = 0.01\n')
    priced = priced.replace('medium = "sms"\n', 'medium = "sms"\ncost = 0.08\n')
    return garage({"config/commsched.toml": priced, "config/rules/oil.yaml": SERVICE_DUE})


@pytest.fixture
def asked(noon):
    """A week from noon, by purpose."""
    return Question(noon - timedelta(days=1), noon + timedelta(days=7), "purpose", timedelta(days=14), CHICAGO)


def ask(shop, question):
    app = shop.app
    channels = first_of(app.channels)
    with shop.store.read() as connection:
        rules = {rule.name: rule for rule in app.rules}
        return summarise(connection, question, Deployed(app.configuration.costs, channels, rules))


def test_nothing_yet_is_all_zeros(shop, asked):
    """A report of an empty store has no rows, and no division by nobody."""
    for by in BYS:
        found = ask(shop, replace(asked, by=by))
        assert found.rows == {}
        assert (found.total.contacts, found.total.cost) == (0, 0.0)


def test_contacts_cost_and_vetoes_add_up(shop, asked, fact, customer):
    """A mail, a text of two parts and a refusal: each in its row, with what it cost or would have."""
    shop.learn(*customer("ann"), *customer("bob"), fact("consent", customer="bob", **NO))
    shop.learn(
        fact("customer", customer="cy", name="Cy" * 90),
        fact("contact_point", customer="cy", kind="phone", address="+13125550123"),
        fact("event", customer="cy", kind="order", id="order-cy", at="2026-06-15T17:00:00Z"),
    )
    shop.tick()
    found = ask(shop, asked)
    (row,) = found.rows.values()
    assert (row.contacts, row.vetoes, row.waiting) == (2, 1, 1)
    assert row.cost == pytest.approx(0.01 + 2 * 0.08)
    assert row.saved == pytest.approx(0.01)
    by = {name: ask(shop, replace(asked, by=name)).rows for name in BYS}
    assert {name: sums.contacts for name, sums in by["medium"].items()} == {"email": 1, "sms": 1}
    assert list(by["policy"]) == ["opt_out"]
    assert by["department"]["desk"] == row
    assert list(by["week"]) == ["2026-06-15"]


def test_only_the_time_that_was_asked_about_counts(shop, asked, customer):
    """The end is not part of it."""
    shop.learn(*customer("ann"))
    shop.tick()
    at = shop.clock.at
    assert ask(shop, replace(asked, start=at, end=at + timedelta(seconds=1))).total.contacts == 1
    assert ask(shop, replace(asked, end=at)).total.contacts == 0
    assert ask(shop, replace(asked, start=at + timedelta(seconds=1))).total.contacts == 0


def test_who_cannot_be_reached_saves_nothing(shop, asked, fact, deploy):
    """A message to nobody is refused, and would have cost nothing either."""
    shop.learn(
        fact("customer", customer="ann", name="Ann"), fact("event", kind="order", id="o", at="2026-06-15T17:00:00Z")
    )
    shop.tick()
    found = ask(shop, asked)
    assert (found.total.vetoes, found.total.saved) == (1, 0.0)


def test_a_week_begins_on_monday_by_the_clock_of_the_place(shop, asked, customer):
    """What went late on a Sunday in Chicago was Monday in Greenwich, and belongs to the week before."""
    late = datetime(2026, 6, 22, 3, tzinfo=UTC)
    shop.clock.at = late
    shop.learn(*customer("ann", at=late))
    shop.tick()
    assert list(ask(shop, replace(asked, end=late + timedelta(days=2), by="week")).rows) == ["2026-06-15"]


def test_a_booking_follows_the_message_about_its_service(shop, asked, fact, customer):
    """It counts once, within the days, for its own service, and not for whom nothing was sent."""
    for name in ("ann", "bob", "cy", "dee"):
        shop.learn(
            *customer(name),
            fact("service_record", customer=name, service="oil", outcome="done", at="2025-06-16T12:00:00Z"),
        )
    shop.tick()
    assert {one.split("/")[1] for one, m in shop.messages.items() if m.state == "sent"} == {"say", "invite"}
    soon, far = "2026-06-17T12:00:00Z", "2026-07-17T12:00:00Z"
    shop.learn(
        fact("appointment", customer="ann", id="A1", service="oil", start=far, status="booked", at=soon),
        fact("appointment", customer="ann", id="A1", status="confirmed", at="2026-06-18T12:00:00Z"),
        fact(
            "appointment", customer="bob", id="A2", service="oil", start=far, status="booked", at="2026-07-15T12:00:00Z"
        ),
        fact(
            "appointment", customer="cy", id="A3", service="oil", start=far, status="booked", at="2026-06-01T12:00:00Z"
        ),
        fact("appointment", customer="dee", id="A4", service="oil", start=far, status="proposed", at=soon),
        fact("appointment", customer="eve", id="A5", service="oil", start=far, status="booked", at=soon),
    )
    found = ask(shop, asked)
    assert found.total.bookings == 1
    assert found.rows["service"].bookings == 1
    assert ask(shop, replace(asked, within=timedelta(days=60))).total.bookings == 2


def test_families_stand_beside_businesses(shop, asked, fact, customer):
    """Who is an organisation, or belongs to one, is a business; everybody else is a family."""
    shop.learn(*customer("ann"), *customer("bob"), *customer("cy"))
    shop.learn(
        fact("customer", customer="bob", kind="organisation", at="2026-06-01T12:00:00Z"),
        fact("customer", customer="cy", organisation="acme", at="2026-06-01T12:00:00Z"),
        fact("customer", customer="dee", name="Dee"),
        fact("consent", customer="cy", **NO),
    )
    shop.tick()
    groups = ask(shop, asked).groups
    assert (groups["family"].customers, groups["family"].reached, groups["family"].sums.contacts) == (2, 1, 1)
    assert (groups["business"].customers, groups["business"].reached) == (2, 1)
    assert (groups["business"].sums.contacts, groups["business"].sums.vetoes) == (1, 1)
