"""Sending: handing rendered messages to their channels, many at once, and what came of each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, TypeVar

from commsched.delivery.intent import Ready
from commsched.delivery.late import Late, answer_of
from commsched.plugin.channel import Ambiguous, Channel, ChannelDown, Outcome, Refused, TryLater
from commsched.signals import Failed, announce
from commsched.store.queries import chunks

IN_FLIGHT = 50
# A channel begins with so many at once, and gets more with each clear answer: so little is in doubt if it is broken.
FIRST_FLIGHT = 5
# How long a channel may take over one call; after that nobody knows whether the provider took the message.
CALL_SECONDS = 30.0
# How long a batch may take whose channel asks for more, if the lease lasts as long.
BATCH_SECONDS = 120.0
# How many seconds a call that is cancelled has to end.
GRACE = 1.0
# After so many unclear answers in a row nothing more is handed to a channel in this pass.
UNCLEAR = 5
# What was seen of a channel counts for so many seconds after its last answer.
FORGOTTEN = 60.0
T = TypeVar("T")
Channels = Mapping[str, Channel[Any]]
# Waits for a message's place at its channel.
Wait = Callable[[datetime], Awaitable[None]]
# Hears of each message as it is handed to its channel.
Handing = Callable[[Ready], None]


class NotTried(TryLater):
    """The message was not handed to its channel; that says nothing about the channel."""


class Overtaken(Ambiguous):
    """Nobody can say what became of the message, but calls that began after this one were answered meanwhile.

    So it says nothing against the channel: of those that hang here and there all end last, and would stand in a row.
    """


CLOSED = NotTried("its window has closed.")
HELD_UP = NotTried("the worker was held up for longer than its lease.")
STOPPED = NotTried("the worker was told to stop.", after=timedelta())
BROKEN = NotTried("its channel gave no good answer just before.", after=timedelta())


@dataclass(slots=True)
class Ending:
    """Whether the process was told to end: no call begins after that, and none is waited for beyond ``by``.

    On the clock of ``time.monotonic``.
    """

    by: float = float("inf")

    def ask(self, seconds: float) -> None:
        """End within so many seconds."""
        self.by = min(self.by, monotonic() + seconds)

    @property
    def asked(self) -> bool:
        """Whether it was told to."""
        return self.by < float("inf")


async def at_once(_: datetime) -> None:
    """No waiting: in virtual time a place has come as soon as it is given."""


def unheard(_: Ready) -> None:
    """Nobody asks when messages are handed over."""


@dataclass(frozen=True, slots=True)
class Trip:
    """What the messages of one pass have in common on their way, and what came of each, by attempt.

    No call begins after ``until``, on the clock of ``time.monotonic``: the customers may be another worker's by then.
    """

    now: datetime
    until: float = float("inf")
    wait: Wait = at_once
    handing: Handing = unheard
    outcomes: dict[str, Outcome] = field(default_factory=dict)


@dataclass(slots=True)
class _Line:
    """A channel, how many calls it may have at once, and whether it still gives good answers."""

    channel: Channel[Any]
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(FIRST_FLIGHT))
    width: int = FIRST_FLIGHT
    unclear: int = 0
    broken: bool = False
    used: float = field(default_factory=monotonic)
    # When the last call began that had a clear answer.
    well: float = 0.0

    def heard(self, outcome: Outcome, began: float) -> Outcome:
        """An answer; it shows whether the channel is there, or was when the call began."""
        if isinstance(outcome, Ambiguous) and began < self.well:
            return Overtaken(*outcome.args)
        if not isinstance(outcome, Ambiguous | ChannelDown):
            self.well = max(self.well, began)
        self.unclear = self.unclear + 1 if isinstance(outcome, Ambiguous) else 0
        self.broken = self.broken or isinstance(outcome, ChannelDown) or self.unclear >= UNCLEAR
        return outcome

    def gives_back(self) -> None:
        """A call has ended. A clear answer makes room for one more; after an unclear one there is one less."""
        self.used = monotonic()
        if self.unclear and not self.broken and self.width > 1:
            self.width -= 1
            return
        self.places.release()
        if self.width < IN_FLIGHT and not self.unclear and not self.broken:
            self.width += 1
            self.places.release()


@dataclass
class Sender:
    """Hands messages to their channels. What it has seen of a channel lasts from one pass to the next.

    A channel that proves to be down is left alone until that is written down (:meth:`noted`), so that no more than what
    is in its hands is in doubt. A patient one (:attr:`Channel.patience`) is heard when it answers after all, by way of
    ``late``. No call begins once ``ending`` is asked.
    """

    channels: Channels
    ending: Ending = field(default_factory=Ending)
    late: Late = field(default_factory=Late)
    _lines: dict[str, _Line] = field(default_factory=dict)

    async def send(self, ready: Sequence[Ready], trip: Trip) -> list[Outcome]:
        """Send everything, each in its place; the outcomes stand in the same order. A channel takes no other with it.

        Each outcome stands in ``trip.outcomes`` as soon as it is known.
        """
        jobs = []
        for name in sorted({one.channel for one in ready}):
            line, in_time = self._line(name), []
            for one in ready:
                if one.channel == name and trip.now <= one.outgoing.send_by:
                    in_time.append(one)
                elif one.channel == name:
                    trip.outcomes[one.outgoing.attempt] = CLOSED
            if batch := line.channel.capabilities.batch:
                jobs += [self._batch(line, chunk, trip) for chunk in chunks(in_time, batch)]
            else:
                jobs += [self._single(line, one, trip) for one in in_time]
        await asyncio.gather(*jobs)
        return [trip.outcomes[one.outgoing.attempt] for one in ready]

    def noted(self, channels: Iterable[str]) -> None:
        """What these channels answered is in the store: whoever was seen to be down begins anew."""
        for name in channels:
            if name in self._lines and self._lines[name].broken:
                del self._lines[name]

    def _line(self, name: str) -> _Line:
        """What is known of a channel; nothing, if that was long ago."""
        line = self._lines.get(name)
        if line is None or (monotonic() - line.used > FORGOTTEN and not line.broken):
            line = self._lines[name] = _Line(self.channels[name])
        return line

    def _stops(self, line: _Line, trip: Trip) -> NotTried | None:
        """Why nothing more is handed over."""
        if monotonic() > trip.until:
            return HELD_UP
        if self.ending.asked:
            return STOPPED
        return BROKEN if line.broken else None

    async def _single(self, line: _Line, one: Ready, trip: Trip) -> None:
        if one.slot is not None:
            await trip.wait(one.slot)
        await line.places.acquire()
        began = monotonic()
        outcome = self._stops(line, trip) or line.heard(await self._called(line.channel, one, trip), began)
        line.gives_back()
        trip.outcomes[one.outgoing.attempt] = outcome

    async def _called(self, channel: Channel[Any], one: Ready, trip: Trip) -> Outcome:
        trip.handing(one)
        call = asyncio.ensure_future(channel.send(one.outgoing))
        await _patiently(call, self.ending, CALL_SECONDS)
        if not call.done() and channel.patience.total_seconds() > CALL_SECONDS:
            self.late.keep(one, call)
        elif await _over(call):
            return await answer_of(call, one)
        announce(Failed("channel", channel.name, "TimeoutError"))
        return Ambiguous(f"the channel {channel.name} raised TimeoutError.")

    async def _batch(self, line: _Line, ready: Sequence[Ready], trip: Trip) -> None:
        # All of them go with the last, so that a channel never gets more than its rate.
        slots = [one.slot for one in ready if one.slot is not None]
        if slots:
            await trip.wait(max(slots))
        await line.places.acquire()
        stops, began = self._stops(line, trip), monotonic()
        if stops is None:
            found = [line.heard(one, began) for one in await self._called_at_once(line.channel, ready, trip)]
        else:
            found = [stops] * len(ready)
        line.gives_back()
        trip.outcomes.update({one.outgoing.attempt: outcome for one, outcome in zip(ready, found, strict=True)})

    async def _called_at_once(self, channel: Channel[Any], ready: Sequence[Ready], trip: Trip) -> list[Outcome]:
        name = channel.name
        for one in ready:
            trip.handing(one)
        try:
            seconds = batch_seconds(channel.time_for(len(ready)), trip.until - monotonic())
            call = asyncio.ensure_future(channel.send_batch([one.outgoing for one in ready]))
            await _patiently(call, self.ending, seconds)
            if not await _over(call):
                announce(Failed("channel", name, "TimeoutError"))
                return [Ambiguous(f"the channel {name} raised TimeoutError.")] * len(ready)
            found = list(call.result())
        except (Refused, TryLater, Ambiguous) as outcome:
            return [outcome] * len(ready)
        except Exception as error:  # noqa: BLE001 - as above
            announce(Failed("channel", name, type(error).__name__))
            return [Ambiguous(f"the channel {name} raised {type(error).__name__}.")] * len(ready)
        if len(found) != len(ready):
            announce(Failed("channel", name, "outcomes"))
            return [Ambiguous(f"the channel {name} gave {len(found)} outcomes for {len(ready)} messages.")] * len(ready)
        return found


async def _patiently(call: asyncio.Future[T], ending: Ending, seconds: float) -> None:
    """Wait for a call to end, for as long as it may take, or as this process has."""
    end = monotonic() + seconds
    try:
        while not call.done() and (left := min(end, ending.by) - monotonic()) > 0:
            await asyncio.wait([call], timeout=min(left, GRACE))
    except asyncio.CancelledError:
        call.cancel()
        raise


async def _over(call: asyncio.Future[T]) -> bool:
    """Whether a call has ended by itself; one that goes on is cancelled, and has a moment to say what it knows."""
    if not call.done():
        call.cancel()
        await asyncio.wait([call], timeout=GRACE)
    return call.done() and not call.cancelled()


def batch_seconds(wanted: timedelta, left: float) -> float:
    """How long a batch may take of which the channel says what it needs; ``left``: for how long the lease lasts.

    Never less than any call, and more only while nobody else may think that this worker is gone.
    """
    return max(CALL_SECONDS, min(wanted.total_seconds(), left, BATCH_SECONDS))
