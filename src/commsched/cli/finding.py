"""Customers by what people remember of them: a part of a name, a number, a mail address, a plate or a model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from commsched.model.subjects import masked
from commsched.planning.fold import fold
from commsched.screening.names import plain
from commsched.store import queries
from commsched.store.ledgers import load

# Fewer figures than this are in too many numbers.
LEAST_DIGITS = 4
CANDIDATES = 10
_NO_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Hit:
    """A customer who was found; ``evidence`` says by what, addresses masked."""

    customer: str
    name: str
    evidence: tuple[str, ...]


class _Named(msgspec.Struct, frozen=True):
    name: str | None = None


class _Owned(msgspec.Struct, frozen=True):
    id: str
    model: str | None = None
    attributes: dict[str, str | float | bool | None] = {}


_named, _owned = msgspec.json.Decoder(_Named), msgspec.json.Decoder(_Owned)


def find(connection: Connection, text: str, now: datetime, most: int) -> tuple[list[Hit], int]:
    """The first ``most`` of whoever the text fits, by id, called as they are now; and how many that are in all.

    A text fits a name of which every word is a part, whatever the case and accents; names of former times count, too.
    Reads all names, addresses and assets: for people who search, not for work.
    """
    found: dict[str, list[str]] = {}
    for customer, evidence in _fitting(connection, text):
        known = found.setdefault(customer, [])
        known += [evidence] if evidence not in known else []
    shown = sorted(found)[:most]
    ledgers = load(connection, shown)
    names = {customer: fold(ledgers[customer].ledger, now).profile.name or customer for customer in shown}
    return [Hit(customer, names[customer], tuple(found[customer])) for customer in shown], len(found)


def _fitting(connection: Connection, text: str) -> Iterator[tuple[str, str]]:
    """Each customer whom the text fits, and by what; the same customer once for each."""
    words, joined = plain(text).split(), _joined(text)
    if not joined:
        return
    for subject, body in queries.facts_of_type(connection, "customer"):
        name = _named.decode(body).name or ""
        if joined == _joined(subject[2:]):
            yield subject[2:], "id"
        if all(word in plain(name) for word in words):
            yield subject[2:], f"name {name}"
    yield from _reached(connection, text)
    for subject, body in queries.facts_of_type(connection, "asset"):
        one = _owned.decode(body)
        for value in (one.id, one.model, *one.attributes.values()):
            if isinstance(value, str) and joined in _joined(value):
                yield subject[2:], " ".join(dict.fromkeys(part for part in (one.model, value) if part))


def _reached(connection: Connection, text: str) -> Iterator[tuple[str, str]]:
    """Whoever has this phone number or mail address, or one that it is a part of."""
    # Whoever writes a number as at home begins with a nought, and the number as it is kept has none.
    digits = "".join(letter for letter in text if letter.isdecimal()).lstrip("0")
    if len(digits) >= LEAST_DIGITS and not any(letter.isalpha() for letter in text):
        for circle, customer in queries.address_members(connection, "phone"):
            if digits in circle:
                yield customer, f"phone {masked(circle.rpartition(':')[2])}"
    mail = plain(text).strip()
    for circle, customer in queries.address_members(connection, "email"):
        if mail in circle.split(":", 2)[2]:
            yield customer, f"email {masked(circle.split(':', 2)[2])}"


def _joined(text: str) -> str:
    """Letters and figures alone: plates and ids are written with and without dashes and blanks."""
    return _NO_WORD.sub("", plain(text))


def candidates(connection: Connection, text: str, now: datetime) -> str:
    """A sentence that lists whom somebody may have meant, a line each; empty if there is nobody."""
    hits, number = find(connection, text, now, CANDIDATES)
    if not hits:
        return ""
    lines = "".join(f"\n  {hit.customer}  {hit.name} ({', '.join(hit.evidence)})" for hit in hits)
    more = f"\n  … and {number - len(hits)} more: commsched find '{text}'" if number > len(hits) else ""
    return f"Is it one of these?{lines}{more}"
