"""The loop over one store: claim who is due, a batch at a time, and work on them in a pass; who else must be woken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from time import monotonic

import structlog
from sqlalchemy import Connection

from commsched.delivery import breakers
from commsched.delivery.compose import Composer
from commsched.delivery.intent import NewId
from commsched.delivery.late import clear_answers, settle_late
from commsched.delivery.send import Channels, Sender
from commsched.engine.booking import Desk
from commsched.engine.calls import Aside, Calls, Here
from commsched.engine.flight import SETTLE, Flight
from commsched.engine.offering import nowhere
from commsched.engine.onepass import Pass
from commsched.engine.report import Report
from commsched.planning.world import World
from commsched.plugin.crash import crash_point
from commsched.store import queries
from commsched.store.store import Store, micros
from commsched.timing.rates import Rate

log = structlog.get_logger("commsched.engine")
BATCH = 500
# The setting that names the world in which everybody was last looked at: spares a search through all customers.
SWEPT = "swept_world"


@dataclass(frozen=True)
class Loop:
    """The loop over one store. ``world`` gives the world as it stands now; ``tell`` reaches the observers.

    ``rates`` are those of the channels; ``live``: time passes while it works, so that places are waited for.
    ``wait`` goes through the waiting list, and says when to do so again even if nothing new is known by then; ``desk``
    is where free times are looked for.
    """

    store: Store
    world: Callable[[Connection], World]
    channels: Channels
    composer: Composer
    tell: Callable[..., None]
    new_id: NewId
    lease: timedelta = timedelta(seconds=60)
    wait: Callable[[datetime], datetime | None] = lambda _: None
    desk: Callable[[World], Desk] = nowhere
    rates: Mapping[str, Rate] = field(default_factory=dict)
    live: bool = False
    calls: Calls = field(init=False)
    sender: Sender = field(init=False)
    flights: list[Flight] = field(default_factory=list, init=False)
    heard: Event = field(default_factory=Event, init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "calls", Aside() if self.live else Here())
        object.__setattr__(self, "sender", Sender(self.channels))

    def tick(self, now: datetime, *, limit: int | None = None) -> Report:
        """Work until nobody is due, or ``limit`` customers were looked at, and everything has its answer."""
        report = Report()
        while limit is None or report.planned < limit:
            found = self.step(now)
            report += found
            if not found.planned and not self.wait_for_answers(SETTLE):
                break
        report += self.end()
        return report

    def step(self, now: datetime) -> Report:
        """Make durable what was answered, and begin with the next batch, if somebody is due and there is room."""
        report = self.hear(now)
        crash_point("before-claim")
        if self.full:
            return report
        with self.store.read() as connection:
            due = queries.overdue(connection, micros(now), 1)
        if due:
            report += self._batch(
                now, lambda c: queries.claim(c, micros(now), micros(now + self.lease), BATCH, self.rates)
            )
        return report

    def take(self, now: datetime, claimed: Mapping[str, int]) -> Report:
        """Begin with customers of a claim, with its fences; those who are somebody else's by now are left out."""
        return self._batch(now, lambda c: queries.take(c, claimed, micros(now + self.lease)))

    def hear(self, now: datetime) -> Report:
        """Make durable what channels have answered by now."""
        self.hear_late(now)
        return self._settled()

    def end(self) -> Report:
        """Wait for all answers that are awaited, for as long as calls may take, and make them durable."""
        report = self._settled()
        while self.wait_for_answers(SETTLE):
            report += self._settled()
        return report

    @property
    def full(self) -> bool:
        """Whether so much is under way that the next batch would only wait: its lease had better not begin yet."""
        return sum(flight.under_way for flight in self.flights) > BATCH

    def wait_for_answers(self, seconds: float) -> bool:
        """Wait until the last answer of a pass is there, at most so long; whether any was under way."""
        if not self.flights:
            return False
        self.heard.wait(seconds)
        self.heard.clear()
        return True

    def _settled(self) -> Report:
        report = Report()
        for flight in [*self.flights]:
            try:
                report += flight.settle()
            finally:
                if flight.over:
                    self.flights.remove(flight)
        return report

    def _batch(self, now: datetime, claim: Callable[[Connection], list[tuple[str, int]]]) -> Report:
        """Claim customers and work on them; an empty report if there are none."""
        until = monotonic() + self.lease.total_seconds()
        # Calendars may be read here, which can take a while: not in a transaction that keeps others from writing.
        with self.store.read() as connection:
            world = self.world(connection)
        # What is claimed and then lost with the power is still due; whatever is done with it is committed after it.
        with self.store.write(lasting=False) as connection:
            claimed = claim(connection)
            if claimed and queries.setting(connection, SWEPT) not in {None, "", world.hash}:
                # Whoever is planned in this world must be looked at again if the former one comes back.
                queries.put_setting(connection, SWEPT, "")
        if not claimed:
            return Report()
        crash_point("after-claim")
        report = Pass(self, world, now, dict(claimed), until).run()
        report += self._settled()
        return report

    def hear_late(self, now: datetime) -> None:
        """Make durable what channels have answered after their calls were given up."""
        late = self.sender.late
        results = self.calls.run(late.ended()) if late.calls else []
        if results:
            with self.store.write() as connection:
                settle_late(connection, results, now, self.channels)
                closed, opened = breakers.note(connection, clear_answers(results), now)
            self.changed(closed, opened, now)

    def changed(self, closed: Sequence[str], opened: Sequence[str], now: datetime) -> None:
        """Channels have closed, or are well again, by what they answered."""
        if opened:
            with self.store.write() as connection:
                breakers.wake(connection, now)
        for channel in closed:
            log.error("channel_closed", channel=channel, see="commsched doctor")

    def sweep(self, now: datetime, limit: int) -> int:
        """Wake some of those who were last planned in another world, but let no more wait than ``limit``.

        So it goes as fast as workers work, and nobody who is due by right waits for long. Says how many it woke.
        """
        with self.store.read() as connection:
            world = self.world(connection).hash
            if queries.setting(connection, SWEPT) == world:
                return 0
            room = limit - queries.overdue(connection, micros(now), limit)
        if room <= 0:
            return 0
        with self.store.write() as connection:
            found = queries.sweep(connection, world, micros(now), room)
            queries.put_setting(connection, SWEPT, world if found < room else "")
        return found
