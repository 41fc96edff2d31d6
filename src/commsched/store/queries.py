"""All SQL, in one place. Every function takes the connection of a running transaction.

Lists of keys are bound as one expanding parameter, in chunks that every database takes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    Row,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from commsched.store import tables as t

CHUNK = 500
T = TypeVar("T")


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The values in lists of at most ``size``."""
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _upsert(connection: Connection) -> Any:  # noqa: ANN401 - the dialects share no base class for their insert
    return sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert


# --- facts ---------------------------------------------------------------------------------------------------------

_facts = (
    select(t.fact.c.subject, t.fact.c.digest, t.fact.c.body)
    .where(t.fact.c.subject.in_(bindparam("subjects", expanding=True)))
    .order_by(t.fact.c.subject, t.fact.c.digest)
)
_digests = select(t.fact.c.subject, t.fact.c.digest).where(t.fact.c.subject.in_(bindparam("subjects", expanding=True)))
_versions = select(t.ledger.c.subject, t.ledger.c.version, t.ledger.c.flags).where(
    t.ledger.c.subject.in_(bindparam("subjects", expanding=True))
)


def facts(connection: Connection, subjects: Iterable[str]) -> Iterator[Row[tuple[str, bytes, bytes]]]:
    """Subject, digest and body of every fact of these ledgers, in order of their key."""
    for chunk in chunks(sorted(set(subjects))):
        # All at once: row by row takes half as long again.
        yield from connection.execute(_facts, {"subjects": chunk}).all()


def digests(connection: Connection, subjects: Iterable[str]) -> set[tuple[str, bytes]]:
    """Which facts these ledgers have already."""
    return {
        (row[0], bytes(row[1]))
        for chunk in chunks(subjects)
        for row in connection.execute(_digests, {"subjects": chunk})
    }


def versions(connection: Connection, subjects: Iterable[str], *, lock: bool = False) -> dict[str, tuple[int, int]]:
    """Version and flags of each of these ledgers that exists; ``lock`` keeps them from moving until the commit.

    Everybody locks customers before addresses: an append to a customer's ledger may go on to those of their addresses.
    """
    query = _versions.order_by(t.ledger.c.subject.desc())
    if lock:
        query = query.with_for_update()
    return {
        row.subject: (row.version, row.flags)
        for chunk in chunks(sorted(set(subjects), reverse=True))
        for row in connection.execute(query, {"subjects": chunk})
    }


def lock_ledgers(connection: Connection, subjects: Collection[str]) -> dict[str, tuple[int, int]]:
    """Version and flags of each of these ledgers, which stay as they are until the commit.

    SQLite has one writer at a time. PostgreSQL cannot lock a row that is not there: an empty ledger is begun.
    """
    found = versions(connection, subjects, lock=True)
    missing = sorted(set(subjects) - found.keys(), reverse=True)
    if missing and connection.dialect.name == "postgresql":
        begun = postgresql.insert(t.ledger).on_conflict_do_update(
            index_elements=["subject"], set_={"version": t.ledger.c.version}
        )
        connection.execute(begun, [{"subject": subject, "version": 0, "flags": 0} for subject in missing])
        found |= versions(connection, missing)
    return found


