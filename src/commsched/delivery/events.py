"""What providers tell, made durable: each event once, whatever the order, in one transaction.

A callback ends doubt: what was delivered, or bounced, had been accepted. States only go forward, from ``sent`` through
``undelivered`` to ``delivered``. Bounces mark contact points, opt-outs and complaints become refusals, replies become
facts of whoever wrote them; where several share the address, somebody is asked who it was. Nothing is thrown away: what
nobody is known for stays with the address, should it become known whose it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from commsched.delivery import unmatched
from commsched.delivery.authors import Author, author_of
from commsched.delivery.concerned import Concerned, address_of, lock_concerned
from commsched.delivery.optouts import complaint, opt_in, opt_out, unproven_opt_out
from commsched.delivery.receipts import Result, settle
from commsched.delivery.replying import DIGITS, Heard, Takes, effects, nobody_knows
from commsched.delivery.unsuited import unsuited
from commsched.model.decisions import ACCEPTED, MessageState
from commsched.model.facts import AnyFact, ContactPoint, Delivered, Meaning, Reply, Sent, Unit
from commsched.model.subjects import address_subject, key_of, kind_of_medium
from commsched.model.vocabulary import MUST_TELL, PURPOSES
from commsched.plugin.channel import Accepted, Channel, ChannelEvent
from commsched.plugin.crash import crash_point
from commsched.replies import meaning as words
from commsched.replies.quoted import said
from commsched.signals import Heard as Announced
from commsched.store import queries
from commsched.store.ledgers import append, wake_for
from commsched.store.messages import TaskRecord, load_record, message_row, task_row
from commsched.store.store import micros

# For how long an event is remembered; providers tell one again for a day or two.
REMEMBERED = timedelta(days=30)
# What these are about had been accepted.
AFTER_ACCEPTED = frozenset({"accepted", "delivered", "undelivered", "bounced", "unsuited"})
# What an event makes of a message, and how far along that is.
STATES: Mapping[str, MessageState] = {
    "delivered": "delivered",
    "undelivered": "undelivered",
    "bounced": "undelivered",
    "unsuited": "undelivered",
}
RANK: Mapping[str, int] = {"sent": 0, "undelivered": 1, "delivered": 2}
MOST_TEXT, SHOWN_TEXT = 4000, 300
_sent = msgspec.json.Decoder(Sent)
_ASK_WHO = 'Somebody wrote "{words}" from an address that {names} share. Ask who it was, and answer them.'
_ASK_WHETHER = (
    'Somebody wrote "{words}" under the address of {names}, and nothing shows that it was they. Messages that need not '
    "be sent have been stopped there; ask whether that is what they want."
)


@dataclass(frozen=True, slots=True)
class Origin:
    """The channel that events come from, what it serves, and the department that is asked where none is known.

    ``units`` is what meters count in where a reply does not say. ``proven``: whether what comes in is the provider's
    word (:class:`commsched.Capabilities`). Where it is not, a wish to stop holds for ``silenced``: the purposes that
    are not what people must be told. ``takes`` says whether a time can be had that a reply takes. ``keeper`` is
    the channel itself, which is told to forget what it keeps of whoever was erased.
    """

    channel: str
    medium: str
    department: str
    units: Unit = "km"
    proven: bool = True
    silenced: frozenset[str] = frozenset(PURPOSES) - MUST_TELL
    takes: Takes = nobody_knows
    keeper: Channel[Any] | None = None


@dataclass(slots=True)
class Taken:
    """What came of some events: how many were new, and the facts they made.

    ``unknown`` and ``shared`` count the replies of whom nobody is known, or several; ``unmatched``, the events about
    messages that nobody knows. ``heard`` are those that were new, as they are announced after the commit.
    """

    new: int = 0
    facts: list[AnyFact] = field(default_factory=list)
    unknown: int = 0
    shared: int = 0
    unmatched: int = 0
    heard: list[Announced] = field(default_factory=list)


def take(connection: Connection, origin: Origin, events: Iterable[ChannelEvent], now: datetime) -> Taken:
    """Take events in; those that were taken before change nothing."""
    known = {identity(event): event for event in map(harmless, events)}
    new = queries.hear(connection, origin.channel, known, micros(now))
    taken = Taken(len(new))
    if not new:
        return taken
    queries.forget_heard(connection, micros(now - REMEMBERED))
    queries.forget_unmatched(connection, micros(now - unmatched.KEPT))
    channel = (origin.channel, origin.medium)
    fresh = unmatched.matched(connection, channel, [(known[name], name) for name in new])
    # Of what anybody can have written nothing is kept: it could fill the store.
    told = [(one, name) for one, name in fresh if origin.proven and one.proven]
    kept = unmatched.keep(connection, channel, told, now)
    taken.unmatched = len(kept)
    _Taking(connection, origin, now, taken).run(_in_order(fresh), kept)
    crash_point("inside-heard")
    return taken


def take_kept(connection: Connection, origin: Origin, now: datetime) -> Taken:
    """Take in what came before its message was known, where it is known by now."""
    taken = Taken()
    found = unmatched.kept(connection, (origin.channel, origin.medium))
    if found:
        _Taking(connection, origin, now, taken).run(_in_order(found))
    return taken


def _in_order(events: unmatched.Named) -> unmatched.Named:
    return sorted(events, key=lambda one: (one[0].at, one[1]))


def harmless(event: ChannelEvent) -> ChannelEvent:
    """The event without characters that a database or JSON cannot take: one such mail would keep all others out."""
    return replace(
        event,
        attempt=_harmless(event.attempt),
        address=_harmless(event.address),
        detail=_harmless(event.detail),
        data={_harmless(name): _harmless(value) for name, value in event.data.items()},
        id=_harmless(event.id),
        reference=_harmless(event.reference),
        text=_harmless(event.text),
    )


def _harmless(text: str) -> str:
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def identity(event: ChannelEvent) -> str:
    """By what an event is known again: the provider's id, else all that it says."""
    if event.id:
        return event.id if len(event.id) <= 200 else _digest(event.id.encode())  # noqa: PLR2004 - as ids of facts
    return _digest(msgspec.json.encode(event))


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()


