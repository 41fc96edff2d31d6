"""Facts, versions of ledgers, who belongs to which circle, appointments by time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql

from commsched.store import tables as t
from commsched.store.queries.base import Upsert, chunks, inside, text_of, upsert

_facts = (
    select(t.fact.c.subject, t.fact.c.digest, t.fact.c.body)
    .where(t.fact.c.subject.in_(bindparam("subjects", expanding=True)))
    .order_by(t.fact.c.subject, t.fact.c.digest)
)
_digests = select(t.fact.c.subject, t.fact.c.digest).where(t.fact.c.subject.in_(bindparam("subjects", expanding=True)))
_of_customer = and_(t.ledger.c.subject >= "c:", t.ledger.c.subject < "c;")
_versions = (
    select(t.ledger.c.subject, t.ledger.c.version, t.ledger.c.flags)
    .where(t.ledger.c.subject.in_(bindparam("subjects", expanding=True)))
    .order_by(case((_of_customer, 0), else_=1), t.ledger.c.subject.desc())
)
_locked_versions = _versions.with_for_update()
_members = (
    select(t.member)
    .where(t.member.c.circle.in_(bindparam("circles", expanding=True)))
    .order_by(t.member.c.circle, t.member.c.customer)
)
_bump = Upsert(
    t.ledger,
    ("subject", "version", "flags"),
    lambda insert: insert.on_conflict_do_update(
        index_elements=["subject"],
        set_={
            "version": t.ledger.c.version + insert.excluded.version,
            "flags": t.ledger.c.flags.op("|")(insert.excluded.flags),
        },
    ),
)
_join = Upsert(t.member, ("circle", "customer"), lambda insert: insert.on_conflict_do_nothing())


def facts(connection: Connection, subjects: Iterable[str]) -> Iterator[Row[tuple[str, bytes, bytes]]]:
    """Subject, digest and body of every fact of these ledgers, in order of their key."""
    for chunk in chunks(sorted(set(subjects))):
        # All at once: row by row takes half as long again.
        yield from connection.execute(_facts, {"subjects": chunk}).all()


def digests(connection: Connection, subjects: Iterable[str]) -> set[tuple[str, bytes]]:
    """Which facts these ledgers have already."""
    return {
        (row[0], bytes(row[1]))
        for chunk in chunks(subjects)
        for row in connection.execute(_digests, {"subjects": chunk})
    }


def versions(connection: Connection, subjects: Iterable[str], *, lock: bool = False) -> dict[str, tuple[int, int]]:
    """Version and flags of each of these ledgers that exists; ``lock`` keeps them from moving until the commit.

    Everybody locks customers before circles: an append to a customer's ledger may go on to those of their addresses and
    of their organisation.
    """
    query = _locked_versions if lock else _versions
    return {
        row.subject: (row.version, row.flags)
        for chunk in chunks(sorted(set(subjects), key=_locking, reverse=True))
        for row in connection.execute(query, {"subjects": chunk})
    }


def lock_ledgers(connection: Connection, subjects: Collection[str]) -> dict[str, tuple[int, int]]:
    """Version and flags of each of these ledgers, which stay as they are until the commit.

    SQLite has one writer at a time. PostgreSQL cannot lock a row that is not there: an empty ledger is begun.
    """
    found = versions(connection, subjects, lock=True)
    missing = sorted(set(subjects) - found.keys(), key=_locking, reverse=True)
    if missing and connection.dialect.name == "postgresql":
        begun = postgresql.insert(t.ledger).on_conflict_do_update(
            index_elements=["subject"], set_={"version": t.ledger.c.version}
        )
        connection.execute(begun, [{"subject": subject, "version": 0, "flags": 0} for subject in missing])
        found |= versions(connection, missing)
    return found


def _locking(subject: str) -> tuple[bool, str]:
    """Ledgers are locked from the last to the first in this order."""
    return subject.startswith("c:"), subject


_ADD_FACTS = {
    "sqlite": "INSERT INTO fact (subject, digest, body) VALUES (?, ?, ?)",
    "postgresql": (
        "INSERT INTO fact (subject, digest, body) SELECT * FROM unnest(%s::text[], %s::bytea[], %s::bytea[])"
    ),
}


def add_facts(connection: Connection, rows: Sequence[tuple[str, bytes, bytes]]) -> None:
    """Append facts (``subject``, ``digest``, ``body``) that are not there yet.

    Imports bring them by the million, so the driver is handed them as they are: all with one statement on SQLite, as
    three arrays on PostgreSQL.
    """
    if not rows:
        return
    name = connection.dialect.name
    columns = tuple([list(column) for column in zip(*rows, strict=True)])
    connection.exec_driver_sql(_ADD_FACTS[name], list(rows) if name == "sqlite" else columns)


def bump(connection: Connection, counts: Mapping[str, tuple[int, int]]) -> None:
    """Raise each ledger's version by the number of its new facts, and set flags."""
    if not counts:
        return
    rows = [
        {"subject": subject, "version": count, "flags": flags} for subject, (count, flags) in sorted(counts.items())
    ]
    _bump(connection, rows)


