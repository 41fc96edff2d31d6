"""Made-up variables, with which ``check`` renders every template in every language before a customer sees it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from commsched.model.vocabulary import Vocabulary
from commsched.plugin.view import Department
from commsched.render.context import Context

_ZONE = ZoneInfo("America/Chicago")
_BY_TYPE: Mapping[str, object] = {"string": "sample", "number": 12.5, "integer": 12, "boolean": True}

_CUSTOMER: dict[str, object] = {
    "customer.id": "c-1001",
    "customer.name": "Maria López-Whitfield",
    "customer.kind": "person",
    "customer.status": "active",
    "customer.region": "US-IL",
    "customer.locale": "en-US",
    "customer.roles": ("owner",),
    "mood": "fine",
    "replied": (),
    "sent": ("invite",),
    "booked": False,
    "served": False,
    "reference": "24V-123",
}
_ASSET: dict[str, object] = {
    "asset.id": "a-1",
    "asset.kind": "car",
    "asset.model": "Toyota Corolla",
    "asset.in_use": True,
}
_SERVICE: dict[str, object] = {"service": "oil_change", "service.name": "Oil and filter change"}

# What each kind of trigger adds; the names are those of the table of variables in the documentation.
_TRIGGERS: Mapping[str, Mapping[str, object]] = {
    "service_due": _ASSET
    | _SERVICE
    | {
        "due": date(2026, 12, 1),
        "due.date": date(2026, 12, 1),
        "due.earliest": datetime(2026, 11, 14, 12, tzinfo=UTC),
        "due.latest": datetime(2026, 12, 20, 12, tzinfo=UTC),
        "due.reading": 80467.2,
        "due.unit": "mi",
        "due.certain": True,
        "due.by_usage": False,
        "due.advised": False,
        "last": date(2025, 12, 1),
    },
    "service_record": _ASSET
    | _SERVICE
    | {"event": datetime(2026, 11, 3, 16, tzinfo=UTC), "record.outcome": "advised", "record.severity": "soon"}
    | {"record.dated": True, "recheck": date(2027, 3, 15)},
    "appointment": _ASSET
    | _SERVICE
    | {
        "appointment.id": "ap-1",
        "appointment.status": "booked",
        "appointment.booked_by": "customer",
        "appointment.disowned": False,
        "start": datetime(2026, 12, 1, 15, tzinfo=UTC),
        "end": datetime(2026, 12, 1, 15, 45, tzinfo=UTC),
        "booked": datetime(2026, 11, 20, 18, 30, tzinfo=UTC),
        "changed": datetime(2026, 11, 20, 18, 30, tzinfo=UTC),
    },
    "obligation": _ASSET
    | {
        "due": date(2027, 3, 31),
        "due.date": date(2027, 3, 31),
        "obligation.id": "o-1",
        "obligation.kind": "lease_end",
        "obligation.status": "open",
        "obligation.amount": 12450.0,
    },
    "event": _ASSET
    | {
        "event": datetime(2024, 6, 14, 17, tzinfo=UTC),
        "event.kind": "purchase",
        "event.item": "corolla",
        "event.amount": 24990.0,
    },
    "reply": {
        "event": datetime(2026, 11, 4, 17, tzinfo=UTC),
        "reply.meaning": "unclear",
        "reply.medium": "sms",
        "reply.text": "Could it be the blue one?",
    },
    "feedback": {
        "event": datetime(2026, 11, 4, 17, tzinfo=UTC),
        "feedback.mood": "annoyed",
        "feedback.department": "service",
    },
    "case": {
        "opened": datetime(2026, 11, 4, 17, tzinfo=UTC),
        "closed": datetime(2026, 11, 9, 17, tzinfo=UTC),
        "case.id": "K-77",
        "case.kind": "complaint",
        "case.status": "closed",
        "case.severity": "high",
    },
    "commitment": {
        "due": datetime(2026, 12, 1, 17, tzinfo=UTC),
        "kept": datetime(2026, 11, 30, 17, tzinfo=UTC),
        "moved": datetime(2026, 11, 29, 17, tzinfo=UTC),
        "commitment.id": "p-1",
        "commitment.what": "call back about the brakes",
        "commitment.owner": "Dana Reyes",
    },
    "hold": {
        "began": datetime(2026, 11, 4, 17, tzinfo=UTC),
        "until": datetime(2026, 12, 1, 17, tzinfo=UTC),
        "hold.id": "H-1",
        "hold.by": "Dana Reyes",
        "hold.reason": "pays when the insurance has paid",
        "hold.about": "R-1",
        "hold.purposes": ("collections",),
    },
    "offer": _SERVICE
    | {
        "offered": datetime(2026, 11, 24, 15, tzinfo=UTC),
        "expires": datetime(2026, 11, 25, 15, tzinfo=UTC),
        "offer.id": "O-1",
        "offer.wish": "w-1",
        "offer.start": datetime(2026, 12, 1, 15, tzinfo=UTC),
        "offer.end": datetime(2026, 12, 1, 15, 45, tzinfo=UTC),
    },
    "season": {"opens": date(2026, 10, 15), "closes": date(2027, 3, 31)},
    "schedule": {"event": datetime(2026, 11, 4, 15, tzinfo=UTC)},
}
# What need not be known of a customer, and is empty or absent then.
_UNKNOWN: Mapping[str, object] = {
    "customer.name": "",
    "customer.region": "",
    "customer.locale": "",
    "mood": "",
    "asset.model": "",
    "due.reading": None,
    "end": None,
    "recheck": None,
    "record.severity": "",
    "event.item": "",
    "event.amount": None,
    "obligation.amount": None,
    "case.severity": "",
    "feedback.department": "",
    "reply.text": "",
}


def samples(trigger: str = "", vocabulary: Vocabulary | None = None, *, bare: bool = False) -> dict[str, object]:
    """Flat variables as the planner makes them for a kind of trigger (``""``: the names of all kinds together).

    ``vocabulary`` adds the attributes, custom facts and event data that a deployment declares. ``bare``: with
    everything left out that may be unknown, which is what templates forget.
    """
    chosen = [_TRIGGERS[trigger]] if trigger else list(_TRIGGERS.values())
    found: dict[str, object] = dict(_CUSTOMER)
    for variables in chosen:
        found |= variables
    found |= {} if bare else _declared(found, vocabulary or Vocabulary())
    return found | {name: value for name, value in _UNKNOWN.items() if bare and name in found}


def _declared(found: Mapping[str, object], vocabulary: Vocabulary) -> dict[str, object]:
    """The names that the vocabulary declares, where the trigger has such a subject."""
    fields = [("facts", vocabulary.facts)]
    fields += [("asset", declared) for declared in vocabulary.assets.values() if "asset.id" in found]
    fields += [("event", declared) for declared in vocabulary.events.values() if "event.kind" in found]
    return {f"{group}.{name}": _BY_TYPE[kind] for group, declared in fields for name, kind in declared.items()}


def sample_context(
    trigger: str = "",
    vocabulary: Vocabulary | None = None,
    *,
    why: str = "A sentence that says why.",
    department: Department | None = None,
    bare: bool = False,
) -> Context:
    """A context of :func:`samples`, with two parts, as a bundle has them."""
    variables = samples(trigger, vocabulary, bare=bare)
    services = ("Oil change", "Tire rotation")
    parts = tuple(Context(variables | {"service.name": name}, _ZONE, why=why) for name in services)
    place = department or _department(bare=bare)
    return Context(variables, _ZONE, place=place.zone, why=why, department=place, parts=parts)


def _department(*, bare: bool) -> Department:
    if bare:
        return Department("service", "Service", _ZONE)
    return Department(
        "service",
        "Service Department",
        _ZONE,
        phone="847-555-0142",
        email="service@example.com",
        lead="Pat Moreno",
        postal="1200 Chicago Avenue, Evanston, IL 60202",
    )
