"""Small worlds for tests of the planner: rules as YAML, a vocabulary, some policies, no deployment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from commsched.builtin.policies.business_hours import BusinessHours
from commsched.builtin.policies.frequency_cap import FrequencyCap
from commsched.builtin.policies.hold import HoldPolicy
from commsched.builtin.policies.no_repeat import NoRepeat
from commsched.builtin.policies.opt_out import OptOut
from commsched.builtin.policies.quiet_hours import QuietHours
from commsched.builtin.policies.status import Status
from commsched.model.decisions import Decision
from commsched.model.facts import AnyFact, Sent
from commsched.model.vocabulary import Vocabulary
from commsched.planning.ledger import Ledger, ledger_of
from commsched.planning.plan import plan
from commsched.planning.world import Applied, World
from commsched.plugin.view import Department
from commsched.rules.loading import load_rules, load_services
from commsched.store.intake import Origin, complete
from commsched.timing.civil import zone

CHICAGO = zone("America/Chicago")
SERVICES = """
services:
  oil: {name: Oil change, for: asset.kind == "car", every: {months: 12, distance: 10000 mi}, duration: 45m}
  tires: {name: Tire rotation, for: asset.kind == "car", every: {months: 12}}
  scope:
    name: Colonoscopy
    duration: 45m
    prep:
      - {id: diet, begins: start - 72h, notice: 24h}
"""
WORDS = Vocabulary(
    topics={"maintenance": None, "oil": "maintenance", "sales": None, "trade_in": "sales", "appointment": None},
    events={"purchase": {}, "visit": {}},
    equivalents={
        "car": frozenset({"car"}),
        "tires": frozenset({"tires", "wheels"}),
        "wheels": frozenset({"tires", "wheels"}),
    },
    roles=frozenset({"buyer", "driver"}),
    assets={"car": {"fuel": "string"}},
    facts={"tier": "string"},
    departments=frozenset({"service"}),
)
POLICIES = {
    "business_hours": BusinessHours,
    "quiet_hours": QuietHours,
    "opt_out": OptOut,
    "no_repeat": NoRepeat,
    "frequency_cap": FrequencyCap,
    "hold": HoldPolicy,
    "status": Status,
}


def at(text: str) -> datetime:
    """A local time in Chicago as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO).astimezone(UTC)


def policy(kind: str, **settings: object) -> Applied:
    """A built-in policy with settings; those that it needs have a sensible value."""
    cls = POLICIES[kind]
    made = cls(cls.settings_type()(**settings), name=kind)
    only = {name: getattr(cls, name) for name in ("purposes", "media")}
    return Applied(kind, made, **{name: frozenset(value) if value else None for name, value in only.items()})


def world(
    folder: Path, *rules: str, policies: tuple[Applied, ...] = (), services_text: str = SERVICES, **changes: object
) -> World:
    """A world of these rules."""
    (folder / "rules").mkdir(exist_ok=True)
    for number, text in enumerate(rules):
        (folder / "rules" / f"{number}.yaml").write_text(text)
    (folder / "services.yaml").write_text(services_text)
    services = load_services(folder / "services.yaml", WORDS)
    words = replace(WORDS, services=frozenset(services))
    made = World(
        hash="world",
        name="Test",
        rules=load_rules(folder / "rules", words, services),
        services=services,
        policies=policies,
        vocabulary=words,
        departments={"service": Department("service", "Service", CHICAGO)},
        calendars={},
        channels={"email": "mail", "sms": "text"},
        templates={},
        zone=CHICAGO,
    )
    return replace(made, **changes)


def facts(*lines: dict[str, object]) -> list[AnyFact]:
    """Facts of customer C1 as they would stand after an import; times are Chicago's."""
    made = []
    for line in lines:
        values = {"customer": "C1", **line}
        for name in ("at", "recorded_at", "start", "end", "until"):
            if isinstance(values.get(name), str) and " " in str(values[name]):
                values[name] = at(str(values[name])).isoformat()
        if values["type"] == "customer":
            values["id"] = values.pop("customer")
        fact = msgspec.convert(values, AnyFact)
        complete(fact, Origin("test", fact.at, recorded_at_is_at=True))
        made.append(fact)
    return made


def ledger(*lines: dict[str, object], circles: dict[str, list[AnyFact]] | None = None) -> Ledger:
    """The ledger of C1, who can be reached by mail and text, with these facts besides."""
    known = (
        {"type": "customer", "at": "2024-01-01 10:00", "name": "Ana Ortiz", "region": "US-IL"},
        {"type": "contact_point", "at": "2024-01-01 10:00", "kind": "email", "address": "ana@example.com"},
        {
            "type": "contact_point",
            "at": "2024-01-01 10:00",
            "kind": "phone",
            "address": "+18475550101",
            "media": ["sms"],
        },
    )
    return ledger_of("C1", facts(*known, *lines), circles)


def planned(one: Ledger, in_world: World, now: str) -> dict[str, str]:
    """Each planned step with its local time in Chicago."""
    found = plan(one, in_world, at(now))
    return {
        d.proposal.step: f"{d.at.astimezone(CHICAGO):%Y-%m-%d %H:%M}" for d in found.decisions if d.state == "planned"
    }


def accepted(decision: Decision, when: datetime | str) -> Sent:
    """The fact that a channel took this message, at an instant or a local time in Chicago."""
    moment = at(when) if isinstance(when, str) else when
    p = decision.proposal
    return Sent(
        at=moment, recorded_at=moment, customer="C1", source="commsched", stated_by="import", key=decision.key,
        parts=list(decision.parts), rule=p.rule, step=p.step, subject=p.subject, occurrence=p.occurrence,
        purpose=p.purpose, topic=p.topic, department=p.department, medium=decision.medium or "",
        address=p.addresses[decision.medium or ""], template=decision.template, content=p.content, anchor=p.anchor.at,
        tells=dict(p.tells),
    )  # fmt: skip


def then(one: Ledger, *more: AnyFact) -> Ledger:
    """The ledger with more facts."""
    return ledger_of("C1", [*(fact for _, fact in one.entries), *more], one.circles)
