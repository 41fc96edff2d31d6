"""The only queue: customers to wake, claimed for the length of a lease."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache

from sqlalchemy import (
    Connection,
    Row,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    func,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from commsched.store import tables as t
from commsched.store.queries.base import Upsert, chunks

_wake = Upsert(
    t.wake,
    ("customer", "due"),
    lambda insert: insert.on_conflict_do_update(
        index_elements=["customer"],
        set_={"due": case((t.wake.c.due < insert.excluded.due, t.wake.c.due), else_=insert.excluded.due)},
    ),
)


def wake(connection: Connection, customers: Iterable[str], due: int) -> None:
    """Let these customers be looked at no later than ``due``."""
    rows = [{"customer": customer, "due": due} for customer in sorted(set(customers))]
    if rows:
        _wake(connection, rows)


def wake_those(connection: Connection, customers: Select[tuple[str]], due: int) -> None:
    """Let whoever a query finds be looked at no later than ``due``.

    Their rows are locked in one order first, as by everybody who wakes several: two of them wait and never cross.
    """
    asleep = select(t.wake.c.customer).where(t.wake.c.customer.in_(customers.scalar_subquery()), t.wake.c.due > due)
    for chunk in chunks(_locked(connection, asleep)):
        connection.execute(update(t.wake).where(t.wake.c.customer.in_(chunk), t.wake.c.due > due).values(due=due))


def _locked(connection: Connection, customers: Select[tuple[str]]) -> Sequence[str]:
    query = customers.order_by(t.wake.c.customer).with_for_update()
    return connection.execute(query).scalars().all()


def _picked(dialect: str, customers: Select[tuple[str]]) -> ScalarSelect[str]:
    """The customers, picked once, and on PostgreSQL none whom another transaction holds.

    As a common table expression, for PostgreSQL may run a subquery that locks and limits more than once.
    """
    if dialect == "sqlite":
        return customers.scalar_subquery()
    picked = customers.with_for_update(skip_locked=True, of=t.wake).cte("picked")
    return select(picked.c.customer).scalar_subquery()


def claim(
    connection: Connection, now: int, lease_end: int, limit: int, lines: Collection[str] = ()
) -> list[tuple[str, int]]:
    """Take the customers who are due, soonest first, for the length of a lease: their ids and fences.

    Up to half of them are those whose turn has come in the ``lines`` of channels, most urgent first, however many
    others are due before: while they wait they keep places from what is less urgent, and where the queue is long the
    channel would stand idle.
    """
    values, dialect = {"now": now, "lease_end": lease_end}, connection.dialect.name
    found: list[Row[tuple[str, int]]] = []
    for channel in sorted(lines):
        most = (limit + 1) // 2 - len(found)
        found += connection.execute(_claim(dialect, _in_turn), {**values, "channel": channel, "most": most})
    found += connection.execute(_claim(dialect, _due), {**values, "most": limit - len(found)})
    return sorted((row.customer, row.fence) for row in found)


_due = select(t.wake.c.customer).where(t.wake.c.due <= bindparam("now")).order_by(t.wake.c.due).limit(bindparam("most"))
_in_turn = (
    select(t.wake.c.customer)
    .join(t.waiting, t.waiting.c.customer == t.wake.c.customer)
    .where(
        t.waiting.c.channel == bindparam("channel"),
        t.waiting.c.turn <= bindparam("now"),
        t.wake.c.due <= bindparam("now"),
    )
    .order_by(t.waiting.c.due, t.waiting.c.priority, t.waiting.c.until, t.waiting.c.key)
    .limit(bindparam("most"))
)


@cache
def _claim(dialect: str, customers: Select[tuple[str]]) -> ReturningUpdate[tuple[str, int]]:
    return (
        update(t.wake)
        .where(t.wake.c.customer.in_(_picked(dialect, customers)))
        .values(due=bindparam("lease_end"), fence=t.wake.c.fence + 1)
        .returning(t.wake.c.customer, t.wake.c.fence)
    )


def take(connection: Connection, claimed: Mapping[str, int], lease_end: int) -> list[tuple[str, int]]:
    """Hold customers of an earlier claim (ids and its fences) for the length of a lease: their ids and new fences.

    Whoever was claimed or taken since is left out, so that of two who take the same claim one finds nobody.
    """
    found = [(customer, claimed[customer] + 1) for customer in _held(connection, claimed)]
    for chunk in chunks(customer for customer, _ in found):
        values = {"due": lease_end, "fence": t.wake.c.fence + 1}
        connection.execute(update(t.wake).where(t.wake.c.customer.in_(chunk)).values(values))
    return found


def give_back(connection: Connection, claimed: Mapping[str, int], due: int) -> None:
    """Let the customers of a claim that nobody has begun be claimed again."""
    for chunk in chunks(_held(connection, claimed)):
        connection.execute(update(t.wake).where(t.wake.c.customer.in_(chunk)).values(due=due))


def _held(connection: Connection, claimed: Mapping[str, int]) -> list[str]:
    """Those whose fence is still that of the claim, locked in the order in which all others lock them, too."""
    found: list[str] = []
    for chunk in chunks(sorted(claimed)):
        rows = select(t.wake.c.customer, t.wake.c.fence).where(t.wake.c.customer.in_(chunk))
        ordered = rows.order_by(t.wake.c.customer).with_for_update()
        found += [row.customer for row in connection.execute(ordered) if row.fence == claimed[row.customer]]
    return found


_fences = select(t.wake.c.customer, t.wake.c.fence).where(t.wake.c.customer.in_(bindparam("customers", expanding=True)))
_finish = (
    update(t.wake)
    .where(t.wake.c.customer == bindparam("who"), t.wake.c.fence == bindparam("held"))
    .values(
        due=case(
            (and_(t.wake.c.due < bindparam("leased"), t.wake.c.due < bindparam("next_due")), t.wake.c.due),
            else_=bindparam("next_due"),
        ),
        world=bindparam("hash"),
    )
)


def fences(connection: Connection, customers: Iterable[str]) -> dict[str, int]:
    """The fences that hold now."""
    return {row[0]: row[1] for chunk in chunks(customers) for row in connection.execute(_fences, {"customers": chunk})}


def finish(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Give customers back (``who``, ``held``: the fence, ``leased``: until when, ``next_due``, ``hash``).

    Only where the fence still holds. Whoever was woken before the end of the lease stays awake.
    """
    if rows:
        connection.execute(_finish, sorted(rows, key=lambda row: str(row["who"])))


