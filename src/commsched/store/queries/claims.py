"""Who is about to get in touch with whom."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, delete, or_, select

from commsched.store import tables as t
from commsched.store.queries.base import chunks, upsert


def claims(connection: Connection, subjects: Collection[str], now: int) -> list[Row[Any]]:
    """The claims on these customers and addresses that have not expired, in order of their subjects."""
    found: list[Row[Any]] = []
    for chunk in chunks(sorted(subjects)):
        query = select(t.claim).where(t.claim.c.subject.in_(chunk), t.claim.c.until > now)
        found += connection.execute(query.order_by(t.claim.c.subject))
    return found


def put_claim(connection: Connection, subject: str, by: str, purpose: str, since: int, until: int) -> bool:
    """Claim a customer or an address, unless somebody else has a claim that runs; whether it was possible."""
    statement = upsert(connection)(t.claim).values(subject=subject, by=by, purpose=purpose, since=since, until=until)
    statement = statement.on_conflict_do_update(
        index_elements=["subject"],
        set_={"by": by, "purpose": purpose, "since": since, "until": until},
        where=or_(t.claim.c.by == by, t.claim.c.until <= since),
    )
    return connection.execute(statement.returning(t.claim.c.subject)).first() is not None


def drop_claims(connection: Connection, subjects: Collection[str], by: str) -> int:
    """Give back somebody's claims on these customers and addresses; how many there were."""
    dropped = 0
    for chunk in chunks(sorted(subjects)):
        where = t.claim.c.subject.in_(chunk) & (t.claim.c.by == by)
        dropped += connection.execute(delete(t.claim).where(where)).rowcount
    return dropped


def drop_old_claims(connection: Connection, now: int) -> None:
    """Forget the claims that have expired."""
    connection.execute(delete(t.claim).where(t.claim.c.until <= now))
