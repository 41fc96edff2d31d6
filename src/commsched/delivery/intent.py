"""The intent: one short transaction between deciding and calling, so that nothing goes out on an outdated plan.

Planning and rendering happen outside any transaction. Here the versions of the customer and their circles and the
worker's fence are checked, and the attempts are written down. A version that moved means: plan again. So an opt-out
that was committed before the intent always wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from msgspec import UNSET
from sqlalchemy import Connection

from commsched.model.decisions import Decision, Plan
from commsched.model.facts import Sent
from commsched.model.subjects import address_subject, kind_of_medium
from commsched.planning.world import World
from commsched.plugin.channel import Attempt, Outgoing
from commsched.render.links import code_of
from commsched.store import queries
from commsched.store.ledgers import Loaded
from commsched.store.messages import MessageRecord, message_row, record_of, signature_of
from commsched.store.store import micros


@dataclass(frozen=True, slots=True)
class Ready:
    """A message that was rendered and is about to be attempted; ``slot``: not before its place at the channel."""

    decision: Decision
    record: MessageRecord
    outgoing: Outgoing
    channel: str
    sent: Sent
    slot: datetime | None = None

    @property
    def attempt(self) -> Attempt:
        """The attempt as channels and observers see it."""
        o, p = self.outgoing, self.decision.proposal
        return Attempt(o.attempt, o.key, p.customer, self.channel, o.to, o.at, o.send_by, o.link)


def current(
    connection: Connection, loaded: Mapping[str, Loaded], held: Mapping[str, int]
) -> tuple[frozenset[str], frozenset[str]]:
    """Of a batch: the customers whose plan still rests on what is known, and those who belong to another worker now.

    Everybody in neither set was overtaken by a new fact.
    """
    subjects = {subject for one in loaded.values() for subject in one.versions}
    versions = queries.lock_ledgers(connection, subjects)
    fences = queries.fences(connection, loaded)
    lost = frozenset(customer for customer in loaded if fences.get(customer) != held[customer])
    # Of somebody who was erased meanwhile, not even the name of a ledger comes back with the lock.
    queries.drop_empty_ledgers(connection, {subject for customer in lost for subject in loaded[customer].versions})
    valid = frozenset(
        customer
        for customer, one in loaded.items()
        if customer not in lost and all(versions.get(s, (0, 0))[0] == version for s, version in one.versions.items())
    )
    return valid, lost


def intend(connection: Connection, ready: Sequence[Ready], now: datetime) -> None:
    """Write down the attempts, and that their messages are being sent.

    The circles that they touch move on, so that nobody who shares them commits a plan which does not know of this.
    """
    queries.bump(connection, {circle: (1, 0) for one in ready for circle in circles_touched(one.sent)})
    queries.add_attempts(connection, [_attempt_row(one, now) for one in ready])
    queries.put_messages(connection, [_sending_row(one) for one in ready])


def circles_touched(sent: Sent) -> list[str]:
    """The circles that a message concerns besides its customer: the address; the organisation, where roles matter."""
    circles = [address_subject(kind_of_medium(sent.medium), sent.address)]
    if isinstance(sent.organisation, str):
        circles.append(f"o:{sent.organisation}")
    return circles


def apart(ready: Sequence[Ready], loaded: Mapping[str, Loaded]) -> frozenset[str]:
    """Customers of a batch who must wait, since a message to somebody before them touches a circle of theirs."""
    touched: dict[str, str] = {}
    waiting = set()
    for one in ready:
        customer = one.decision.proposal.customer
        if any(touched.get(subject, customer) != customer for subject in loaded[customer].versions):
            waiting.add(customer)
        else:
            touched |= dict.fromkeys(circles_touched(one.sent), customer)
    return frozenset(waiting)


def ready_of(
    plan: Plan,
    decision: Decision,
    outgoing: Outgoing,
    world: World,
    segments: int,
    organisation: str | None = None,
    why: str = "",
) -> Ready:
    """The decided, rendered message with the fact that becomes true when it is accepted.

    ``organisation`` is the customer's, where the rule is for a role there; ``why`` is what the message says of why it
    came.
    """
    p, medium = decision.proposal, decision.medium or ""
    sent = Sent(
        at=plan.now,
        recorded_at=plan.now,
        customer=p.customer,
        source="commsched",
        stated_by="import",
        key=decision.key,
        parts=list(decision.parts),
        rule=p.rule,
        step=p.step,
        subject=p.subject,
        occurrence=p.occurrence,
        purpose=p.purpose,
        topic=p.topic,
        department=p.department,
        medium=medium,
        address=outgoing.to,
        template=decision.template,
        content=p.content,
        anchor=p.anchor.at,
        segments=segments,
        tells=dict(p.tells),
        organisation=organisation if organisation is not None else UNSET,
    )
    record = msgspec.structs.replace(
        record_of(decision, world.channels), state="sending", subject_line=outgoing.subject, body=outgoing.text, why=why
    )
    return Ready(decision, record, outgoing, world.channels[medium], sent)


def _attempt_row(one: Ready, now: datetime) -> dict[str, object]:
    return {
        "id": one.outgoing.attempt,
        "customer": one.decision.proposal.customer,
        "key": one.decision.key,
        "channel": one.channel,
        "address": one.outgoing.to,
        "state": "sending",
        "started_at": micros(now),
        "send_by": micros(one.outgoing.send_by),
        "sent": msgspec.json.encode(one.sent),
        "code": code_of(one.outgoing.link),
    }


def _sending_row(one: Ready) -> dict[str, object]:
    return message_row(one.record, signature=signature_of(one.decision), attempt=one.outgoing.attempt)


NewId = Callable[[str], str]
