"""Refused overwrites that a source is to be told of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from commsched.store import tables as t
from commsched.store.queries.base import upsert

_table = t.correction.c
_ended = (
    update(t.correction)
    .where(_table.customer == bindparam("who"), _table.fact == bindparam("what"), _table.field == bindparam("which"))
    .values(state=bindparam("new_state"), due=bindparam("next_due"), detail=bindparam("why"))
)


def add_corrections(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Write down what is to be reported; what is there already stays as it is."""
    if rows:
        connection.execute(upsert(connection)(t.correction).on_conflict_do_nothing(), rows)


def claim_corrections(connection: Connection, now: int, until: int, limit: int) -> list[Row[Any]]:
    """Reports that are due, which nobody else takes before ``until``; each counts as tried."""
    due = (
        select(_table.customer, _table.fact, _table.field)
        .where(_table.state == "waiting", _table.due <= now)
        .order_by(_table.due, _table.customer, _table.fact, _table.field)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(due).all()
    found: list[Row[Any]] = []
    for row in rows:
        mine = (_table.customer == row.customer, _table.fact == row.fact, _table.field == row.field)
        statement = update(t.correction).where(*mine).values(due=until, tries=_table.tries + 1)
        found += connection.execute(statement.returning(*_table))
    return found


def end_corrections(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """What became of reports: ``who``, ``what``, ``which``, ``new_state``, ``next_due``, ``why``."""
    if rows:
        connection.execute(_ended, rows)


def corrections(connection: Connection) -> dict[tuple[str, str, str], Row[Any]]:
    """All of them, by customer, fact and field."""
    return {(row.customer, row.fact, row.field): row for row in connection.execute(select(t.correction))}
