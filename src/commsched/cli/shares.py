"""A simulation in several processes: customers who share nothing are simulated apart, with the same result.

First everybody is simulated in shares, with places for all. Where some rule had not enough of them in a day, all to
whom it wrote are simulated again, together and with its places. How many processes there are makes no difference to it.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import NamedTuple

import msgspec

from commsched.cli.session import Session
from commsched.cli.virtual import Results, Virtual, days, decoded, in_order
from commsched.engine.apart import Circles, crowded, must_stay_whole, rivals
from commsched.engine.virtual import KnownFact
from commsched.errors import CommschedError, PartFailed
from commsched.store.ledgers import decode
from commsched.store.store import Store

# With fewer facts, another process is not worth its start: some hundred customers.
WORTH_SHARING = 2_000
Progress = Callable[[float, datetime], None]


@dataclass(frozen=True, slots=True)
class Task:
    """What one process simulates; ``facts`` are subjects and encoded facts, ``scratch`` is a folder of its own."""

    folder: Path
    scratch: Path
    span: tuple[datetime, datetime]
    paced: bool
    facts: list[tuple[str, bytes]]


class Outcome(NamedTuple):
    """What came of it: stored messages and tasks, and whether a policy failed."""

    messages: list[bytes]
    tasks: list[bytes]
    has_failed: bool


@dataclass(frozen=True, slots=True)
class Simulation:
    """A simulation of a deployment (``virtual``, whose clock stands at its start) until ``end``."""

    virtual: Virtual
    scratch: Path
    end: datetime
    jobs: int
    progress: Progress
    least: int = WORTH_SHARING

    def run(self, facts: Sequence[KnownFact]) -> Results:
        """All messages and tasks."""
        app = self.virtual.app
        if len(facts) < self.least or must_stay_whole(app.rules, app.configuration.rates, facts):
            return self._whole(facts)
        circles = Circles(facts)
        parts = [*self._apart(circles.shares(facts, self.jobs), paced=False)]
        if any(part.has_failed for part in parts):
            return self._whole(facts)
        found = decoded([m for part in parts for m in part.messages], [t for part in parts for t in part.tasks])
        return self._together(found, facts, circles)

    def _together(self, found: Results, facts: Sequence[KnownFact], circles: Circles) -> Results:
        """Simulate again, together, all to whom a rule wrote that had no more places; until no other rule has none."""
        app = self.virtual.app
        known: set[str] = set()
        groups: set[str] = set()
        while new := crowded(found[0], app.rules, app.configuration.deployment.zone) - known:
            known |= new
            groups |= {circles.of(f"c:{customer}") for customer in rivals(found[0], known)}
            (part,) = self._apart([[one for one in facts if circles.of(one[0]) in groups]], paced=True)
            if part.has_failed:
                return self._whole(facts)
            messages, tasks = decoded(part.messages, part.tasks)
            messages += [one for one in found[0] if circles.of(f"c:{one.customer}") not in groups]
            tasks += [one for one in found[1] if circles.of(f"c:{one.customer}") not in groups]
            found = in_order(messages, tasks)
        return found

    def _whole(self, facts: Sequence[KnownFact]) -> Results:
        start = self.virtual.clock.now()
        self.virtual.run(facts, self.end, lambda now: self.progress(days(start, now), now))
        return self.virtual.results()

    def _apart(self, shares: Sequence[Sequence[KnownFact]], *, paced: bool) -> list[Outcome]:
        encode = msgspec.json.Encoder().encode
        span = (self.virtual.clock.now(), self.end)
        tasks = []
        for share in shares:
            scratch = self.scratch / f"{'paced' if paced else 'part'}-{len(list(self.scratch.iterdir()))}"
            scratch.mkdir()
            encoded = [(subject, encode(fact)) for subject, fact in share]
            tasks.append(Task(self.virtual.app.folder, scratch, span, paced, encoded))
        if self.jobs == 1 or len(tasks) == 1:
            return [simulated(task, self.progress) for task in tasks]
        return _Pool(tasks, self.progress).run()


def simulated(task: Task, progress: Progress) -> Outcome:
    """Simulate one share in this process."""
    start, end = task.span
    store = Store("sqlite:///scratch.db", folder=task.scratch, scratch=True)
    virtual = Virtual(task.folder, start, store, record=True, paced=task.paced)
    bodies = decode([body for _, body in task.facts])
    facts = [(subject, fact) for (subject, _), fact in zip(task.facts, bodies, strict=True)]
    virtual.run(facts, end, lambda now: progress(days(start, now), now))
    found = Outcome(*virtual.rows(), virtual.has_failed)
    store.close()
    return found


@dataclass(slots=True)
class _Pool:
    """One process a share, all of them ended when one fails or this one is stopped."""

    tasks: Sequence[Task]
    progress: Progress
    ends: list[Connection] = field(default_factory=list)
    processes: list[SpawnProcess] = field(default_factory=list)

    def run(self) -> list[Outcome]:
        """The outcomes, in the order of the tasks."""
        try:
            self._start()
            return self._outcomes()
        finally:
            for process in self.processes:
                process.terminate()
            for process in self.processes:
                process.join()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        for task in self.tasks:
            here, there = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(task, there), name="commsched-share", daemon=True)
            process.start()
            self.processes.append(process)
            self.ends.append(here)
            there.close()

    def _outcomes(self) -> list[Outcome]:
        found: dict[int, Outcome] = {}
        reached = [0.0] * len(self.tasks)
        while len(found) < len(self.tasks):
            for end in wait([end for number, end in enumerate(self.ends) if number not in found]):
                number = self.ends.index(end)  # type: ignore[arg-type]
                said = self._hear(number)
                if isinstance(said, Outcome):
                    found[number] = said
                else:
                    reached[number] = days(self.tasks[number].span[0], said)
                    self.progress(sum(reached) / len(reached), said)
        return [found[number] for number in range(len(self.tasks))]

    def _hear(self, number: int) -> Outcome | datetime:
        try:
            said: Outcome | datetime | str = self.ends[number].recv()
        except EOFError:
            self.processes[number].join()
            detail = f"The process was ended from outside (exit code {self.processes[number].exitcode})."
            raise PartFailed(detail) from None
        if isinstance(said, str):
            raise PartFailed(said)
        return said


def _work(task: Task, end: Connection) -> None:
    """What a process does. Whoever stops the command stops its parent, which ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Session(task.folder).quiet_logs()
    try:
        end.send(simulated(task, _Daily(end)))
    except BrokenPipeError:
        return  # nobody waits for it any more
    except CommschedError as error:
        end.send(str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, the command ends with a sentence
        end.send(f"{type(error).__name__}: {error}")


class _Daily:
    """Tells the parent of each day that has passed."""

    def __init__(self, end: Connection) -> None:
        self.end, self.told = end, -1

    def __call__(self, passed: float, now: datetime) -> None:
        if int(passed) > self.told:
            self.told = int(passed)
            self.end.send(now)