def flagged(connection: Connection, flag: int) -> list[str]:
    """The ledgers that carry a flag."""
    query = select(t.ledger.c.subject).where(t.ledger.c.flags.op("&")(flag) != 0).order_by(t.ledger.c.subject)
    return list(connection.execute(query).scalars())


def customers(connection: Connection) -> list[str]:
    """The ids of all customers that facts are about, in order."""
    subject = t.ledger.c.subject
    query = select(subject).where(subject >= "c:", subject < "c;", t.ledger.c.version > 0)
    return [subject[2:] for subject in connection.execute(query.order_by(t.ledger.c.subject)).scalars()]


def has_customers(connection: Connection) -> bool:
    """Whether a fact is about any customer at all."""
    subject = t.ledger.c.subject
    query = select(subject).where(subject >= "c:", subject < "c;", t.ledger.c.version > 0).limit(1)
    return connection.execute(query).first() is not None


def places(connection: Connection) -> list[tuple[str | None, str | None]]:
    """Every pair of time zone and region that a ``customer`` fact states. Reads them all: for checks, not for work."""
    said = [inside(connection, t.fact.c.body, name) for name in ("timezone", "region")]
    body = text_of(connection, t.fact.c.body)
    query = select(*said).where(body.like('{"type":"customer"%')).distinct()
    rows = connection.execute(query.where(t.fact.c.subject >= "c:", t.fact.c.subject < "c;"))
    return sorted(((row[0], row[1]) for row in rows), key=repr)


def add_members(connection: Connection, pairs: Iterable[tuple[str, str]]) -> None:
    """Put customers into circles; who is in already stays."""
    rows = [{"circle": circle, "customer": customer} for circle, customer in sorted(set(pairs))]
    if rows:
        _join(connection, rows)


def address_members(connection: Connection, kind: str) -> Iterator[Row[tuple[str, str]]]:
    """Every address of a kind (its circle) with each customer who has, or had, it.

    Reads them all: for lists, not for work.
    """
    first, after = f"a:{kind}:", f"a:{kind};"
    query = select(t.member.c.circle, t.member.c.customer).where(t.member.c.circle >= first, t.member.c.circle < after)
    yield from connection.execution_options(yield_per=10_000).execute(query)


def customer_facts(connection: Connection) -> Iterator[Row[tuple[str, bytes]]]:
    """Every ``customer`` fact, the customers in order. Reads all facts: for lists, not for work."""
    return facts_of_type(connection, "customer")


def facts_of_type(connection: Connection, name: str) -> Iterator[Row[tuple[str, bytes]]]:
    """Every fact of a type about a customer, the customers in order. Reads all facts: for lists, not for work."""
    begins = f'{{"type":"{name}"'.encode()
    # A blob is compared as it stands; "consent" and all others begin otherwise.
    query = select(t.fact.c.subject, t.fact.c.body).where(
        t.fact.c.subject >= "c:", t.fact.c.subject < "c;", func.substr(t.fact.c.body, 1, len(begins)) == begins
    )
    yield from connection.execution_options(yield_per=10_000).execute(query.order_by(t.fact.c.subject))


def all_facts(connection: Connection) -> Iterator[bytes]:
    """Every fact of customers, organisations and households. Reads them all: for looking back, not for work."""
    query = select(t.fact.c.body).where(~((t.fact.c.subject >= "a:") & (t.fact.c.subject < "a;")))
    yield from connection.execution_options(yield_per=10_000).execute(query).scalars()


def members(connection: Connection, circles: Iterable[str]) -> dict[str, list[str]]:
    """The customers of each circle."""
    found: dict[str, list[str]] = {}
    for chunk in chunks(sorted(set(circles))):
        for row in connection.execute(_members, {"circles": chunk}):
            found.setdefault(row.circle, []).append(row.customer)
    return found


def put_appointments(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Write appointments as they stand."""
    if rows:
        statement = upsert(connection)(t.appointment)
        names = ("start", "end", "service", "status", "calendar")
        statement = statement.on_conflict_do_update(
            index_elements=["customer", "id"], set_={name: statement.excluded[name] for name in names}
        )
        connection.execute(statement, rows)


def appointments_between(connection: Connection, start: int, end: int) -> list[Row[Any]]:
    """Appointments by time, those that overlap ``[start, end)``."""
    query = select(t.appointment).where(
        t.appointment.c.start < end, or_(t.appointment.c.end > start, t.appointment.c.start >= start)
    )
    return list(connection.execute(query.order_by(t.appointment.c.start)))
