"""What appointments take of their resources, cell by cell, and when resources are closed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, literal, select, text

from commsched.store import tables as t
from commsched.store.queries.base import chunks

HOLDING = ("booked", "confirmed")


def lock_calendars(connection: Connection, calendars: Iterable[str]) -> None:
    """Nobody else gives or takes places of these calendars until the commit. Ledgers are locked before calendars."""
    if connection.dialect.name == "postgresql":
        for name in sorted(set(calendars)):
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"calendar:{name}"})


def calendars_named(connection: Connection, customers: Iterable[str]) -> list[Row[Any]]:
    """The calendars of the places, appointments and offers of these customers, each with its service, if it has one."""
    found: list[Row[Any]] = []
    for chunk in chunks(sorted(set(customers))):
        for columns in (
            (t.slot.c.calendar, literal("").label("service")),
            (t.offer.c.calendar, literal("").label("service")),
            (t.appointment.c.calendar, t.appointment.c.service),
        ):
            query = select(*columns).where(columns[0].table.c.customer.in_(chunk)).distinct()
            found += connection.execute(query)
    return found


def held_slots(connection: Connection, customers: Iterable[str]) -> list[Row[Any]]:
    """What the appointments of these customers take."""
    return [
        row
        for chunk in chunks(sorted(set(customers)))
        for row in connection.execute(select(t.slot).where(t.slot.c.customer.in_(chunk)))
    ]


def slots_between(connection: Connection, calendar: str, first: int, last: int) -> list[Row[Any]]:
    """What is taken of a calendar in the cells ``[first, last)``, in order of time."""
    query = select(t.slot).where(t.slot.c.calendar == calendar, t.slot.c.last > first, t.slot.c.first < last)
    return list(connection.execute(query.order_by(t.slot.c.first, t.slot.c.customer, t.slot.c.appointment)))


def overbooked(connection: Connection, calendars: Iterable[str], first: int) -> list[Row[Any]]:
    """The appointments from a cell on for which their calendar had no room, in order of time."""
    query = select(t.slot).where(
        t.slot.c.calendar.in_(sorted(set(calendars))), t.slot.c.resource.is_(None), t.slot.c.last > first
    )
    return list(connection.execute(query.order_by(t.slot.c.first, t.slot.c.customer, t.slot.c.appointment)))


def busy_resources(connection: Connection, resources: Sequence[str], first: int, last: int) -> set[str]:
    """Which of these resources are taken somewhere in the cells ``[first, last)``."""
    cell = t.cell.c
    query = select(cell.resource).where(cell.resource.in_(resources), cell.cell >= first, cell.cell < last)
    return set(connection.execute(query.distinct()).scalars())


def drop_slots(connection: Connection, rows: Iterable[Row[Any]]) -> None:
    """Give back what appointments take."""
    cell, slot = t.cell.c, t.slot.c
    for row in rows:
        if row.resource is not None:
            held = and_(cell.resource == row.resource, cell.cell >= row.first, cell.cell < row.last)
            connection.execute(delete(t.cell).where(held))
        connection.execute(delete(t.slot).where(slot.customer == row.customer, slot.appointment == row.appointment))


def put_slots(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Take cells; one that is taken already is an error of the database, and nothing is written."""
    if not rows:
        return
    connection.execute(insert(t.slot), rows)
    cells = [
        {"resource": row["resource"], "cell": cell, "customer": row["customer"], "appointment": row["appointment"]}
        for row in rows
        if row["resource"] is not None
        for cell in range(row["first"], row["last"])
    ]
    if cells:
        connection.execute(insert(t.cell), cells)


def upcoming_appointments(
    connection: Connection, calendars: Iterable[str], services: Iterable[str], since: int
) -> list[dict[str, Any]]:
    """The appointments in these calendars that hold and begin after an instant, or for these services in none."""
    a = t.appointment.c
    there = a.calendar.in_(sorted(set(calendars))) | (_unsaid() & a.service.in_(sorted(set(services))))
    query = select(t.appointment).where(there, a.status.in_(HOLDING), a.start > since)
    return [row._asdict() for row in connection.execute(query.order_by(a.start, a.customer, a.id))]


def customers_following(connection: Connection, services: Iterable[str], since: int) -> list[str]:
    """Who has an appointment for one of these services after an instant of which no calendar, or no end, was said."""
    a = t.appointment.c
    query = select(a.customer).where(a.service.in_(sorted(set(services))), a.status.in_(HOLDING), a.start > since)
    follows = _unsaid() | (a.end <= a.start)
    return list(connection.execute(query.where(follows).distinct().order_by(a.customer)).scalars())


def appointments_of(connection: Connection, customers: Iterable[str]) -> list[dict[str, Any]]:
    """All appointments of these customers."""
    a = t.appointment.c
    query = select(t.appointment).where(a.customer.in_(sorted(set(customers))))
    return [row._asdict() for row in connection.execute(query.order_by(a.customer, a.id))]


def _unsaid() -> ColumnElement[bool]:
    """No calendar was said."""
    a = t.appointment.c
    return a.calendar.is_(None) | (a.calendar == "")


def closures(connection: Connection, calendar: str | None = None) -> list[Row[Any]]:
    """When calendars, or one of them, are closed besides their own hours."""
    query = select(t.closure).order_by(t.closure.c.start, t.closure.c.id)
    return list(connection.execute(query if calendar is None else query.where(t.closure.c.calendar == calendar)))


def add_closure(connection: Connection, **fields: object) -> None:
    """Close a calendar, or one resource of it."""
    connection.execute(insert(t.closure).values(**fields))


def drop_closure(connection: Connection, name: str) -> bool:
    """Open it again; whether it was closed."""
    return connection.execute(delete(t.closure).where(t.closure.c.id == name)).rowcount > 0
