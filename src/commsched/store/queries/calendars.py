"""Our appointments in calendars that other people write to as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, delete, select, tuple_

from commsched.store import tables as t
from commsched.store.queries.base import chunks, upsert

_AGREED = ("customer", "appointment", "start", "end", "new_start", "new_end")


def calendar_entries(connection: Connection, calendar: str) -> list[Row[Any]]:
    """What stands in a calendar, or is being written to it, as we know."""
    query = select(t.calendar_entry).where(t.calendar_entry.c.calendar == calendar)
    return list(connection.execute(query.order_by(t.calendar_entry.c.uid)))


def calendar_entry(connection: Connection, calendar: str, uid: str) -> Row[Any] | None:
    """One of them."""
    entry = t.calendar_entry
    return connection.execute(select(entry).where(entry.c.calendar == calendar, entry.c.uid == uid)).first()


def put_calendar_entry(connection: Connection, values: Mapping[str, object]) -> None:
    """Write down what stands in a calendar."""
    statement = upsert(connection)(t.calendar_entry).values(**values)
    changed = {name: statement.excluded[name] for name in _AGREED}
    connection.execute(statement.on_conflict_do_update(index_elements=["calendar", "uid"], set_=changed))


def drop_calendar_entry(connection: Connection, calendar: str, uid: str) -> None:
    """Forget an entry."""
    entry = t.calendar_entry
    connection.execute(delete(entry).where(entry.c.calendar == calendar, entry.c.uid == uid))


def appointments_in(connection: Connection, calendar: str, after: int) -> list[Row[Any]]:
    """The appointments of a calendar that begin after an instant, in any status."""
    a = t.appointment
    query = select(a).where(a.c.calendar == calendar, a.c.start > after)
    return list(connection.execute(query.order_by(a.c.start, a.c.customer, a.c.id)))


def appointments_named(connection: Connection, pairs: list[tuple[str, str]]) -> list[Row[Any]]:
    """Appointments by customer and id."""
    a = t.appointment
    return [
        row
        for chunk in chunks(sorted(set(pairs)))
        for row in connection.execute(select(a).where(tuple_(a.c.customer, a.c.id).in_(chunk)))
    ]
