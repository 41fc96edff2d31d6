"""Messages, decisions and tasks in the store: what stands, and the one writer of it (reconcile).

Desired state is computed by the pure plan; this module compares it with what stands and writes the difference. Running
it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import chain, repeat
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection, Row

from commsched.model.decisions import ACCEPTED, IN_FLIGHT, Decision, MessageState, Plan, Reason, TaskDecision
from commsched.store import queries
from commsched.store.store import micros
from commsched.timing.windows import RESOLUTION, Span

# So much of what policies left open is kept on both sides of where a message was placed, and of where it should have.
AROUND = timedelta(days=3)
Reasons = tuple[tuple[str, str, str], ...]


class MessageRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message as tools see it: the M of DESIGN §11.

    ``reasons`` are policy, code and the customer's sentence. ``notes`` are the staff's sentences, one a reason in the
    same order, or none at all; :func:`told` puts them together. ``why`` is what its reader was told of why it came.
    """

    key: str
    parts: tuple[str, ...]
    customer: str
    rule: str
    step: str
    subject: str
    purpose: str
    topic: str
    department: str
    medium: str | None
    channel: str | None
    to: str | None
    state: MessageState
    final: bool
    at: datetime | None
    anchor_kind: str
    anchor_at: datetime
    ideal: datetime
    deadline: datetime
    template: str
    reasons: Reasons = ()
    subject_line: str = ""
    body: str = ""
    notes: tuple[str, ...] = ()
    why: str = ""


class TaskRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A task as tools see it: the T of DESIGN §11; ``notes`` as in a message, ``until`` as in its decision."""

    key: str
    customer: str
    rule: str
    step: str
    department: str
    at: datetime
    text: str
    state: str
    reasons: Reasons = ()
    notes: tuple[str, ...] = ()
    owner: str = ""
    until: datetime | None = None


class DecisionRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A decision as it was made: what it rests on, so that it can be shown and replayed.

    ``notes`` are the staff's sentences of the reasons, ``review_notes`` those of the reviews. What the policies left
    open (``reviews``, last) is kept around where the message was placed (:attr:`kept`), or all of it if it was not.
    """

    key: str
    decided_at: datetime
    state: MessageState
    final: bool
    at: datetime | None
    medium: str | None
    ideal: datetime
    opens: datetime
    deadline: datetime
    media: tuple[str, ...]
    reasons: Reasons
    reviews: tuple[tuple[str, str, str, str, tuple[str, ...] | None, tuple[tuple[datetime, datetime], ...]], ...]
    conflict: tuple[str, ...]
    reads: tuple[str, ...]
    world: str
    notes: tuple[str, ...] = ()
    review_notes: tuple[str, ...] = ()

    @property
    def kept(self) -> Span:
        """The time of which it is known what the policies left open."""
        return _kept(self.ideal, (self.opens, self.deadline), self.at, self.decided_at)


class Reasoned(Protocol):
    """What has reasons: a message, a task, a decision."""

    @property
    def reasons(self) -> Reasons:
        """Policy, code and the customer's sentence of each."""

    @property
    def notes(self) -> tuple[str, ...]:
        """The staff's sentences, one a reason, or none."""


_record = msgspec.json.Decoder(MessageRecord)
_task = msgspec.json.Decoder(TaskRecord)
_decision = msgspec.json.Decoder(DecisionRecord)
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Changes:
    """What differs between the plan and what stands, for one batch."""

    messages: list[dict[str, object]]
    decisions: list[dict[str, object]]
    tasks: list[dict[str, object]]
    decided: list[Decision]


def record_of(decision: Decision, channels: Mapping[str, str]) -> MessageRecord:
    """A decision as the message it is about."""
    p = decision.proposal
    medium = decision.medium
    return MessageRecord(
        key=decision.key,
        parts=decision.parts,
        customer=p.customer,
        rule=p.rule,
        step=p.step,
        subject=p.subject,
        purpose=p.purpose,
        topic=p.topic,
        department=p.department,
        medium=medium,
        channel=channels.get(medium) if medium else None,
        to=p.addresses.get(medium) if medium else None,
        state=decision.state,
        final=decision.final,
        at=decision.at,
        anchor_kind=p.anchor.kind,
        anchor_at=p.anchor.at,
        ideal=p.ideal,
        deadline=p.deadline,
        template=decision.template,
        reasons=_reasons(decision.reasons),
        notes=_notes(reason.note for reason in decision.reasons),
    )


def task_of(decision: TaskDecision) -> TaskRecord:
    """A task decision as the task it is about."""
    return TaskRecord(
        decision.key,
        decision.customer,
        decision.rule,
        decision.step,
        decision.department,
        decision.at,
        decision.text,
        decision.state,
        _reasons(decision.reasons),
        _notes(reason.note for reason in decision.reasons),
        decision.owner,
        decision.until,
    )


def told(record: Reasoned) -> Reasons:
    """The reasons in the staff's words; in the customer's where the staff have none of their own."""
    notes = chain(record.notes, repeat(""))
    return tuple((policy, code, next(notes) or detail) for policy, code, detail in record.reasons)


def load_record(body: bytes) -> MessageRecord:
    """A message from its stored bytes."""
    return _record.decode(body)


def load_task(body: bytes) -> TaskRecord:
    """A task from its stored bytes."""
    return _task.decode(body)


def load_decision(body: bytes) -> DecisionRecord:
    """A decision from its stored bytes."""
    return _decision.decode(body)