def add_facts(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Append facts (``subject``, ``digest``, ``body``) that are not there yet."""
    if rows:
        connection.execute(insert(t.fact), rows)


def bump(connection: Connection, counts: Mapping[str, tuple[int, int]]) -> None:
    """Raise each ledger's version by the number of its new facts, and set flags."""
    if not counts:
        return
    statement = _upsert(connection)(t.ledger)
    statement = statement.on_conflict_do_update(
        index_elements=["subject"],
        set_={
            "version": t.ledger.c.version + statement.excluded.version,
            "flags": t.ledger.c.flags.op("|")(statement.excluded.flags),
        },
    )
    rows = [
        {"subject": subject, "version": count, "flags": flags} for subject, (count, flags) in sorted(counts.items())
    ]
    connection.execute(statement, rows)


def flagged(connection: Connection, flag: int) -> list[str]:
    """The ledgers that carry a flag."""
    query = select(t.ledger.c.subject).where(t.ledger.c.flags.op("&")(flag) != 0).order_by(t.ledger.c.subject)
    return list(connection.execute(query).scalars())


def customers(connection: Connection) -> list[str]:
    """The ids of all customers that facts are about, in order."""
    subject = t.ledger.c.subject
    query = select(subject).where(subject >= "c:", subject < "c;", t.ledger.c.version > 0)
    return [subject[2:] for subject in connection.execute(query.order_by(t.ledger.c.subject)).scalars()]


# --- projections ---------------------------------------------------------------------------------------------------


def add_members(connection: Connection, pairs: Iterable[tuple[str, str]]) -> None:
    """Put customers into circles; who is in already stays."""
    rows = [{"circle": circle, "customer": customer} for circle, customer in sorted(set(pairs))]
    if rows:
        connection.execute(_upsert(connection)(t.member).on_conflict_do_nothing(), rows)


def members(connection: Connection, circles: Iterable[str]) -> dict[str, list[str]]:
    """The customers of each circle."""
    found: dict[str, list[str]] = {}
    for chunk in chunks(sorted(set(circles))):
        query = select(t.member).where(t.member.c.circle.in_(chunk)).order_by(t.member.c.circle, t.member.c.customer)
        for row in connection.execute(query):
            found.setdefault(row.circle, []).append(row.customer)
    return found


def put_appointments(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Write appointments as they stand."""
    if rows:
        statement = _upsert(connection)(t.appointment)
        names = ("start", "end", "service", "status", "calendar")
        statement = statement.on_conflict_do_update(
            index_elements=["customer", "id"], set_={name: statement.excluded[name] for name in names}
        )
        connection.execute(statement, rows)


def appointments_between(connection: Connection, start: int, end: int) -> list[Row[Any]]:
    """Appointments by time, those that overlap ``[start, end)``."""
    query = select(t.appointment).where(
        t.appointment.c.start < end, or_(t.appointment.c.end > start, t.appointment.c.start >= start)
    )
    return list(connection.execute(query.order_by(t.appointment.c.start)))


# --- waking --------------------------------------------------------------------------------------------------------


def wake(connection: Connection, customers: Iterable[str], due: int) -> None:
    """Let these customers be looked at no later than ``due``."""
    rows = [{"customer": customer, "due": due} for customer in sorted(set(customers))]
    if rows:
        statement = _upsert(connection)(t.wake)
        least = func.min if connection.dialect.name == "sqlite" else func.least
        statement = statement.on_conflict_do_update(
            index_elements=["customer"], set_={"due": least(t.wake.c.due, statement.excluded.due)}
        )
        connection.execute(statement, rows)


def _picked(connection: Connection, customers: Select[tuple[str]]) -> ScalarSelect[str]:
    """The customers, picked once, and on PostgreSQL none whom another transaction holds.

    As a common table expression, for PostgreSQL may run a subquery that locks and limits more than once.
    """
    if connection.dialect.name == "sqlite":
        return customers.scalar_subquery()
    picked = customers.with_for_update(skip_locked=True).cte("picked")
    return select(picked.c.customer).scalar_subquery()


def claim(connection: Connection, now: int, lease_end: int, limit: int) -> list[tuple[str, int]]:
    """Take the customers who are due, soonest first, for the length of a lease: their ids and fences."""
    due = select(t.wake.c.customer).where(t.wake.c.due <= now).order_by(t.wake.c.due).limit(limit)
    statement = (
        update(t.wake)
        .where(t.wake.c.customer.in_(_picked(connection, due)))
        .values(due=lease_end, fence=t.wake.c.fence + 1)
        .returning(t.wake.c.customer, t.wake.c.fence)
    )
    return sorted((row.customer, row.fence) for row in connection.execute(statement))


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
        connection.execute(_finish, rows)


def next_due(connection: Connection) -> int | None:
    """When the next customer is due."""
    return connection.execute(select(func.min(t.wake.c.due))).scalar()


def queue(connection: Connection) -> tuple[int, int | None]:
    """How many customers there are to look at, now or later, and when the first of them is due."""
    row = connection.execute(select(func.count(), func.min(t.wake.c.due)).select_from(t.wake)).one()
    return row[0], row[1]


def sweep(connection: Connection, world: str, due: int, limit: int) -> int:
    """Wake some of those who were last planned in another world, the soonest due first; how many there were."""
    stale = (
        select(t.wake.c.customer).where(t.wake.c.world != world, t.wake.c.due > due).order_by(t.wake.c.due).limit(limit)
    )
    statement = update(t.wake).where(t.wake.c.customer.in_(_picked(connection, stale))).values(due=due, world=world)
    return connection.execute(statement).rowcount


# --- messages, decisions, tasks -------------------------------------------------------------------------------------

_messages = select(t.message).where(t.message.c.customer.in_(bindparam("customers", expanding=True)))


def messages(connection: Connection, customers: Iterable[str]) -> dict[str, list[Row[Any]]]:
    """All messages of each of these customers."""
    found: dict[str, list[Row[Any]]] = {}
    for chunk in chunks(customers):
        for row in connection.execute(_messages, {"customers": chunk}):
            found.setdefault(row.customer, []).append(row)
    return found


def put_messages(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Write messages as they stand."""
    if rows:
        statement = _upsert(connection)(t.message)
        names = ("rule", "state", "at", "attempt", "signature", "body")
        statement = statement.on_conflict_do_update(
            index_elements=["customer", "key"], set_={name: statement.excluded[name] for name in names}
        )
        connection.execute(statement, rows)


def message(connection: Connection, customer: str, key: str) -> Row[Any] | None:
    """One message."""
    query = select(t.message).where(t.message.c.customer == customer, t.message.c.key == key)
    return connection.execute(query).one_or_none()


def all_messages(connection: Connection, states: Sequence[str] = ()) -> Iterator[Row[Any]]:
    """Every message, by customer and key; only those in ``states`` if any are given."""
    query = select(t.message).order_by(t.message.c.customer, t.message.c.key)
    if states:
        query = query.where(t.message.c.state.in_(states))
    yield from connection.execution_options(yield_per=1000).execute(query)


def counts(connection: Connection) -> dict[str, int]:
    """How many messages are in each state."""
    query = select(t.message.c.state, func.count()).group_by(t.message.c.state)
    return {row[0]: row[1] for row in connection.execute(query)}


def wake_messages(connection: Connection, scope: str, states: Sequence[str], due: int) -> None:
    """Wake everybody with a message in these states; ``scope`` names a rule, or ``all``."""
    who = select(t.message.c.customer).where(t.message.c.state.in_(states))
    if scope != "all":
        who = who.where(t.message.c.rule == scope)
    connection.execute(
        update(t.wake).where(t.wake.c.customer.in_(who.scalar_subquery()), t.wake.c.due > due).values(due=due)
    )


def add_decisions(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Keep decisions that changed; the same customer, key and instant twice keeps the later one."""
    if rows:
        statement = _upsert(connection)(t.decision)
        statement = statement.on_conflict_do_update(
            index_elements=["customer", "key", "decided_at"], set_={"body": statement.excluded.body}
        )
        connection.execute(statement, rows)


def decisions(connection: Connection, customer: str, key: str | None = None) -> list[Row[Any]]:
    """The decisions about a customer or one message of theirs, oldest first."""
    query = select(t.decision).where(t.decision.c.customer == customer)
    if key is not None:
        query = query.where(t.decision.c.key == key)
    return list(connection.execute(query.order_by(t.decision.c.decided_at, t.decision.c.key)))


def put_tasks(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Write tasks; one that is done stays done."""
    if rows:
        statement = _upsert(connection)(t.task)
        statement = statement.on_conflict_do_update(
            index_elements=["key"],
            set_={"state": statement.excluded.state, "body": statement.excluded.body},
            where=t.task.c.state == "open",
        )
        connection.execute(statement, rows)


def tasks(connection: Connection, *, state: str | None = None, department: str | None = None) -> list[Row[Any]]:
    """Tasks by time."""
    query = select(t.task)
    if state is not None:
        query = query.where(t.task.c.state == state)
    if department is not None:
        query = query.where(t.task.c.department == department)
    return list(connection.execute(query.order_by(t.task.c.at, t.task.c.key)))


# --- attempts ------------------------------------------------------------------------------------------------------

_ended = (
    update(t.attempt)
    .where(
        t.attempt.c.id == bindparam("attempt_id"), or_(t.attempt.c.state == "sending", t.attempt.c.state == "in_doubt")
    )
    .values(state=bindparam("new_state"), finished_at=bindparam("ended_at"), detail=bindparam("why"))
)


def add_attempts(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Write down attempts before the calls are made: the intent."""
    if rows:
        connection.execute(insert(t.attempt), rows)


def end_attempts(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """What became of attempts (``attempt_id``, ``new_state``, ``ended_at``, ``why``)."""
    if rows:
        connection.execute(_ended, rows)


def open_attempts(connection: Connection, attempts: Iterable[str]) -> set[str]:
    """Which of these attempts have not ended; they stay so until the commit."""
    found: set[str] = set()
    for chunk in chunks(sorted(attempts)):
        query = select(t.attempt.c.id).where(t.attempt.c.id.in_(chunk), t.attempt.c.state.in_(("sending", "in_doubt")))
        found.update(connection.execute(query.with_for_update()).scalars())
    return found


def attempts(
    connection: Connection, *, states: Sequence[str] = (), customers: Sequence[str] | None = None
) -> list[Row[Any]]:
    """Attempts in some states, of some customers."""
    query = select(t.attempt).order_by(t.attempt.c.started_at, t.attempt.c.id)
    if states:
        query = query.where(t.attempt.c.state.in_(states))
    if customers is not None:
        query = query.where(t.attempt.c.customer.in_(customers))
    return list(connection.execute(query))


def lock_attempt(connection: Connection, attempt: str) -> Row[Any] | None:
    """One attempt, kept from changing until the commit."""
    return connection.execute(select(t.attempt).where(t.attempt.c.id == attempt).with_for_update()).one_or_none()


# --- controls ------------------------------------------------------------------------------------------------------


def setting(connection: Connection, name: str) -> str | None:
    """A value that commsched keeps for itself."""
    return connection.execute(select(t.setting.c.value).where(t.setting.c.name == name)).scalar()


def put_setting(connection: Connection, name: str, value: str) -> None:
    """Keep a value."""
    statement = _upsert(connection)(t.setting).values(name=name, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def pauses(connection: Connection) -> list[Row[Any]]:
    """What is stopped."""
    return list(connection.execute(select(t.pause).order_by(t.pause.c.scope)))


def put_pause(connection: Connection, scope: str, since: int, by: str) -> None:
    """Stop something."""
    statement = _upsert(connection)(t.pause).values(scope=scope, since=since, by=by)
    connection.execute(statement.on_conflict_do_nothing())


def drop_pause(connection: Connection, scope: str) -> bool:
    """Let something go on; whether it was stopped."""
    return connection.execute(delete(t.pause).where(t.pause.c.scope == scope)).rowcount > 0


def note(connection: Connection, at: int, who: str, action: str, detail: str) -> None:
    """Write into the audit log."""
    connection.execute(insert(t.audit).values(at=at, who=who, action=action, detail=detail))


def breakers(connection: Connection) -> list[Row[Any]]:
    """The policies that failed, and until when they refuse."""
    return list(connection.execute(select(t.breaker)))


def put_breaker(connection: Connection, policy: str, until: int, detail: str) -> None:
    """Open a policy's breaker."""
    statement = _upsert(connection)(t.breaker).values(policy=policy, until=until, detail=detail)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["policy"], set_={"until": until, "detail": detail})
    )


def drop_breaker(connection: Connection, policy: str) -> bool:
    """Close a policy's breaker; whether it was open."""
    return connection.execute(delete(t.breaker).where(t.breaker.c.policy == policy)).rowcount > 0


def rules(connection: Connection) -> dict[str, int]:
    """Every rule that was ever loaded, and the instant from which it counts."""
    return {row.name: row.since for row in connection.execute(select(t.rule))}


def put_rules(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Remember rules; one that is known keeps its instant."""
    if rows:
        statement = _upsert(connection)(t.rule)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["name"], set_={"digest": statement.excluded.digest}), rows
        )


def take_pace(connection: Connection, rule: str, day: str, limit: int) -> bool:
    """Take one of a rule's places of the day; whether there was one left."""
    statement = _upsert(connection)(t.pace).values(rule=rule, day=day, used=1)
    statement = statement.on_conflict_do_update(
        index_elements=["rule", "day"], set_={"used": t.pace.c.used + 1}, where=t.pace.c.used < limit
    )
    return limit > 0 and connection.execute(statement.returning(t.pace.c.used)).first() is not None


def release(connection: Connection, now: int, lease: int) -> int:
    """Take back every lease, for a process that knows it is the only one: whoever is due within a lease's length.

    Somebody due that soon by right is looked at a little early, which does no harm. What was being sent is in doubt.
    """
    connection.execute(update(t.attempt).where(t.attempt.c.state == "sending").values(state="in_doubt"))
    statement = (
        update(t.wake).where(t.wake.c.due > now, t.wake.c.due <= now + lease).values(due=now, fence=t.wake.c.fence + 1)
    )
    return connection.execute(statement).rowcount
