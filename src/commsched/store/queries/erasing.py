"""What an erasure reads and deletes, the hashes that it leaves, and deleting facts by age."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, delete, func, select, update

from commsched.store import tables as t
from commsched.store.queries.base import chunks, upsert

# Whatever names a customer is theirs; what an outside calendar still shows is taken out of it by the next pass.
OWNED = tuple(one for one in t.metadata.sorted_tables if "customer" in one.c and one is not t.calendar_entry)
_suppressed = select(t.suppression).where(t.suppression.c.digest.in_(bindparam("digests", expanding=True)))
_any = select(t.suppression.c.erasure).limit(1)
_drop_fact = delete(t.fact).where(t.fact.c.subject == bindparam("whose"), t.fact.c.digest == bindparam("which"))


def owned(connection: Connection, table: Table, customer: str) -> list[Row[Any]]:
    """The rows of a table that are a customer's, in the order of its key."""
    query = select(table).where(table.c.customer == customer)
    return list(connection.execute(query.order_by(*table.primary_key.columns)))


def drop_owned(connection: Connection, table: Table, customer: str) -> int:
    """Delete a customer's rows of a table; how many there were."""
    return connection.execute(delete(table).where(table.c.customer == customer)).rowcount


def claims_on(connection: Connection, subjects: Collection[str]) -> list[Row[Any]]:
    """Every claim on these customers and addresses, expired or not."""
    query = select(t.claim).where(t.claim.c.subject.in_(sorted(subjects)))
    return list(connection.execute(query.order_by(t.claim.c.subject)))


def circles_of_member(connection: Connection, customer: str) -> list[str]:
    """The circles that a customer is in, or was."""
    query = select(t.member.c.circle).where(t.member.c.customer == customer)
    return list(connection.execute(query.order_by(t.member.c.circle)).scalars())


def drop_ledgers(connection: Connection, subjects: Collection[str]) -> dict[str, int]:
    """Delete ledgers with all that is in them, who is in the circle, and claims; how many rows, by table."""
    counts: dict[str, int] = {}
    named = (t.fact.c.subject, t.ledger.c.subject, t.member.c.circle, t.claim.c.subject)
    for chunk in chunks(sorted(subjects)):
        for column in named:
            found = connection.execute(delete(column.table).where(column.in_(chunk))).rowcount
            counts[column.table.name] = counts.get(column.table.name, 0) + found
    return counts


def drop_empty_ledgers(connection: Connection, subjects: Collection[str]) -> None:
    """Delete those of these ledgers that were only begun, to be locked."""
    for chunk in chunks(sorted(subjects)):
        connection.execute(delete(t.ledger).where(t.ledger.c.subject.in_(chunk), t.ledger.c.version == 0))


def drop_facts(connection: Connection, facts: Iterable[tuple[str, bytes]]) -> int:
    """Delete facts, by ledger and digest; how many there were."""
    rows = [{"whose": subject, "which": digest} for subject, digest in facts]
    return sum(connection.execute(_drop_fact, row).rowcount for row in rows)


def mask_calendar_entries(connection: Connection, customer: str, nobody: str) -> int:
    """Make a customer's entries in outside calendars nobody's: the next pass takes them out there."""
    entry = t.calendar_entry
    mine = update(entry).where(entry.c.customer == customer)
    return connection.execute(mine.values(customer=nobody, appointment=entry.c.uid)).rowcount


def put_attempt(connection: Connection, attempt: str, values: Mapping[str, object]) -> None:
    """Write an attempt's columns anew."""
    connection.execute(update(t.attempt).where(t.attempt.c.id == attempt).values(**values))


def put_body(connection: Connection, row: Row[Any], table: Table, body: bytes) -> None:
    """Write the body of a row anew."""
    key = [column == getattr(row, column.name) for column in table.primary_key.columns]
    connection.execute(update(table).where(*key).values(body=body))


def forget_codes(connection: Connection) -> int:
    """No short link leads anywhere any more; how many there were."""
    return connection.execute(update(t.attempt).where(t.attempt.c.code.is_not(None)).values(code=None)).rowcount


def any_suppressed(connection: Connection) -> bool:
    """Whether anybody was ever erased."""
    return connection.execute(_any).first() is not None


def suppressed(connection: Connection, digests: Collection[bytes]) -> dict[bytes, Row[Any]]:
    """What is left of these erased names, by hash."""
    return {
        bytes(row.digest): row
        for chunk in chunks(sorted(digests))
        for row in connection.execute(_suppressed, {"digests": chunk})
    }


def all_suppressed(connection: Connection) -> list[Row[Any]]:
    """Everything that is left of erased names, in the order of the erasures."""
    query = select(t.suppression).order_by(t.suppression.c.erasure, t.suppression.c.digest)
    return list(connection.execute(query))


def put_suppressed(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Keep hashes (``digest``, ``erasure``, ``at``, ``again``, ``body``); one that is there is written anew."""
    for row in rows:
        statement = upsert(connection)(t.suppression).values(**row)
        changed = {name: value for name, value in row.items() if name != "digest"}
        connection.execute(statement.on_conflict_do_update(index_elements=["digest"], set_=changed))


def facts_by_type(connection: Connection, kind: str) -> Iterator[Row[tuple[str, bytes, bytes]]]:
    """Every fact of a type but in the ledgers of addresses, ledger by ledger. Reads all facts: for housekeeping."""
    begins = f'{{"type":"{kind}"'.encode()
    f = t.fact.c
    query = select(f.subject, f.digest, f.body).where(
        ~((f.subject >= "a:") & (f.subject < "a;")), func.substr(f.body, 1, len(begins)) == begins
    )
    yield from connection.execution_options(yield_per=10_000).execute(query.order_by(f.subject, f.digest))


def put_fact(connection: Connection, subject: str, digest: bytes, body: bytes) -> None:
    """Write one fact; one that is there stays."""
    connection.execute(
        upsert(connection)(t.fact).values(subject=subject, digest=digest, body=body).on_conflict_do_nothing()
    )
