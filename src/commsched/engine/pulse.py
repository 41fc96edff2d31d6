"""Whether the engine lives: for who asks this process, and, in the store, for ``doctor``, which is another.

Written down are when `run` and `tick` were last at work, whether they were told to end, and the last failure of each
plugin; no more often than every :data:`SELDOM` seconds, so that it costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import current_thread, main_thread
from time import monotonic

from sqlalchemy import Connection

from commsched.engine.clock import Clock
from commsched.signals import Failed, Signal
from commsched.store import queries
from commsched.store.store import Store

SELDOM = 30.0
# A main loop that has not turned for so long hangs: a pass ends with its lease, and a long import turns with each fact.
HANGS = 300.0
# Settings that say when `run` was last at work, when `tick` was, and how each plugin failed last. Each has one of its
# own, so that none hides that another is missing; a worker has none, for the queue knows who works.
RUN, TICK, FAILED = "engine", "engine:tick", "failed:"


@dataclass(frozen=True, slots=True)
class Crew:
    """Batches that wait for a worker, those whose worker has not been heard of for long, and the workers alive."""

    waiting: int
    stuck: int
    workers: int


@dataclass(frozen=True, slots=True)
class Seen:
    """When an engine was last at work, and whether it ended because it was told to."""

    at: datetime
    ended: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """How a plugin failed last."""

    kind: str
    plugin: str
    at: datetime
    error: str


class Pulse:
    """The pulse of one engine; ``seconds`` is a clock that only runs forward.

    ``name`` is the setting that it is written to: :data:`RUN`, :data:`TICK`, or ``None`` for a worker.
    """

    def __init__(
        self, store: Store, clock: Clock, name: str | None = RUN, seconds: Callable[[], float] = monotonic
    ) -> None:
        self.store, self.clock, self.name, self.seconds = store, clock, name, seconds
        self.last: float | None = None
        self._turned_at = 0.0
        self._shown = float("-inf")
        self._failures: dict[tuple[str, str], Failure] = {}

    @property
    def began(self) -> bool:
        """Whether the main loop has turned at all."""
        return self.last is not None

    @property
    def lives(self) -> bool:
        """Whether the main loop turned lately; it is not asked to before it has begun."""
        return self.last is None or self.seconds() - self.last < HANGS

    def turned_at(self) -> float:
        """When it turned last, in Unix time; 0 before it has begun."""
        return self._turned_at

    def turn(self) -> None:
        """The main loop begins a turn. Raises :class:`commsched.errors.StoreError`."""
        self._beat()
        if self.seconds() - self._shown >= SELDOM:
            self._show(ended=False)

    def end(self) -> None:
        """The engine was told to stop. Raises :class:`commsched.errors.StoreError`."""
        self._show(ended=True)

    def hear(self, signal: Signal) -> None:
        """All that happens in the main thread shows that it lives, as each fact of an import; failures are kept."""
        self._beat()
        if isinstance(signal, Failed):
            failure = Failure(signal.kind, signal.plugin, self.clock.now(), signal.error)
            self._failures[signal.kind, signal.plugin] = failure

    def _beat(self) -> None:
        if current_thread() is main_thread():
            self.last, self._turned_at = self.seconds(), self.clock.now().timestamp()

    def _show(self, *, ended: bool) -> None:
        self._shown, failures = self.seconds(), list(self._failures.values())
        if self.name is None and not failures:
            return
        with self.store.write() as connection:
            if self.name is not None:
                value = json.dumps({"at": self.clock.now().isoformat(), "ended": ended})
                queries.put_setting(connection, self.name, value)
            for one in failures:
                value = json.dumps({"at": one.at.isoformat(), "error": one.error})
                queries.put_setting(connection, f"{FAILED}{one.kind}:{one.plugin}", value)
        for one in failures:
            if self._failures.get((one.kind, one.plugin)) is one:
                del self._failures[one.kind, one.plugin]


def seen(connection: Connection, name: str = RUN) -> Seen | None:
    """When `run`, or `tick`, was last at work on this store, if ever."""
    value = queries.setting(connection, name)
    if value is None:
        return None
    told = json.loads(value)
    return Seen(datetime.fromisoformat(told["at"]), told["ended"])


def failures(connection: Connection, since: datetime) -> list[Failure]:
    """The plugins that failed since then, by kind and name."""
    found = []
    for name, value in sorted(queries.settings(connection, FAILED).items()):
        kind, _, plugin = name.partition(":")
        told = json.loads(value)
        found.append(Failure(kind, plugin, datetime.fromisoformat(told["at"]), told["error"]))
    return [one for one in found if one.at >= since]