def reconcile(
    plans: Iterable[Plan], standing: Mapping[str, Sequence[Row[Any]]], channels: Mapping[str, str], world: str
) -> Changes:
    """What must be written so that the store says what the plans say."""
    changes = Changes([], [], [], [])
    for plan in plans:
        rows = {row.key: row for row in standing.get(plan.customer, ())}
        wanted = {decision.key: decision for decision in plan.decisions}
        carried = {part for decision in plan.decisions for part in decision.parts}
        for decision in plan.decisions:
            _take(changes, decision, rows.get(decision.key), channels, world, plan.now)
        for key, row in rows.items():
            if key not in wanted and row.state in {"planned", "refused"}:
                record = load_record(row.body)
                called_off = record.anchor_kind == "start" and record.anchor_at > plan.now
                if called_off or not record.final:
                    changes.messages.append(_dropped(record, plan.now, carried=key in carried))
        changes.tasks += [task_row(task_of(task)) for task in plan.tasks if task.at <= plan.now]
    return changes


def write(connection: Connection, changes: Changes) -> None:
    """Write the difference."""
    queries.put_messages(connection, changes.messages)
    queries.add_decisions(connection, changes.decisions)
    queries.put_tasks(connection, changes.tasks)


def withdraw(connection: Connection, plans: Iterable[Plan], has_reason: Callable[[str, str], bool]) -> None:
    """End the open tasks that are not on the plan any more and have no reason left: nobody need do them.

    ``has_reason`` is asked of a customer and a task's key.
    """
    planned = {plan.customer: {task.key for task in plan.tasks} for plan in plans}
    gone = [
        msgspec.structs.replace(load_task(row.body), state="withdrawn")
        for row in queries.tasks_of(connection, sorted(planned))
        if row.key not in planned[row.customer] and not has_reason(row.customer, row.key)
    ]
    queries.put_tasks(connection, [task_row(task) for task in gone])


def message_row(record: MessageRecord, *, signature: bytes, attempt: str | None = None) -> dict[str, object]:
    """A message as a row."""
    return {
        "customer": record.customer,
        "key": record.key,
        "rule": record.rule,
        "state": record.state,
        "at": micros(record.at) if record.at is not None else None,
        "attempt": attempt,
        "signature": signature,
        "body": _encode(record),
    }


def task_row(task: TaskRecord) -> dict[str, object]:
    """A task as a row."""
    return {
        "key": task.key,
        "customer": task.customer,
        "department": task.department,
        "at": micros(task.at),
        "state": task.state,
        "body": _encode(task),
    }


def signature_of(decision: Decision) -> bytes:
    """What of a decision is worth writing again when it changes."""
    words = (
        decision.state,
        str(decision.final),
        str(decision.at),
        str(decision.medium),
        decision.proposal.addresses.get(decision.medium or "", ""),
        decision.template,
        ",".join(decision.parts),
        str(decision.proposal.deadline),
        *(f"{reason.policy}:{reason.code}" for reason in decision.reasons),
    )
    return blake2b("|".join(words).encode(), digest_size=8).digest()


def _take(
    changes: Changes, decision: Decision, row: Row[Any] | None, channels: Mapping[str, str], world: str, now: datetime
) -> None:
    signature = signature_of(decision)
    if row is not None and (row.state in IN_FLIGHT or row.state in ACCEPTED or row.signature == signature):
        return
    changes.messages.append(message_row(record_of(decision, channels), signature=signature))
    changes.decisions.append(_decision_row(decision, world, now))
    changes.decided.append(decision)


def _dropped(record: MessageRecord, now: datetime, *, carried: bool) -> dict[str, object]:
    """A message that the plan no longer holds: it lapsed, was taken back, or goes along with another."""
    state: MessageState = "skipped" if carried else "expired" if record.deadline < now else "cancelled"
    ended = msgspec.structs.replace(record, state=state, final=True, at=None)
    return message_row(ended, signature=b"")


def _kept(ideal: datetime, span: Span, at: datetime | None, now: datetime) -> Span:
    """Why a message stands where it does is seen between there and its ideal time, and a little around.

    A message that may go at any time within months would leave behind a hundred thousand characters otherwise.
    """
    if at is None:
        return span[0], span[1] + RESOLUTION
    wished = max(ideal, span[0], now)
    return min(wished, at) - AROUND, max(wished, at) + AROUND


def _decision_row(decision: Decision, world: str, now: datetime) -> dict[str, object]:
    p = decision.proposal
    kept = _kept(p.ideal, p.span, decision.at, now)
    record = DecisionRecord(
        decision.key,
        now,
        decision.state,
        decision.final,
        decision.at,
        decision.medium,
        p.ideal,
        p.span[0],
        p.span[1],
        p.media,
        _reasons(decision.reasons),
        tuple(
            (
                review.policy,
                review.code.name,
                review.code.force,
                review.verdict.detail,
                tuple(sorted(review.verdict.media)) if review.verdict.media is not None else None,
                review.verdict.windows.clip(*kept).spans if review.verdict.windows is not None else (),
            )
            for review in decision.reviews
        ),
        decision.conflict,
        decision.reads,
        world,
        _notes(reason.note for reason in decision.reasons),
        _notes(review.verdict.note for review in decision.reviews),
    )
    return {"customer": p.customer, "key": decision.key, "decided_at": micros(now), "body": _encode(record)}


def _reasons(reasons: Iterable[Reason]) -> Reasons:
    return tuple((reason.policy, reason.code, reason.detail) for reason in reasons)


def _notes(notes: Iterable[str]) -> tuple[str, ...]:
    """The notes, or none at all where each of them is empty."""
    found = tuple(notes)
    return found if any(found) else ()
