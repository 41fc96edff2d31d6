"""Short ways to make facts, and a small deployment to change and load."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from sqlalchemy import text

from commsched.app import App
from commsched.engine.clock import SetClock
from commsched.engine.report import Report
from commsched.engine.virtual import Counter
from commsched.model.facts import AnyFact
from commsched.model.subjects import subject_of
from commsched.plugin.base import NoSettings
from commsched.plugin.channel import Accepted, Attempt, Capabilities, Channel, Outcome, Outgoing, Receipt
from commsched.store import queries
from commsched.store.intake import Origin, complete
from commsched.store.ledgers import append
from commsched.store.messages import MessageRecord, load_record
from commsched.store.store import Store, instant

NOON = datetime(2026, 6, 15, 17, tzinfo=UTC)  # a Monday, noon in Chicago
CONFIGURATION = """\
[deployment]
name = "Corner Garage"
timezone = "America/Chicago"
region = "US-IL"
locale = "en_US"
sender = "Corner Garage <hello@garage.example>"
live_from = 2020-01-01

[departments.desk]
title = "Desk"
email = "desk@garage.example"

[[channels]]
name = "mail"
kind = "outbox"
medium = "email"

[[channels]]
name = "text"
kind = "outbox"
medium = "sms"

[[policies]]
kind = "opt_out"
"""
FILES = {
    "config/commsched.toml": CONFIGURATION,
    "config/vocabulary.yaml": """\
topics: {visit: [], offers: [tires]}
events: {order: {pages: integer}, fair: {}}
assets: {car: {fuel: string, doors: integer, weight: number, leased: boolean}}
facts: {tier: string, points: number}
roles: [owner, driver]
items: {winter-tires: {same_as: [snow-tires]}}
""",
    "config/services.yaml": "services: {oil: {name: Oil change, every: {months: 12}, duration: 45m}}\n",
    "config/rules/thanks.yaml": """\
rule: thanks
why: "You ordered from us."
purpose: service
topic: visit
department: desk
trigger: {event: order}
steps:
  - {step: say, at: event, deadline: event + 10d, template: thanks, media: [email, sms]}
""",
    "templates/thanks/email.txt": "Subject: Thank you\n\nThank you, {{ customer.name }}.\n",
    "templates/thanks/sms.txt": "Thank you, {{ customer.name }}.\n",
}


def make(kind: str, /, **fields: Any) -> AnyFact:
    """A fact as it stands after an import at noon: of the customer ann, true since a month before."""
    values = {"type": kind, "at": "2026-05-15T12:00:00Z", "customer": "ann", **fields}
    if kind == "customer":
        values.setdefault("id", values["customer"])
    values = {name: value for name, value in values.items() if name != "customer" or value is not None}
    made: AnyFact = msgspec.json.decode(msgspec.json.encode(values), type=AnyFact)
    complete(made, Origin("dms", NOON))
    return made


def put(store: Store, *facts: AnyFact, now: datetime = NOON) -> list[AnyFact]:
    """Append facts, each to the ledger that it names, in one transaction; those that were new."""
    with store.write() as connection:
        return append(connection, named(facts), now)


def named(facts: Iterable[AnyFact]) -> list[tuple[str, AnyFact]]:
    """Facts with their ledgers."""
    return [(subject_of(fact), fact) for fact in facts]


@pytest.fixture
def noon() -> datetime:
    """Noon in Chicago on Monday, 15 June 2026."""
    return NOON


@pytest.fixture
def fact() -> Callable[..., AnyFact]:
    """Make a fact."""
    return make


@pytest.fixture
def learn() -> Callable[..., list[AnyFact]]:
    """Append facts to a store."""
    return put


@pytest.fixture
def deploy(tmp_path) -> Callable[..., Path]:
    """Write a small deployment, with files changed or added (``None``: left out); its folder."""

    def written(files: dict[str, str | None] | None = None) -> Path:
        folder = tmp_path / "garage"
        for name, content in {**FILES, **(files or {})}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is not None:
                path.write_text(content, encoding="utf-8")
        return folder

    return written


class Provider(Channel[NoSettings]):
    """A channel that answers as it is told: by address, else with yes. It remembers what it was asked."""

    kind = "provider"

    def __init__(self, name: str, *, lookup: Literal["none", "hint", "proof"] = "none", batch: int = 0) -> None:
        super().__init__(NoSettings(), name=name)
        self.capabilities = Capabilities(lookup=lookup, batch=batch)  # type: ignore[misc]
        self.answers: dict[str, Outcome | Exception] = {}
        self.calls: list[Outgoing] = []
        self.lookups: list[str] = []
        self.knows: dict[str, Receipt | Exception] = {}
        self.before: Callable[[Outgoing], None] = lambda _: None

    async def send(self, message: Outgoing) -> Accepted:
        """The answer for this address."""
        self.before(message)
        self.calls.append(message)
        answer = self.answers.get(message.to, Accepted(f"ref-{message.attempt}"))
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def send_batch(self, messages: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Each one's answer; an address called "batch" speaks for all."""
        if isinstance(whole := self.answers.get("batch"), Exception):
            raise whole
        outcomes = []
        for message in messages:
            try:
                outcomes.append(await self.send(message))
            except Exception as outcome:  # noqa: BLE001 - whatever it was told to answer
                outcomes.append(outcome)
        return outcomes

    async def lookup(self, attempt: Attempt) -> Receipt | None:
        """What it was told to know."""
        self.lookups.append(attempt.id)
        found = self.knows.get(attempt.to)
        if isinstance(found, Exception):
            raise found
        return found


