"""The jobs of the distributed engine: batches of claimed customers, carried by Procrastinate on PostgreSQL.

A job holds the customers of one claim and their fences, and nothing that the wake table does not hold as well. So its
tables are made anew where they are of another version, and whatever becomes of a job, the leases of its customers end.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import procrastinate
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import DeleteJobCondition
from procrastinate.types import JSONValue
from sqlalchemy import Connection, text

from commsched.engine.local import STOP_SECONDS
from commsched.engine.pulse import Crew
from commsched.errors import StoreError, StoreTooNew
from commsched.store import queries
from commsched.store.store import Store, micros

SCHEMA = "procrastinate"
QUEUE = "batches"
# The setting that says which version of the library made the tables.
MADE_BY = "procrastinate"
# So many batches may lie ready for each worker; what waits in the wake table instead does not age.
AHEAD = 2
LEAST_BATCH, MOST_IN_BATCH = 50, 500
# A worker that has not been heard of for so long is dead, and says that it lives this often.
SILENT, HEARTBEAT = 30.0, 5.0
_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext('commsched.sweep'))")
_SEEN = text(
    f"""SELECT
    (SELECT count(*) FROM {SCHEMA}.procrastinate_jobs WHERE status = 'todo') AS waiting,
    (SELECT count(*) FROM {SCHEMA}.procrastinate_workers
        WHERE last_heartbeat > now() - make_interval(secs => :silent)) AS workers"""  # noqa: S608 - a name of ours
)
_STANDING = text(
    f"""SELECT
    (SELECT count(*) FROM {SCHEMA}.procrastinate_jobs WHERE status = 'todo') AS waiting,
    (SELECT count(*) FROM {SCHEMA}.procrastinate_jobs job WHERE status = 'doing' AND NOT EXISTS
        (SELECT FROM {SCHEMA}.procrastinate_workers worker WHERE worker.id = job.worker_id
            AND worker.last_heartbeat > now() - make_interval(secs => :silent))) AS stuck,
    (SELECT count(*) FROM {SCHEMA}.procrastinate_workers
        WHERE last_heartbeat > now() - make_interval(secs => :silent)) AS workers"""  # noqa: S608 - a name of ours
)
_FREQUENT = "SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)"

# What it says names the customers of a job; what matters is logged where the batch is worked on.
logging.getLogger("procrastinate").addHandler(logging.NullHandler())
logging.getLogger("procrastinate").propagate = False

Work = Callable[[dict[str, int]], Awaitable[None]]


def prepare(store: Store) -> None:
    """Make the tables of the jobs, or make them anew if they are an older version's.

    Raises :class:`StoreTooNew` if they are a newer one's, and :class:`StoreError` where there is no PostgreSQL.
    """
    if store.sqlite:
        message = 'The distributed engine needs PostgreSQL: store = "postgresql://…", or else engine = "local".'
        raise StoreError(message)
    with store.write() as connection:
        # Another process may be changing the tables, which takes as long as it takes.
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('commsched'))"))
        made, here = queries.setting(connection, MADE_BY), procrastinate.__version__
        there = connection.execute(text("SELECT to_regnamespace(:name) IS NOT NULL"), {"name": SCHEMA}).scalar()
        if there and made == here:
            return
        if there and made is None:
            message = f"Its schema {SCHEMA!r} is not ours; let commsched have a database of its own."
            raise StoreError(message)
        if there and made is not None and _numbers(made) > _numbers(here):
            raise StoreTooNew
        connection.execute(text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        with _among_jobs(connection) as raw:
            raw.execute(_deferring.schema_manager.get_schema())
        for name in ("procrastinate_jobs", "procrastinate_events"):
            connection.execute(text(f"ALTER TABLE {SCHEMA}.{name} {_FREQUENT}"))
        queries.put_setting(connection, MADE_BY, here)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


@contextmanager
def _among_jobs(connection: Connection) -> Iterator[Any]:
    """The driver's connection, which finds the tables of the jobs by their bare names, as the library calls them."""
    connection.execute(text(f"SET LOCAL search_path TO {SCHEMA}"))
    yield connection.connection.driver_connection
    connection.execute(text("RESET search_path"))


