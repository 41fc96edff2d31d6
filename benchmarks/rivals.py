"""The peers' measures: their servers and processes begin, the same storm falls due, the stub says what came when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import time

import psycopg

from benchmarks import meeting, servers, stub
from benchmarks.bench import Amounts, Numbers
from benchmarks.ours import EACH, LEAST, lateness
from benchmarks.peers.desk import fill

# How many jobs a second a peer takes in at least, and how many seconds there are besides.
LEAD, TAKEN_IN = 4.0, 250


def apscheduler_memory(folder: Path, amounts: Amounts) -> Numbers:
    """APScheduler with its jobs in memory, which a restart forgets."""
    return _apscheduler(folder, amounts, "memory")


def apscheduler_sqlite(folder: Path, amounts: Amounts) -> Numbers:
    """APScheduler with its jobs in SQLite (WAL)."""
    return _apscheduler(folder, amounts, "sqlite")


def _apscheduler(folder: Path, amounts: Amounts, store: str) -> Numbers:
    people = fill(folder, amounts.storm)
    with stub.running() as there:
        name = "benchmarks.peers.on_apscheduler"
        with servers.process(servers.module(name, folder, there.url, len(people), store)):
            meeting.all_ready(folder, 1)
            return _result(there, meeting.choose(folder, LEAD + len(people) / TAKEN_IN), people)


def celery_redis(folder: Path, amounts: Amounts) -> Numbers:
    """Celery, ETA tasks on Redis, two processes of fifty threads."""
    servers.needs("celery", "redis")
    people = fill(folder, amounts.storm)
    with stub.running() as there, servers.redis() as broker:
        told = {"BENCH_BROKER": broker, "BENCH_FOLDER": str(folder), "BENCH_URL": there.url}
        worker = [*servers.module("celery", "-A", "benchmarks.peers.on_celery", "worker"), "-P", "threads", "-c", "50"]
        names = [[*worker, "-n", f"{name}@here", "-l", "WARNING"] for name in ("one", "two")]
        with servers.processes(names, told), _celery(broker) as (remind, answering):
            servers.wait(answering, "celery")
            zero = time() + LEAD + len(people) / TAKEN_IN
            for who in people:
                remind(who, datetime.fromtimestamp(zero, UTC))
            return _result(there, zero, people)


@contextmanager
def _celery(broker: str) -> Iterator[tuple[Callable[[str, datetime], object], Callable[[], bool]]]:
    """How a task is handed in from here, and whether both workers answer."""
    from benchmarks.peers import on_celery  # noqa: PLC0415 - only where it is installed

    on_celery.app.conf.broker_url = broker
    with on_celery.app.connection_for_write() as connection:
        producer = on_celery.app.amqp.Producer(connection)
        yield (
            lambda who, eta: on_celery.remind.apply_async([who], eta=eta, producer=producer),
            lambda: len(on_celery.app.control.ping(timeout=1.0, connection=connection)) == 2,
        )


def procrastinate_postgres(folder: Path, amounts: Amounts) -> Numbers:
    """Procrastinate, scheduled jobs on PostgreSQL, two workers of fifty at a time."""
    servers.needs("procrastinate")
    from procrastinate import SyncPsycopgConnector  # noqa: PLC0415 - only where it is installed

    from benchmarks.peers.on_procrastinate import application  # noqa: PLC0415 - likewise

    people = fill(folder, amounts.storm)
    with stub.running() as there, servers.postgresql() as database:
        worker = servers.module("benchmarks.peers.on_procrastinate", folder, there.url, database)
        with application(SyncPsycopgConnector(conninfo=database)).open() as opened:
            opened.schema_manager.apply_schema()
            with servers.processes([worker, worker]):
                servers.wait(lambda: _workers(database) == 2, "procrastinate")
                zero = time() + LEAD + len(people) / TAKEN_IN
                due = opened.configure_task("remind", schedule_at=datetime.fromtimestamp(zero, UTC))
                due.batch_defer(*({"who": who} for who in people))
                return _result(there, zero, people)


def _workers(database: str) -> int:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM procrastinate_workers").fetchone()
    return int(row[0]) if row else 0


def _result(there: stub.Stub, zero: float, people: list[str]) -> Numbers:
    there.until(len(people), zero - time() + LEAST + EACH * len(people))
    due: Mapping[str, float] = {f"{who.lower()}@example.com": 0.0 for who in people}
    return lateness(there.arrived(), zero, due)


RIVALS: dict[str, Callable[[Path, Amounts], Numbers]] = {
    one.__name__: one for one in (apscheduler_memory, apscheduler_sqlite, celery_redis, procrastinate_postgres)
}
