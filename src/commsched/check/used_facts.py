"""Which recorded facts nothing reads, and which facts are read that nobody records.

What reads facts: triggers, expressions and texts of rules, expressions of services and policies, templates, what the
policies look at (asked about nobody, and as their stored decisions say), and words in the code of plugins.
"""

from __future__ import annotations

import inspect
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jinja2
import msgspec
from sqlalchemy import Connection

from commsched.app import App
from commsched.model.facts import OWN_TYPES, Scalar
from commsched.planning.enquiry import Enquirer, Question, topic_of
from commsched.planning.ledger import Ledger
from commsched.rules.mentions import mentioned
from commsched.rules.rule import Rule, TriggerKind
from commsched.store import queries
from commsched.store.messages import load_decision

Readers = dict[str, set[str]]
# What commsched itself needs, whatever the rules are: whom to reach and where, bookings, offers, and what people did.
CORE = ("customer", "contact_point", "preference", "task_done", "reply", "wish", "appointment")
TRIGGERS: Mapping[TriggerKind, tuple[str, ...]] = {
    "service_due": ("asset", "reading", "service_record", "service_plan"),
    "service_record": ("service_record",),
    "appointment": ("appointment",),
    "feedback": ("feedback",),
    "reply": ("reply",),
    "case": ("case",),
    "commitment": ("commitment",),
    "offer": ("wish",),
    "season": ("customer",),
    "schedule": (),
}
# The fact types behind the names of expressions, by the first word of those.
ROOTS = {"customer": "customer", "mood": "feedback", "asset": "asset", "replied": "reply", "record": "service_record"}
DETAILED = ("facts.", "asset.", "event.")
TEXTS = frozenset({".txt", ".mjml", ".html"})
_WORD = re.compile(r"[\w-]+")


class Seen(msgspec.Struct, frozen=True):
    """What of a stored fact tells which names it records."""

    type: str
    kind: str | None = None
    facts: dict[str, Scalar] = {}
    attributes: dict[str, Scalar] = {}
    data: dict[str, Scalar] = {}


_seen = msgspec.json.Decoder(Seen)


@dataclass(frozen=True, slots=True)
class Usage:
    """``unread``: recorded names with how often they were; ``unrecorded``: names that are read, with who reads them."""

    unread: dict[str, int]
    unrecorded: dict[str, list[str]]
    recorded: int


def usage(app: App) -> Usage:
    """Compare what stands in the store with what the deployment reads."""
    with app.store.read() as connection:
        recorded, total = _recorded(connection)
        readers = _readers(app, connection)
    words = _plugin_words(app)
    unread = {
        name: count
        for name, count in sorted(recorded.items())
        if name not in readers and name.partition(".")[2] not in words and name.partition(" ")[2] not in words
    }
    return Usage(
        unread,
        {
            name: sorted(who)
            for name, who in sorted(readers.items())
            if name not in recorded and "commsched" not in who and name.partition(".")[2] not in words
        },
        total,
    )


def _recorded(connection: Connection) -> tuple[Counter[str], int]:
    """How often each type, kind, custom fact, attribute and field of an event is recorded; and how many facts."""
    found: Counter[str] = Counter()
    total = 0
    for body in queries.all_facts(connection):
        fact = _seen.decode(body)
        if fact.type in OWN_TYPES:
            continue
        total += 1
        found[fact.type] += 1
        if fact.type in {"event", "obligation"} and fact.kind:
            found[f"{fact.type} {fact.kind}"] += 1
        found.update(f"facts.{name}" for name in fact.facts)
        found.update(f"asset.{name}" for name in fact.attributes)
        found.update(f"event.{name}" for name in fact.data)
    # A type that is told apart by its kinds, or that only carries names, is not counted beside them.
    for carrier in ("event", "obligation", "custom"):
        found.pop(carrier, None)
    return found, total


