"""What is left of names that were erased: keyed hashes, by which they are known again and nobody is found.

An address keeps the refusals that held there; they are stated again when the address comes in again. A customer's id
keeps that nothing is to be taken in about it (GDPR art. 17(1), 17(3)(b), 21(3)). The hash is HMAC-SHA256 (RFC 2104);
its key is in the store, mixed with a secret of the deployment if it has one.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from commsched.errors import Erased, StoreError
from commsched.model.consents import standing
from commsched.model.facts import RANK, AnyFact, Consent, ContactPoint
from commsched.model.subjects import address_subject
from commsched.store import queries
from commsched.store.store import SECRET, Store, instant, micros

KEY, CHECK = "suppression_key", "suppression_check"
# What nobody who asked to be forgotten is asked for again, unless they themselves say so.
ADVERTISING = ("marketing", "sales")
METHOD = "asked to be forgotten"
STOP = "opt-out:"
_refusals = msgspec.json.Decoder(list[Consent])


class Hashes:
    """The hashes of names with the key of one store. Raises :class:`StoreError` if its secret is not the one it had."""

    def __init__(self, connection: Connection, *, first: bool = False) -> None:
        self.connection = connection
        stored = queries.begin_setting(connection, KEY, secrets.token_hex(32)) if first else _kept_key(connection)
        secret = str(connection.get_execution_options().get(SECRET, ""))
        self._key = hmac.digest(bytes.fromhex(stored), secret.encode(), "sha256")
        proof = self.of("check").hex()[:16]
        known = queries.begin_setting(connection, CHECK, proof) if first else queries.setting(connection, CHECK)
        if known != proof:
            words = "the customers who were erased were erased with another [erasure] secret; put that one back."
            raise StoreError(words)

    def of(self, name: str) -> bytes:
        """The hash of a ledger's name."""
        return hmac.digest(self._key, name.encode(), "sha256")

    def known(self, names: Iterable[str]) -> dict[str, Row[Any]]:
        """What is left of those of these names that were erased."""
        digests = {self.of(name): name for name in names}
        return {digests[digest]: row for digest, row in queries.suppressed(self.connection, digests).items()}


def _kept_key(connection: Connection) -> str:
    stored = queries.setting(connection, KEY)
    if stored is None:
        raise StoreError("the key of the erased customers' hashes is gone; put it back from a backup of the database.")
    return stored


def ensure_key(store: Store) -> None:
    """Make the key before it is needed, so that every backup has it."""
    with store.read() as connection:
        if queries.setting(connection, KEY) is not None:
            return
    with store.write() as connection:
        queries.begin_setting(connection, KEY, secrets.token_hex(32))


def kept(connection: Connection, facts: Mapping[tuple[str, bytes], AnyFact]) -> dict[tuple[str, bytes], AnyFact]:
    """What may be written of these facts, whose ledgers are locked: nothing about whoever was erased."""
    if not facts or not queries.any_suppressed(connection):
        return dict(facts)
    whose = {key: _whose(key[0], fact) for key, fact in facts.items()}
    gone = Hashes(connection).known({name for name in whose.values() if name})
    left = {key: fact for key, fact in facts.items() if whose[key] not in gone or _is_news(gone[whose[key]], fact.at)}
    out = [(subject, facts[subject, digest]) for subject, digest in facts.keys() - left.keys()]
    addresses = {address_subject(fact.kind, fact.address) for _, fact in out if isinstance(fact, ContactPoint)}
    queries.drop_empty_ledgers(connection, addresses | {subject for subject, _ in out})
    return left


def _whose(subject: str, fact: AnyFact) -> str:
    """The ledger of the customer whom a fact is about, in whatever ledger it stands."""
    return subject if subject.startswith("c:") else f"c:{fact.customer}" if fact.customer else ""


def _is_news(row: Row[Any], at: datetime) -> bool:
    return row.again is not None and micros(at) >= row.again


