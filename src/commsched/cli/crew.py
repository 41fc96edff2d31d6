"""Several workers under one command: processes that are begun anew when they die, and stop when the command does."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Sequence
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Thread
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING

import structlog

from commsched.app import App
from commsched.cli.service import engine_of, log_to_stderr, watched, work

if TYPE_CHECKING:  # as in `service`
    from commsched.web.vitals import Address

log = structlog.get_logger("commsched.worker")
# What a worker has for its batch when it is told to stop, and a little for the end of the process.
STOP_SECONDS = 35.0
# A process that dies is begun anew, at once at first; one that dies again and again, at most this often.
LONGEST_PAUSE = 30.0
WELL_AFTER = 60.0


def member(folder: Path, verbose: int, metrics: Address | None = None) -> None:
    """One worker, in this process."""
    log_to_stderr(verbose)
    app = App(folder)
    engine = engine_of(app, app.loop())
    with watched(app, engine, metrics):
        work(app, engine)


def crew(folder: Path, verbose: int, size: int, metrics: Address | None = None) -> None:
    """So many workers, until this process is told to stop; their metrics are served on consecutive ports."""
    addresses = [metrics.seat(number) if metrics is not None else None for number in range(size)]
    if metrics is not None:
        from commsched.web.vitals import free

        for address in filter(None, addresses):
            free(address)
    _Crew(folder, verbose, addresses).run()


class _Crew:
    def __init__(self, folder: Path, verbose: int, addresses: Sequence[Address | None]) -> None:
        self.folder, self.verbose = folder, verbose
        self.seats = [_Seat(address) for address in addresses]
        self.stopping = False

    def run(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        while not self.stopping:
            for seat in self.seats:
                seat.fill(self.folder, self.verbose)
            wait([seat.process.sentinel for seat in self.seats if seat.process], timeout=1.0)
        _end([seat.process for seat in self.seats if seat.process])

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True


class _Seat:
    """A place for a worker."""

    def __init__(self, metrics: Address | None) -> None:
        self.metrics = metrics
        self.process: SpawnProcess | None = None
        self.begun = self.not_before = 0.0
        self.pause = 0.0

    def fill(self, folder: Path, verbose: int) -> None:
        """See to it that somebody works here, though not at once again if the last ones died."""
        if self.process is not None and not self.process.is_alive():
            code, self.process = self.process.exitcode, None
            lasted = monotonic() - self.begun
            self.pause = 0.0 if lasted > WELL_AFTER else min(LONGEST_PAUSE, 2 * self.pause + 1.0)
            self.not_before = monotonic() + self.pause
            log.error("worker_died", code=code, again_in_seconds=self.pause)
        if self.process is None and monotonic() >= self.not_before:
            self.begun = monotonic()
            context = multiprocessing.get_context("spawn")
            self.process = context.Process(target=_begin, args=(folder, verbose, self.metrics), name="commsched-worker")
            self.process.start()


def _end(processes: Sequence[SpawnProcess]) -> None:
    """Tell them to stop, and end those who do not in time."""
    for process in processes:
        process.terminate()
    until = monotonic() + STOP_SECONDS
    for process in processes:
        process.join(max(0.0, until - monotonic()))
        if process.is_alive():
            process.kill()
            process.join()


def _begin(folder: Path, verbose: int, metrics: Address | None) -> None:
    """What a worker's process does; it stops when the command is gone that began it, however that ended."""
    Thread(target=_leave_with_parent, daemon=True).start()
    member(folder, verbose, metrics)


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
