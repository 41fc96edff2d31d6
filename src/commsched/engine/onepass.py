"""One pass of the loop over a batch of claimed customers: plan, render, write the intent, begin to send.

Killed at any point, a pass leaves the store so that the next one goes on: before the intent nothing has happened, after
it the attempt is looked up.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

import structlog
from msgspec.structs import replace
from sqlalchemy import Connection, Row

from commsched.delivery.admission import admit
from commsched.delivery.doubt import Doubtful, learn, look_up
from commsched.delivery.intent import Ready, apart, current, intend, ready_of
from commsched.delivery.late import call_end
from commsched.delivery.receipts import doubt_delay, settle, state_of
from commsched.delivery.restored import hold_in_doubt, perhaps_gone
from commsched.delivery.send import Trip
from commsched.engine.booking import Desk
from commsched.engine.flight import Flight
from commsched.engine.impossible import poisoned, refused
from commsched.engine.offering import NO_SLOTS, none_free, offers, prepared, read_for, room_for, slots_for
from commsched.engine.report import Report
from commsched.engine.resting import later, next_looks
from commsched.model.decisions import Decision, Plan
from commsched.model.state import State
from commsched.planning.fold import fold
from commsched.planning.grounds import Grounds
from commsched.planning.isolation import watched
from commsched.planning.plan import plan
from commsched.planning.world import World
from commsched.plugin.crash import crash_point
from commsched.render.sms import segments
from commsched.signals import Failed, Handed, Passed, announce
from commsched.store import queries
from commsched.store.ledgers import Loaded, load
from commsched.store.messages import Changes, reconcile, withdraw, write
from commsched.store.store import instant, micros
from commsched.timing.windows import LAST

if TYPE_CHECKING:  # a pass is made by the loop
    from commsched.engine.loop import Loop

log = structlog.get_logger("commsched.engine")
BREAKER = timedelta(minutes=15)


class Pass:
    """One batch of claimed customers; ``until`` is when the lease ends, on the clock of ``time.monotonic``."""

    def __init__(self, loop: Loop, world: World, now: datetime, held: Mapping[str, int], until: float) -> None:
        self.loop, self.world, self.now, self.held, self.until = loop, world, now, held, until
        self.report = Report(planned=len(held))
        self.began = monotonic()

    @property
    def present(self) -> datetime:
        """The instant that it is by now."""
        return self.now + timedelta(seconds=monotonic() - self.began) if self.loop.live else self.now

    def run(self) -> Report:
        loaded, standing = self._load(list(self.held))
        doubtful = [c for c, one in loaded.items() if one.ledger.under_way]
        waiting = self._resolve(doubtful) if doubtful else {}
        if doubtful:
            loaded, standing = self._load(list(self.held))
        plans = self._plans(loaded)
        ready, plans = self._render(plans, loaded)
        sending, changes, soon = self._commit(plans, loaded, standing, ready, waiting)
        crash_point("after-intent")
        if sending:
            self._send(sending, plans, soon, _planned(standing))
        # Observers come last: one that takes its time must not use up that of the messages.
        for decision in changes.decided:
            self.loop.tell("decided", decision=decision)
        announce(Passed(self.report.planned, monotonic() - self.began))
        return self.report

    def _plans(self, loaded: dict[str, Loaded]) -> dict[str, Plan]:
        """The plans. A customer who cannot be planned is let go until later, and takes no other with them."""
        plans: dict[str, Plan] = {}
        with watched(self.world.time_limit):
            for customer, one in loaded.items():
                try:
                    plans[customer] = plan(one.ledger, self.world, self.now)
                except Exception as error:  # noqa: BLE001 - a plugin's derived facts, or a defect of ours
                    announce(Failed("plan", "planning", type(error).__name__))
                    self.report.problems.append(f"{customer} cannot be planned: {type(error).__name__}: {error}")
                    at = traceback.extract_tb(error.__traceback__)[-1]
                    log.error(
                        "plan_failed", customer=customer, error=type(error).__name__, at=f"{at.filename}:{at.lineno}"
                    )
        stuck = [loaded.pop(customer) for customer in loaded.keys() - plans.keys()]
        if stuck:
            later = self.now + BREAKER
            with self.loop.store.write() as connection:
                queries.finish(connection, [self._row(one.ledger.customer, later) for one in stuck])
        return plans

    def _load(self, customers: Sequence[str]) -> tuple[dict[str, Loaded], dict[str, list[Row[Any]]]]:
        with self.loop.store.read() as connection:
            return load(connection, customers), queries.messages(connection, customers)

    def _resolve(self, customers: Sequence[str]) -> dict[str, datetime]:
        """Look up what is under way and nobody's any more; says when the customers must be looked at again."""
        with self.loop.store.read() as connection:
            rows = queries.attempts(connection, states=("sending", "in_doubt"), customers=customers)
            messages = {
                (m.customer, m.key): m for found in queries.messages(connection, customers).values() for m in found
            }
        doubtful = [
            Doubtful(row, messages[row.customer, row.key]) for row in rows if (row.customer, row.key) in messages
        ]
        # Another worker may be sending still: a new fact lets a customer be claimed before that worker's lease ends.
        ended = [one for one in doubtful if self._over(one) <= self.now]
        results = self.loop.calls.run(look_up(ended, self.loop.channels, self.loop.composer.link_of))
        waiting = {one.attempt.customer: self._over(one) for one in doubtful if one not in ended}
        for doubt, result in zip(ended, results, strict=True):
            if state_of(result.outcome) == "in_doubt":
                later = self.now + doubt_delay(instant(doubt.attempt.started_at), self.now)
                waiting[result.record.customer] = min(later, waiting.get(result.record.customer, later))
                self.report.in_doubt += 1
        with self.loop.store.write() as connection:
            settle(connection, results, self.now, self.loop.channels)
            learn(connection, results, self.now)
        return waiting

    def _over(self, doubt: Doubtful) -> datetime:
        """When an attempt can be looked up: its call is over, and nobody's any more."""
        row = doubt.attempt
        begun = instant(row.started_at)
        leased = begun + (self.loop.lease if row.state == "sending" else timedelta())
        return max(leased, call_end(begun, self.loop.channels.get(row.channel)))

    def _render(self, plans: Mapping[str, Plan], loaded: Mapping[str, Loaded]) -> tuple[list[Ready], dict[str, Plan]]:
        """Render what is due now; a message that cannot be rendered is refused until its template changes."""
        ready, kept = [], dict(plans)
        all_due = {customer: self._due(one) for customer, one in plans.items()}
        desk = read_for(self.loop.desk(self.world), (d for due in all_due.values() for d in due), self.now)
        for customer, one in plans.items():
            due = all_due[customer]
            if due:
                state = fold(loaded[customer].ledger, self.now)
                impossible = {}
                tasks = list(one.tasks)
                for decision in due:
                    try:
                        slots = self._slots(desk, decision, loaded[customer]) if offers(decision) else ()
                        if offers(decision) and not slots:
                            impossible[decision.key] = refused(decision, NO_SLOTS)
                            tasks += filter(None, [none_free(decision, state, self.world, self.now)])
                            continue
                        ready.append(self._ready(one, decision, state, slots))
                    except Exception as error:  # noqa: BLE001 - whatever is wrong with one message, the others go on
                        impossible[decision.key] = poisoned(decision, error)
                        self.report.problems.append(f"{decision.key}: {error}")
                if impossible:
                    decisions = tuple(impossible.get(d.key, d) for d in one.decisions)
                    kept[customer] = replace(one, decisions=decisions, tasks=tuple(tasks))
        return ready, kept

    def _due(self, one: Plan) -> list[Decision]:
        return [d for d in one.decisions if d.state == "planned" and d.at is not None and d.at <= self.now]

    def _slots(self, desk: Desk, decision: Decision, loaded: Loaded) -> tuple[datetime, ...]:
        with self.loop.store.read() as connection:
            return slots_for(desk, connection, decision, loaded.ledger, self.now)

    def _ready(self, one: Plan, decision: Decision, state: State, slots: Sequence[datetime]) -> Ready:
        attempt = self.loop.new_id(decision.key)
        content = self.loop.composer.content(decision, state, self.world, slots, attempt)
        outgoing = self.loop.composer.outgoing(one, decision, content, state, attempt)
        count = segments(content.text).count if decision.medium == "sms" else 1
        rule = self.world.rule(decision.proposal.rule)
        role = rule is not None and rule.to is not None and rule.to.role is not None
        organisation = state.profile.organisation if role else None
        return ready_of(one, decision, outgoing, self.world, count, organisation, content.why)

    def _commit(
        self,
        plans: Mapping[str, Plan],
        loaded: Mapping[str, Loaded],
        standing: Mapping[str, list[Row[Any]]],
        ready: Sequence[Ready],
        waiting: Mapping[str, datetime],
    ) -> tuple[list[Ready], Changes, dict[str, datetime]]:
        """Write the intent; says what is to be sent, what changed, and who must be looked at again when."""
        soon = dict(waiting)
        used = {one.record.rule for one in ready}
        paced = [rule for rule in self.world.rules if rule.free_slots and rule.name in used]
        desk = prepared(self.loop.desk(self.world), paced, self.now)
        with self.loop.store.write() as connection:
            valid, lost = current(connection, loaded, self.held)
            if {row.scope for row in queries.pauses(connection)} != {pause.scope for pause in self.world.pauses}:
                valid = frozenset()  # somebody pressed the stop button, or let go of it: everything is planned again
            valid -= apart([one for one in ready if one.decision.proposal.customer in valid], loaded)
            changes = reconcile((plans[c] for c in plans if c in valid), standing, self.world.channels, self.world.hash)
            write(connection, changes)
            grounds = Grounds({c: one.ledger for c, one in loaded.items()}, self.world, self.now)
            withdraw(connection, (plans[c] for c in plans if c in valid), grounds.hold)
            willing = [one for one in ready if one.decision.proposal.customer in valid]
            room = partial(_room, desk=desk, now=self.now)
            stood = queries.leave_line(connection, valid)
            admitted = admit(connection, willing, self.world, self.loop.rates, (self.now, self.present), room, stood)
            sending = admitted.taken
            held = [(one.ready.record.customer, one.until) for one in admitted.held]
            rested = [(customer, self.now + BREAKER) for customer, one in plans.items() if one.failures]
            for customer, until in (*held, *rested):
                soon[customer] = min(soon.get(customer, until), until)
            doubted = perhaps_gone(connection, sending, standing)
            if doubted:
                hold_in_doubt(connection, doubted, self.now)
                sending = [one for one in sending if one not in doubted]
                soon |= {one.record.customer: self.now for one in doubted}
            intend(connection, sending, self.now)
            rest = {**plans, **later(plans, admitted.held, self.world, self.now)}
            queries.finish(connection, self._next(rest, valid, lost, sending, soon))
            self._open_breakers(connection, plans)
        self.report.overtaken += len(plans) - len(valid) - len(lost)
        return sending, changes, soon

    def _next(
        self,
        plans: Mapping[str, Plan],
        valid: frozenset[str],
        lost: frozenset[str],
        sending: Sequence[Ready],
        soon: Mapping[str, datetime],
    ) -> list[dict[str, object]]:
        busy = {one.decision.proposal.customer for one in sending}
        looks = next_looks({c: one for c, one in plans.items() if c not in lost}, valid, soon, self.now)
        return [self._row(c, self.now + self.loop.lease if c in busy else due) for c, due in looks.items()]

    def _row(self, customer: str, due: datetime) -> dict[str, object]:
        leased = micros(self.now + self.loop.lease)
        return {
            "who": customer,
            "held": self.held[customer],
            "leased": leased,
            "next_due": micros(due),
            "hash": self.world.hash,
        }

    def _open_breakers(self, connection: Connection, plans: Mapping[str, Plan]) -> None:
        for policy, detail in {f.policy: f.detail for one in plans.values() for f in one.failures}.items():
            queries.put_breaker(connection, policy, micros(self.now + BREAKER), detail)
            self.report.problems.append(f"the policy {policy} failed: {detail}")
            announce(Failed("policy", policy, "refuses"))
            log.error("policy_failed", policy=policy)

    def _send(
        self,
        sending: Sequence[Ready],
        plans: Mapping[str, Plan],
        soon: Mapping[str, datetime],
        planned: Mapping[tuple[str, str], datetime],
    ) -> None:
        def handing(one: Ready) -> None:
            at = one.decision.at or self.now
            due = min(at, planned.get((one.record.customer, one.record.key), at))
            announce(Handed(one.channel, self.present - due))

        looks = {
            customer: min(self.now if self.world.reads_sent else plans[customer].wake_at, soon.get(customer, LAST))
            for customer in {one.decision.proposal.customer for one in sending}
        }
        trip = Trip(self.now, self.until, self._wait_for, handing)
        self.loop.flights.append(Flight(self.loop, sending, trip, looks, self._row, lambda: self.present))

    async def _wait_for(self, slot: datetime) -> None:
        """Wait for a place at a channel; where no time passes, it is there."""
        if self.loop.live:
            await asyncio.sleep(max(0.0, (slot - self.present).total_seconds()))


def _planned(standing: Mapping[str, Sequence[Row[Any]]]) -> dict[tuple[str, str], datetime]:
    """When the messages were to go that wait: a plan made while one is late must not make one punctual."""
    rows = (row for found in standing.values() for row in found if row.state == "planned" and row.at is not None)
    return {(row.customer, row.key): instant(row.at) for row in rows}


def _room(connection: Connection, calendar: str, length: timedelta, *, desk: Desk, now: datetime) -> int:
    return room_for(desk, connection, calendar, length, now)
