"""The loop over one store: claim who is due, a batch at a time, and work on them in a pass; who else must be woken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

import structlog
from sqlalchemy import Connection

from commsched.delivery import breakers
from commsched.delivery.compose import Composer
from commsched.delivery.intent import NewId
from commsched.delivery.late import Late, clear_answers, settle_late
from commsched.delivery.send import Channels, Ending
from commsched.engine.booking import Desk
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
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    late: Late = field(default_factory=Late)
    ending: Ending = field(default_factory=Ending)

    def tick(self, now: datetime, *, limit: int | None = None) -> Report:
        """Work until nobody is due, or ``limit`` customers were looked at."""
        report = Report()
        while limit is None or report.planned < limit:
            self.hear_late(now)
            crash_point("before-claim")
            with self.store.read() as connection:
                if not queries.overdue(connection, micros(now), 1):
                    break
            found = self._batch(now, lambda c: queries.claim(c, micros(now), micros(now + self.lease), BATCH))
            if not found.planned:
                break
            report += found
        return report

    def take(self, now: datetime, claimed: Mapping[str, int]) -> Report:
        """Work on customers of a claim, with its fences; those who are somebody else's by now are left out."""
        return self._batch(now, lambda c: queries.take(c, claimed, micros(now + self.lease)))

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
        return Pass(self, world, now, dict(claimed), until).run()

    def hear_late(self, now: datetime) -> None:
        """Make durable what channels have answered after a pass had given up waiting."""
        results = self.runner.run(self.late.ended()) if self.late.calls else []
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
