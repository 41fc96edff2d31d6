"""Attempts to send, written down before the call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    String,
    and_,
    bindparam,
    insert,
    or_,
    select,
    text,
    update,
)

from commsched.store import tables as t
from commsched.store.queries.base import chunks

# Whatever an attempt was taken for: if it was accepted after all, it was accepted.
_ended = (
    update(t.attempt)
    .where(
        t.attempt.c.id == bindparam("attempt_id"),
        or_(
            t.attempt.c.state == "sending",
            t.attempt.c.state == "in_doubt",
            and_(bindparam("new_state", type_=String) == "accepted", t.attempt.c.state != "accepted"),
        ),
    )
    .values(
        state=bindparam("new_state"),
        finished_at=bindparam("ended_at"),
        detail=bindparam("why"),
        again=bindparam("not_before"),
    )
)


def add_attempts(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Write down attempts before the calls are made: the intent."""
    if rows:
        connection.execute(insert(t.attempt), rows)


def end_attempts(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """What became of attempts (``attempt_id``, ``new_state``, ``ended_at``, ``why``, ``not_before``)."""
    if rows:
        connection.execute(_ended, [{"not_before": None, **row} for row in rows])


def accepted_of(connection: Connection, customers: Iterable[str]) -> set[tuple[str, str]]:
    """Customer and key of the messages of these customers of which an attempt was accepted."""
    a = t.attempt.c
    return {
        (row.customer, row.key)
        for chunk in chunks(sorted(set(customers)))
        for row in connection.execute(select(a.customer, a.key).where(a.customer.in_(chunk), a.state == "accepted"))
    }


def put_off(connection: Connection, customers: Iterable[str], now: int) -> dict[tuple[str, str, str], int]:
    """What channels asked to be given time for, by customer, key and channel: not before when."""
    found: dict[tuple[str, str, str], int] = {}
    a = t.attempt.c
    for chunk in chunks(sorted(set(customers))):
        query = select(a.customer, a.key, a.channel, a.again).where(a.customer.in_(chunk), a.again > now)
        for row in connection.execute(query.order_by(a.again)):
            found[row.customer, row.key, row.channel] = row.again
    return found


def lock_attempts(connection: Connection, attempts: Iterable[str]) -> dict[str, Row[Any]]:
    """These attempts, by id; they stay as they are until the commit."""
    found: dict[str, Row[Any]] = {}
    for chunk in chunks(sorted(set(attempts))):
        query = select(t.attempt).where(t.attempt.c.id.in_(chunk)).order_by(t.attempt.c.id)
        found.update((row.id, row) for row in connection.execute(query.with_for_update()))
    return found


def attempts_by_reference(connection: Connection, channel: str, references: Iterable[str]) -> list[Row[Any]]:
    """The accepted attempts of a channel that the provider knows by these ids: id, reference and address."""
    a = t.attempt.c
    found: list[Row[Any]] = []
    for chunk in chunks(sorted(set(references))):
        query = select(a.id, a.detail, a.address).where(a.channel == channel, a.detail.in_(chunk))
        found += connection.execute(query.where(text(t.KNOWN_BY_REFERENCE)).order_by(a.id))
    return found


_attempts = select(t.attempt).order_by(t.attempt.c.started_at, t.attempt.c.id)
_by_id = select(t.attempt).where(t.attempt.c.id == bindparam("wanted"))
_by_code = select(t.attempt).where(t.attempt.c.code == bindparam("wanted"))
_in_states = t.attempt.c.state.in_(bindparam("states", expanding=True))


def attempts(
    connection: Connection, *, states: Sequence[str] = (), customers: Sequence[str] | None = None
) -> list[Row[Any]]:
    """Attempts in some states, of some customers."""
    query = _attempts
    if states:
        query = query.where(_in_states)
    if customers is not None:
        query = query.where(t.attempt.c.customer.in_(customers))
    return list(connection.execute(query, {"states": states} if states else {}))


def attempt_by(connection: Connection, *, attempt: str | None = None, code: str | None = None) -> Row[Any] | None:
    """One attempt, by its id or by the code of its links."""
    query, wanted = (_by_id, attempt) if code is None else (_by_code, code)
    return connection.execute(query, {"wanted": wanted}).one_or_none()


def lock_attempt(connection: Connection, attempt: str) -> Row[Any] | None:
    """One attempt, kept from changing until the commit."""
    return connection.execute(select(t.attempt).where(t.attempt.c.id == attempt).with_for_update()).one_or_none()
