"""What channels have room for, which of them are out of order, and which events of providers were taken."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, func, insert, literal, select, text, tuple_, update

from commsched.store import tables as t
from commsched.store.queries.base import chunks, upsert
from commsched.store.queries.waking import wake_those

# As it stands in the index, so that the database finds it there.
KNOWN = "attempt." + t.KNOWN_BY_REFERENCE.replace("(detail", "(attempt.detail")
# A place in a channel's line: due, priority, until, key.
Rank = tuple[int, int, int, str]
_RANK = (t.waiting.c.due, t.waiting.c.priority, t.waiting.c.until, t.waiting.c.key)
_TYPES = [column.type for column in _RANK]
_FRESH: dict[str, dict[str, object]] = {
    "rate": {"next": 0, "day": "", "used": 0},
    "outage": {"failures": 0, "since": None, "until": 0, "tries": 0, "detail": ""},
}


def lock_rates(connection: Connection, channels: Collection[str]) -> dict[str, Row[Any]]:
    """What these channels have room for; it stays so until the commit."""
    return _locked(connection, t.rate, channels)


def lock_outages(connection: Connection, channels: Collection[str]) -> dict[str, Row[Any]]:
    """How it stands with these channels, where there is anything to say of them; it stays so until the commit."""
    if not channels:
        return {}
    query = select(t.outage).where(t.outage.c.channel.in_(sorted(channels))).order_by(t.outage.c.channel)
    return {row.channel: row for row in connection.execute(query.with_for_update())}


def begin_outages(connection: Connection, channels: Collection[str]) -> dict[str, Row[Any]]:
    """The same, with a row for each."""
    return _locked(connection, t.outage, channels)


def _locked(connection: Connection, table: Table, channels: Collection[str]) -> dict[str, Row[Any]]:
    if not channels:
        return {}
    names = sorted(channels)
    rows = [{"channel": name, **_FRESH[table.name]} for name in names]
    connection.execute(upsert(connection)(table).on_conflict_do_nothing(), rows)
    query = select(table).where(table.c.channel.in_(names)).order_by(table.c.channel)
    return {row.channel: row for row in connection.execute(query.with_for_update())}


def put_rate(connection: Connection, channel: str, values: Mapping[str, object]) -> None:
    """Write what a channel has room for (``next``, ``day``, ``used``)."""
    connection.execute(update(t.rate).where(t.rate.c.channel == channel).values(**values))


def put_outage(connection: Connection, channel: str, values: Mapping[str, object]) -> None:
    """Write how it stands with a channel (``failures``, ``since``, ``until``, ``tries``, ``detail``)."""
    connection.execute(update(t.outage).where(t.outage.c.channel == channel).values(**values))


def drop_outage(connection: Connection, channel: str) -> bool:
    """A channel is well; whether there was anything to say of it."""
    return connection.execute(delete(t.outage).where(t.outage.c.channel == channel)).rowcount > 0


def rates(connection: Connection) -> list[Row[Any]]:
    """What the channels have room for that have a rate."""
    return list(connection.execute(select(t.rate).order_by(t.rate.c.channel)))


def outages(connection: Connection) -> list[Row[Any]]:
    """The channels that are closed, or were until just now."""
    query = select(t.outage).where(t.outage.c.since.is_not(None))
    return list(connection.execute(query.order_by(t.outage.c.channel)))


def wake_planned(connection: Connection, between: tuple[int, int], due: int) -> None:
    """Wake whoever has a message planned in a time, ``(from, to]``."""
    who = select(t.message.c.customer).where(
        t.message.c.state == "planned", t.message.c.at > between[0], t.message.c.at <= between[1]
    )
    wake_those(connection, who, due)


def hear(connection: Connection, channel: str, ids: Iterable[str], at: int) -> set[str]:
    """Take these events of a channel; those that were not taken before."""
    new: set[str] = set()
    for chunk in chunks(sorted(set(ids))):
        rows = [{"channel": channel, "id": one, "at": at} for one in chunk]
        statement = upsert(connection)(t.heard).values(rows).on_conflict_do_nothing().returning(t.heard.c.id)
        new.update(connection.execute(statement).scalars())
    return new


def forget_heard(connection: Connection, before: int) -> None:
    """Forget events that were taken so long ago that no provider tells them again."""
    connection.execute(delete(t.heard).where(t.heard.c.at < before))


def forget_unmatched(connection: Connection, before: int) -> None:
    """Forget events that were kept for a message which nobody came to know."""
    connection.execute(delete(t.unmatched).where(t.unmatched.c.kept_at < before))


def keep_unmatched(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Keep events whose message is not known yet."""
    if rows:
        connection.execute(upsert(connection)(t.unmatched).on_conflict_do_nothing(), rows)


def now_known(connection: Connection, channel: str) -> list[Row[Any]]:
    """The events of a channel that were kept, and whose message is known by now."""
    a, u = t.attempt.c, t.unmatched.c
    there = select(a.id).where(a.channel == u.channel, a.detail == u.reference, text(KNOWN)).exists()
    return list(connection.execute(select(t.unmatched).where(u.channel == channel, there).order_by(u.at, u.id)))


def drop_unmatched(connection: Connection, channel: str, ids: Iterable[str]) -> None:
    """These have been taken."""
    for chunk in chunks(sorted(ids)):
        gone = delete(t.unmatched).where(t.unmatched.c.channel == channel, t.unmatched.c.id.in_(chunk))
        connection.execute(gone)


def leave_line(connection: Connection, customers: Iterable[str]) -> dict[str, int]:
    """These wait for no channel any more; until when each of their messages that did might have gone, by its key."""
    w = t.waiting.c
    found: dict[str, int] = {}
    for chunk in chunks(sorted(set(customers))):
        gone = delete(t.waiting).where(w.customer.in_(chunk)).returning(w.key, w.until)
        found.update({row.key: row.until for row in connection.execute(gone)})
    return found


def join_line(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Whose messages wait for a place, as rows of the table."""
    if rows:
        connection.execute(insert(t.waiting), rows)


def front(connection: Connection, channel: str, size: int, since: int) -> list[Row[Any]]:
    """The most urgent who wait for a channel, at most so many, and whose turn has not been over since then."""
    w = t.waiting.c
    query = select(*_RANK, w.units).where(w.channel == channel, w.turn >= since)
    return list(connection.execute(query.order_by(*_RANK).limit(size)))


def units_between(connection: Connection, channel: str, after: Rank, upto: Rank, since: int) -> int:
    """How many units wait for a channel behind one place of its line, up to another (only the index is read)."""
    w = t.waiting.c
    low, high = (tuple_(*map(literal, rank, _TYPES)) for rank in (after, upto))
    place = tuple_(*_RANK)
    query = select(func.coalesce(func.sum(w.units), 0))
    found = connection.execute(query.where(w.channel == channel, place > low, place <= high, w.turn >= since))
    return int(found.scalar_one())
