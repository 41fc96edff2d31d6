"""Deleting facts that are older than the deployment wants to keep them (GDPR art. 5(1)(e)).

What a plan reads of these types is the latest of each kind, so that one stays however old it is. All other types are
the state of something, bind us, or keep a message from going twice; they are never deleted by age.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from commsched.model import facts as f
from commsched.model.facts import AnyFact
from commsched.store import queries
from commsched.store.ledgers import decode, wake_for
from commsched.store.store import Store
from commsched.timing.civil import start_of_day
from commsched.timing.durations import Duration

BATCH = 500
DAY = timedelta(days=1)
# The setting that remembers when the service last looked for what is too old.
LOOKED = "retained_at"
# By what facts of a type are of one kind.
_KINDS: Mapping[type, tuple[str, ...]] = {
    f.Reading: ("asset",),
    f.ServiceRecord: ("service", "asset", "outcome"),
    f.Event: ("kind", "item", "asset"),
    f.Interaction: ("direction", "purpose", "topic"),
    f.Feedback: ("department", "about"),
}
Doomed = tuple[str, bytes]


def before(length: Duration, now: datetime, zone: ZoneInfo) -> datetime:
    """The instant before which a fact is older than this."""
    return start_of_day(length.after(now.astimezone(zone).date(), -1), zone) - length.exact


def aged(connection: Connection, limits: Mapping[str, datetime]) -> dict[str, list[Doomed]]:
    """The facts, by type, that are older than their limit and not the last of their kind. Reads all facts."""
    return {kind: list(_of_type(connection, kind, limit)) for kind, limit in sorted(limits.items())}


def _of_type(connection: Connection, kind: str, limit: datetime) -> Iterator[Doomed]:
    for subject, rows in groupby(queries.facts_by_type(connection, kind), key=lambda row: row.subject):
        found = list(rows)
        facts = decode([row.body for row in found])
        last = _last(facts)
        for row, fact in zip(found, facts, strict=True):
            # What was taken back is older than what took it back, or as old: both go, or both stay.
            if fact.at < min(limit, last.get(_kind(fact), limit)):
                yield subject, bytes(row.digest)


def _kind(fact: AnyFact) -> tuple[object, ...]:
    return tuple(getattr(fact, name) for name in _KINDS[type(fact)])


def _last(facts: Sequence[AnyFact]) -> dict[tuple[object, ...], datetime]:
    """When each kind was last true, of what was not taken back."""
    readings = [fact for fact in facts if isinstance(fact, f.Reading)]
    void = {(one.asset, one.at, one.value) for one in readings if one.void}
    last: dict[tuple[object, ...], datetime] = {}
    for fact in facts:
        if not isinstance(fact, f.Reading) or (fact.asset, fact.at, fact.value) not in void:
            name = _kind(fact)
            last[name] = max(fact.at, last.get(name, fact.at))
    return last


def retain(store: Store, limits: Mapping[str, datetime], now: datetime) -> dict[str, int]:
    """Delete what is too old, some at a time, and have its customers looked at again; how many, by type."""
    with store.read() as connection:
        found = aged(connection, limits)
    done = dict.fromkeys(found, 0)
    for kind, facts in found.items():
        for chunk in queries.chunks(facts, BATCH):
            subjects = {subject for subject, _ in chunk}
            with store.write() as connection:
                queries.lock_ledgers(connection, subjects)
                done[kind] += queries.drop_facts(connection, chunk)
                queries.bump(connection, dict.fromkeys(subjects, (1, 0)))
                wake_for(connection, subjects, now)
    return done


def retain_daily(store: Store, limits: Mapping[str, datetime], now: datetime) -> None:
    """The same, unless it was done within the last day: it reads all facts, which a large base takes minutes for."""
    with store.write() as connection:
        last = queries.setting(connection, LOOKED)
        if last and now - datetime.fromisoformat(last) < DAY:
            return
        queries.put_setting(connection, LOOKED, now.isoformat())
    retain(store, limits, now)
