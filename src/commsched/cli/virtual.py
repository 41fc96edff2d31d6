"""Virtual time for ``simulate`` and ``demo``: a store of its own, and a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from commsched import Accepted, Capabilities, Channel, Outcome, Outgoing, Receipt, Settings
from commsched.app import App
from commsched.engine.apart import without_paces
from commsched.engine.channels import medium_of
from commsched.engine.clock import SetClock
from commsched.engine.report import Report
from commsched.engine.virtual import Counter, KnownFact, run_virtual
from commsched.plugin.channel import Attempt
from commsched.store import queries
from commsched.store.intake import Origin, Reject, read
from commsched.store.keys import ensure_link_keys
from commsched.store.ledgers import append
from commsched.store.messages import MessageRecord, TaskRecord, load_record, load_task
from commsched.store.store import Store

BATCH = 500
Results = tuple[list[MessageRecord], list[TaskRecord]]


class RecordingSettings(Settings):
    """The medium that it stands for."""

    medium: str


class Recording(Channel[RecordingSettings]):
    """Takes every message and sends none; the store remembers them."""

    kind = "recording"
    capabilities = Capabilities(lookup="proof", batch=BATCH)

    async def send(self, message: Outgoing) -> Accepted:
        """Take a message."""
        return Accepted(message.attempt)

    async def send_batch(self, messages: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Take many."""
        return [Accepted(message.attempt) for message in messages]

    async def lookup(self, attempt: Attempt) -> Receipt | None:
        """Every attempt was taken."""
        return Receipt(attempt.id, "accepted", attempt.id)


class Virtual:
    """A deployment in virtual time, live from ``start``; with ``record``, nothing leaves it.

    If it is not ``paced``, its rules have places for everybody.
    """

    def __init__(self, folder: Path, start: datetime, store: Store, *, record: bool, paced: bool = True) -> None:
        self.clock = SetClock(start)
        self.app = App(folder, clock=self.clock, store=store)
        settings = self.app.configuration.deployment
        # Live from the start of the simulation, whatever the deployment itself says.
        self.app.configuration = self.app.configuration.model_copy(
            update={"deployment": settings.model_copy(update={"live_from": None})}
        )
        if not paced:
            self.app.rules = without_paces(self.app.rules)
        if record:
            self.app.channels = {
                name: Recording(RecordingSettings(medium=medium_of(channel)), name=name)
                for name, channel in self.app.channels.items()
            }
            # Nobody follows a link of a message that nobody got, so its key may be known, and texts repeat to the byte.
            ensure_link_keys(self.app.store, "the same in every simulation")
        # Nothing is read in virtual time, so that no source is ever heard of, and none is stale.
        self.app.remember_rules()

    def facts(self, paths: Iterable[Path]) -> tuple[list[KnownFact], list[Reject]]:
        """The facts of files, and the lines that are none."""
        facts: list[KnownFact] = []
        rejects: list[Reject] = []
        for path in paths:
            origin = Origin(path.name, self.clock.now(), recorded_at_is_at=True)
            for batch in read(path, self.app.checker, origin):
                facts += batch.facts
                rejects += batch.rejects
        return facts, rejects

    def run(self, facts: Sequence[KnownFact], end: datetime, progress: Callable[[datetime], None]) -> Report:
        """Run to the end; what is known by the start is known at once, the rest when it was learnt."""
        start = self.clock.now()
        with self.app.store.write() as connection:
            append(connection, [one for one in facts if _learnt(one) <= start], start)
        # Plugins that watch are not told: nothing of this happens.
        loop = replace(self.app.loop(Counter()), tell=lambda *_, **__: None)
        return run_virtual(loop, self.clock, [one for one in facts if _learnt(one) > start], end, progress)

    def results(self) -> Results:
        """Every message and every task of the store."""
        return decoded(*self.rows())

    def rows(self) -> tuple[list[bytes], list[bytes]]:
        """The same, as they are stored."""
        with self.app.store.read() as connection:
            messages = [row.body for row in queries.all_messages(connection)]
            return messages, [row.body for row in queries.tasks(connection)]

    @property
    def has_failed(self) -> bool:
        """Whether a policy has failed, and so was not asked about anybody for a while."""
        with self.app.store.read() as connection:
            return bool(queries.breakers(connection))


def decoded(messages: Iterable[bytes], tasks: Iterable[bytes]) -> Results:
    """Stored messages and tasks, in the order in which they are shown."""
    return in_order(map(load_record, messages), map(load_task, tasks))


def in_order(messages: Iterable[MessageRecord], tasks: Iterable[TaskRecord]) -> Results:
    """Messages and tasks by time."""
    return (
        sorted(messages, key=lambda one: (one.at or one.ideal, one.key)),
        sorted(tasks, key=lambda one: (one.at, one.key)),
    )


def _learnt(one: KnownFact) -> datetime:
    return one[1].recorded_at or one[1].at


def days(start: datetime, now: datetime) -> float:
    """How many days of virtual time have passed."""
    return (now - start) / timedelta(days=1)
