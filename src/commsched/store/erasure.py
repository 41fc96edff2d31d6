"""Erasing a customer (GDPR art. 17): in one transaction everything that is theirs goes, from every table.

What stays: hashes (:mod:`commsched.store.suppression`), an entry in the audit log without a name, and, of what is being
sent or in doubt, the attempt's own id, so that it comes to an end. What others' ledgers and rows say of the customer is
:mod:`commsched.store.traces`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy import Connection, Row

from commsched.model.facts import AnyFact, Consent, Sent
from commsched.model.subjects import digest_of, key_of
from commsched.store import queries, traces
from commsched.store import tables as t
from commsched.store.ledgers import circles, decode, wake_for
from commsched.store.messages import MessageRecord, load_record, message_row
from commsched.store.store import instant, micros
from commsched.store.suppression import Hashes, advertising, anonymous, refused

UNDER_WAY = ("sending", "in_doubt")
_sent = msgspec.json.Decoder(Sent)
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure did: its number in the audit log, rows by table, attempts still under way, hashes that stay."""

    number: int
    rows: dict[str, int]
    under_way: int
    hashes: int


def nobody(number: int) -> str:
    """Whose the attempts under way are after an erasure."""
    return f"erased:{number}"


def is_nobodys(attempt: Row[Any]) -> bool:
    """Whether an attempt is one that was under way when its customer was erased."""
    return str(attempt.customer).startswith(nobody(0)[:-1]) and not attempt.address


def forget(connection: Connection, customer: str, now: datetime, by: str) -> Erasure | None:
    """Erase a customer; ``None`` where nothing is known of them. Raises :class:`commsched.errors.StoreError`."""
    mine = _locked(connection, customer)
    if mine is None:
        return None
    number = queries.note(connection, micros(now), by, "forget", "a customer was erased")
    left = _Leaving(connection, customer, number, now)
    left.addresses(mine)
    left.under_way()
    left.others(mine)
    left.rows()
    left.traces()
    return Erasure(number, {name: count for name, count in left.counts.items() if count}, left.kept, left.hashed)


def come_back(connection: Connection, customer: str, now: datetime, by: str) -> bool:
    """Take in facts about an erased customer again, if they are true since now; whether they were erased."""
    if not queries.any_suppressed(connection):
        return False
    row = Hashes(connection).known([f"c:{customer}"]).get(f"c:{customer}")
    if row is None:
        return False
    values = {"digest": row.digest, "erasure": row.erasure, "at": row.at, "body": None}
    queries.put_suppressed(connection, [{**values, "again": micros(now)}])
    queries.note(connection, micros(now), by, "forget --again", f"the customer of erasure {row.erasure} has come back")
    return True


def _locked(connection: Connection, customer: str) -> list[str] | None:
    """The circles of a customer; they, and all that is theirs, stay as they are until the commit.

    Attempts are locked before ledgers, as everybody does it, and their own ledger before it is read who shares what.
    """
    queries.lock_attempts(connection, (row.id for row in queries.attempts(connection, customers=[customer])))
    subject = f"c:{customer}"
    known = queries.versions(connection, [subject])
    if not known and not any(queries.owned(connection, table, customer) for table in queries.OWNED):
        return None
    queries.lock_ledgers(connection, [subject])
    mine = sorted({*queries.circles_of_member(connection, customer), *circles(connection, [customer])})
    queries.lock_ledgers(connection, {*mine, *traces.ledgers_of_wards(connection, customer)})
    return mine


