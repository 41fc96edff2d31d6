"""What the store knows, for Prometheus: read when it asks, at a price that is bounded.

A reading runs in a thread of its own and is waited for a moment only, so that a store that hangs, or a long count,
costs some numbers and not the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock, Thread
from time import monotonic
from typing import Generic, TypeVar, get_args

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from commsched.engine import meters as m
from commsched.engine.clock import Clock
from commsched.engine.pulse import Crew
from commsched.engine.sources import heard
from commsched.model.decisions import MessageState
from commsched.store import queries
from commsched.store.store import Store, instant, micros

# What indexes answer is read no more often than this, and what walks through a table than that: in seconds.
QUICK, BULK = 5.0, 60.0
# Reading takes no more than this part of the time.
SHARE = 0.005
# So many seconds a reading is waited for; Prometheus waits for ten.
PATIENCE = 2.0
Sample = tuple[m.Meter, tuple[str, ...], float]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Watched:
    """A deployment, as far as its numbers go. ``crew``: how its queue of batches stands, where there is one.

    ``tasks_due`` is by department, ``fresh`` by source: how long a task, or the source's next word, may take.
    """

    store: Store
    clock: Clock
    channels: Sequence[str]
    tasks_due: Mapping[str, timedelta]
    fresh: Mapping[str, timedelta]
    crew: Callable[[Connection], Crew | None] = lambda _: None


@dataclass
class Reading(Generic[T]):
    """Something that is read again and again, in the background, though never often; it keeps what it read last.

    ``least``: so many seconds lie between two readings at least.
    """

    read: Callable[[], list[T]]
    least: float
    found: list[T] = field(default_factory=list)
    failed: Exception | None = None
    read_at: float | None = None
    _next: float = 0.0
    _thread: Thread | None = None
    _lock: Lock = field(default_factory=Lock)

    def latest(self) -> bool:
        """Read anew if it is time; whether there is something that counts, and no reading hangs."""
        with self._lock:
            if self._thread is None and monotonic() >= self._next:
                self._thread = Thread(target=self._run, name="reading", daemon=True)
                self._thread.start()
            thread = self._thread
        if thread is not None:
            thread.join(PATIENCE)
        return self._thread is None and self.failed is None

    def _run(self) -> None:
        began = monotonic()
        try:
            self.found, self.failed = self.read(), None
            self.read_at = monotonic()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the store, its numbers are not there
            self.found, self.failed = [], error
        ended = monotonic()
        self._next = ended + max(self.least, (ended - began) / SHARE)
        self._thread = None


class Gauges(Collector):
    """The numbers that any process shows for all."""

    def __init__(self, watched: Watched) -> None:
        self.quick = Reading(lambda: list(_quick(watched)), QUICK)
        self.bulk = Reading(lambda: list(_bulk(watched)), BULK)

    def describe(self) -> list[GaugeMetricFamily]:
        """The families, without reading."""
        return list(_families().values())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The families with what was read."""
        up = self.quick.latest()
        samples: list[Sample] = [(m.STORE_UP, (), float(up)), *(self.quick.found if up else [])]
        if up:
            self.bulk.latest()
            samples += self.bulk.found
        for name, one in (("quick", self.quick), ("bulk", self.bulk)):
            if one.read_at is not None:
                samples.append((m.READ_AGE, (name,), monotonic() - one.read_at))
        families = _families()
        for meter, labels, value in samples:
            families[meter.name].add_metric(labels, value)
        yield from families.values()


def _families() -> dict[str, GaugeMetricFamily]:
    return {one.name: GaugeMetricFamily(one.name, one.means, labels=one.labels) for one in m.METERS if one.stands}


def _quick(watched: Watched) -> Iterator[Sample]:
    now = watched.clock.now()
    with watched.store.read() as connection:
        due, first = queries.due_now(connection, micros(now))
        yield m.CUSTOMERS_DUE, (), due
        yield m.OLDEST_DUE, (), (now - instant(first)).total_seconds() if first is not None else 0
        for (state, channel), (count, oldest) in queries.under_way(connection).items():
            yield m.UNDER_WAY, (state, channel), count
            yield m.OLDEST_OPEN, (state, channel), (now - instant(oldest)).total_seconds()
        closed = {row.channel for row in queries.outages(connection)}
        for channel in watched.channels:
            yield m.CHANNEL_CLOSED, (channel,), float(channel in closed)
        for row in queries.breakers(connection):
            if instant(row.until) > now:
                yield m.POLICY_OPEN, (row.policy,), 1
        for row in queries.pauses(connection):
            yield m.PAUSED, (row.scope,), 1
        before = {name: micros(now - within) for name, within in watched.tasks_due.items()}
        for department, (there, overdue) in queries.open_tasks(connection, before).items():
            yield m.TASKS, (department,), there
            yield m.TASKS_OVERDUE, (department,), overdue
        for source, limit in watched.fresh.items():
            last = heard(connection, source)
            yield m.SOURCE_FRESH, (source,), limit.total_seconds()
            if last is not None:
                yield m.SOURCE_AGE, (source,), (now - last).total_seconds()
        yield from _crew(watched.crew(connection))


def _crew(crew: Crew | None) -> Iterator[Sample]:
    if crew is not None:
        yield m.JOBS, (), crew.waiting
        yield m.JOBS_STUCK, (), crew.stuck
        yield m.WORKERS, (), crew.workers


def _bulk(watched: Watched) -> Iterator[Sample]:
    with watched.store.read() as connection:
        customers, states = queries.bulk(connection)
    yield m.CUSTOMERS, (), customers
    for state in get_args(MessageState):
        yield m.MESSAGES, (state,), states.get(state, 0)
