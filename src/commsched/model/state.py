"""What a ledger says, folded: the customer as rules and policies see them (DESIGN §6)."""

from __future__ import annotations

from datetime import date, datetime

import msgspec
from msgspec import field

from commsched.model.facts import (
    Commitment,
    Consent,
    Delivered,
    Event,
    Feedback,
    Hold,
    Intent,
    Interaction,
    Interval,
    Offer,
    Reading,
    Reply,
    Scalar,
    Sent,
    ServiceRecord,
    TaskDone,
    Wish,
)


class Contact(msgspec.Struct, frozen=True, gc=False):
    """A contact point as it stands: ``kind`` is email, phone, postal or url; ``media`` what a phone can do."""

    kind: str
    address: str
    media: tuple[str, ...]
    valid: bool
    primary: bool
    stated_by: str
    at: datetime


class Asset(msgspec.Struct, frozen=True, gc=False):
    """An asset as it stands."""

    id: str
    kind: str = ""
    model: str = ""
    acquired_on: date | None = None
    in_use: bool = True
    attributes: dict[str, Scalar] = field(default_factory=dict)


class Obligation(msgspec.Struct, frozen=True, gc=False):
    """An obligation as it stands; ``fact`` is the id of the fact that last changed its due date."""

    id: str
    kind: str
    due: date
    amount: float | None
    asset: str | None
    status: str
    since: datetime
    recorded_at: datetime
    source: str = ""
    learnt: datetime | None = None


class Appointment(msgspec.Struct, frozen=True, gc=False):
    """An appointment as it stands.

    ``occurrence`` is the digest of the fact that last moved its start by half an hour or more, ``moved_at`` and
    ``moved_by`` when that was recorded and who caused it, ``status_at`` and ``status_by`` the same of its status;
    ``booked_at`` is when it first was booked. ``source`` and ``learnt`` are where its last fact came from, and when.
    """

    id: str
    service: str
    asset: str | None
    start: datetime
    end: datetime | None
    status: str
    booked_by: str
    calendar: str | None
    place_zone: str | None
    occurrence: str
    booked_at: datetime
    moved_at: datetime
    moved_by: str
    status_at: datetime
    status_by: str
    source: str = ""
    learnt: datetime | None = None
    disowned: bool = False


class Case(msgspec.Struct, frozen=True, gc=False):
    """A case as it stands; ``change`` is the id of the fact that last changed its status, ``changed`` when."""

    id: str
    kind: str
    status: str
    severity: str | None
    summary: str | None
    change: str
    changed: datetime
    recorded_at: datetime


class Plan(msgspec.Struct, frozen=True, gc=False):
    """A service plan as it stands: made by a person for this customer, it overrides the service's own interval."""

    service: str
    asset: str | None
    every: Interval | None
    next_due: date | None
    by: str
    at: datetime
    recorded_at: datetime


class Promise(msgspec.Struct, frozen=True, gc=False):
    """How a commitment came to be as it stands, beside the fact of it.

    ``kept`` is the fact that said that it was kept, ``moved`` the last one that put its due time off; ``None`` if none
    did, or if that was taken back.
    """

    kept: Commitment | None = None
    moved: Commitment | None = None


class Profile(msgspec.Struct, frozen=True, gc=False):
    """Who the customer is and what they prefer."""

    id: str
    name: str = ""
    kind: str = "person"
    status: str = "active"
    organisation: str | None = None
    household: str | None = None
    roles: tuple[str, ...] = ()
    guardian: str | None = None
    born: date | None = None
    timezone: str | None = None
    locale: str | None = None
    region: str | None = None
    postal: str | None = None
    media: tuple[str, ...] = ()
    contact_hours: dict[str, list[str]] | None = None
    visit_hours: dict[str, list[str]] | None = None
    facts: dict[str, Scalar] = field(default_factory=dict)


class State(msgspec.Struct, frozen=True, gc=False):
    """Everything that holds for a customer at an instant: their own ledger, and what binds them through circles.

    Lists are in order of ``at``. ``address_history`` and ``address_consents`` come from the circles of their addresses:
    what others who share an address were sent there, and what they said about it. ``shared`` are the ids of what
    belongs to the customer's organisation; ``told_others`` what colleagues were told of it, without the reader's name.
    ``colleagues`` are the others there by id, of whom only profile, cases and commitments are known.
    ``said_by``: whose word counts (customer, staff, import) for ``customer.FIELD``, ``facts.NAME`` and ``ASSET.FIELD``.
    """

    profile: Profile
    contacts: tuple[Contact, ...] = ()
    consents: tuple[Consent, ...] = ()
    intents: tuple[Intent, ...] = ()
    assets: dict[str, Asset] = field(default_factory=dict)
    readings: dict[str, list[Reading]] = field(default_factory=dict)
    records: tuple[tuple[str, ServiceRecord], ...] = ()
    plans: tuple[Plan, ...] = ()
    obligations: dict[str, Obligation] = field(default_factory=dict)
    appointments: dict[str, Appointment] = field(default_factory=dict)
    events: tuple[tuple[str, Event], ...] = ()
    cases: dict[str, Case] = field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    commitments: tuple[tuple[str, Commitment], ...] = ()
    promises: dict[str, Promise] = field(default_factory=dict)
    wishes: dict[str, Wish] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    interactions: tuple[Interaction, ...] = ()
    feedback: tuple[tuple[str, Feedback], ...] = ()
    tasks_done: tuple[TaskDone, ...] = ()
    sent: tuple[Sent, ...] = ()
    replies: tuple[Reply, ...] = ()
    undelivered: tuple[Delivered, ...] = ()
    address_history: tuple[Sent, ...] = ()
    address_consents: dict[str, tuple[Consent, ...]] = field(default_factory=dict)
    guardian: State | None = None
    shared: frozenset[str] = frozenset()
    told_others: dict[str, int] = field(default_factory=dict)
    colleagues: dict[str, State] = field(default_factory=dict)
    said_by: dict[str, str] = field(default_factory=dict)
    next_change: datetime | None = None

    @property
    def mood(self) -> str:
        """The customer's last stated mood, or an empty string."""
        return self.feedback[-1][1].mood if self.feedback else ""


def known_as_customer(state: State) -> str:
    """Why somebody counts as a customer, in words that follow their name; empty if they are none, or nobody knows.

    Somebody has said so, or they have something that we look after. An export of customers seldom says of each that
    they are one: whom a `customer` fact describes without calling them anything else is. Of whom there is no such fact
    (somebody wrote to us, once), what they did counts: work, a purchase, a booking; else nobody knows.
    """
    stated = "customer.status" in state.said_by
    described = any(name.startswith("customer.") for name in state.said_by)
    if state.profile.status == "active" and described:
        return "is a customer already" if stated else "stands in our books, and nobody calls them a prospect"
    for asset in state.assets.values():
        if asset.in_use:
            return f"has {asset.model or asset.kind} ({asset.id}), which we look after"
    if described:
        return ""
    if state.records:
        return "has had work done by us"
    if any(event.item for _, event in state.events):
        return "has bought from us"
    booked = any(one.status != "proposed" for one in state.appointments.values())
    return "has booked with us" if booked else ""
