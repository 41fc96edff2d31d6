"""What was sent, what was not, and what came of it, added up where it lies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)

from commsched.store import tables as t
from commsched.store.queries.base import inside, text_of

HOUR = 3_600_000_000
Span = tuple[int, int]
_STREAMED = {"yield_per": 1000}


def contact_sums(connection: Connection, span: Span, by: str) -> list[Row[Any]]:
    """Accepted messages of a time, ``[from, to)``, by purpose, department, medium or hour (since 1970).

    ``what``, ``kind`` of customer (``business`` or ``family``), ``channel``, ``medium``, ``contacts``, ``parts``.
    """
    sent = t.attempt.c.sent
    medium = inside(connection, sent, "medium")
    hour = t.attempt.c.started_at.op("/")(HOUR)
    what = (hour if by == "hour" else inside(connection, sent, by)).label("what")
    parts = cast(func.coalesce(inside(connection, sent, "segments"), "1"), Integer)
    columns = [what, _kind(connection, t.attempt.c.customer), t.attempt.c.channel, medium.label("medium")]
    query = select(*columns, func.count().label("contacts"), func.sum(parts).label("parts")).where(_accepted(span))
    query = query.group_by("what", "kind", t.attempt.c.channel, "medium")
    return list(connection.execute(query))


def veto_sums(connection: Connection, span: tuple[str, str], by: str) -> list[Row[Any]]:
    """Refused messages whose ideal time lies in ``[from, to)``, as ISO 8601 of whole seconds in UTC.

    By purpose, department, policy (the first that refused), medium or hour (``2026-12-01T15``): ``what``, ``kind`` of
    customer, ``code``, ``medium`` (the first that it would have gone on), ``vetoes``, ``open`` (may still go).
    """
    body = t.message.c.body
    ideal = inside(connection, body, "ideal")
    decided = (
        select(inside(connection, t.decision.c.body, "media", 0))
        .where(t.decision.c.customer == t.message.c.customer, t.decision.c.key == t.message.c.key)
        .order_by(t.decision.c.decided_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    medium = func.coalesce(decided, "").label("medium")
    grouped: dict[str, ColumnElement[Any]] = {
        "hour": func.substr(ideal, 1, 13),
        "policy": inside(connection, body, "reasons", 0, 0),
        "medium": medium,
    }
    what = grouped.get(by)
    what = (inside(connection, body, by) if what is None else what).label("what")
    code = inside(connection, body, "reasons", 0, 1).label("code")
    final = func.lower(cast(inside(connection, body, "final"), t.Text)).in_(("1", "true"))
    at = func.substr(ideal, 1, 19)
    columns = [what, _kind(connection, t.message.c.customer), code, medium]
    query = select(*columns, func.count().label("vetoes"), func.sum(case((final, 0), else_=1)).label("open"))
    query = query.where(t.message.c.state == "refused", at >= span[0], at < span[1])
    query = query.group_by("what", "kind", "code", "medium")
    return list(connection.execute(query))


def contacts(connection: Connection, span: Span) -> Iterator[Row[Any]]:
    """Accepted messages of a time by customer and time: ``customer``, ``at``, ``sent`` (the fact)."""
    a = t.attempt.c
    query = select(a.customer, a.started_at.label("at"), a.sent).where(_accepted(span))
    yield from connection.execute(query.order_by(a.customer, a.started_at, a.id), execution_options=_STREAMED)


def booked(connection: Connection) -> Iterator[Row[Any]]:
    """All facts that say of an appointment that it is booked, by customer: ``customer``, ``body``."""
    subject = t.fact.c.subject
    status = inside(connection, t.fact.c.body, "status")
    query = select(func.substr(subject, 3).label("customer"), t.fact.c.body).where(
        subject >= "c:",
        subject < "c;",
        text_of(connection, t.fact.c.body).like('{"type":"appointment"%'),
        status.in_(("booked", "confirmed")),
    )
    yield from connection.execute(query.order_by(subject, t.fact.c.digest), execution_options=_STREAMED)


def last_contact(connection: Connection) -> int | None:
    """When the last message was accepted."""
    return connection.execute(select(func.max(t.attempt.c.started_at)).where(t.attempt.c.state == "accepted")).scalar()


def people(connection: Connection, span: Span) -> dict[str, tuple[int, int]]:
    """How many customers there are of each kind, and how many of them were written to in a time."""
    found = {"family": (0, 0), "business": (0, 0)}
    subject = t.ledger.c.subject
    reached = select(t.attempt.c.customer).where(_accepted(span)).distinct()
    customer = func.substr(subject, 3)
    kind = _kind(connection, customer)
    query = (
        select(kind, func.count(), func.sum(case((customer.in_(reached), 1), else_=0)))
        .where(subject >= "c:", subject < "c;", t.ledger.c.version > 0)
        .group_by("kind")
    )
    return found | {row[0]: (row[1], int(row[2] or 0)) for row in connection.execute(query)}


def open_task_sums(connection: Connection) -> dict[str, int]:
    """How many tasks are to be done, by the kind of customer that they are about."""
    kind = _kind(connection, t.task.c.customer)
    query = select(kind, func.count()).where(t.task.c.state == "open").group_by("kind")
    return {row[0]: row[1] for row in connection.execute(query)}


def businesses(connection: Connection) -> Select[tuple[str]]:
    """The ids of customers who are an organisation, or who belong to one."""
    body, subject = t.fact.c.body, t.fact.c.subject
    kind, belongs = inside(connection, body, "kind"), inside(connection, body, "organisation")
    return (
        select(func.substr(subject, 3))
        .where(subject >= "c:", subject < "c;", text_of(connection, body).like('{"type":"customer"%'))
        .where(or_(kind == "organisation", belongs.is_not(None)))
        .distinct()
    )


def _kind(connection: Connection, customer: ColumnElement[str]) -> ColumnElement[str]:
    return case((customer.in_(businesses(connection)), literal("business")), else_=literal("family")).label("kind")


def _accepted(span: Span) -> ColumnElement[bool]:
    at = t.attempt.c.started_at
    return and_(t.attempt.c.state == "accepted", at >= span[0], at < span[1])
