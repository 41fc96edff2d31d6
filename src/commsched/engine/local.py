"""The local engine: APScheduler wakes the loop when the next customer is due, and runs the few periodic jobs.

There is never a job for a message: the queue is the wake table, which survives anything.
"""

from __future__ import annotations

import fcntl
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

import structlog
from apscheduler.executors.debug import DebugExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger

from commsched.engine.clock import Clock
from commsched.engine.flight import SETTLE
from commsched.engine.loop import Loop
from commsched.engine.pulse import RUN, Pulse
from commsched.engine.report import Report
from commsched.errors import StoreError
from commsched.store import queries
from commsched.store.store import Store, instant, micros

log = structlog.get_logger("commsched.engine")
# Facts may come in from another process at any time, so the queue is looked at this often even if nothing is due.
POLL = timedelta(seconds=1)
# After a change of rules everybody is looked at: so often more are woken, and no more than so many wait.
SWEEP = timedelta(seconds=1)
SWEEP_BATCH = 2000
PULL = timedelta(seconds=10)
SYNC = timedelta(seconds=60)
# How often free times and the waiting list are brought together.
WAIT = timedelta(seconds=30)
FEEDBACK = timedelta(seconds=30)
# How often channels are asked what came in.
LISTEN = timedelta(minutes=2)
# So long calls that are under way are waited for when the service is told to stop; no other begins.
STOP_SECONDS = 25.0
# How often facts that are too old are looked for.
RETAIN = timedelta(hours=1)
AFTER_ERROR = timedelta(seconds=5)
LEAST_PAUSE = timedelta(milliseconds=1)
# Who is due is looked for at most this often, while nobody is.
LEAST_LOOK = timedelta(milliseconds=20)


@contextmanager
def presence(store: Store, folder: Path, now: datetime, lease: timedelta) -> Iterator[bool]:
    """Show that a worker is here. Who finds itself alone takes back the leases of workers that died.

    Only on SQLite, where all workers share one machine; elsewhere leases simply run out.
    """
    if not store.sqlite:
        yield False
        return
    path = folder / "var" / "engine.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        alone = _locked(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        if alone:
            with store.write() as connection:
                queries.release(connection, micros(now), micros(now + lease) - micros(now))
        fcntl.flock(file, fcntl.LOCK_SH)
        yield alone


def _locked(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        return False
    return True


class _AfterPause(BaseTrigger):  # type: ignore[misc]
    """Fires again a pause after the last run has ended; that run says how long.

    A job that puts itself back instead would be lost: the scheduler removes what has no next time after it has run.
    """

    def __init__(self) -> None:
        self.pause = LEAST_PAUSE

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """When it fires next: at first, at once."""
        return now if previous_fire_time is None else datetime.now(UTC) + max(self.pause, LEAST_PAUSE)


@dataclass(frozen=True, slots=True)
class Round:
    """What an engine does again and again beside its batches; ``at_once``: for the first time when it begins."""

    name: str
    every: timedelta
    do: Callable[[datetime], object]
    at_once: bool = False


def rounds(
    loop: Loop,
    pull: Callable[[datetime], object],
    sync: Callable[[datetime], object],
    feedback: Callable[[datetime], object],
    listen: Callable[[datetime], object],
    retain: Callable[[datetime], object],
) -> tuple[Round, ...]:
    """The rounds of the service: sources, calendars, the waiting list, channels, what is too old, a changed world."""
    return (
        Round("sweep", SWEEP, lambda now: loop.sweep(now, SWEEP_BATCH)),
        Round("pull", PULL, pull, at_once=True),
        Round("sync", SYNC, sync, at_once=True),
        Round("wait", WAIT, loop.wait),
        Round("feedback", FEEDBACK, feedback),
        Round("listen", LISTEN, listen, at_once=True),
        Round("retain", RETAIN, retain),
    )


def _places(error: Exception) -> list[str]:
    """Where it happened; what an error says may name somebody."""
    return [f"{Path(one.filename).name}:{one.lineno}" for one in traceback.extract_tb(error.__traceback__)[-5:]]


class LocalEngine:
    """Runs the loop until told to stop; planning stays in the main thread, where a hanging policy can be stopped."""

    def __init__(
        self, loop: Loop, clock: Clock, report: Callable[[Report], None], rounds: Sequence[Round] = ()
    ) -> None:
        self.loop, self.clock, self.report, self.rounds = loop, clock, report, rounds
        # Whoever goes no rounds is a worker beside `run`, and must not pass for it.
        self.pulse = Pulse(loop.store, clock, RUN if rounds else None)
        self.again = _AfterPause()
        self.scheduler = BlockingScheduler(
            timezone=UTC,
            executors={"default": DebugExecutor()},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def run(self) -> None:
        """Work until SIGINT or SIGTERM."""
        self.scheduler.add_job(self._wake, self.again, id="wake")
        for one in self.rounds:
            first = {"next_run_time": datetime.now(UTC)} if one.at_once else {}
            seconds = one.every.total_seconds()
            self.scheduler.add_job(self._go_round, "interval", [one], seconds=seconds, id=one.name, **first)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        try:
            self.scheduler.start()
        except JobLookupError:
            # Told to stop while a job was running, the scheduler misses the job that it was about to put back.
            if self.scheduler.running:
                raise
        try:
            self._tell(self.loop.end())
            self.loop.hear_late(self.clock.now())
        except StoreError as error:
            log.error("store_failed", error=str(error))

    def _wake(self) -> None:
        try:
            self.pulse.turn()
            self.again.pause = self._work(self.clock.now())
        except StoreError as error:
            log.error("store_failed", error=str(error))
            self.again.pause = AFTER_ERROR
        except Exception as error:  # noqa: BLE001 - a defect must not end the service: it goes on, and says so each time
            log.error("pass_failed", error=type(error).__name__, at=_places(error))
            self.again.pause = AFTER_ERROR

    def _work(self, now: datetime) -> timedelta:
        """One batch is begun, so that each goes by the clock as it is; says how long to wait for the next."""
        report = self.loop.step(now)
        self._tell(report)
        if report.planned:
            return timedelta()
        with self.loop.store.read() as connection:
            due = queries.next_due(connection)
        pause = max(LEAST_LOOK, min(POLL, instant(due) - now)) if due is not None else POLL
        return timedelta() if self.loop.wait_for_answers(min(SETTLE, pause.total_seconds())) else pause

    def _tell(self, report: Report) -> None:
        if report != Report():
            self.report(report)

    def _go_round(self, one: Round) -> None:
        try:
            one.do(self.clock.now())
        except StoreError as error:
            log.error("store_failed", round=one.name, error=str(error))
        except Exception as error:  # noqa: BLE001 - as above
            log.error("round_failed", round=one.name, error=type(error).__name__, at=_places(error))

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.loop.sender.ending.ask(STOP_SECONDS)
        # A second signal finds it told already: Ctrl-C reaches a whole group, and whoever began them signals them, too.
        if self.scheduler.running:
            self.scheduler.shutdown(wait=False)
