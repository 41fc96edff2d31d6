"""Which channel carries a message: decided in the transaction of the intent, for it changes from second to second.

The channels of a medium are asked in the order in which they are configured; one that is paused, closed by its breaker
or without a place within two seconds is passed over. Places are distinct across threads and processes: a channel's row
is locked, and moves on by what was taken (a text counts as its parts). What finds no place stays planned,
stands in the channel's line by its urgency, and is looked at again when its turn comes, but never so late that its own
time is over by then.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from commsched.delivery import breakers
from commsched.delivery.intent import Ready
from commsched.delivery.line import Line, Urgency
from commsched.planning.world import World
from commsched.store import queries
from commsched.store.store import instant, micros
from commsched.timing.civil import instant as local_instant
from commsched.timing.rates import Rate

# A place further away than this is none: by then there may be more to know.
NEAR = timedelta(seconds=2)
SOON = timedelta(seconds=1)
# Whose turn has been over for longer keeps nobody else waiting: something is in the way of theirs.
MISSED = timedelta(minutes=1)
RATE = "rate"


@dataclass(frozen=True, slots=True)
class Held:
    """A message that must wait: until when at least, why (the reason's code and sentence), and in whose line."""

    ready: Ready
    until: datetime
    code: str
    why: str
    line: str = ""


@dataclass(slots=True)
class _Places:
    """A channel's row of rates, as it will be written."""

    next: int
    day: str
    used: int


class Carriers:
    """The channels of one batch (``ranked``, most urgent first), with places from the instant ``present`` on.

    Nobody of the batch stands in line any more; whoever finds no place joins it anew.
    """

    def __init__(
        self,
        connection: Connection,
        world: World,
        rates: Mapping[str, Rate],
        ranked: Sequence[tuple[Urgency, Ready]],
        present: datetime,
    ) -> None:
        self.connection, self.world, self.present = connection, world, present
        self.paused = {pause.scope for pause in world.pauses}
        ready = [one for _, one in ranked]
        media = {one.outgoing.medium for one in ready}
        self.put_off = queries.put_off(connection, (one.record.customer for one in ready), micros(present))
        names = {name for medium in media for name in world.carriers_of(medium)}
        self.rates = {name: rates[name] for name in names if name in rates}
        self.today = present.astimezone(world.zone).date().isoformat()
        self.outages: dict[str, Row[Any]] = queries.lock_outages(connection, names)
        self.places = {
            name: _Places(row.next, row.day, row.used)
            for name, row in queries.lock_rates(connection, self.rates).items()
        }
        self.tried: set[str] = set()
        # So many who wait leave no place that is near.
        fronts = {name: NEAR // rate.spacing + 1 for name, rate in self.rates.items() if rate.spacing}
        coming = {
            name: [urgency for urgency, one in ranked if name in world.carriers_of(one.outgoing.medium)]
            for name in fronts
        }
        self.line = Line(connection, fronts, coming, micros(present - MISSED))

    def find(self, one: Ready, urgency: Urgency) -> Ready | Held:
        """The message with its channel and its place; :meth:`take` makes it final. The most urgent is asked first."""
        waits = []
        for name in self.world.carriers_of(one.outgoing.medium):
            if name in self.paused:
                continue
            if name in self.tried or not breakers.is_open(self.outages.get(name), self.present):
                continue
            asked = self.put_off.get((one.record.customer, one.record.key, name))
            if asked is not None:
                waits.append(Held(one, instant(asked), "try_later", f"{name} asked for it to be tried again later"))
                continue
            found = self._place(name, one, urgency)
            if isinstance(found, Ready):
                return found
            waits.append(found)
        # Only now: what goes by the next channel would keep the places of the first from others.
        for held in waits:
            if held.line:
                self.line.join(held.line, one, urgency, held.until)
        if waits:
            return min(waits, key=lambda held: held.until)
        # The next plan knows that nothing can go this way, and until when.
        return Held(one, self.present + SOON, "channel_down", "it cannot be sent this way at present")

    def take(self, one: Ready) -> Ready:
        """Take the place that was found."""
        row = self.outages.get(one.channel)
        if row is not None and breakers.is_tried(row):
            breakers.try_out(self.connection, row, self.present)
            self.tried.add(one.channel)
        places = self.places.get(one.channel)
        if places is not None:
            places.used = self._used(places) + one.sent.segments
            places.day = self.today
            places.next = micros(one.slot or self.present) + self._length(one.channel, one)
        return one

    def close(self) -> None:
        """Write down what was taken."""
        for name, places in sorted(self.places.items()):
            queries.put_rate(self.connection, name, dataclasses.asdict(places))
        queries.join_line(self.connection, self.line.joined)

    def _place(self, name: str, one: Ready, urgency: Urgency) -> Ready | Held:
        rate, places = self.rates.get(name), self.places.get(name)
        if rate is None or places is None:
            return _carried(one, name, None)
        if rate.daily is not None and self._used(places) + one.sent.segments > rate.daily:
            why = f"{name} may carry no more today"
            return Held(one, tomorrow(one.record.ideal, self.present, self.world), RATE, why)
        first = max(micros(self.present), places.next)
        slot = first + self.line.before(name, urgency) * self._spacing(name)
        if slot - micros(self.present) > NEAR // _MICRO or instant(slot) > one.outgoing.send_by:
            return self._turn(name, one, instant(slot))
        return _carried(one, name, instant(first))

    def _turn(self, name: str, one: Ready, slot: datetime) -> Held:
        """When a message is looked at again: just before its turn in the line.

        Where that would be too late, it does not stand in line but asks for the place of another, ever more often.
        """
        why = f"{name} has no place before; most urgent first"
        if slot > one.outgoing.send_by:
            again = self.present + max(NEAR, (one.outgoing.send_by - self.present) / 2)
            return Held(one, again, RATE, why)
        return Held(one, slot - NEAR / 2, RATE, why, name)

    def _used(self, places: _Places) -> int:
        return places.used if places.day == self.today else 0

    def _length(self, name: str, one: Ready) -> int:
        return self._spacing(name) * one.sent.segments

    def _spacing(self, name: str) -> int:
        spacing = self.rates[name].spacing
        return 0 if spacing is None else spacing // _MICRO


_MICRO = timedelta(microseconds=1)


def _carried(one: Ready, channel: str, slot: datetime | None) -> Ready:
    record, outgoing = msgspec.structs.replace(one.record, channel=channel), one.outgoing
    if outgoing.callback:
        outgoing = dataclasses.replace(outgoing, callback=f"{outgoing.callback}{channel}/{outgoing.attempt}")
    return dataclasses.replace(one, channel=channel, record=record, outgoing=outgoing, slot=slot)


def tomorrow(ideal: datetime, now: datetime, world: World) -> datetime:
    """The next day, at the local hour that a message was meant for."""
    day = (now + timedelta(days=1)).astimezone(world.zone).date()
    hour = ideal.astimezone(world.zone).time()
    return local_instant(datetime.combine(day, hour), world.zone)
