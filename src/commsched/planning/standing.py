"""What stands at the end of a fold, made from the fields that were gathered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET

from commsched.model import facts as f
from commsched.model.state import Appointment, Case, Contact, Obligation, Plan


def contact_of(point: dict[str, Any]) -> Contact:
    """A contact point as it stands."""
    media = point.get("media")
    return Contact(
        kind=point["kind"],
        address=point["address"],
        media=tuple(media) if media is not None else (),
        valid=point.get("valid", True),
        primary=point.get("primary", False),
        stated_by=point["stated_by"],
        at=point["at"],
    )


def plan_of(fact: f.ServicePlan) -> Plan:
    """A service plan as it stands."""
    learnt = fact.recorded_at or fact.at
    return Plan(fact.service, fact.asset, fact.every, fact.next_due, fact.by, fact.at, learnt)


def obligation_of(name: str, o: dict[str, Any]) -> Obligation:
    """An obligation as it stands."""
    return Obligation(
        name,
        o.get("kind", ""),
        o["due"],
        o.get("amount"),
        o.get("asset"),
        o.get("status", "open"),
        o["since"],
        o["recorded_at"],
        o["source"],
        o["learnt"],
    )


def appointment_of(name: str, a: dict[str, Any]) -> Appointment:
    """An appointment as it stands."""
    end: datetime | None = a.get("end")
    return Appointment(
        id=name,
        service=a.get("service", ""),
        asset=a.get("asset"),
        start=a["start"].astimezone(UTC),
        # An end alone may come to lie before a start that somebody else moved: then nobody knows how long it takes.
        end=end if end is not None and end > a["start"] else None,
        status=a.get("status", "booked"),
        booked_by=a.get("booked_by", "system"),
        calendar=a.get("calendar"),
        place_zone=a.get("place_zone"),
        occurrence=a["occurrence"],
        booked_at=a.get("booked_at", a["first_at"]),
        moved_at=a["moved_at"],
        moved_by=a["moved_by"],
        status_at=a.get("status_at", a["moved_at"]),
        status_by=a.get("status_by", a["moved_by"]),
        source=a["source"],
        learnt=a["learnt"],
        disowned=a.get("disowned", False),
    )


def case_of(name: str, case: dict[str, Any]) -> Case:
    """A case as it stands."""
    return Case(
        name,
        case.get("kind", ""),
        case.get("status", "open"),
        case.get("severity"),
        case.get("summary"),
        case.get("change", ""),
        case.get("changed", datetime.min.replace(tzinfo=UTC)),
        case.get("recorded_at", datetime.min.replace(tzinfo=UTC)),
    )


def commitment_of(name: str, standing: dict[str, Any]) -> tuple[str, f.Commitment]:
    """A promise, under its id, as it stands."""
    _, first = standing["first"]
    return name, f.Commitment(
        at=first.at,
        recorded_at=first.recorded_at,
        stated_by=first.stated_by,
        id=name,
        what=standing.get("what", ""),
        owner=standing.get("owner", ""),
        due=standing.get("due", UNSET),
        kept=standing.get("kept", False),
    )
