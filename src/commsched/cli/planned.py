"""Plans as records that can be shown, with the words of the messages where those are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from commsched.app import App
from commsched.engine.offering import offers, slots_for
from commsched.errors import TemplateError
from commsched.model.decisions import Decision, Plan
from commsched.planning.fold import fold
from commsched.planning.plan import plan
from commsched.planning.world import World
from commsched.store.ledgers import Loaded, load
from commsched.store.messages import MessageRecord, TaskRecord, record_of, task_of


@dataclass(frozen=True, slots=True)
class Planned:
    """A message or task on the plan: the customer's name, and the message as tools see it."""

    name: str
    record: MessageRecord


@dataclass(frozen=True, slots=True)
class Overview:
    """The plans of some customers."""

    messages: list[Planned]
    tasks: list[TaskRecord]
    customers: int

    @property
    def records(self) -> list[MessageRecord]:
        """The messages without the names."""
        return [one.record for one in self.messages]


def overview(app: App, customer: str | None, now: datetime, until: datetime | None) -> Overview:
    """What is planned for one customer or for all; bodies are rendered for one."""
    with app.store.read() as connection:
        world = app.world(connection)
    messages: list[Planned] = []
    tasks: list[TaskRecord] = []
    count = 0
    for made, loaded in plans(app, world, customer, now):
        count += 1
        tasks += [task_of(task) for task in made.tasks if task.state == "open"]
        for decision in made.decisions:
            record = record_of(decision, world.channels)
            if loaded is not None:
                record = with_words(app, world, decision, record, loaded, now)
            messages.append(Planned(str(decision.proposal.variables.get("customer.name", "")), record))
    kept = [one for one in messages if until is None or when(one.record) <= until]
    return Overview(
        sorted(kept, key=lambda one: (when(one.record), one.record.key)),
        sorted((task for task in tasks if until is None or task.at <= until), key=lambda task: (task.at, task.key)),
        count,
    )


def plans(app: App, world: World, customer: str | None, now: datetime) -> Iterator[tuple[Plan, Loaded | None]]:
    """The plans of all customers, or of one with the ledger it rests on."""
    if customer is None:
        yield from ((made, None) for made in app.plans(None, now, world))
        return
    with app.store.read() as connection:
        for loaded in load(connection, [customer]).values():
            yield plan(loaded.ledger, world, now), loaded


def when(record: MessageRecord) -> datetime:
    """When a message goes; of one that does not, when it would ideally have gone."""
    return record.at or record.ideal


def with_words(
    app: App, world: World, decision: Decision, record: MessageRecord, loaded: Loaded, now: datetime
) -> MessageRecord:
    """The record with subject and text, if the message goes anywhere."""
    if decision.medium is None:
        return record
    slots: tuple[datetime, ...] = ()
    if offers(decision):
        with app.store.read() as connection:
            slots = slots_for(app.desk_in(world), connection, decision, loaded.ledger, now)
    try:
        content = app.composer.content(decision, fold(loaded.ledger, now), world, slots)
    except TemplateError as error:
        return msgspec.structs.replace(record, body=f"({error})")
    return msgspec.structs.replace(record, subject_line=content.subject, body=content.text)


def by_key(records: Sequence[MessageRecord]) -> dict[str, MessageRecord]:
    """The records by key."""
    return {record.key: record for record in records}
