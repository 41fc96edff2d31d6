"""The facts of a ledger: append-only, typed, each with who said it and when (DESIGN §6).

A field that is absent says nothing (``UNSET``); a field that is ``null`` clears what was said before.
Times are aware datetimes in UTC; civil dates are dates. Structs are frozen and decode in about a microsecond.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

StatedBy = Literal["customer", "staff", "import"]
# Whose word counts for more.
RANK = {"import": 0, "staff": 1, "customer": 2}
Instant = Annotated[datetime, Meta(tz=True)]
Id = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=4000)]
Scalar = str | float | int | bool | None
Unit = Literal["km", "mi", "h"]
AppointmentStatus = Literal["proposed", "booked", "confirmed", "cancelled", "completed", "no_show"]
Mood = Literal["delighted", "fine", "annoyed", "trapped"]


class Interval(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How often something is due: whichever of the stated parts comes first."""

    months: Annotated[int, Meta(ge=1, le=600)] | None = None
    weeks: Annotated[int, Meta(ge=1, le=2600)] | None = None
    days: Annotated[int, Meta(ge=1, le=20000)] | None = None
    distance: str | None = None
    hours: Annotated[int, Meta(ge=1)] | None = None


class Fact(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="type",
    forbid_unknown_fields=True,
    omit_defaults=True,
    gc=False,
):
    """What every fact has.

    ``at``: when it was true; ``recorded_at``: when it was learnt; ``source``: which system or person entered it;
    ``stated_by``: who said so. Exactly one of ``customer``, ``organisation`` and ``household`` names its ledger.
    """

    at: Instant
    recorded_at: Instant | None = None
    customer: Id | None = None
    organisation: Id | None | UnsetType = UNSET
    household: Id | None | UnsetType = UNSET
    source: Id | None = None
    stated_by: StatedBy | None = None
    id: Id | None = None

    # Whether who said it decides before when it was said: a customer's correction outlasts any later import.
    ranked: ClassVar[bool] = False

    @property
    def type(self) -> str:
        """The fact's type as it stands in a file."""
        return str(self.__struct_config__.tag)


class Customer(Fact, tag="customer", frozen=True, kw_only=True):
    """A person or an organisation; ``organisation`` and ``household`` are the circles they belong to."""

    ranked: ClassVar[bool] = True
    name: Text | None | UnsetType = UNSET
    kind: Literal["person", "organisation"] | UnsetType = UNSET
    status: Literal["prospect", "active", "former", "deceased"] | None | UnsetType = UNSET
    roles: list[str] | None | UnsetType = UNSET
    guardian: Id | None | UnsetType = UNSET
    born: date | None | UnsetType = UNSET
    timezone: str | None | UnsetType = UNSET
    locale: str | None | UnsetType = UNSET
    region: str | None | UnsetType = UNSET
    postal: Text | None | UnsetType = UNSET
    same_as: Id | None | UnsetType = UNSET


class ContactPoint(Fact, tag="contact_point", frozen=True, kw_only=True):
    """An address at which the customer can be reached; ``media`` says what a phone can do (sms, voice)."""

    ranked: ClassVar[bool] = True
    kind: Literal["email", "phone", "postal", "url"]
    address: Annotated[str, Meta(min_length=3, max_length=500)]
    media: list[str] | None | UnsetType = UNSET
    valid: bool | UnsetType = UNSET
    primary: bool | UnsetType = UNSET


class Consent(Fact, tag="consent", frozen=True, kw_only=True):
    """A permission given (``granted``) or taken back, for a medium and a purpose, or ``*`` for any.

    ``withdrawn``: what the same person said before under this ``id`` counts no more; by itself this permits nothing.
    """

    medium: str
    purpose: str
    topic: str | None = None
    granted: bool
    method: Text
    text: Text | None = None
    withdrawn: bool = False


class Intent(Fact, tag="intent", frozen=True, kw_only=True, rename={"for_": "for"}):
    """What the customer has stated they want, in their words: a wish that binds every campaign.

    The last word on a topic and asset counts; it is taken back by the same again, ``withdrawn``.
    """

    topic: str
    stance: Literal["never", "not_before", "wants"]
    until: date | None = None
    for_: str | None = None
    asset: Id | None = None
    words: Text | None = None
    withdrawn: bool = False


