"""Rules and services as the planner reads them: frozen, compiled, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from commsched.model.facts import Interval
from commsched.rules.expressions import Expression
from commsched.rules.timeexpr import TimeExpression

TriggerKind = Literal[
    "service_due",
    "service_record",
    "appointment",
    "obligation",
    "event",
    "feedback",
    "reply",
    "case",
    "commitment",
    "hold",
    "offer",
    "season",
    "schedule",
]

# The anchors that a trigger's time expressions may name, the first being the one that messages are about.
ANCHORS: dict[TriggerKind, tuple[str, ...]] = {
    "service_due": ("due", "last"),
    "service_record": ("event", "recheck"),
    "appointment": ("start", "end", "booked", "changed"),
    "obligation": ("due",),
    "event": ("event",),
    "feedback": ("event",),
    "reply": ("event",),
    "case": ("opened", "closed"),
    "commitment": ("due", "kept", "moved"),
    "hold": ("until", "began"),
    "offer": ("offered", "expires"),
    "season": ("opens", "closes"),
    "schedule": ("event",),
}


@dataclass(frozen=True, slots=True)
class Prep:
    """Something the customer must begin before an appointment, and how long before that they must be told."""

    id: str
    begins: TimeExpression
    notice: timedelta


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often: ``every`` so long since the last record, ``first`` where there is none.

    ``once``: each once in the life of the asset, at that reading or age, in rising order; ``every`` counts after them.
    """

    every: Interval | None = None
    first: Interval | None = None
    once: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class Variant:
    """Another schedule, for whom ``when`` holds: taxis, towing, short trips in the cold."""

    when: Expression
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class Service:
    """A service that customers need again and again; the first of the ``severe`` variants that holds counts.

    ``min_notice``: how long before it begins it can still be booked. ``answer_within``: how long a freed time is
    offered to one customer of the waiting list before the next is asked.
    """

    id: str
    name: str
    needs: Expression | None = None
    schedule: Schedule = Schedule()
    severe: tuple[Variant, ...] = ()
    duration: timedelta = timedelta(hours=1)
    calendar: str | None = None
    prep: tuple[Prep, ...] = ()
    min_notice: timedelta = timedelta()
    answer_within: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Trigger:
    """What makes a rule come to life; which of the fields matter depends on ``kind``.

    ``names`` are services (service_due, service_record, appointment, offer) or the kind of event or obligation;
    ``values`` the statuses, outcomes or moods that count, empty for any; ``season`` its first and last (month, day).
    """

    kind: TriggerKind
    names: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    season: tuple[tuple[int, int], tuple[int, int]] | None = None
    regions: tuple[str, ...] = ()
    cron: str = ""
    where: Expression | None = None


# The message that offers free times in place of one that could not be (`offer_slots: true`); it is given ``slots``.
OFFER_SLOTS = "offer-slots"


@dataclass(frozen=True, slots=True)
class Fallback:
    """What happens when a message could not be: a task for a person, or another template (which may offer times)."""

    task: str | None = None
    template: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One message or task of a rule. ``late``: what happens when its ideal was past before its occurrence was known."""

    name: str
    at: TimeExpression
    deadline: TimeExpression | None
    not_before: TimeExpression | None = None
    template: str | None = None
    task: str | None = None
    owner: str | None = None
    media: tuple[str, ...] = ("preferred", "email", "sms")
    uncertain: str | None = None
    after: str | None = None
    unless: Expression | None = None
    late: Literal["skip", "send"] = "send"
    prep: str | None = None
    covers: tuple[str, ...] = ()
    too_late: Fallback | None = None
    on_veto: Fallback | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """The whole occurrence again, ``every`` so long, until stopped or ``at_most`` times in all."""

    every: str
    at_most: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """Occurrences of one rule for one customer within ``within`` go as one message."""

    within: timedelta
    template: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """To whom instead of the customer: somebody in a role at the same organisation, or the guardian."""

    role: str | None = None
    at_most: int = 1
    guardian: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, from one file; ``digest`` identifies its text, ``reads`` the facts that its expressions name.

    ``pace``: how many messages a day; ``free_slots``: no more people are invited than there is room for.
    """

    name: str
    why: str
    purpose: str
    topic: str
    department: str
    trigger: Trigger
    steps: tuple[Step, ...]
    file: str
    digest: str
    priority: int = 5
    when: Expression | None = None
    stop_when: Expression | None = None
    otherwise: Fallback | None = None
    bundle: Bundle | None = None
    merge: timedelta = timedelta(hours=6)
    to: Recipient | None = None
    offers: tuple[str, ...] = ()
    repeat: Repeat | None = None
    pace: int | None = None
    free_slots: bool = False
    catch_up: int | None = None
    since: date | None = None
    reference: str | None = None
    was: tuple[str, ...] = ()
    reads: frozenset[str] = field(default_factory=frozenset)

    def step(self, name: str) -> Step:
        """The step of that name; ``KeyError`` if there is none."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)