def next_due(connection: Connection) -> int | None:
    """When the next customer is due."""
    return connection.execute(select(func.min(t.wake.c.due))).scalar()


_overdue = select(func.count()).select_from(
    select(t.wake.c.customer).where(t.wake.c.due <= bindparam("now")).limit(bindparam("most")).subquery()
)


def overdue(connection: Connection, now: int, most: int) -> int:
    """How many customers are due and nobody's, counted up to ``most``."""
    return connection.execute(_overdue, {"now": now, "most": most}).scalar_one()


def queue(connection: Connection) -> tuple[int, int | None]:
    """How many customers there are to look at, now or later, and when the first of them is due."""
    row = connection.execute(select(func.count(), func.min(t.wake.c.due)).select_from(t.wake)).one()
    return row[0], row[1]


def sweep(connection: Connection, world: str, due: int, limit: int) -> int:
    """Wake some of those who were last planned in another world, the soonest due first; how many there were."""
    stale = (
        select(t.wake.c.customer).where(t.wake.c.world != world, t.wake.c.due > due).order_by(t.wake.c.due).limit(limit)
    )
    statement = (
        update(t.wake)
        .where(t.wake.c.customer.in_(_picked(connection.dialect.name, stale)))
        .values(due=due, world=world)
    )
    return connection.execute(statement).rowcount


def release(connection: Connection, now: int, lease: int) -> int:
    """Take back every lease, for a process that knows it is the only one: whoever is due within a lease's length.

    Somebody due that soon by right is looked at a little early, which does no harm. What was being sent is in doubt.
    """
    connection.execute(update(t.attempt).where(t.attempt.c.state == "sending").values(state="in_doubt"))
    leased = (t.wake.c.due > now, t.wake.c.due <= now + lease)
    _locked(connection, select(t.wake.c.customer).where(*leased))
    statement = update(t.wake).where(*leased).values(due=now, fence=t.wake.c.fence + 1)
    return connection.execute(statement).rowcount
