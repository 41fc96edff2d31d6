"""Which channel carries a message: decided in the transaction of the intent, for it changes from second to second.

The channels of a medium are asked in the order in which they are configured; one that is paused, closed by its breaker
or without a place within two seconds is passed over. Places are distinct across threads and processes: a channel's row
is locked, and moves on by what was taken (a text counts as its parts). What finds no place stays planned, and is looked
at again when its turn comes: later ones of a long line later, but never so late that its own time is over by then.
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
from commsched.planning.world import World
from commsched.store import queries
from commsched.store.messages import load_record
from commsched.store.store import instant, micros
from commsched.timing.civil import instant as local_instant
from commsched.timing.rates import Rate

# A place further away than this is none: by then there may be more to know.
NEAR = timedelta(seconds=2)
SOON = timedelta(seconds=1)
RATE = "rate"


Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Held:
    """A message that must wait: until when at least, and why (the reason's code and sentence)."""

    ready: Ready
    until: datetime
    code: str
    why: str


def turns_of(ready: Sequence[Ready], standing: Mapping[str, Sequence[Row[Any]]]) -> dict[Key, datetime]:
    """When those are to be looked at that stand in line already, by what is written beside them."""
    wanted = {(one.record.customer, one.record.key) for one in ready}
    rows = [row for rows in standing.values() for row in rows if (row.customer, row.key) in wanted]
    records = [load_record(row.body) for row in rows if row.state == "planned"]
    return {
        (one.customer, one.key): one.at
        for one in records
        if one.at is not None and any(code == RATE for _, code, _ in one.reasons)
    }


@dataclass(slots=True)
class _Places:
    """A channel's row of rates, as it will be written."""

    next: int
    line: int
    day: str
    used: int


class Carriers:
    """The channels of one batch; ``present`` is the instant from which places are given out.

    ``turns`` says of messages that stood in line before when they are to be looked at, by customer and key.
    """

    def __init__(
        self,
        connection: Connection,
        world: World,
        rates: Mapping[str, Rate],
        ready: Sequence[Ready],
        present: datetime,
        turns: Mapping[Key, datetime],
    ) -> None:
        self.connection, self.world, self.present, self.turns = connection, world, present, turns
        self.paused = {pause.scope for pause in world.pauses}
        media = {one.outgoing.medium for one in ready}
        self.put_off = queries.put_off(connection, (one.record.customer for one in ready), micros(present))
        names = {name for medium in media for name in world.carriers_of(medium)}
        self.rates = {name: rates[name] for name in names if name in rates}
        self.today = present.astimezone(world.zone).date().isoformat()
        self.outages: dict[str, Row[Any]] = queries.lock_outages(connection, names)
        self.places = {
            name: _Places(row.next, row.line, row.day, row.used)
            for name, row in queries.lock_rates(connection, self.rates).items()
        }
        self.tried: set[str] = set()

    def find(self, one: Ready) -> Ready | Held:
        """The message with its channel and its place; :meth:`take` makes it final."""
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
            found = self._place(name, one)
            if isinstance(found, Ready):
                return found
            waits.append(found)
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

    def _place(self, name: str, one: Ready) -> Ready | Held:
        rate, places = self.rates.get(name), self.places.get(name)
        if rate is None or places is None:
            return _carried(one, name, None)
        if rate.daily is not None and self._used(places) + one.sent.segments > rate.daily:
            why = f"{name} may carry no more today"
            return Held(one, tomorrow(one.record.ideal, self.present, self.world), RATE, why)
        slot = max(micros(self.present), places.next)
        if slot - micros(self.present) > NEAR // _MICRO or instant(slot) > one.outgoing.send_by:
            return Held(one, self._turn(name, one, slot), RATE, f"{name} has no place before; most urgent first")
        return _carried(one, name, instant(slot))

    def _turn(self, name: str, one: Ready, slot: int) -> datetime:
        """When a message is looked at again: just before its turn in the line.

        Where that would be too late, it does not stand in line but asks for the place of another, ever more often.
        """
        stood = self.turns.get((one.record.customer, one.record.key))
        if stood is not None and stood > self.present:
            return stood  # something else woke the customer
        places = self.places[name]
        places.line = max(places.line, slot)
        turn = instant(places.line)
        if turn > one.outgoing.send_by:
            return self.present + max(NEAR, (one.outgoing.send_by - self.present) / 2)
        places.line += self._length(name, one)
        return turn - NEAR / 2

    def _used(self, places: _Places) -> int:
        return places.used if places.day == self.today else 0

    def _length(self, name: str, one: Ready) -> int:
        spacing = self.rates[name].spacing
        return 0 if spacing is None else spacing // _MICRO * one.sent.segments


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
