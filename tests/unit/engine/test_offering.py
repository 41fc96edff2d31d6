"""Campaigns that invite no more people than there is room for; messages that offer free times. On both databases."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from commsched.cli.health import examine
from commsched.store import queries
from commsched.store.messages import load_task

BAY = """
[[calendars]]
name = "bay"
kind = "opening_hours"
weekly = { "wed" = ["09:00-10:30"] }
"""
SERVICES = """\
services:
  oil: {name: Oil change, every: {months: 12}, duration: 45m, calendar: bay}
  scope:
    name: Scope
    duration: 45m
    calendar: bay
    prep: [{id: diet, begins: start - 72h, notice: 24h}]
"""
INVITE = """\
rule: invite
why: It is time.
purpose: service
topic: visit
department: desk
pace: free_slots
trigger: {service_due: oil}
steps:
  - {step: first, at: due - 30d, deadline: due + 60d, template: thanks, media: [email]}
  - {step: second, at: due - 29d, deadline: due + 60d, after: first, template: thanks, media: [email]}
stop_when: booked
"""
TELL = """\
rule: tell
why: You have an appointment.
purpose: transactional
topic: visit
department: desk
trigger: {appointment: {service: scope, status: booked}}
steps:
  - step: diet
    prep: diet
    at: prep - 3d
    template: thanks
    media: [email]
    too_late: {offer_slots: true}
"""
OFFER = "Subject: Another time\n\n{% for slot in slots %}{{ slot }}\n{% endfor %}"


TYRES = "\nservices:\n  tyres: {name: Tyres, every: {months: 12}, duration: 45m, calendar: bay}"


@pytest.fixture
def files(configuration):
    """One bay that is open for two oil changes a week; horizon two weeks."""
    config = configuration.replace("live_from", 'horizon = "14d"\nlive_from')
    return {
        "config/commsched.toml": config + BAY,
        "config/services.yaml": SERVICES,
        "config/rules/invite.yaml": INVITE,
        "config/rules/tell.yaml": TELL,
        "templates/offer-slots/email.txt": OFFER,
    }


@pytest.fixture
def shop(garage, files):
    """That bay; it is Monday noon."""
    return garage(files)


@pytest.fixture
def overdue(shop, fact):
    """Customers whose oil change is due, each a day later than the one before."""

    def made(count):
        for number in range(count):
            name = f"c{number}"
            at = (datetime.fromisoformat("2025-06-20T12:00:00Z") - timedelta(days=number)).isoformat()
            shop.learn(
                fact("customer", customer=name, name=name, at="2025-01-01T12:00:00Z"),
                fact(
                    "contact_point", customer=name, kind="email", address=f"{name}@x.example", at="2025-01-01T12:00:00Z"
                ),
                fact("asset", customer=name, id=f"car-{name}", kind="car", in_use=True, at="2025-01-01T12:00:00Z"),
                fact("service_record", customer=name, service="oil", asset=f"car-{name}", outcome="done", at=at),
            )

    return made


def invited(shop):
    return sorted(name for name, one in shop.messages.items() if name.endswith("/first") and one.state == "sent")


def test_no_more_are_invited_than_there_is_room_for_the_nearest_due_first(shop, overdue):
    """Two weeks with two places each: four of seven are invited, those due first; the others wait, and say why."""
    overdue(7)
    shop.tick(minutes=1)
    assert invited(shop) == ["c3/first", "c4/first", "c5/first", "c6/first"]
    waiting = shop.messages["c0/first"]
    assert waiting.state == "planned"
    assert ("commsched", "pace", "as many people are invited as there are free times; nearest due first") in (
        waiting.reasons
    )
    assert shop.due("c0") - shop.clock.at >= timedelta(hours=1)
    shop.tick(days=1)
    assert len(invited(shop)) == 4


def test_two_campaigns_do_not_give_away_the_same_room(garage, files, fact):
    """Room for four at the one bay is room for four, whichever rule invites, in one pass or in two."""
    also = INVITE.replace("rule: invite", "rule: also").replace("service_due: oil", "service_due: tyres")
    services = SERVICES.replace("services:", TYRES.strip())
    shop = garage({**files, "config/services.yaml": services, "config/rules/also.yaml": also})
    for name, at in (("c1", "2025-06-19T12:00:00Z"), ("c2", "2025-06-18T12:00:00Z"), ("c3", "2025-06-17T12:00:00Z")):
        shop.learn(
            fact("customer", customer=name, name=name, at="2025-01-01T12:00:00Z"),
            fact("contact_point", customer=name, kind="email", address=f"{name}@x.example", at="2025-01-01T12:00:00Z"),
            fact("asset", customer=name, id=f"car-{name}", kind="car", in_use=True, at="2025-01-01T12:00:00Z"),
            *(
                fact("service_record", customer=name, service=what, asset=f"car-{name}", outcome="done", at=at)
                for what in ("oil", "tyres")
            ),
        )
    for _ in range(3):
        shop.tick(minutes=1)
        shop.tick(days=1)
    with shop.store.read() as connection:
        rows = connection.execute(text("SELECT rule, calendar FROM invitation")).all()
    assert {row.rule for row in rows} == {"invite", "also"}
    assert {row.calendar for row in rows} == {"bay"}
    assert len(rows) == 4


def test_a_later_step_is_no_second_invitation(shop, overdue):
    """Whoever was invited is reminded, although there is no room for more."""
    overdue(7)
    shop.tick(minutes=1)
    shop.tick(days=2)
    states = {name: one.state for name, one in shop.messages.items()}
    assert (states["c6/second"], states["c0/first"]) == ("sent", "planned")
    assert states.get("c0/second") != "sent"
    assert invited(shop) == ["c3/first", "c4/first", "c5/first", "c6/first"]


def test_an_invitation_that_led_to_a_booking_or_to_nothing_makes_room(shop, overdue, fact):
    """Who books takes a place and counts no more as invited; after two weeks of silence others are asked."""
    overdue(7)
    shop.tick(minutes=1)
    booked = {"start": "2026-06-24T14:00:00Z", "status": "booked", "service": "oil", "calendar": "bay"}
    shop.learn(fact("appointment", customer="c6", id="a1", asset="car-c6", at="2026-06-15T17:02:00Z", **booked))
    shop.tick(days=1)
    assert len(invited(shop)) == 4
    shop.tick(days=14)
    assert len(invited(shop)) > 4


def test_a_preparation_that_is_too_late_offers_free_times(shop, fact):
    """Wednesday leaves no time for the diet: next week's times are offered, and nothing is booked."""
    shop.learn(
        fact("customer", name="Ann"),
        fact("contact_point", kind="email", address="ann@x.example"),
        fact(
            "appointment", id="a1", service="scope", start="2026-06-17T14:00:00Z", status="booked", calendar="bay",
            at="2026-06-15T17:00:00Z", stated_by="customer",
        ),
    )  # fmt: skip
    shop.tick(minutes=3)
    sent = next(one for one in shop.messages.values() if one.state == "sent")
    assert sent.template == "offer-slots"
    assert "June 24, 2026 at 9:00 AM CDT" in sent.body
    assert "June 17" not in sent.body
    with shop.store.read() as connection:
        assert [row.status for row in queries.appointments_between(connection, 0, 2**60)] == ["booked"]
        assert queries.tasks(connection) == []


