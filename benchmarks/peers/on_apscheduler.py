"""APScheduler with a job a reminder: ``python -m benchmarks.peers.on_apscheduler FOLDER URL COUNT STORE``."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from benchmarks.meeting import chosen, ready
from benchmarks.peers.desk import AT_ONCE, Desk
from benchmarks.population import customer_id

_desk: list[Desk] = []


def remind(who: str) -> None:
    """The job, by a name that a job store can keep."""
    _desk[0].remind(who)


def main(folder: Path, url: str, count: int, store: str) -> None:
    """Add the jobs, and run them when it is time; with the misfire grace taken off, so that none is dropped."""
    _desk[:] = [Desk(folder, url)]
    kept = folder / "var/jobs.db"
    if store == "sqlite":
        with closing(sqlite3.connect(kept)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    scheduler = BackgroundScheduler(
        jobstores={"default": SQLAlchemyJobStore(f"sqlite:///{kept}") if store == "sqlite" else MemoryJobStore()},
        executors={"default": ThreadPoolExecutor(AT_ONCE)},
        timezone=UTC,
        job_defaults={"misfire_grace_time": None},
    )
    scheduler.start(paused=True)
    ready(folder)
    at = datetime.fromtimestamp(chosen(folder), UTC)
    for number in range(count):
        who = customer_id(number, "S")
        scheduler.add_job(remind, "date", run_date=at, args=[who], id=who)
    scheduler.resume()
    Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4])
