"""The intent: one short transaction between deciding and calling, so that nothing goes out on an outdated plan.

Planning and rendering happen outside any transaction. Here the versions of the customer and their circles and the
worker's fence are checked, and the attempts are written down. A version that moved means: plan again. So an opt-out
that was committed before the intent always wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from msgspec import UNSET
from sqlalchemy import Connection

from commsched.model.decisions import Decision, Plan
from commsched.model.facts import Sent
from commsched.model.subjects import address_subject, kind_of_medium
from commsched.planning.world import World
from commsched.plugin.base import Attempt, Outgoing
from commsched.render.links import code_of
from commsched.rules.rule import Rule
from commsched.store import queries
from commsched.store.ledgers import Loaded
from commsched.store.messages import MessageRecord, message_row, record_of, signature_of
from commsched.store.store import micros
from commsched.timing.windows import FIRST

# How long an invitation counts as open if nothing is booked.
INVITED = timedelta(days=14)
# How many appointments of a length a calendar has room for.
Room = Callable[[Connection, str, timedelta], int]


@dataclass(frozen=True, slots=True)
class Ready:
    """A message that was rendered and is about to be attempted."""

    decision: Decision
    record: MessageRecord
    outgoing: Outgoing
    channel: str
    sent: Sent

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


def admitted(
    connection: Connection, ready: Sequence[Ready], world: World, now: datetime, room: Room = lambda *_: 0
) -> list[Ready]:
    """Those whose rule still has a place; a rule without a pace always has.

    ``room`` says how many appointments of a length fit into a calendar: whom that is too few for waits, nearest due
    first. Calendars are locked here, so ledgers must be locked before.
    """
    rules = {rule.name: rule for rule in world.rules}
    day = now.astimezone(world.zone).date().isoformat()
    taken = []
    invitations = _Invitations(connection, world, room, now)
    invitations.look([rules[name] for name in {one.record.rule for one in ready} if name in rules])
    for one in sorted(ready, key=lambda one: _nearest_due(one, rules)):
        proposal = one.decision.proposal
        rule = rules.get(proposal.rule)
        old = rule is not None and proposal.ideal < world.since.get(rule.name, proposal.ideal)
        # Catching up comes first, so that the many old ones do not use up the places of the day.
        limits = (
            [] if rule is None else [(f"{rule.name}#catch_up", rule.catch_up if old else None), (rule.name, rule.pace)]
        )
        if rule is not None and rule.free_slots and not invitations.has_place(one, rule):
            continue
        if all(queries.take_pace(connection, name, day, limit) for name, limit in limits if limit is not None):
            taken.append(one)
            if rule is not None and rule.free_slots:
                invitations.take(one, rule)
    return taken


def explain_wait(connection: Connection, waiting: Sequence[Ready], rule: Callable[[str], Rule | None]) -> None:
    """Write beside the messages that found no place why they wait."""
    rows = []
    for one in waiting:
        paced = rule(one.record.rule)
        full = paced is not None and paced.free_slots
        why = "as many people are invited as there are free times" if full else "the rule's messages of today have gone"
        reasons = (*one.record.reasons, ("commsched", "pace", f"{why}; nearest due first"))
        record = msgspec.structs.replace(one.record, state="planned", subject_line="", body="", reasons=reasons)
        rows.append(message_row(record, signature=signature_of(one.decision)))
    queries.put_messages(connection, rows)


class _Invitations:
    """How many more people there is room to invite to each calendar, whichever rule with ``pace: free_slots`` does."""

    def __init__(self, connection: Connection, world: World, room: Room, now: datetime) -> None:
        self.connection, self.world, self.room, self.now = connection, world, room, now
        self.left: dict[str, int] = {}

    def look(self, rules: Sequence[Rule]) -> None:
        """See what is left of the calendars of these rules, and keep others from inviting to them until the commit."""
        wanted = {name for rule in rules if rule.free_slots for name in self._lengths(rule)}
        if not wanted:
            return
        queries.lock_calendars(self.connection, wanted)
        paced = [rule for rule in self.world.rules if rule.free_slots]
        for calendar in sorted(wanted):
            length = max(self._lengths(rule).get(calendar, timedelta()) for rule in paced)
            self.left[calendar] = self.room(self.connection, calendar, length)
        since = micros(self.now - INVITED)
        for rule in paced:
            mine = wanted & self._lengths(rule).keys()
            invited = queries.open_invitations(self.connection, rule.name, since, rule.trigger.names) if mine else {}
            for calendar in mine:
                self.left[calendar] -= invited.get(calendar, 0) + invited.get("", 0)

    def has_place(self, one: Ready, rule: Rule) -> bool:
        """Whether this is somebody who is invited already, or one more for whom there is room."""
        calendar = self._calendar(one)
        return (
            calendar is None or self.left[calendar] > 0 or queries.invited(self.connection, rule.name, _invitation(one))
        )

    def take(self, one: Ready, rule: Rule) -> None:
        """Remember the invitation; a later step about the same is none of its own."""
        calendar = self._calendar(one)
        if calendar is not None and not queries.invited(self.connection, rule.name, _invitation(one)):
            self.left[calendar] -= 1
            queries.add_invitation(
                self.connection,
                rule=rule.name,
                key=_invitation(one),
                customer=one.decision.proposal.customer,
                at=micros(self.now),
                calendar=calendar,
            )

    def _calendar(self, one: Ready) -> str | None:
        service = self.world.services.get(str(one.decision.proposal.variables.get("service", "")))
        return service.calendar if service is not None else None

    def _lengths(self, rule: Rule) -> dict[str, timedelta]:
        """How long the longest of a rule's services takes, by calendar."""
        found: dict[str, timedelta] = {}
        for service in filter(None, map(self.world.services.get, rule.trigger.names)):
            if service.calendar is not None:
                found[service.calendar] = max(found.get(service.calendar, timedelta()), service.duration)
        return found


def _invitation(one: Ready) -> str:
    p = one.decision.proposal
    return f"{p.customer}/{p.subject}/{p.occurrence}"


def _nearest_due(one: Ready, rules: Mapping[str, Rule]) -> datetime:
    rule = rules.get(one.decision.proposal.rule)
    return one.decision.proposal.anchor.at if rule is not None and rule.free_slots else FIRST


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
