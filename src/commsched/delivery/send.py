"""Sending: handing rendered messages to their channels, many at once, and what came of each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
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
T = TypeVar("T")
Channels = Mapping[str, Channel[Any]]
# Waits for a message's place at its channel.
Wait = Callable[[datetime], Awaitable[None]]
# Hears of each message as it is handed to its channel.
Handing = Callable[[Ready], None]


class NotTried(TryLater):
    """The message was not handed to its channel; that says nothing about the channel."""


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


@dataclass(slots=True)
class _Line:
    """A channel in this pass, and whether it still gives good answers."""

    channel: Channel[Any]
    until: float
    wait: Wait
    late: Late
    ending: Ending
    handing: Handing
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(FIRST_FLIGHT))
    width: int = FIRST_FLIGHT
    unclear: int = 0
    broken: bool = False

    def heard(self, outcome: Outcome) -> Outcome:
        """An answer; it shows whether the channel is there."""
        self.unclear = self.unclear + 1 if isinstance(outcome, Ambiguous) else 0
        self.broken = self.broken or isinstance(outcome, ChannelDown) or self.unclear >= UNCLEAR
        return outcome

    def gives_back(self) -> None:
        """A call has ended. A clear answer makes room for one more; after an unclear one there is one less."""
        if self.unclear and not self.broken and self.width > 1:
            self.width -= 1
            return
        self.places.release()
        if self.width < IN_FLIGHT and not self.unclear and not self.broken:
            self.width += 1
            self.places.release()

    @property
    def stops(self) -> NotTried | None:
        """Why nothing more is handed over."""
        if monotonic() > self.until:
            return HELD_UP
        if self.ending.asked:
            return STOPPED
        return BROKEN if self.broken else None


async def send_all(
    ready: Sequence[Ready],
    channels: Channels,
    now: datetime,
    until: float = float("inf"),
    wait: Wait = at_once,
    late: Late | None = None,
    ending: Ending | None = None,
    handing: Handing = unheard,
) -> list[Outcome]:
    """Send everything, each in its place; the outcomes stand in the same order. A channel takes no other with it.

    No call begins after ``until``, on the clock of ``time.monotonic``: the customers may be another worker's by then.
    None begins once ``ending`` is asked, either. A channel that proves to be down is left alone, so that no more than
    what is in its hands is in doubt. A patient one (:attr:`Channel.patience`) is heard when it answers after all, by
    way of ``late``.
    """
    outcomes: dict[str, Outcome] = {}
    late = Late() if late is None else late
    ending = Ending() if ending is None else ending
    jobs = []
    for name in {one.channel for one in ready}:
        mine = [one for one in ready if one.channel == name]
        in_time = [one for one in mine if now <= one.outgoing.send_by]
        outcomes |= {one.outgoing.attempt: CLOSED for one in mine if now > one.outgoing.send_by}
        line = _Line(channels[name], until, wait, late, ending, handing)
        batch = line.channel.capabilities.batch
        if batch:
            jobs += [_batch(line, chunk, outcomes) for chunk in chunks(in_time, batch)]
        else:
            jobs += [_single(line, one, outcomes) for one in in_time]
    await asyncio.gather(*jobs)
    return [outcomes[one.outgoing.attempt] for one in ready]


async def _single(line: _Line, one: Ready, outcomes: dict[str, Outcome]) -> None:
    if one.slot is not None:
        await line.wait(one.slot)
    await line.places.acquire()
    outcomes[one.outgoing.attempt] = line.stops or line.heard(await _called(line, one))
    line.gives_back()


async def _called(line: _Line, one: Ready) -> Outcome:
    line.handing(one)
    call = asyncio.ensure_future(line.channel.send(one.outgoing))
    await _patiently(call, line.ending, CALL_SECONDS)
    if not call.done() and line.channel.patience.total_seconds() > CALL_SECONDS:
        line.late.keep(one, call)
    elif await _over(call):
        return await answer_of(call, one)
    announce(Failed("channel", line.channel.name, "TimeoutError"))
    return Ambiguous(f"the channel {line.channel.name} raised TimeoutError.")


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


async def _batch(line: _Line, ready: Sequence[Ready], outcomes: dict[str, Outcome]) -> None:
    # All of them go with the last, so that a channel never gets more than its rate.
    slots = [one.slot for one in ready if one.slot is not None]
    if slots:
        await line.wait(max(slots))
    await line.places.acquire()
    stops = line.stops
    found: list[Outcome] = [stops] * len(ready) if stops else await _called_at_once(line, ready)
    if stops is None:
        found = [*map(line.heard, found)]
    line.gives_back()
    outcomes.update({one.outgoing.attempt: outcome for one, outcome in zip(ready, found, strict=True)})


def batch_seconds(wanted: timedelta, left: float) -> float:
    """How long a batch may take of which the channel says what it needs; ``left``: for how long the lease lasts.

    Never less than any call, and more only while nobody else may think that this worker is gone.
    """
    return max(CALL_SECONDS, min(wanted.total_seconds(), left, BATCH_SECONDS))


async def _called_at_once(line: _Line, ready: Sequence[Ready]) -> list[Outcome]:
    name = line.channel.name
    for one in ready:
        line.handing(one)
    try:
        seconds = batch_seconds(line.channel.time_for(len(ready)), line.until - monotonic())
        call = asyncio.ensure_future(line.channel.send_batch([one.outgoing for one in ready]))
        await _patiently(call, line.ending, seconds)
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
