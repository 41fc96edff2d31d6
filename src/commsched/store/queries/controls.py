"""Pauses, breakers, rules, rates, settings and the audit log."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from commsched.store import tables as t
from commsched.store.queries.base import chunks, upsert

_setting = select(t.setting.c.value).where(t.setting.c.name == bindparam("wanted"))
_breakers, _rules = select(t.breaker), select(t.rule)
_pauses = select(t.pause).order_by(t.pause.c.scope)


def setting(connection: Connection, name: str) -> str | None:
    """A value that commsched keeps for itself."""
    return connection.execute(_setting, {"wanted": name}).scalar()


def put_setting(connection: Connection, name: str, value: str) -> None:
    """Keep a value."""
    statement = upsert(connection)(t.setting).values(name=name, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def begin_setting(connection: Connection, name: str, value: str) -> str:
    """Keep a value unless there is one; the one that is kept."""
    connection.execute(upsert(connection)(t.setting).values(name=name, value=value).on_conflict_do_nothing())
    return setting(connection, name) or value


def pauses(connection: Connection) -> list[Row[Any]]:
    """What is stopped."""
    return list(connection.execute(_pauses))


def put_pause(connection: Connection, scope: str, since: int, by: str) -> None:
    """Stop something."""
    statement = upsert(connection)(t.pause).values(scope=scope, since=since, by=by)
    connection.execute(statement.on_conflict_do_nothing())


def drop_pause(connection: Connection, scope: str) -> bool:
    """Let something go on; whether it was stopped."""
    return connection.execute(delete(t.pause).where(t.pause.c.scope == scope)).rowcount > 0


def note(connection: Connection, at: int, who: str, action: str, detail: str) -> int:
    """Write into the audit log; the number of the entry."""
    done = connection.execute(insert(t.audit).values(at=at, who=who, action=action, detail=detail))
    return int((done.inserted_primary_key or (0,))[0])


def audited(connection: Connection, words: str) -> list[Row[Any]]:
    """The entries of the audit log in which something occurs."""
    query = select(t.audit).where(t.audit.c.detail.contains(words, autoescape=True))
    return list(connection.execute(query.order_by(t.audit.c.id)))


def blank_audit(connection: Connection, entries: Collection[int], detail: str) -> None:
    """Take the detail out of entries of the audit log; that they are there, when and by whom, stays."""
    for chunk in chunks(sorted(entries)):
        connection.execute(update(t.audit).where(t.audit.c.id.in_(chunk)).values(detail=detail))


def breakers(connection: Connection) -> list[Row[Any]]:
    """The policies that failed, and until when they refuse."""
    return list(connection.execute(_breakers))


def put_breaker(connection: Connection, policy: str, until: int, detail: str) -> None:
    """Open a policy's breaker."""
    statement = upsert(connection)(t.breaker).values(policy=policy, until=until, detail=detail)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["policy"], set_={"until": until, "detail": detail})
    )


def drop_breaker(connection: Connection, policy: str) -> bool:
    """Close a policy's breaker; whether it was open."""
    return connection.execute(delete(t.breaker).where(t.breaker.c.policy == policy)).rowcount > 0


def rules(connection: Connection) -> dict[str, int]:
    """Every rule that was ever loaded, and the instant from which it counts."""
    return {row.name: row.since for row in connection.execute(_rules)}


def put_rules(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Remember rules; one that is known keeps its instant."""
    if rows:
        statement = upsert(connection)(t.rule)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["name"], set_={"digest": statement.excluded.digest}), rows
        )


def lock_paces(connection: Connection, rules: Collection[str], day: str) -> None:
    """Keep others from taking places of these rules until the commit.

    In one order, as places are taken in that of urgency, which is another in each batch.
    """
    if rules:
        rows = [{"rule": name, "day": day, "used": 0} for name in sorted(rules)]
        connection.execute(upsert(connection)(t.pace).on_conflict_do_nothing(), rows)
        query = select(t.pace).where(t.pace.c.day == day, t.pace.c.rule.in_(sorted(rules))).order_by(t.pace.c.rule)
        connection.execute(query.with_for_update()).all()


def take_pace(connection: Connection, rule: str, day: str, limit: int) -> bool:
    """Take one of a rule's places of the day; whether there was one left."""
    statement = upsert(connection)(t.pace).values(rule=rule, day=day, used=1)
    statement = statement.on_conflict_do_update(
        index_elements=["rule", "day"], set_={"used": t.pace.c.used + 1}, where=t.pace.c.used < limit
    )
    return limit > 0 and connection.execute(statement.returning(t.pace.c.used)).first() is not None
