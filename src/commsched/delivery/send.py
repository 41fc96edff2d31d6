"""Sending: handing rendered messages to their channels, many at once, and what came of each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import Any

from commsched.delivery.intent import Ready
from commsched.plugin.base import Ambiguous, Channel, Outcome, Refused, TryLater
from commsched.store.queries import chunks

IN_FLIGHT = 50
# How long a channel may take over one call; after that nobody knows whether the provider took the message.
CALL_SECONDS = 30.0
CLOSED = TryLater("its window has closed.")
HELD_UP = TryLater("the worker was held up for longer than its lease.")
Channels = Mapping[str, Channel[Any]]


async def send_all(
    ready: Sequence[Ready], channels: Channels, now: datetime, until: float = float("inf")
) -> list[Outcome]:
    """Send everything; the outcomes stand in the same order. A channel that fails takes no other with it.

    No call begins after ``until``, on the clock of ``time.monotonic``: the customers may be another worker's by then.
    """
    outcomes: dict[str, Outcome] = {}
    places = asyncio.Semaphore(IN_FLIGHT)
    jobs = []
    for name in {one.channel for one in ready}:
        mine = [one for one in ready if one.channel == name]
        in_time = [one for one in mine if now <= one.outgoing.send_by]
        outcomes |= {one.outgoing.attempt: CLOSED for one in mine if now > one.outgoing.send_by}
        channel = channels[name]
        if channel.capabilities.batch:
            jobs += [_batch(channel, chunk, outcomes, until) for chunk in chunks(in_time, channel.capabilities.batch)]
        else:
            jobs += [_single(channel, one, outcomes, places, until) for one in in_time]
    await asyncio.gather(*jobs)
    return [outcomes[one.outgoing.attempt] for one in ready]


async def _single(
    channel: Channel[Any], one: Ready, outcomes: dict[str, Outcome], places: asyncio.Semaphore, until: float
) -> None:
    async with places:
        if monotonic() > until:
            outcomes[one.outgoing.attempt] = HELD_UP
            return
        try:
            async with asyncio.timeout(CALL_SECONDS):
                outcomes[one.outgoing.attempt] = await channel.send(one.outgoing)
        except (Refused, TryLater, Ambiguous) as outcome:
            outcomes[one.outgoing.attempt] = outcome
        except Exception as error:  # noqa: BLE001 - a channel may raise anything; nobody knows then whether it was sent
            outcomes[one.outgoing.attempt] = Ambiguous(f"the channel {channel.name} raised {type(error).__name__}.")


async def _batch(channel: Channel[Any], ready: Sequence[Ready], outcomes: dict[str, Outcome], until: float) -> None:
    if monotonic() > until:
        outcomes.update({one.outgoing.attempt: HELD_UP for one in ready})
        return
    try:
        async with asyncio.timeout(CALL_SECONDS):
            found = list(await channel.send_batch([one.outgoing for one in ready]))
    except (Refused, TryLater, Ambiguous) as outcome:
        found = [outcome] * len(ready)
    except Exception as error:  # noqa: BLE001 - as above
        found = [Ambiguous(f"the channel {channel.name} raised {type(error).__name__}.")] * len(ready)
    if len(found) != len(ready):
        found = [Ambiguous(f"the channel {channel.name} gave {len(found)} outcomes for {len(ready)} messages.")] * len(
            ready
        )
    outcomes.update({one.outgoing.attempt: outcome for one, outcome in zip(ready, found, strict=True)})
