"""What the ledgers and rows of others say of a customer who is erased: a guardian, a colleague, who shares a phone.

A guardian's id is taken back where their wards name it, and so is the address to which messages about a ward went.
Texts that name the customer by name or id say "somebody who was erased" instead.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from commsched.model.facts import AnyFact, Customer, Delivered, Sent
from commsched.model.subjects import digest_of, key_of
from commsched.store import queries
from commsched.store import tables as t
from commsched.store.ledgers import circles, decode
from commsched.store.messages import (
    DecisionRecord,
    MessageRecord,
    TaskRecord,
    load_decision,
    load_record,
    load_task,
)

SOMEBODY = "somebody who was erased"
_encode = msgspec.json.Encoder().encode
_sent = msgspec.json.Decoder(Sent)
# A name shorter than this is no name that a text could be searched for.
LEAST = 3


def names_of(connection: Connection, customer: str) -> list[str]:
    """By what texts may name a customer: the id, as it is and as keys have it, and their names; the longest first."""
    facts = decode([row.body for row in queries.facts(connection, [f"c:{customer}"])])
    said = {fact.name for fact in facts if isinstance(fact, Customer) and isinstance(fact.name, str)}
    quoted = key_of(customer, "", "", "", "").partition("/")[0]
    return sorted({customer, quoted, *(name for name in said if len(name) >= LEAST)}, key=lambda one: (-len(one), one))


def ledgers_of_wards(connection: Connection, customer: str) -> list[str]:
    """The ledgers in which it may stand whose guardian a customer is: of their wards, and of what those belong to."""
    wards = queries.members(connection, [f"c:{customer}"]).get(f"c:{customer}", [])
    belong = {circle for circle in circles(connection, wards) if circle.startswith("o:")}
    return sorted({*belong, *(f"c:{ward}" for ward in wards)})


def of_wards(connection: Connection, customer: str) -> list[str]:
    """Take a guardian's id out of what is said of their wards; the ledgers that this changed."""
    changed = []
    for row in list(queries.facts(connection, ledgers_of_wards(connection, customer))):
        (fact,) = decode([row.body])
        if isinstance(fact, Customer) and customer in {fact.guardian, fact.same_as}:
            values = {name: None for name in ("guardian", "same_as") if getattr(fact, name) == customer}
            _rewrite(connection, row, msgspec.structs.replace(fact, **values))
            changed.append(row.subject)
    return sorted(set(changed))


def _rewrite(connection: Connection, row: Row[Any], fact: AnyFact) -> None:
    queries.drop_facts(connection, [(row.subject, bytes(row.digest))])
    queries.put_fact(connection, row.subject, digest_of(fact), _encode(fact))


def cover(connection: Connection, people: Iterable[str], names: Collection[str], addresses: Collection[str]) -> int:
    """Take a customer's names and addresses out of what stands about these other people; how many rows that changed."""
    words = Words(names)
    return sum(_cover_one(connection, person, words, addresses) for person in sorted(people))


def _cover_one(connection: Connection, person: str, words: Words, addresses: Collection[str]) -> int:
    changed = 0
    for row in list(queries.facts(connection, [f"c:{person}"])):
        (fact,) = decode([row.body])
        if isinstance(fact, Sent | Delivered) and fact.address.lower() in addresses:
            _rewrite(connection, row, msgspec.structs.replace(fact, address=""))
            changed += 1
    for row in queries.owned(connection, t.attempt, person):
        if row.address.lower() in addresses:
            sent = msgspec.structs.replace(_sent.decode(row.sent), address="")
            queries.put_attempt(connection, row.id, {"address": "", "sent": _encode(sent)})
            changed += 1
    for table, covered in _COVERED.items():
        for row in queries.owned(connection, table, person):
            body = _encode(covered(row.body, words, addresses))
            if body != bytes(row.body):
                queries.put_body(connection, row, table, body)
                changed += 1
    return changed


class Words:
    """Takes names out of texts."""

    def __init__(self, names: Collection[str], instead: str = SOMEBODY) -> None:
        self._instead = instead
        self._named = re.compile("|".join(rf"(?<![\w-]){re.escape(name)}(?![\w-])" for name in names))

    def one(self, text: str) -> str:
        """A text without the names."""
        return self._named.sub(self._instead, text)

    def found(self, text: str) -> bool:
        """Whether one of the names is in a text."""
        return self._named.search(text) is not None

    def all(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Texts without the names."""
        return tuple(map(self.one, texts))

    def reasons(self, reasons: Iterable[tuple[str, str, str]]) -> tuple[tuple[str, str, str], ...]:
        """Reasons without the names."""
        return tuple((policy, code, self.one(detail)) for policy, code, detail in reasons)


def _message(body: bytes, words: Words, addresses: Collection[str]) -> MessageRecord:
    """One that went to an address of theirs loses its text, too: it was they who were spoken to."""
    record = load_record(body)
    record = msgspec.structs.replace(record, reasons=words.reasons(record.reasons), notes=words.all(record.notes))
    if (record.to or "").lower() in addresses:
        return msgspec.structs.replace(record, to=None, subject_line="", body="", why="")
    return record


def _decision(body: bytes, words: Words, _: Collection[str]) -> DecisionRecord:
    record = load_decision(body)
    return msgspec.structs.replace(
        record,
        reasons=words.reasons(record.reasons),
        reviews=tuple((*one[:3], words.one(one[3]), *one[4:]) for one in record.reviews),
        notes=words.all(record.notes),
        review_notes=words.all(record.review_notes),
    )


def _task(body: bytes, words: Words, _: Collection[str]) -> TaskRecord:
    record = load_task(body)
    reasons, notes = words.reasons(record.reasons), words.all(record.notes)
    return msgspec.structs.replace(record, text=words.one(record.text), reasons=reasons, notes=notes)


_COVERED = {t.message: _message, t.decision: _decision, t.task: _task}


def cover_audit(connection: Connection, customer: str, nobody: str) -> int:
    """Take the customer's keys out of the audit log; that something was done, when and by whom, stays."""
    names = {customer, key_of(customer, "", "", "", "").partition("/")[0]}
    words = Words(names)
    found = [row.id for name in names for row in queries.audited(connection, name) if words.found(row.detail)]
    queries.blank_audit(connection, found, nobody)
    return len(set(found))
