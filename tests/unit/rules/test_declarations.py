"""The names that expressions may use, by trigger."""

from __future__ import annotations

from typing import get_args

import pytest

from commsched.model.vocabulary import Vocabulary
from commsched.rules import declarations
from commsched.rules.declarations import WITH_ASSET, for_service, for_trigger
from commsched.rules.rule import ANCHORS, TriggerKind

ALWAYS = {"customer.id", "customer.name", "customer.kind", "customer.status", "customer.region", "customer.locale"}
ALWAYS |= {"customer.roles", "mood", "facts.loyalty_tier", "facts.shares_mileage"}
PROGRESS = {"replied", "sent", "booked", "served"}
ASSET = {
    "asset.id",
    "asset.kind",
    "asset.model",
    "asset.in_use",
    "asset.fuel",
    "asset.value",
    "asset.seats",
    "asset.breed",
}
OWN = {
    "service_due": {"service", "due.earliest", "due.latest", "due.certain", "due.by_usage", "due.advised"},
    "service_record": {"service", "record.outcome", "record.dated", "record.severity"},
    "appointment": {"service"} | {f"appointment.{name}" for name in ("id", "status", "booked_by", "disowned")},
    "obligation": {"obligation.id", "obligation.kind", "obligation.status", "obligation.amount"},
    "event": {"event.kind", "event.item", "event.amount", "event.reason", "event.nights"},
    "feedback": {"feedback.mood", "feedback.department"},
    "reply": {"reply.meaning", "reply.medium", "reply.text"},
    "case": {"case.id", "case.kind", "case.status", "case.severity"},
    "commitment": {"commitment.id", "commitment.what", "commitment.owner"},
    "hold": {"hold.id", "hold.by", "hold.reason", "hold.about", "hold.purposes"},
    "offer": {"service", "offer.id", "offer.wish", "offer.start", "offer.end"},
    "season": set(),
    "schedule": set(),
}


@pytest.mark.parametrize("kind", get_args(TriggerKind))
def test_every_trigger_has_its_names(vocabulary, kind):
    """What is declared is what the contract with the planner lists, and nothing more."""
    wanted = ALWAYS | PROGRESS | OWN[kind] | (ASSET if kind in WITH_ASSET else set())
    assert set(for_trigger(kind, vocabulary)) == wanted


def test_types_are_those_declared(vocabulary):
    """The vocabulary's words are the types of its fields; amounts are numbers."""
    names = for_trigger("event", vocabulary)
    assert {name: names[name] for name in ("asset.value", "asset.seats", "event.nights", "event.amount", "sent")} == {
        "asset.value": "number",
        "asset.seats": "integer",
        "event.nights": "integer",
        "event.amount": "number",
        "sent": "strings",
    }
    assert for_trigger("season", vocabulary)["facts.shares_mileage"] == "boolean"


def test_one_kind_of_event_has_its_own_fields(vocabulary):
    """With the kind, only its data is known."""
    assert "event.nights" in for_trigger("event", vocabulary, event="visit")
    assert "event.nights" not in for_trigger("event", vocabulary, event="purchase")
    assert "event.nights" not in for_trigger("event", vocabulary, event="unheard")


def test_a_field_of_two_types_is_not_declared():
    """What is a text in one kind and a number in another cannot be used over both."""
    vocabulary = Vocabulary(events={"a": {"x": "string", "y": "string"}, "b": {"x": "number"}})
    names = for_trigger("event", vocabulary)
    assert "event.x" not in names
    assert names["event.y"] == "string"


def test_a_service_asks_about_customer_and_asset(vocabulary):
    """`for` sees who the customer is and what they have, not what was said to them."""
    assert set(for_service(vocabulary)) == ALWAYS | ASSET


def test_every_trigger_has_anchors_and_rows():
    """No trigger is forgotten in the tables."""
    assert set(ANCHORS) == set(get_args(TriggerKind)) == set(declarations.BY_TRIGGER)