def recalled(connection: Connection, facts: Iterable[tuple[str, AnyFact]]) -> list[tuple[str, AnyFact]]:
    """The refusals that held at the addresses which come in with these facts, each for the ledger of its address."""
    if not queries.any_suppressed(connection):
        return []
    points = {address_subject(f.kind, f.address): f.address for _, f in facts if isinstance(f, ContactPoint)}
    found = refusals_at(connection, points)
    return [(circle, _named(one, points[circle])) for circle, said in sorted(found.items()) for one in said]


def refusals_at(connection: Connection, circles: Collection[str]) -> dict[str, list[Consent]]:
    """What was refused at those of these addresses (by their circles) that somebody had who was erased."""
    if not circles or not queries.any_suppressed(connection):
        return {}
    found = Hashes(connection).known(circles)
    return {circle: _refusals.decode(row.body) for circle, row in found.items() if row.body is not None}


def refused(said: Iterable[Consent]) -> list[Consent]:
    """The refusals that still hold of what was said, with nothing of who said it or how; the oldest first.

    One that was lifted in part stays whole: less is sent, never more.
    """
    counts = sorted(standing(said), key=lambda one: one.at)
    grants = [one for one in counts if one.granted]
    kept = {_bare(one): None for one in counts if not one.granted and not any(_lifts(grant, one) for grant in grants)}
    return list(kept)


def _lifts(grant: Consent, refusal: Consent) -> bool:
    """As :func:`commsched.model.consents.permission` has it, where the grant covers all of the refusal."""
    return (
        grant.at > refusal.at
        and RANK[grant.stated_by or "import"] >= RANK[refusal.stated_by or "import"]
        and grant.medium in {refusal.medium, "*"}
        and grant.purpose in {refusal.purpose, "*"}
        and grant.topic in {refusal.topic, "*", None}
    )


def _bare(said: Consent) -> Consent:
    name = said.id.rpartition(":")[0] + ":" if said.id and said.id.startswith(STOP) else None
    return Consent(
        at=said.at,
        recorded_at=said.recorded_at,
        source="commsched",
        stated_by=said.stated_by,
        id=name,
        medium=said.medium,
        purpose=said.purpose,
        topic=said.topic,
        granted=False,
        method=METHOD,
    )


def _named(refusal: Consent, address: str) -> Consent:
    """A refusal as the channel named it that it came by, so that a START there takes it back."""
    name = f"{refusal.id}{address}"[:200] if refusal.id else None
    return msgspec.structs.replace(refusal, id=name)


def anonymous(said: Iterable[Consent], address: str) -> list[Consent]:
    """The refusals that still hold of what one person said at an address which others have, too."""
    return [_named(one, address) for one in refused(said)]


def advertising(now: datetime) -> list[Consent]:
    """The refusals of whoever asked to be forgotten."""
    return [
        Consent(
            at=now,
            recorded_at=now,
            source="commsched",
            stated_by="customer",
            medium="*",
            purpose=purpose,
            granted=False,
            method=METHOD,
        )
        for purpose in ADVERTISING
    ]


class Gone:
    """Says of facts that come in why they are not taken: their customer was erased."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store

    @cached_property
    def _rows(self) -> dict[bytes, Row[Any]]:
        """What is left of erased names, read when the first fact comes in."""
        with self._store().read() as connection:
            if not queries.any_suppressed(connection):
                return {}
            self._of = Hashes(connection).of
            return {bytes(row.digest): row for row in queries.all_suppressed(connection)}

    def __call__(self, customer: str | None, at: datetime) -> None:
        """Raises :class:`Erased` for a fact about somebody who was erased, unless they have come back since."""
        row = self._rows.get(self._of(f"c:{customer}")) if self._rows and customer is not None else None
        if row is None or _is_news(row, at):
            return
        if row.again is not None:
            raise Erased(f"it is older than their return on {instant(row.again):%Y-%m-%d}; erase it at its source, too")
        raise Erased(
            f"this customer was erased on {instant(row.at):%Y-%m-%d} (erasure {row.erasure}); erase them at the source "
            "as well, or, if they have come back since: commsched forget ID --again"
        )