def _application(connector: procrastinate.BaseConnector, work: Work) -> procrastinate.App:
    application = procrastinate.App(connector=connector)
    application.task(name="batch", queue=QUEUE)(work)
    return application


async def _elsewhere(customers: dict[str, int]) -> None:
    """A batch is worked on where it is handed over, and not where it is deferred."""
    message = f"a batch of {len(customers)} was to be worked on in the process that deferred it"
    raise RuntimeError(message)


_deferring = _application(procrastinate.SyncPsycopgConnector(), _elsewhere)


def working(store: Store, work: Work) -> procrastinate.App:
    """Procrastinate, as a worker has it: with connections of its own, and what is done with a batch."""
    stated = store.url.query.get("options", "")
    options = f"{stated} -c search_path={SCHEMA}".strip()
    plain = store.url.set(drivername="postgresql").difference_update_query(["options"])
    conninfo = plain.render_as_string(hide_password=False)
    connector = procrastinate.PsycopgConnector(conninfo=conninfo, min_size=1, max_size=3, kwargs={"options": options})
    return _application(connector, work)


async def work_off(application: procrastinate.App) -> None:
    """Hand over one batch after another until cancelled, or until the database is away."""
    await application.run_worker_async(
        queues=[QUEUE],
        concurrency=1,
        fetch_job_polling_interval=1.0,
        delete_jobs=DeleteJobCondition.ALWAYS,
        install_signal_handlers=False,
        update_heartbeat_interval=HEARTBEAT,
        stalled_worker_timeout=SILENT,
        shutdown_graceful_timeout=2 * STOP_SECONDS,
    )


async def rescue(application: procrastinate.App) -> int:
    """Put the jobs of workers that died back into the queue; how many there were.

    Whoever gets them finds those customers who were not begun; the others come back with their lease.
    """
    found = 0
    for job in await application.job_manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=SILENT):
        # Another worker may have been quicker, or the job has ended after all.
        with suppress(ConnectorException):
            await application.job_manager.retry_job(job)
            found += 1
    return found


def crew(connection: Connection) -> Crew | None:
    """How the queue stands; ``None`` where its tables were never made."""
    if connection.dialect.name == "sqlite":
        return None
    there = connection.execute(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": f"{SCHEMA}.procrastinate_jobs"})
    return Crew(*connection.execute(_STANDING, {"silent": SILENT}).one()) if there.scalar() else None


@dataclass(frozen=True, slots=True)
class Swept:
    """How many customers a sweep has put into the queue, and when the next is due; ``None``: nobody."""

    claimed: int = 0
    full: bool = False
    next_due: int | None = None


def sweep(store: Store, now: datetime, lease: timedelta, lines: Collection[str] = ()) -> Swept:
    """Claim customers who are due, and defer a job for each batch of them, in one transaction.

    ``lines``: the channels that have one, since they have a rate.

    No more than the workers who are there can begin soon. Where somebody else sweeps, nothing is done.
    """
    with store.write() as connection:
        if not connection.execute(_LOCK).scalar():
            return Swept(full=True)
        waiting, workers = connection.execute(_SEEN, {"silent": SILENT}).one()
        room = AHEAD * max(workers, 1) - waiting
        if room <= 0:
            return Swept(full=True)
        claimed = queries.claim(connection, micros(now), micros(now + lease), room * MOST_IN_BATCH, lines)
        if claimed:
            size = min(MOST_IN_BATCH, max(LEAST_BATCH, ceil(len(claimed) / room)))
            _defer(connection, queries.chunks(claimed, size))
        return Swept(len(claimed), len(claimed) == room * MOST_IN_BATCH, queries.next_due(connection))


def _defer(connection: Connection, batches: Iterable[Sequence[tuple[str, int]]]) -> None:
    arguments: list[dict[str, JSONValue]] = [{"customers": dict(batch)} for batch in batches]
    with _among_jobs(connection) as raw:
        _deferring.tasks["batch"].configure(connection=raw).batch_defer(*arguments)