class Preference(Fact, tag="preference", frozen=True, kw_only=True):
    """How and when the customer likes to be reached and to visit; hours are ``{"mon": ["09:00-12:00"]}``."""

    ranked: ClassVar[bool] = True
    media: list[str] | None | UnsetType = UNSET
    contact_hours: dict[str, list[str]] | None | UnsetType = UNSET
    visit_hours: dict[str, list[str]] | None | UnsetType = UNSET
    language: str | None | UnsetType = UNSET
    facts: dict[str, Scalar] | UnsetType = UNSET


class Asset(Fact, tag="asset", frozen=True, kw_only=True):
    """Something of the customer's that is serviced: a car, a boiler, a dog."""

    ranked: ClassVar[bool] = True
    id: Id
    kind: str | UnsetType = UNSET
    model: Text | None | UnsetType = UNSET
    acquired_on: date | None | UnsetType = UNSET
    in_use: bool | UnsetType = UNSET
    attributes: dict[str, Scalar] | UnsetType = UNSET


class Reading(Fact, tag="reading", frozen=True, kw_only=True):
    """A meter reading; ``void`` takes back the reading of the same asset, instant and value."""

    asset: Id
    value: Annotated[float, Meta(ge=0, le=1e8)]
    unit: Unit
    void: bool = False


class ServiceRecord(Fact, tag="service_record", frozen=True, kw_only=True):
    """Work that was done, declined, done elsewhere or advised; ``reading`` is the value on the asset's meter."""

    service: str
    asset: Id | None = None
    reading: Annotated[float, Meta(ge=0, le=1e8)] | None = None
    unit: Unit = "km"
    outcome: Literal["done", "declined", "done_elsewhere", "advised"]
    severity: str | None = None
    recheck_on: date | None = None


class ServicePlan(Fact, tag="service_plan", frozen=True, kw_only=True):
    """A plan made for this customer by a person; it overrides the service's own interval."""

    service: str
    asset: Id | None = None
    every: Interval | None = None
    next_due: date | None = None
    by: Text


class Obligation(Fact, tag="obligation", frozen=True, kw_only=True):
    """Something with a due date: a payment, a lease end, an inspection."""

    id: Id
    kind: str | UnsetType = UNSET
    due: date | UnsetType = UNSET
    amount: float | None | UnsetType = UNSET
    asset: Id | None | UnsetType = UNSET
    status: Literal["open", "met", "waived", "disputed"] | UnsetType = UNSET


class Appointment(Fact, tag="appointment", frozen=True, kw_only=True):
    """A meeting at a place and time; ``place_zone`` is the IANA zone in which its time is printed.

    ``disowned``: the customer says that they never made it.
    """

    id: Id
    service: str | UnsetType = UNSET
    asset: Id | None | UnsetType = UNSET
    start: Instant | UnsetType = UNSET
    end: Instant | None | UnsetType = UNSET
    status: AppointmentStatus | UnsetType = UNSET
    booked_by: Literal["customer", "staff", "system"] | UnsetType = UNSET
    calendar: str | None | UnsetType = UNSET
    place_zone: str | None | UnsetType = UNSET
    disowned: bool | UnsetType = UNSET


# What a fact may say of an appointment, besides its id.
APPOINTMENT = ("service", "asset", "start", "end", "status", "booked_by", "calendar", "place_zone", "disowned")


class Event(Fact, tag="event", frozen=True, kw_only=True):
    """Something that happened once: a purchase, a visit, a recall; its data is declared in the vocabulary."""

    kind: str
    item: str | None = None
    asset: Id | None = None
    amount: float | None = None
    data: dict[str, Scalar] = {}


class Case(Fact, tag="case", frozen=True, kw_only=True):
    """A complaint or a problem, open until it is closed; it binds the asks to the customer's colleagues, too."""

    id: Id
    kind: str | UnsetType = UNSET
    status: Literal["open", "closed"] | UnsetType = UNSET
    severity: str | None | UnsetType = UNSET
    summary: Text | None | UnsetType = UNSET


