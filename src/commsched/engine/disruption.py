"""A resource that is closed all of a sudden: who is affected, the hardest preparation first, with new times for each.

What fits onto another resource at the same time moves there, and nobody need know. Nothing else is moved: each of the
others becomes a task for somebody who calls.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Row

from commsched.engine.booking import AHEAD, Desk, Look, Telling, Times, free_times, tellings
from commsched.model import facts
from commsched.model.state import Appointment
from commsched.planning.fold import fold
from commsched.planning.ledger import Ledger
from commsched.store import queries, slots
from commsched.store.ledgers import load
from commsched.store.messages import TaskRecord, load_task, task_row
from commsched.store.store import instant, micros
from commsched.timing.slots import cells
from commsched.timing.windows import Span

OFFERED = 3
RULE = "disrupt"
NOTHING = Times(())


@dataclass(frozen=True, slots=True)
class Closing:
    """What is closed: a calendar, or one resource of it (``bays#2``), when, and why."""

    id: str
    calendar: str
    resource: str | None
    span: Span
    reason: str


@dataclass(frozen=True, slots=True)
class Affected:
    """An appointment that cannot be kept, what was to be prepared for it, and the free times nearest to it."""

    customer: str
    name: str
    appointment: Appointment
    preps: tuple[Telling, ...]
    times: Times = NOTHING

    @property
    def hardness(self) -> tuple[object, ...]:
        """In which order people are called: whose preparation begins first, the longer one first of two, then time."""
        start = self.appointment.start
        if not self.preps:
            return (1, start, timedelta(), self.customer, self.appointment.id)
        begins = min(one.begins for one in self.preps)
        return (0, begins, begins - start, self.customer, self.appointment.id)


@dataclass(frozen=True, slots=True)
class Disruption:
    """Who is affected by a closing, and how many went to another resource at the same time."""

    affected: tuple[Affected, ...]
    moved: int = 0


def close(desk: Desk, connection: Connection, closing: Closing, by: str, now: datetime) -> Disruption:
    """Close it, make room on other resources, and say who is left without a place; writes no task."""
    queries.lock_calendars(connection, [closing.calendar])
    start, end = map(micros, closing.span)
    where = {"id": closing.id, "calendar": closing.calendar, "resource": closing.resource}
    queries.add_closure(connection, **where, start=start, end=end, reason=closing.reason, by=by, at=micros(now))
    rows = _concerned(connection, closing, now)
    left = rows if closing.resource is None else slots.move_within(connection, rows)
    return Disruption(_affected(desk, connection, left, closing, now), len(rows) - len(left))


def standing(connection: Connection, closing: Closing) -> Closing | None:
    """A closing that holds already for all that another would close, now or later; ``None`` if there is none."""
    start, end = map(micros, closing.span)
    for row in queries.closures(connection, closing.calendar):
        if row.resource in {None, closing.resource} and row.start <= start and row.end >= end:
            return Closing(row.id, row.calendar, row.resource, (instant(row.start), instant(row.end)), row.reason)
    return None


def tasks_of(
    desk: Desk, disruption: Disruption, closing: Closing, words: Sequence[str], now: datetime
) -> list[dict[str, object]]:
    """A task for each of the affected, to be written down; ``words`` say what each is."""
    why = ((closing.calendar, "closed", closing.reason),) if closing.reason else ()
    return [
        task_row(
            TaskRecord(
                f"{one.customer}/{RULE}/call/{one.appointment.id}/{closing.id}",
                one.customer,
                RULE,
                "call",
                _department(desk, one.appointment.service),
                now,
                text,
                "open",
                why,
            )
        )
        for one, text in zip(disruption.affected, words, strict=True)
    ]


def _department(desk: Desk, service: str) -> str:
    """Who looks after appointments for a service: whoever speaks of them; else the first there is."""
    speaking = (rule for rule in desk.world.rules if rule.trigger.kind == "appointment")
    known = [rule.department for rule in speaking if service in (rule.trigger.names or (service,))]
    return next(iter([*known, *desk.world.departments]))


def reopen(connection: Connection, name: str) -> bool:
    """Take a closing back; whether there was one. Its open tasks are not needed any more."""
    if not queries.drop_closure(connection, name):
        return False
    needless = [load_task(row.body) for row in queries.tasks(connection, state="open") if _is_of(row.key, name)]
    queries.put_tasks(connection, [task_row(replace(task, state="done")) for task in needless])
    return True


def _is_of(key: str, closing: str) -> bool:
    parts = key.split("/")
    return parts[1:2] == [RULE] and parts[-1] == closing


def _concerned(connection: Connection, closing: Closing, now: datetime) -> list[Row[Any]]:
    """The appointments to come that lie in it, on the resource that is closed if it is one."""
    first, last = cells(*closing.span)
    rows = queries.slots_between(connection, closing.calendar, max(first, cells(now, now)[0]), last)
    return [row for row in rows if closing.resource is None or row.resource == closing.resource]


def _affected(
    desk: Desk, connection: Connection, rows: Sequence[Row[Any]], closing: Closing, now: datetime
) -> tuple[Affected, ...]:
    loaded = load(connection, sorted({row.customer for row in rows}))
    states = {customer: fold(one.ledger, _learnt(one.ledger, now)) for customer, one in loaded.items()}
    found = []
    for row in rows:
        state = states[row.customer]
        appointment = state.appointments[row.appointment]
        service = desk.world.services.get(appointment.service)
        preps = tuple(tellings(desk, service, appointment.start, appointment.end)) if service is not None else ()
        found.append(Affected(row.customer, state.profile.name or row.customer, appointment, preps))
    found.sort(key=lambda one: one.hardness)
    offered: list[Span] = []
    done = []
    for one in found:
        times = _new_times(desk, connection, one, loaded[one.customer].ledger, closing, tuple(offered), now)
        # Two people are not called about one and the same place.
        offered += [(slot.start, slot.end) for slot in times.slots[:1]]
        done.append(dataclasses.replace(one, times=times))
    return tuple(done)


def _learnt(ledger: Ledger, now: datetime) -> datetime:
    """When all that is known of the appointments is true: one takes its place even before its fact is."""
    return max([now, *(fact.at for _, fact in ledger.entries if isinstance(fact, facts.Appointment))])


def _new_times(
    desk: Desk,
    connection: Connection,
    one: Affected,
    ledger: Ledger,
    closing: Closing,
    offered: tuple[Span, ...],
    now: datetime,
) -> Times:
    """The free times nearest to the one that is lost."""
    service, start = desk.world.services.get(one.appointment.service), one.appointment.start
    if service is None or service.calendar is None:
        return NOTHING
    within = (now, max(closing.span[1], start) + AHEAD)
    look = Look(service, within, ledger, start, one.appointment.id, assumed=offered, limit=OFFERED)
    return free_times(desk, connection, look, now)
