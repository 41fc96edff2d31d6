"""Which names an expression may use, by trigger.

``python -m commsched.rules.declarations`` prints the table that stands in ``docs/rules.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import cast, get_args

from commsched.model.vocabulary import Vocabulary
from commsched.rules.expressions import CelType, Declarations
from commsched.rules.rule import TriggerKind

Row = tuple[str, CelType, str]

ALWAYS: tuple[Row, ...] = (
    ("customer.id", "string", "the customer's id"),
    ("customer.name", "string", "their name"),
    ("customer.kind", "string", "`person` or `organisation`"),
    ("customer.status", "string", "`prospect`, `active`, `former` or `deceased`"),
    ("customer.region", "string", "such as `US-IL`; empty if unknown"),
    ("customer.locale", "string", "such as `es`; empty if unknown"),
    ("customer.roles", "strings", "their roles"),
    ("mood", "string", "their last stated mood: `delighted`, `fine`, `annoyed` or `trapped`; empty if none"),
)
PROGRESS: tuple[Row, ...] = (
    ("replied", "strings", "the steps of this occurrence that they have answered"),
    ("sent", "strings", "the steps of this occurrence that have gone"),
    ("booked", "boolean", "whether they have an appointment ahead for this occurrence's service"),
    ("served", "boolean", "whether the service was done (or declined) since this occurrence came to be"),
)
ASSET: tuple[Row, ...] = (
    ("asset.id", "string", "the id of the thing it is about"),
    ("asset.kind", "string", "its kind, one of those in the vocabulary"),
    ("asset.model", "string", "its model"),
    ("asset.in_use", "boolean", "whether the customer still uses it"),
)
BY_TRIGGER: Mapping[TriggerKind, tuple[Row, ...]] = {
    "service_due": (
        ("service", "string", "the id of the service that is due"),
        (
            "due.earliest",
            "timestamp",
            "the first day on which it may fall due, at noon UTC; one time in ten it is earlier",
        ),
        ("due.latest", "timestamp", "the last day on which it may fall due, at noon UTC; one time in ten it is later"),
        ("due.certain", "boolean", "whether the forecast is good enough to claim that it is due"),
        ("due.by_usage", "boolean", "whether usage, not time, makes it due"),
        ("due.advised", "boolean", "whether it is a recheck that was advised for a date, and no interval"),
    ),
    "service_record": (
        ("service", "string", "the id of the service"),
        ("record.outcome", "string", "`done`, `declined`, `done_elsewhere` or `advised`"),
        ("record.dated", "boolean", "whether a date was named on which to look again"),
        ("record.severity", "string", "how serious it is; empty if not stated"),
    ),
    "appointment": (
        ("service", "string", "the id of the service"),
        ("appointment.id", "string", "the appointment's id"),
        ("appointment.status", "string", "`proposed`, `booked`, `confirmed`, `cancelled`, `completed` or `no_show`"),
        ("appointment.booked_by", "string", "`customer`, `staff` or `system`"),
        ("appointment.disowned", "boolean", "whether the customer says that they never made it"),
    ),
    "obligation": (
        ("obligation.id", "string", "the obligation's id"),
        ("obligation.kind", "string", "its kind"),
        ("obligation.status", "string", "`open`, `met`, `waived` or `disputed`"),
        ("obligation.amount", "number", "the amount; no value if there is none"),
    ),
    "event": (
        ("event.kind", "string", "the event's kind"),
        ("event.item", "string", "the item; empty if there is none"),
        ("event.amount", "number", "the amount; no value if there is none"),
    ),
    "feedback": (
        ("feedback.mood", "string", "`delighted`, `fine`, `annoyed` or `trapped`"),
        ("feedback.department", "string", "the department it is about; empty if not stated"),
    ),
    "reply": (
        ("reply.meaning", "string", "what was understood, or `unclear`"),
        ("reply.medium", "string", "the medium on which they answered"),
        ("reply.text", "string", "what they wrote"),
    ),
    "case": (
        ("case.id", "string", "the case's id"),
        ("case.kind", "string", "its kind"),
        ("case.status", "string", "`open` or `closed`"),
        ("case.severity", "string", "how serious it is; empty if not stated"),
    ),
    "commitment": (
        ("commitment.id", "string", "the promise's id"),
        ("commitment.what", "string", "what was promised"),
        ("commitment.owner", "string", "who promised it"),
    ),
    "hold": (
        ("hold.id", "string", "the hold's id"),
        ("hold.by", "string", "who set it"),
        ("hold.reason", "string", "why"),
        ("hold.about", "string", "the id of what it is about; empty if it is about everything"),
        ("hold.purposes", "strings", "the purposes that it binds; `*` is every purpose"),
    ),
    "offer": (
        ("service", "string", "the id of the service"),
        ("offer.id", "string", "the offer's id"),
        ("offer.wish", "string", "the id of the wish that it answers"),
        ("offer.start", "timestamp", "when the offered appointment would begin"),
        ("offer.end", "timestamp", "when it would end"),
    ),
    "season": (),
    "schedule": (),
}
WITH_ASSET: frozenset[TriggerKind] = frozenset({"service_due", "service_record", "appointment", "obligation", "event"})
BUILT_IN_ASSET = frozenset(name.partition(".")[2] for name, _, _ in ASSET)
BUILT_IN_EVENT = {name.partition(".")[2]: kind for name, kind, _ in BY_TRIGGER["event"]}


def for_trigger(kind: TriggerKind, vocabulary: Vocabulary, *, event: str | None = None) -> Declarations:
    """The names of a rule with this trigger; ``event`` is the kind of event, without which those of all kinds count."""
    names = _typed(*ALWAYS, *PROGRESS, *BY_TRIGGER[kind]) | _facts(vocabulary)
    if kind in WITH_ASSET:
        names |= _assets(vocabulary)
    if kind == "event":
        kinds = [vocabulary.events.get(event, {})] if event is not None else vocabulary.events.values()
        names |= _fields("event", kinds)
    return Declarations(names)


def for_service(vocabulary: Vocabulary) -> Declarations:
    """The names of a service's ``for:`` expression."""
    return Declarations(_typed(*ALWAYS) | _facts(vocabulary) | _assets(vocabulary))


