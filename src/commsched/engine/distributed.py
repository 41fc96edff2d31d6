"""The distributed engine: workers anywhere work on batches that any of them has claimed.

Two threads: Procrastinate's worker and the sweep share one, and batches are planned in the main one, where a policy
that hangs can be stopped. A batch is handed over from the first to the second, which says when it is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

import structlog
from procrastinate import App

from commsched.engine import jobs
from commsched.engine.clock import Clock
from commsched.engine.flight import SETTLE
from commsched.engine.local import POLL, LocalEngine, Round
from commsched.engine.loop import Loop
from commsched.engine.report import Report
from commsched.errors import StoreError
from commsched.store import queries
from commsched.store.store import instant, micros

log = structlog.get_logger("commsched.engine")
# Between two sweeps, at least; while batches wait for workers, this long.
LEAST_PAUSE = timedelta(milliseconds=50)
RESCUE = timedelta(seconds=10)
AFTER_ERROR = timedelta(seconds=2)
# While calls are under way, the next batch is waited for so long before their answers are looked at.
GLANCE = timedelta(milliseconds=50)
# How long the thread of the queue has to end, once no batch is being worked on any more.
THREAD_SECONDS = 5.0
Handed = tuple[dict[str, int], Future[None]]


class DistributedEngine(LocalEngine):
    """As the local engine, but batches come from the queue that all workers share."""

    def __init__(
        self, loop: Loop, clock: Clock, report: Callable[[Report], None], rounds: Sequence[Round] = ()
    ) -> None:
        super().__init__(loop, clock, report, rounds)
        self._inbox: SimpleQueue[Handed] = SimpleQueue()
        self._thread = Thread(target=lambda: asyncio.run(self._serve()), name="batches", daemon=True)
        self._stopping = asyncio.Event()
        self._theirs: asyncio.AbstractEventLoop | None = None

    def run(self) -> None:
        """Work until SIGINT or SIGTERM; what was handed over and not begun is given back."""
        self._thread.start()
        try:
            super().run()
        finally:
            self._end()

    def _end(self) -> None:
        """Tell the other thread, and wait for it while there is time; it ends with the process at the latest."""
        until = monotonic() + THREAD_SECONDS
        while self._thread.is_alive() and monotonic() < until:
            if self._theirs is not None:
                with suppress(RuntimeError):  # it has ended just now
                    self._theirs.call_soon_threadsafe(self._stopping.set)
            self._give_back()
            self._thread.join(0.1)

    def _work(self, now: datetime) -> timedelta:
        """One batch is begun, if there is one within a moment."""
        self._tell(self.loop.hear(now))
        if self.loop.full:
            self.loop.wait_for_answers(SETTLE)
            return timedelta()
        try:
            customers, done = self._inbox.get(timeout=(GLANCE if self.loop.flights else POLL).total_seconds())
        except Empty:
            return timedelta()
        try:
            self._tell(self.loop.take(self.clock.now(), customers))
        finally:
            # However it ended: the job is over, and what could not be done comes back with its lease.
            _settle(done)
        return timedelta()

    def _give_back(self) -> None:
        with suppress(Empty):
            customers, done = self._inbox.get_nowait()
            try:
                with self.loop.store.write() as connection:
                    queries.give_back(connection, customers, micros(self.clock.now()))
            except StoreError as error:
                log.error("store_failed", error=str(error))
            finally:
                _settle(done)

    async def _hand_over(self, customers: dict[str, int]) -> None:
        done: Future[None] = Future()
        self._inbox.put((customers, done))
        await asyncio.wrap_future(done)

    async def _serve(self) -> None:
        self._theirs = asyncio.get_running_loop()
        stopping = asyncio.ensure_future(self._until_told())
        while not self._stopping.is_set():
            try:
                await self._at_work(stopping)
            except Exception as error:  # noqa: BLE001 - the database may be away for any reason; it is tried again
                log.error("queue_failed", error=type(error).__name__)
            await asyncio.wait([stopping], timeout=AFTER_ERROR.total_seconds())

    async def _until_told(self) -> None:
        await self._stopping.wait()

    async def _at_work(self, stopping: asyncio.Task[None]) -> None:
        """Until told to stop, or until the queue cannot be reached."""
        async with jobs.working(self.loop.store, self._hand_over).open_async() as application:
            tasks = [
                asyncio.ensure_future(jobs.work_off(application)),
                asyncio.ensure_future(self._sweep_on()),
                asyncio.ensure_future(self._rescue_on(application)),
            ]
            ended, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for task in ended - {stopping}:
                task.result()

    async def _sweep_on(self) -> None:
        while True:
            now = self.clock.now()
            try:
                swept = await asyncio.to_thread(jobs.sweep, self.loop.store, now, self.loop.lease, self.loop.rates)
                pause = _pause(swept, now)
            except StoreError as error:
                log.error("sweep_failed", error=str(error))
                pause = AFTER_ERROR
            await asyncio.sleep(pause.total_seconds())

    async def _rescue_on(self, application: App) -> None:
        while True:
            await asyncio.sleep(RESCUE.total_seconds())
            found = await jobs.rescue(application)
            if found:
                log.warning("jobs_rescued", count=found)


def _settle(done: Future[None]) -> None:
    """Say that a batch is over, unless nobody waits for that any more."""
    if not done.cancelled():
        with suppress(InvalidStateError):  # cancelled between the two
            done.set_result(None)


def _pause(swept: jobs.Swept, now: datetime) -> timedelta:
    if swept.full:
        return LEAST_PAUSE
    return max(LEAST_PAUSE, min(POLL, instant(swept.next_due) - now)) if swept.next_due is not None else POLL