class _Leaving:
    """One erasure in the making."""

    def __init__(self, connection: Connection, customer: str, number: int, now: datetime) -> None:
        self.connection, self.customer, self.number, self.now = connection, customer, number, now
        self.subject = f"c:{customer}"
        self.hashes = Hashes(connection, first=True)
        self.names = traces.names_of(connection, customer)
        self.counts: Counter[str] = Counter()
        self.alone: list[str] = []
        self.people: set[str] = set()
        self.kept, self.hashed = 0, 0

    def addresses(self, mine: Iterable[str]) -> None:
        """Each address and household that is theirs alone goes; an address leaves its refusals beside its hash."""
        self._suppress(self.subject)
        for circle, having in self._having(mine).items():
            self.people |= having
            if circle.startswith("a:") and not having:
                said = [fact for _, fact in self._facts(circle) if isinstance(fact, Consent)]
                self._suppress(circle, [*refused(said), *advertising(self.now)])
            if circle[:2] in {"a:", "h:"} and not having:
                self.alone.append(circle)

    def _having(self, mine: Iterable[str]) -> dict[str, set[str]]:
        """Who else is in each circle."""
        found = queries.members(self.connection, mine)
        return {circle: set(found.get(circle, ())) - {self.customer} for circle in mine}

    def _suppress(self, name: str, refusals: Collection[Consent] = ()) -> None:
        row = {"digest": self.hashes.of(name), "erasure": self.number, "at": micros(self.now), "again": None}
        queries.put_suppressed(self.connection, [{**row, "body": _encode(refusals) if refusals else None}])
        self.hashed += 1

    def under_way(self) -> None:
        """What is being sent or in doubt becomes nobody's, and is otherwise as it was."""
        rows = queries.attempts(self.connection, states=UNDER_WAY, customers=[self.customer])
        messages = {row.key: row for row in queries.owned(self.connection, t.message, self.customer)}
        ghost = nobody(self.number)
        for place, row in enumerate(rows):
            self._mask(row, messages.get(row.key), key_of(ghost, "erased", "erased", "-", str(place)))
        self.kept = len(rows)
        entries = queries.mask_calendar_entries(self.connection, self.customer, ghost)
        self.counts["calendar_entry"] += entries
        if rows or entries:
            self._suppress(f"c:{ghost}")
            self.hashed -= 1
        if rows:
            queries.wake(self.connection, [ghost], micros(self.now))

    def _mask(self, row: Row[Any], message: Row[Any] | None, key: str) -> None:
        ghost = nobody(self.number)
        sent = masked_sent(_sent.decode(row.sent), ghost, key)
        values = {"customer": ghost, "key": key, "address": "", "detail": None, "code": None, "sent": _encode(sent)}
        queries.put_attempt(self.connection, row.id, values)
        if message is not None:
            record = masked_record(load_record(message.body), ghost, key, instant(row.started_at))
            queries.put_messages(self.connection, [message_row(record, signature=b"", attempt=message.attempt)])

    def others(self, mine: Iterable[str]) -> None:
        """Their facts in the ledgers that others share; an address that others have keeps the refusals, authorless."""
        touched = []
        for circle in mine:
            if circle in self.alone:
                continue
            facts = [(digest, fact) for digest, fact in self._facts(circle) if fact.customer == self.customer]
            self.counts["fact"] += queries.drop_facts(self.connection, [(circle, digest) for digest, _ in facts])
            if circle.startswith("a:"):
                said = [fact for _, fact in facts if isinstance(fact, Consent)]
                for one in anonymous(said, circle.split(":", 2)[2]):
                    queries.put_fact(self.connection, circle, digest_of(one), _encode(one))
            touched.append(circle)
        touched += traces.of_wards(self.connection, self.customer)
        queries.bump(self.connection, dict.fromkeys(queries.versions(self.connection, touched), (1, 0)))
        wake_for(self.connection, touched, self.now)

    def _facts(self, subject: str) -> list[tuple[bytes, AnyFact]]:
        rows = list(queries.facts(self.connection, [subject]))
        return list(zip((bytes(row.digest) for row in rows), decode([row.body for row in rows]), strict=True))

    def rows(self) -> None:
        """Whatever is theirs goes, from every table."""
        self.people |= set(queries.members(self.connection, [self.subject]).get(self.subject, ()))
        for table in queries.OWNED:
            self.counts[table.name] += queries.drop_owned(self.connection, table, self.customer)
        self.counts.update(queries.drop_ledgers(self.connection, {self.subject, *self.alone}))

    def traces(self) -> None:
        """What texts about others say of them, and what the audit log does."""
        addresses = {circle.split(":", 2)[2].lower() for circle in self.alone if circle.startswith("a:")}
        self.counts["mentions"] += traces.cover(self.connection, self.people, self.names, addresses)
        self.counts["audit"] += traces.cover_audit(self.connection, self.customer, nobody(self.number))


def masked_sent(sent: Sent, customer: str, key: str) -> Sent:
    """What was to be said once it is nobody's: the rule, the medium and the time."""
    return msgspec.structs.replace(
        sent,
        customer=customer,
        key=key,
        parts=[key],
        subject="-",
        occurrence="-",
        address="",
        content="",
        anchor=None,
        tells={},
        organisation=UNSET,
    )


def masked_record(record: MessageRecord, customer: str, key: str, at: datetime) -> MessageRecord:
    """A message once it is nobody's."""
    return msgspec.structs.replace(
        record,
        key=key,
        parts=(key,),
        customer=customer,
        subject="-",
        to=None,
        anchor_at=at,
        ideal=at,
        deadline=at,
        reasons=(),
        notes=(),
        subject_line="",
        body="",
        why="",
    )