def for_policy(vocabulary: Vocabulary) -> Declarations:
    """The names of an expression in a policy's settings: of the customer, of the asset, and of the message itself."""
    own = _typed(*((name, "string", "") for name in ("purpose", "topic", "department", "rule", "step")))
    return Declarations(_typed(*ALWAYS, *PROGRESS) | _facts(vocabulary) | _assets(vocabulary) | own)


def _typed(*rows: Row) -> dict[str, CelType]:
    return {name: kind for name, kind, _ in rows}


def _facts(vocabulary: Vocabulary) -> dict[str, CelType]:
    return _fields("facts", [vocabulary.facts])


def _assets(vocabulary: Vocabulary) -> dict[str, CelType]:
    return _fields("asset", vocabulary.assets.values()) | _typed(*ASSET)


def _fields(group: str, kinds: Iterable[Mapping[str, str]]) -> dict[str, CelType]:
    """All the fields of several kinds; one that two kinds give different types cannot be used."""
    found: dict[str, CelType] = {}
    unusable = set()
    for fields in kinds:
        for field, kind in fields.items():
            if found.setdefault(f"{group}.{field}", cast("CelType", kind)) != kind:
                unusable.add(f"{group}.{field}")
    return {name: kind for name, kind in found.items() if name not in unusable}


_WORDS: Mapping[CelType, str] = {
    "string": "text",
    "number": "number, such as `3.0`",
    "integer": "whole number",
    "boolean": "true or false",
    "strings": "list of texts",
    "timestamp": "instant",
}


def markdown() -> str:
    """The table of all names, as it stands in ``docs/rules.md``."""
    lines = ["| where | name | type | is |", "|-------|------|------|----|"]
    lines += _lines("every rule, and `for:` of a service", ALWAYS)
    lines += ["| the same | `facts.NAME` | as declared | a fact of the customer; no value until it is recorded |"]
    lines += _lines("every rule", PROGRESS)
    about = ", ".join(f"`{kind}`" for kind in get_args(TriggerKind) if kind in WITH_ASSET)
    lines += _lines(f"triggers {about}; `for:` of a service", ASSET)
    lines += ["| the same | `asset.ATTRIBUTE` | as declared | an attribute of any kind; no value until known |"]
    for kind in get_args(TriggerKind):
        lines += _lines(f"trigger `{kind}`", BY_TRIGGER[kind])
        if kind == "event":
            lines += ["| the same | `event.FIELD` | as declared | data of that kind of event; no value if not stated |"]
    return "\n".join(lines) + "\n"


def _lines(where: str, rows: tuple[Row, ...]) -> list[str]:
    return [
        f"| {where if number == 0 else 'the same'} | `{name}` | {_WORDS[kind]} | {meaning} |"
        for number, (name, kind, meaning) in enumerate(rows)
    ]


if __name__ == "__main__":
    sys.stdout.write(markdown())
