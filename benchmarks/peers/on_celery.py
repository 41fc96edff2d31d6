"""The task of the Celery peer, for ``celery -A benchmarks.peers.on_celery``; the environment says where all is."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from celery import Celery
from celery.signals import worker_init

from benchmarks.peers.desk import Desk

app = Celery("peer", broker=os.environ.get("BENCH_BROKER", ""))
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)


@cache
def desk() -> Desk:
    """This process's desk."""
    return Desk(Path(os.environ["BENCH_FOLDER"]), os.environ["BENCH_URL"])


@worker_init.connect
def ready(**_: object) -> None:
    """Load everything before it is needed."""
    desk()


@app.task
def remind(who: str) -> None:
    """The job."""
    desk().remind(who)