def _readers(app: App, connection: Connection) -> Readers:
    """Who reads each name."""
    found: Readers = defaultdict(set)
    for name in CORE:
        found[name].add("commsched")
    for rule in app.rules:
        for name in (*_of_trigger(rule), *_names(rule.reads)):
            found[name].add(f"rule {rule.name}")
    for service in app.services.values():
        for expression in (service.needs, *(one.when for one in service.severe)):
            for name in _names(expression.names if expression is not None else ()):
                found[name].add(f"service {service.id}")
    for name, who in (*_of_templates(app), *_of_policies(app), *_of_decisions(connection)):
        found[name].add(who)
    declared = _declared(app)
    return {
        name: who
        for name, who in found.items()
        if name not in OWN_TYPES and name not in {"event", "custom"} and (name in declared or "." not in name)
    }


def _declared(app: App) -> frozenset[str]:
    """The details that there can be. Texts also name what is made of them, such as the weekday of an event."""
    words = app.vocabulary
    groups = (("facts", [words.facts]), ("asset", words.assets.values()), ("event", words.events.values()))
    return frozenset(f"{group}.{name}" for group, kinds in groups for fields in kinds for name in fields)


def _of_trigger(rule: Rule) -> tuple[str, ...]:
    kind = rule.trigger.kind
    if kind in {"event", "obligation"}:
        return tuple(f"{kind} {name}" for name in rule.trigger.names)
    return TRIGGERS.get(kind, ())


def _names(names: Any) -> Iterator[str]:  # noqa: ANN401 - any iterable of flat names
    """The fact types, and the details, that the flat names of expressions stand for."""
    for name in names:
        root, _, member = name.partition(".")
        if root in ROOTS:
            yield ROOTS[root]
        if name.startswith(DETAILED) and member not in {"id", "kind", "model", "in_use", "item", "amount"}:
            yield name


def _of_templates(app: App) -> Iterator[tuple[str, str]]:
    for path in sorted((app.folder / "templates").rglob("*")):
        if path.suffix in TEXTS:
            try:
                names = mentioned(path.read_text("utf-8"))
            except (jinja2.TemplateSyntaxError, UnicodeDecodeError):
                continue  # `check` says what is wrong with it
            template = path.relative_to(app.folder / "templates").parts[0]
            yield from ((name, f"template {template}") for name in _names(sorted(names)))


def _of_policies(app: App) -> Iterator[tuple[str, str]]:
    """What policies look at when they are asked about nobody, and what their expressions and settings name."""
    now = app.clock.now()
    with app.store.read() as connection:
        world = app.world(connection)
    nobody = Enquirer(Ledger("nobody", ()), world, now)
    for purpose in world.vocabulary.purposes:
        department = next(iter(world.departments))
        asked = Question(purpose, topic_of(world, purpose), department, "email", "nobody@example.com")
        yield from ((name, "policies") for name in nobody.may(asked).reads)
    for applied in app.policies:
        for condition in applied.policy.compiled.values():
            yield from ((name, f"policy {applied.name}") for name in _names(condition.names))
        named = set(_WORD.findall(applied.policy.settings.model_dump_json()))
        for kind in app.vocabulary.events:
            if kind in named:
                yield f"event {kind}", f"policy {applied.name}"


def _of_decisions(connection: Connection) -> Iterator[tuple[str, str]]:
    """What was read in decisions that stand: a policy may look at more than it does about nobody."""
    for body in queries.all_decisions(connection):
        yield from ((name, "decisions") for name in load_decision(body).reads)


def _plugin_words(app: App) -> frozenset[str]:
    """The words in the code of what this deployment adds: it may read facts by names that only its code has."""
    texts = [path.read_text("utf-8") for path in sorted((app.folder / "plugins").glob("*.py"))]
    texts += [inspect.getsource(function) for function in app.plugins.functions("extra_facts")]
    return frozenset(word for text in texts for word in _WORD.findall(text))