class Hold(Fact, tag="hold", frozen=True, kw_only=True):
    """A pause that a person put on some purposes, with its reason and its end; ``released`` lifts it early."""

    purposes: list[str]
    about: Id | None = None
    reason: Text
    until: Instant
    by: Text
    released: bool = False


class Commitment(Fact, tag="commitment", frozen=True, kw_only=True):
    """A promise to the customer, with an owner and a due time; while it is overdue it binds their colleagues, too."""

    id: Id
    what: Text | UnsetType = UNSET
    owner: Text | UnsetType = UNSET
    due: Instant | UnsetType = UNSET
    kept: bool | UnsetType = UNSET


class Wish(Fact, tag="wish", frozen=True, kw_only=True):
    """A place on the waiting list: the service, between which dates, and the notice needed.

    A wish with an ``id`` can be changed, and taken back (``withdrawn``), by another fact with that id.
    """

    service: str
    between: tuple[date, date]
    notice: str = "24h"
    withdrawn: bool = False


class Offer(Fact, tag="offer", frozen=True, kw_only=True):
    """An outcome of commsched's own: a free time that is offered to one wish, until it expires; it holds no place."""

    id: Id
    wish: Id
    service: str
    start: Instant
    end: Instant
    calendar: str
    expires: Instant
    withdrawn: bool = False


class Interaction(Fact, tag="interaction", frozen=True, kw_only=True):
    """A contact outside commsched: a call, a letter received, a talk at the desk."""

    direction: Literal["in", "out"]
    medium: str
    purpose: str | None = None
    topic: str | None = None
    by: Text
    summary: Text


class Feedback(Fact, tag="feedback", frozen=True, kw_only=True):
    """How the customer feels, by their own word."""

    mood: Mood
    department: str | None = None
    about: Id | None = None
    words: Text | None = None


class TaskDone(Fact, tag="task_done", frozen=True, kw_only=True):
    """What came of a task; ``told`` names a step that was thereby said to the customer."""

    task: str
    outcome: Literal["reached", "unreached", "done"]
    told: str | None = None
    by: Text


class Custom(Fact, tag="custom", frozen=True, kw_only=True):
    """Facts of the customer that the deployment's vocabulary declares."""

    ranked: ClassVar[bool] = True
    facts: dict[str, Scalar]


class Sent(Fact, tag="sent", frozen=True, kw_only=True):
    """An outcome of commsched's own: a message that a channel accepted.

    ``parts`` are the keys it settles; ``tells`` the preparations it told of, each with the beginning that was told.
    """

    key: str
    parts: list[str]
    rule: str
    step: str
    subject: str
    occurrence: str
    purpose: str
    topic: str
    department: str
    medium: str
    address: str
    template: str
    content: str
    anchor: Instant | None = None
    segments: int = 1
    tells: dict[str, Instant] = {}


class Delivered(Fact, tag="delivered", frozen=True, kw_only=True):
    """An outcome of commsched's own: the provider reports that a message arrived, or that it cannot."""

    key: str
    medium: str
    address: str
    delivered: bool
    detail: str | None = None


Meaning = Literal[
    "confirm", "decline", "later", "reschedule", "cancel", "who", "wrong_person", "not_mine", "start", "help",
    "stop", "number", "empty", "unclear", "links_withdrawn",
]  # fmt: skip


class Reply(Fact, tag="reply", frozen=True, kw_only=True):
    """The customer answered a message; ``key`` names it where that is known.

    ``meaning`` is what was understood and acted upon; ``unclear`` where a person must read it.
    """

    medium: str
    key: str | None = None
    text: Text | None = None
    meaning: Meaning | None = None


AnyFact = (
    Customer
    | ContactPoint
    | Consent
    | Intent
    | Preference
    | Asset
    | Reading
    | ServiceRecord
    | ServicePlan
    | Obligation
    | Appointment
    | Event
    | Case
    | Hold
    | Commitment
    | Wish
    | Offer
    | Interaction
    | Feedback
    | TaskDone
    | Custom
    | Sent
    | Delivered
    | Reply
)

# What only commsched itself writes; an import that brings one is refused.
OWN_TYPES = frozenset({"sent", "delivered", "offer"})

FACT_TYPES: dict[str, type[Fact]] = {str(kind.__struct_config__.tag): kind for kind in AnyFact.__args__}
