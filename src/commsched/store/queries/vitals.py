"""How the store stands, in numbers that are read again and again: each by an index, but those of :func:`bulk`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from commsched.store import tables as t

# More than this are not counted: it is enough to know that they are many.
MOST = 100_000


def due_now(connection: Connection, now: int) -> tuple[int, int | None]:
    """How many customers are due, up to :data:`MOST`, and since when the first of them."""
    due = select(t.wake.c.customer).where(t.wake.c.due <= now)
    first = connection.execute(select(func.min(t.wake.c.due)).where(t.wake.c.due <= now)).scalar()
    return _counted(connection, due), first


def under_way(connection: Connection) -> dict[tuple[str, str], tuple[int, int]]:
    """Attempts that have not ended, by state (``sending``, ``in_doubt``) and channel: how many, the oldest's start."""
    a = t.attempt.c
    query = (
        select(a.state, a.channel, func.count(), func.min(a.started_at))
        .where(a.state.in_(("sending", "in_doubt")))
        .group_by(a.state, a.channel)
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in connection.execute(query)}


def open_tasks(connection: Connection, before: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """By department: how many tasks are open, and how many of them became due before that department's instant."""
    task = t.task.c
    there = select(task.key).where(task.state == "open")
    found = {}
    for department, instant in before.items():
        theirs = there.where(task.department == department)
        found[department] = (_counted(connection, theirs), _counted(connection, theirs.where(task.at < instant)))
    return found


def bulk(connection: Connection) -> tuple[int, dict[str, int]]:
    """How many customers there are, and messages by state. Walks through two tables: not often."""
    states = select(t.message.c.state, func.count()).group_by(t.message.c.state)
    customers = connection.execute(select(func.count()).select_from(t.wake)).scalar_one()
    return customers, {row[0]: row[1] for row in connection.execute(states)}


def settings(connection: Connection, prefix: str) -> dict[str, str]:
    """The settings whose names begin so, without that beginning."""
    s = t.setting.c
    rows = connection.execute(select(s.name, s.value).where(s.name >= prefix, s.name < prefix + "\U0010ffff"))
    return {row.name.removeprefix(prefix): row.value for row in rows}


def database_now(connection: Connection) -> datetime:
    """The time by the database's own clock, where it has one (PostgreSQL)."""
    found: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return found


def _counted(connection: Connection, query: Select[Any]) -> int:
    return connection.execute(select(func.count()).select_from(query.limit(MOST).subquery())).scalar_one()