class Garage:
    """The small deployment on a store, with providers that answer as told."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.clock = SetClock(NOON)
        self.store = store
        self.app = App(folder, clock=self.clock, store=store)
        self.app.remember_rules()
        self.mail, self.text = Provider("mail"), Provider("text")
        self.counter = Counter()
        self.loop = self.worker(store)

    def worker(self, store: Store, **changes: Any) -> Any:
        """One more worker on the same database."""
        loop = replace(self.app.loop(self.counter), store=store, channels={"mail": self.mail, "text": self.text})
        return replace(loop, **changes)

    def learn(self, *facts: AnyFact) -> list[AnyFact]:
        """Facts that come in now."""
        return put(self.store, *facts, now=self.clock.at)

    def tick(self, **later: float) -> Report:
        """Let time pass, and do what is due."""
        self.clock.at += timedelta(**later)
        report: Report = self.loop.tick(self.clock.at)
        return report

    @property
    def messages(self) -> dict[str, MessageRecord]:
        """Messages as they stand, by customer and step: ``ann/say``."""
        with self.store.read() as connection:
            found = [load_record(row.body) for row in queries.all_messages(connection)]
        return {f"{one.customer}/{one.step}": one for one in found}

    @property
    def attempts(self) -> list[tuple[str, str]]:
        """Customer and state of every attempt, in order."""
        with self.store.read() as connection:
            return [(row.customer, row.state) for row in queries.attempts(connection)]

    def due(self, customer: str) -> datetime:
        """When a customer is looked at again."""
        with self.store.read() as connection:
            statement = text("SELECT due FROM wake WHERE customer = :c")
            return instant(connection.execute(statement, {"c": customer}).scalar_one())


@pytest.fixture
def provider() -> type[Provider]:
    """A channel that answers as it is told."""
    return Provider


@pytest.fixture
def customer() -> Callable[..., list[AnyFact]]:
    """The facts of a customer with addresses who has just ordered something."""

    def made(name: str = "ann", *, phone: str = "", at: datetime = NOON, email: str | None = None) -> list[AnyFact]:
        facts = [
            make("customer", customer=name, name=name.title()),
            make("contact_point", customer=name, kind="email", address=email or f"{name}@x.example"),
            make("event", customer=name, kind="order", id=f"order-{name}", at=at.isoformat()),
        ]
        return [*facts, make("contact_point", customer=name, kind="phone", address=phone)] if phone else facts

    return made


@pytest.fixture
def garage(deploy, store) -> Callable[..., Garage]:
    """The small deployment at work, with files changed or added, on each kind of database in turn."""
    return lambda files=None: Garage(deploy(files), store)


@pytest.fixture
def configuration() -> str:
    """The small deployment's configuration, to add to."""
    return CONFIGURATION
