"""What a new or edited rule would do on its first day, before it does it.

On the very first start every rule is new; there, ``live_from`` keeps what is old from yielding anything, and nothing is
asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from commsched.app import App
from commsched.model.decisions import Plan
from commsched.planning.plan import plan
from commsched.rules.rule import Rule
from commsched.store import queries
from commsched.store.ledgers import load
from commsched.store.store import Store

DAY = timedelta(days=1)
# The setting that has the rules as they were when they were last let loose. What a mere import has seen is not here.
ACCEPTED = "accepted_rules"


@dataclass(frozen=True, slots=True)
class FirstDay:
    """A rule that was not there before, or not like this, and how many customers it would write to in a day."""

    rule: str
    new: bool
    customers: int

    def __str__(self) -> str:
        what = "new" if self.new else "not what it was"
        who = "1 customer" if self.customers == 1 else f"{self.customers:,} customers"
        return f"the rule {self.rule} is {what}, and would write to {who} on its first day"


def first_days(app: App, store: Store) -> list[FirstDay]:
    """The rules that changed since the store last saw them, those that write to most first. Plans everybody once."""
    now = app.clock.now()
    with store.read() as connection:
        changed = _changed(connection, app.rules)
        written: dict[str, set[str]] = {name: set() for name in changed}
        for one in _plans(connection, app, now) if changed else ():
            for rule in _soon(one, now + DAY):
                written.get(rule, set()).add(one.customer)
    rules = {rule.name: rule for rule in app.rules}
    found = [FirstDay(name, changed[name], _paced(rules[name], len(who))) for name, who in written.items()]
    return sorted(found, key=lambda one: (-one.customers, one.rule))


def _plans(connection: Connection, app: App, now: datetime) -> Iterator[Plan]:
    world = app.world(connection)
    for chunk in queries.chunks(queries.customers(connection)):
        for one in load(connection, chunk).values():
            yield plan(one.ledger, world, now)


def _soon(one: Plan, end: datetime) -> set[str]:
    """The rules that write to a customer before then."""
    return {d.proposal.rule for d in one.decisions if d.state == "planned" and d.at is not None and d.at < end}


def accept(app: App) -> None:
    """Write down that the rules are as they are meant to be."""
    with app.store.write() as connection:
        queries.put_setting(connection, ACCEPTED, json.dumps({rule.name: rule.digest for rule in app.rules}))


def _changed(connection: Connection, rules: Sequence[Rule]) -> Mapping[str, bool]:
    """The rules that are new (true) or edited (false); none on the first start of all."""
    said = queries.setting(connection, ACCEPTED)
    if said is None:
        return {}
    known: dict[str, str] = json.loads(said)
    old = {rule.name: next((known[name] for name in (rule.name, *rule.was) if name in known), None) for rule in rules}
    return {rule.name: old[rule.name] is None for rule in rules if old[rule.name] != rule.digest}


def _paced(rule: Rule, customers: int) -> int:
    """A rule with a pace writes to no more than that in a day."""
    return customers if rule.pace is None else min(customers, rule.pace)