def test_messages_that_offer_times_read_their_calendar_once_together(shop, fact):
    """However many of a batch offer times, and before any transaction is open."""
    reads, there = [], shop.app.calendars["bay"].snapshot

    def counted(within, now):
        reads.append(within)
        return there(within, now)

    shop.app.calendars["bay"].snapshot = counted
    for name in ("ann", "bob", "cy"):
        shop.learn(
            fact("customer", customer=name, name=name),
            fact("contact_point", customer=name, kind="email", address=f"{name}@x.example"),
            fact(
                "appointment", customer=name, id=f"a-{name}", service="scope", start="2026-06-17T14:00:00Z",
                status="booked", calendar="bay", at="2026-06-15T17:00:00Z", stated_by="customer",
            ),
        )  # fmt: skip
    assert shop.tick().sent == 3
    assert len(reads) == 1


def test_where_no_time_can_be_offered_somebody_must_act(shop, fact):
    """Their own hours leave nothing: no empty offer goes, and there is one task."""
    shop.learn(
        fact("customer", name="Ann"),
        fact("contact_point", kind="email", address="ann@x.example"),
        fact("preference", visit_hours={"mon": ["09:00-12:00"]}),
        fact(
            "appointment", id="a1", service="scope", start="2026-06-17T14:00:00Z", status="booked", calendar="bay",
            at="2026-06-15T17:00:00Z", stated_by="customer",
        ),
    )  # fmt: skip
    shop.tick(minutes=3)
    shop.tick(minutes=3)
    assert shop.attempts == []
    with shop.store.read() as connection:
        (task,) = [load_task(row.body) for row in queries.tasks(connection)]
    assert "Ann needs another time, and none is free that could be offered" in task.text
    assert task.state == "open"


def test_a_calendar_that_cannot_be_read_invites_nobody(shop, overdue):
    """Without knowing what is free, everybody waits; doctor says which calendar it is."""
    shop.app.calendars["bay"].snapshot = _broken
    overdue(2)
    shop.tick(minutes=1)
    assert invited(shop) == []
    assert shop.messages["c0/first"].state == "planned"
    assert not all(one.ok for one in examine(shop.app) if one.what == "calendar")


def _broken(*_):
    from commsched.errors import CommschedError

    raise CommschedError("the server is away")
