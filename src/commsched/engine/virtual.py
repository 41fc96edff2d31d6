"""Virtual time: the same loop with a clock that jumps from one moment at which something happens to the next.

Facts become known at their ``recorded_at``. The same facts and the same world give the same messages, to the byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from hashlib import blake2b
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from commsched.engine.clock import SetClock
from commsched.engine.loop import Loop
from commsched.engine.report import Report
from commsched.model.facts import AnyFact
from commsched.plugin.base import Settings
from commsched.plugin.channel import Accepted, Attempt, Capabilities, Channel, Outcome, Outgoing, Receipt
from commsched.store import queries
from commsched.store.ledgers import append
from commsched.store.store import instant

KnownFact = tuple[str, AnyFact]


class Counter:
    """Attempt ids that are the same in every run: the key and how often it was tried."""

    def __init__(self) -> None:
        self._tries: dict[str, int] = {}

    def __call__(self, key: str) -> str:
        self._tries[key] = number = self._tries.get(key, 0) + 1
        return blake2b(f"{key}|{number}".encode(), digest_size=16).hexdigest()


def run_virtual(
    loop: Loop,
    clock: SetClock,
    facts: Sequence[KnownFact],
    end: datetime,
    progress: Callable[[datetime], None] = lambda _: None,
) -> Report:
    """Run from the clock's time to ``end``; ``facts`` are those that become known on the way."""
    report = Report()
    coming = groupby(sorted(facts, key=_known_at), key=_known_at)
    upcoming = next(coming, None)
    waited = loop.wait(clock.at)
    while True:
        due = _next_due(loop)
        moments = (due, upcoming[0] if upcoming else None, waited)
        moment = min((at for at in moments if at is not None), default=None)
        if moment is None or moment > end:
            break
        clock.at = max(clock.at, moment)
        progress(clock.at)
        if waited is not None and waited <= clock.at:
            waited = loop.wait(clock.at)
        if upcoming is not None and upcoming[0] <= clock.at:
            _learn(loop, upcoming[1], clock.at)
            upcoming = next(coming, None)
            waited = loop.wait(clock.at)
            continue
        report += loop.tick(clock.at)
    clock.at = end
    progress(end)
    return report


def _known_at(one: KnownFact) -> datetime:
    return one[1].recorded_at or one[1].at


def _learn(loop: Loop, facts: Iterable[KnownFact], now: datetime) -> None:
    with loop.store.write() as connection:
        append(connection, facts, now)


def _next_due(loop: Loop) -> datetime | None:
    with loop.store.read() as connection:
        due = queries.next_due(connection)
    return instant(due) if due is not None else None


class RecordingSettings(Settings):
    """The medium whose channel it stands in for."""

    medium: str


class Recording(Channel[RecordingSettings]):
    """A channel that keeps what it is handed: for simulations and stories."""

    kind = "recording"
    capabilities = Capabilities(lookup="proof", batch=500)

    def __init__(
        self, settings: RecordingSettings, *, name: str, folder: Path = Path(), zone: ZoneInfo | None = None
    ) -> None:
        super().__init__(settings, name=name, folder=folder, zone=zone)
        self.sent: dict[str, Outgoing] = {}

    async def send(self, message: Outgoing) -> Accepted:
        """Keep the message."""
        self.sent[message.attempt] = message
        return Accepted(message.attempt)

    async def send_batch(self, messages: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Keep the messages."""
        return [await self.send(message) for message in messages]

    async def lookup(self, attempt: Attempt) -> Receipt | None:
        """What was kept was accepted."""
        return Receipt(attempt.id, "accepted") if attempt.id in self.sent else None