class _Taking:
    """One transaction's worth of events."""

    def __init__(self, connection: Connection, origin: Origin, now: datetime, taken: Taken) -> None:
        self.connection, self.origin, self.now, self.taken = connection, origin, now, taken
        self.facts: list[tuple[str, AnyFact]] = []
        self.tasks: list[TaskRecord] = []
        self.attempts: dict[str, Row[Any]] = {}
        self.concerned = Concerned()

    def run(self, fresh: Sequence[tuple[ChannelEvent, str]], kept: frozenset[str] = frozenset()) -> None:
        """Take them in; those that are ``kept`` are announced when it is known whom they are about."""
        named = [event.attempt for event, _ in fresh if event.attempt]
        found = queries.lock_attempts(self.connection, named)
        # One channel has no say about what another sent.
        self.attempts = {name: row for name, row in found.items() if row.channel == self.origin.channel}
        self.taken.heard = [self._announced(event, name) for event, name in fresh if name not in kept]
        events = [event for event, _ in fresh]
        self.concerned = lock_concerned(self.connection, self.origin.medium, events, self.attempts)
        self._accept([event for event, _ in fresh])
        self._move([event for event, _ in fresh])
        for event, name in fresh:
            self._learn(event, name)
        self.taken.facts += append(self.connection, self.facts, self.now)
        queries.drop_empty_ledgers(self.connection, self.concerned.ledgers)
        queries.put_tasks(self.connection, [task_row(task) for task in self.tasks])
        wake_for(self.connection, (f"c:{row.customer}" for row in self.attempts.values()), self.now)

    def _announced(self, event: ChannelEvent, name: str) -> Announced:
        row = self.attempts.get(event.attempt)
        named = (row.customer, row.key, row.id) if row is not None else ()
        return Announced(self.origin.channel, event.kind, self._id(name), *named)

    def _id(self, name: str) -> str:
        """An event's id here: a provider's own may be an address, or tell somebody's name."""
        return _digest(f"{self.origin.channel}|{name}".encode())

    def _accept(self, events: Sequence[ChannelEvent]) -> None:
        """End the doubt about attempts that these events prove to have been accepted."""
        proven = {one.attempt: one for one in events if one.kind in AFTER_ACCEPTED and one.attempt in self.attempts}
        messages = self._messages()
        results = [
            Result(
                name, load_record(messages[row.customer, row.key].body), _sent.decode(row.sent), Accepted(one.reference)
            )
            for name, one in proven.items()
            if (row := self.attempts[name]).state != "accepted" and (row.customer, row.key) in messages
        ]
        keeper = self.origin.keeper
        settle(self.connection, results, self.now, {self.origin.channel: keeper} if keeper is not None else None)

    def _move(self, events: Sequence[ChannelEvent]) -> None:
        """Move messages forward, and note what became of each."""
        messages = self._messages()
        for event in events:
            row = self.attempts.get(event.attempt)
            state = STATES.get(event.kind)
            message = messages.get((row.customer, row.key)) if row is not None else None
            if row is None or state is None or message is None or message.state not in ACCEPTED:
                continue
            record = load_record(message.body)
            if RANK[state] <= RANK[record.state]:
                continue
            record = msgspec.structs.replace(record, state=state)
            moved = message_row(record, signature=b"", attempt=row.id)
            queries.put_messages(self.connection, [moved])
            messages = self._messages()
            self.facts.append((f"c:{row.customer}", self._delivered(event, row)))

    def _messages(self) -> dict[tuple[str, str], Row[Any]]:
        customers = sorted({row.customer for row in self.attempts.values()})
        found = queries.messages(self.connection, customers) if customers else {}
        return {(row.customer, row.key): row for rows in found.values() for row in rows}

    def _having(self, address: str) -> tuple[str, ...]:
        """Who has an address that an event names."""
        return self.concerned.having.get(self._circle(address), ())

    def _learn(self, event: ChannelEvent, name: str) -> None:
        """What an event says about people and addresses."""
        row, address = self.attempts.get(event.attempt), address_of(event, self.attempts)
        medium, times = self.origin.medium, (min(event.at, self.now), self.now)
        if not address or not self._counts(event, row):
            return
        if event.kind == "bounced":
            self._bounced(address, times)
        elif event.kind == "unsuited":
            having = self._having(address)
            self.facts += unsuited(self.connection, medium, address, having, times)
        elif event.kind in {"opt_out", "opt_in", "complaint"}:
            people = self._everybody(address, row)
            if event.kind == "complaint":
                self.facts += complaint(self.origin.channel, medium, address, people, times)
            else:
                told = opt_out if event.kind == "opt_out" else opt_in
                self.facts += told(self.origin.channel, medium, address, people, times, event.text)
        if event.kind in {"reply", "digit"} or (event.kind == "opt_in" and self._means(event).kind == "confirm"):
            # YES is a word by which people come back at some providers, and an answer everywhere.
            self._replied(event, name, address, row)

    def _counts(self, event: ChannelEvent, row: Row[Any] | None) -> bool:
        """Whether an event may say something of people. One that anybody can have written must name a message of ours.

        The attempt's id is known to whoever got that message; and they may speak of the address that it went to only.
        What a person wrote is kept in any case: :meth:`_replied` sees to what it may do.
        """
        if self._proven(event) or event.kind == "reply":
            return True
        return row is not None and self._circle(event.address or row.address) == self._circle(row.address)

    def _proven(self, event: ChannelEvent) -> bool:
        return self.origin.proven and event.proven

    def _circle(self, address: str) -> str:
        return address_subject(kind_of_medium(self.origin.medium), address)

    def _everybody(self, address: str, row: Row[Any] | None) -> set[str]:
        """Whom a word about an address binds: all who have it, and whoever was written to there."""
        return set(self._having(address)) | ({row.customer} if row is not None else set())

    def _bounced(self, address: str, times: tuple[datetime, datetime]) -> None:
        kind = kind_of_medium(self.origin.medium)
        if kind not in {"email", "phone"}:
            return
        for person in self._having(address):
            point = ContactPoint(
                at=times[0],
                recorded_at=times[1],
                customer=person,
                source="commsched",
                stated_by="staff",
                kind="email" if kind == "email" else "phone",
                address=address,
                valid=False,
            )
            self.facts.append((f"c:{person}", point))

    def _replied(self, event: ChannelEvent, name: str, address: str, row: Row[Any] | None) -> None:
        having = self._having(address)
        author = author_of(self.connection, self.origin.medium, address, row, having, self.now)
        owner = f"c:{author.customer}" if author.customer else author.circle
        means = self._means(event)
        heard = Heard(
            means, author.customer, self.origin.medium, address, author.key, (min(event.at, self.now), self.now),
            self.origin.units, self.origin.takes,
        )  # fmt: skip
        if not self._proven(event) and row is None:
            self._unproven(event, name, author, heard)
            return
        if author.customer:
            understood, stated = effects(self.connection, heard)
            self.facts.append((owner, self._reply(event, name, author, understood)))
            self.facts += [(owner, fact) for fact in stated]
            return
        self.facts.append((owner, self._reply(event, name, author, None)))
        if means.kind == "stop":
            # Whoever of them it was: nothing more goes to that address.
            self.facts += opt_out(
                self.origin.channel, self.origin.medium, address, author.people, heard.times, event.text
            )
        if author.people:
            self.taken.shared += 1
            self.tasks.append(self._ask_who(event, name, author))
        else:
            self.taken.unknown += 1

    def _unproven(self, event: ChannelEvent, name: str, author: Author, heard: Heard) -> None:
        """A reply that names no message of ours, and that anybody can have written under this address.

        A person reads it. Only a wish to stop counts, and not for what people must be told: being left alone by
        somebody else's hand does least harm, and a person is asked to see to it.
        """
        owner = f"c:{author.customer}" if author.customer else author.circle
        self.facts.append((owner, self._reply(event, name, author, "unclear" if author.customer else None)))
        if heard.means.kind == "stop":
            self.facts += unproven_opt_out(
                self.origin.channel, self.origin.medium, heard.address, author.people, heard.times, event.text,
                purposes=self.origin.silenced,
            )  # fmt: skip
        if not author.people:
            self.taken.unknown += 1
        elif heard.means.kind == "stop" or not author.customer:
            self.taken.shared += not author.customer
            self.tasks.append(self._ask_who(event, name, author))

    def _means(self, event: ChannelEvent) -> words.Meaning:
        if event.kind == "digit":
            return DIGITS.get(event.text.strip(), words.Meaning("unclear"))
        return words.meaning(said(event.text) if self.origin.medium == "email" else event.text)

    def _reply(self, event: ChannelEvent, name: str, author: Author, understood: Meaning | None) -> Reply:
        return Reply(
            at=min(event.at, self.now),
            recorded_at=self.now,
            id=self._id(name),
            customer=author.customer or None,
            source=self.origin.channel,
            stated_by="customer",
            medium=self.origin.medium,
            key=author.key or None,
            text=event.text[:MOST_TEXT] or None,
            meaning=understood,
        )

    def _ask_who(self, event: ChannelEvent, name: str, author: Author) -> TaskRecord:
        first, names = author.people[0], ", ".join(author.people)
        words = event.text[:SHOWN_TEXT]
        return TaskRecord(
            key=key_of(first, "commsched", "reply", "-", self._id(name)),
            customer=first,
            rule="commsched",
            step="reply",
            department=author.department or self.origin.department,
            at=self.now,
            text=_ASK_WHO.format(words=words, names=names)
            if len(author.people) > 1
            else _ASK_WHETHER.format(words=words, names=names),
            state="open",
        )

    def _delivered(self, event: ChannelEvent, row: Row[Any]) -> Delivered:
        return Delivered(
            at=min(event.at, self.now),
            recorded_at=self.now,
            customer=row.customer,
            source="commsched",
            stated_by="import",
            key=row.key,
            medium=_sent.decode(row.sent).medium,
            address=row.address,
            delivered=STATES[event.kind] == "delivered",
            detail=event.detail or None,
        )
