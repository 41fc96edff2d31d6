"""Messages, decisions and tasks as they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    func,
    select,
    update,
)

from commsched.store import tables as t
from commsched.store.queries.base import Upsert, chunks, upsert
from commsched.store.queries.waking import wake_those

_messages = select(t.message).where(t.message.c.customer.in_(bindparam("customers", expanding=True)))
_message = select(t.message).where(t.message.c.customer == bindparam("customer"), t.message.c.key == bindparam("key"))
_open_tasks = (
    select(t.task)
    .where(t.task.c.customer.in_(bindparam("customers", expanding=True)), t.task.c.state == "open")
    .order_by(t.task.c.key)
)
_CHANGING = ("rule", "state", "at", "attempt", "signature", "body")
_put = Upsert(
    t.message,
    ("customer", "key", *_CHANGING),
    lambda insert: insert.on_conflict_do_update(
        index_elements=["customer", "key"], set_={name: insert.excluded[name] for name in _CHANGING}
    ),
)
_decide = Upsert(
    t.decision,
    ("customer", "key", "decided_at", "body"),
    lambda insert: insert.on_conflict_do_update(
        index_elements=["customer", "key", "decided_at"], set_={"body": insert.excluded.body}
    ),
)


def messages(connection: Connection, customers: Iterable[str]) -> dict[str, list[Row[Any]]]:
    """All messages of each of these customers."""
    found: dict[str, list[Row[Any]]] = {}
    for chunk in chunks(customers):
        for row in connection.execute(_messages, {"customers": chunk}):
            found.setdefault(row.customer, []).append(row)
    return found


def put_messages(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Write messages as they stand."""
    if rows:
        _put(connection, rows)


def message(connection: Connection, customer: str, key: str) -> Row[Any] | None:
    """One message."""
    return connection.execute(_message, {"customer": customer, "key": key}).one_or_none()


def all_messages(connection: Connection, states: Sequence[str] = ()) -> Iterator[Row[Any]]:
    """Every message, by customer and key; only those in ``states`` if any are given."""
    query = select(t.message).order_by(t.message.c.customer, t.message.c.key)
    if states:
        query = query.where(t.message.c.state.in_(states))
    yield from connection.execution_options(yield_per=1000).execute(query)


def counts(connection: Connection) -> dict[str, int]:
    """How many messages are in each state."""
    query = select(t.message.c.state, func.count()).group_by(t.message.c.state)
    return {row[0]: row[1] for row in connection.execute(query)}


def wake_messages(connection: Connection, scope: str, states: Sequence[str], due: int) -> None:
    """Wake everybody with a message in these states; ``scope`` names a rule, or ``all``."""
    who = select(t.message.c.customer).where(t.message.c.state.in_(states))
    if scope != "all":
        who = who.where(t.message.c.rule == scope)
    wake_those(connection, who, due)


def add_decisions(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Keep decisions that changed; the same customer, key and instant twice keeps the later one."""
    if rows:
        _decide(connection, rows)


def decisions(connection: Connection, customer: str, key: str | None = None) -> list[Row[Any]]:
    """The decisions about a customer or one message of theirs, oldest first."""
    query = select(t.decision).where(t.decision.c.customer == customer)
    if key is not None:
        query = query.where(t.decision.c.key == key)
    return list(connection.execute(query.order_by(t.decision.c.decided_at, t.decision.c.key)))


def all_decisions(connection: Connection) -> Iterator[bytes]:
    """Every decision that was written down."""
    yield from connection.execution_options(yield_per=1000).execute(select(t.decision.c.body)).scalars()


def put_tasks(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Write tasks; one that is done stays done."""
    if rows:
        statement = upsert(connection)(t.task)
        statement = statement.on_conflict_do_update(
            index_elements=["key"],
            set_={"state": statement.excluded.state, "body": statement.excluded.body},
            where=t.task.c.state != "done",
        )
        connection.execute(statement, sorted(rows, key=lambda row: str(row["key"])))


def tasks_of(connection: Connection, customers: Iterable[str]) -> list[Row[Any]]:
    """What is still to be done about these customers."""
    found: list[Row[Any]] = []
    for chunk in chunks(customers):
        found += connection.execute(_open_tasks, {"customers": chunk})
    return found


def take_task(connection: Connection, key: str, by: str, at: int) -> str:
    """Make an open task somebody's own, unless another has it; an empty ``by`` frees it. Says whose it is then."""
    free = t.task.c.taken_by.in_(("", by)) if by else t.task.c.taken_by != ""
    connection.execute(
        update(t.task).where(t.task.c.key == key, t.task.c.state == "open", free).values(taken_by=by, taken_at=at)
    )
    return str(connection.execute(select(t.task.c.taken_by).where(t.task.c.key == key)).scalar() or "")


def tasks(connection: Connection, *, state: str | None = None, department: str | None = None) -> list[Row[Any]]:
    """Tasks by time."""
    query = select(t.task)
    if state is not None:
        query = query.where(t.task.c.state == state)
    if department is not None:
        query = query.where(t.task.c.department == department)
    return list(connection.execute(query.order_by(t.task.c.at, t.task.c.key)))
