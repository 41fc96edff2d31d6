"""The waiting list, what it was offered, and whom campaigns have invited."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, func, insert, select

from commsched.store import tables as t
from commsched.store.queries.base import chunks, upsert
from commsched.store.queries.slots import HOLDING


def put_waiting(
    connection: Connection,
    customers: Collection[str],
    wishes: Sequence[Mapping[str, object]],
    offers: Sequence[Mapping[str, object]],
) -> None:
    """Write what these customers wish, and what they were offered, as it stands."""
    for table, rows in ((t.wish, wishes), (t.offer, offers)):
        for chunk in chunks(sorted(customers)):
            connection.execute(delete(table).where(table.c.customer.in_(chunk)))
        if rows:
            connection.execute(insert(table), list(rows))


def open_wishes(connection: Connection, now: int) -> list[Row[Any]]:
    """The wishes whose dates are not over."""
    query = select(t.wish).where(t.wish.c.until > now)
    return list(connection.execute(query.order_by(t.wish.c.customer, t.wish.c.id)))


def live_offers(connection: Connection, now: int) -> list[Row[Any]]:
    """The offers that have not expired, the oldest to expire first."""
    query = select(t.offer).where(t.offer.c.expires > now)
    return list(connection.execute(query.order_by(t.offer.c.expires, t.offer.c.customer, t.offer.c.id)))


def add_invitation(connection: Connection, **fields: object) -> None:
    """Remember an invitation: rule, key, customer, at, calendar. One that is tried again counts once."""
    connection.execute(upsert(connection)(t.invitation).values(**fields).on_conflict_do_nothing())


def invited(connection: Connection, rule: str, key: str) -> bool:
    """Whether an invitation has its place already."""
    where = (t.invitation.c.rule == rule) & (t.invitation.c.key == key)
    return connection.execute(select(t.invitation.c.key).where(where)).first() is not None


def open_invitations(connection: Connection, rule: str, since: int, services: Collection[str]) -> dict[str, int]:
    """How many of a rule's invitations since an instant led to no appointment for one of the services, by calendar.

    Those of which the calendar is not known have the empty name.
    """
    a, i = t.appointment.c, t.invitation.c
    holds = (a.customer == i.customer) & a.service.in_(sorted(services)) & a.status.in_(HOLDING) & (a.start > i.at)
    query = select(i.calendar, func.count()).where(i.rule == rule, i.at > since, ~exists().where(holds))
    return {name: int(count) for name, count in connection.execute(query.group_by(i.calendar))}
