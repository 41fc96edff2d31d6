"""One rule file as an operator writes it (DESIGN §7); ``compile.py`` makes a ``Rule`` of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field

from commsched.model.facts import AppointmentStatus, Meaning, Mood
from commsched.rules.problems import Entry, as_list
from commsched.rules.values import Exact, Length, MonthDay, Name, Names, Pace, Region, Text

T = TypeVar("T")
Several = Annotated[tuple[T, ...], BeforeValidator(as_list)]
Outcome = Literal["done", "declined", "done_elsewhere", "advised"]


def _nothing_is_empty(value: object) -> object:
    return {} if value is None else value


class ServiceRecordEntry(Entry):
    """Work that was recorded; any service, any outcome, unless said."""

    service: Names = ()
    outcome: Several[Outcome] = ()


class AppointmentEntry(Entry):
    """An appointment as it stands now; any service, any status, unless said."""

    service: Names = ()
    status: Several[AppointmentStatus] = ()


class FeedbackEntry(Entry):
    """A mood that was stated; any, unless said."""

    mood: Several[Mood] = ()


class CaseEntry(Entry):
    """A case as it stands now."""

    status: Several[Literal["open", "closed"]] = ()


class CommitmentEntry(Entry):
    """A promise, kept or not."""

    kept: bool | None = None


class SeasonEntry(Entry):
    """Every year from one day to another; in some regions only, if said."""

    from_: MonthDay = Field(alias="from")
    to: MonthDay
    regions: Several[Region] = ()


class ReplyEntry(Entry):
    """What was understood of an answer; ``unclear`` is what a person must read."""

    meaning: Several[Meaning] = ()


class HoldEntry(Entry):
    """A pause that somebody has put on something; ``purpose``: only those that bind one of these."""

    purpose: Names = ()


class TriggerEntry(Entry):
    """What makes the rule come to life: exactly one of these, and ``where`` beside ``schedule``."""

    service_due: Names = ()
    service_record: Annotated[ServiceRecordEntry, BeforeValidator(_nothing_is_empty)] = ServiceRecordEntry()
    appointment: Annotated[AppointmentEntry, BeforeValidator(_nothing_is_empty)] = AppointmentEntry()
    obligation: Name = ""
    event: Name = ""
    feedback: Annotated[FeedbackEntry, BeforeValidator(_nothing_is_empty)] = FeedbackEntry()
    reply: Annotated[ReplyEntry, BeforeValidator(_nothing_is_empty)] = ReplyEntry()
    case: Annotated[CaseEntry, BeforeValidator(_nothing_is_empty)] = CaseEntry()
    commitment: Annotated[CommitmentEntry, BeforeValidator(_nothing_is_empty)] = CommitmentEntry()
    hold: Annotated[HoldEntry, BeforeValidator(_nothing_is_empty)] = HoldEntry()
    offer: Names = ()
    season: SeasonEntry | None = None
    schedule: Text = ""
    where: Text | None = None


class TemplateEntry(Entry):
    """Another template."""

    template: Name


class FallbackEntry(Entry):
    """What happens instead of a message that could not be: exactly one of these."""

    task: Text | None = None
    template: Name | None = None
    offer_slots: bool | None = None


class TaskEntry(Entry):
    """Something for a person to do."""

    task: Text


class StepEntry(Entry):
    """One message or task."""

    step: Name
    at: Text
    not_before: Text | None = None
    deadline: Text | None = None
    template: Name | None = None
    task: Text | None = None
    owner: Text | None = None
    media: Names | None = None
    uncertain: TemplateEntry | None = None
    after: Name | None = None
    unless: Text | None = None
    late: Literal["skip", "send"] | None = None
    prep: Name | None = None
    covers: Names = ()
    too_late: FallbackEntry | None = None
    on_veto: TaskEntry | None = None


class BundleEntry(Entry):
    """Occurrences within so long of each other go as one message."""

    within: Exact
    template: Name


class RecipientEntry(Entry):
    """Somebody in a role at the same organisation."""

    role: Name
    at_most: Annotated[int, Field(ge=1, le=1000)] = 1


class GuardianEntry(RecipientEntry):
    """The customer's guardian."""

    role: Name = "guardian"


class RepeatEntry(Entry):
    """The whole occurrence again."""

    every: Length
    at_most: Annotated[int, Field(ge=1, le=1000)]


class CatchUpEntry(Entry):
    """How many older occurrences a day, once a rule goes live on old data."""

    per_day: Annotated[int, Field(ge=1, le=1_000_000)]


def _recipient(value: object) -> object:
    if value == "guardian":
        return GuardianEntry()
    if not isinstance(value, str):
        return value
    message = f"{value!r} is nobody; write guardian, or {{role: buyer, at_most: 1}}"
    raise ValueError(message)


class RuleEntry(Entry):
    """The whole file."""

    rule: Name
    why: Text
    purpose: str
    topic: str
    department: str
    trigger: TriggerEntry
    steps: Annotated[list[StepEntry], Field(min_length=1, max_length=50)]
    when: Text | None = None
    stop_when: Text | None = None
    otherwise: FallbackEntry | None = None
    bundle: BundleEntry | None = None
    merge: Exact = "6h"
    to: Annotated[RecipientEntry | None, BeforeValidator(_recipient)] = None
    offers: Names = ()
    priority: Annotated[int, Field(ge=1, le=9)] | None = None
    repeat: RepeatEntry | None = None
    pace: Pace | None = None
    catch_up: CatchUpEntry | None = None
    since: date | None = None
    reference: Text | None = None
    was: Names = ()
