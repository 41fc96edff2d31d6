"""Doubt: attempts of which nobody knows whether the provider took them.

They are looked up at the provider, where the channel can do that. What the provider knows is accepted. What it does not
know goes back on the plan only where its not knowing is proof; else it stays in doubt, in plain sight, for a person to
settle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row

from commsched.delivery.events import Origin, take
from commsched.delivery.receipts import Result
from commsched.delivery.send import CALL_SECONDS, IN_FLIGHT, Channels
from commsched.model.facts import Sent
from commsched.plugin.channel import Accepted, Ambiguous, Attempt, Channel, ChannelEvent, Outcome, TryLater
from commsched.store.messages import load_record
from commsched.store.store import instant

_sent = msgspec.json.Decoder(Sent)
UNPROVEN = "whether it was accepted is not known; it is looked up again, or a person settles it (commsched settle)"


# The link in a message, by its attempt as it was written down and its medium.
LinkOf = Callable[[Row[Any], str], str]


def no_link(_row: Row[Any], _medium: str) -> str:
    """Where there is no public address, messages have no links."""
    return ""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """An attempt whose fate is open, with its message as it stands."""

    attempt: Row[Any]
    message: Row[Any]


@dataclass(frozen=True, slots=True)
class Found(Accepted):
    """The provider has it, and knows what became of it."""

    state: Literal["accepted", "delivered", "undelivered"] = "accepted"
    detail: str = ""


def learn(connection: Connection, results: Sequence[Result], now: datetime) -> None:
    """Note what the provider knows besides that it has these messages, as if it had called to tell."""
    for one in results:
        if isinstance(one.outcome, Found) and one.outcome.state != "accepted":
            found = one.outcome
            origin = Origin(one.record.channel or "", one.sent.medium, one.sent.department)
            name = f"lookup {one.attempt} {found.state}"
            event = ChannelEvent(found.state, now, one.attempt, detail=found.detail, id=name, reference=found.reference)
            take(connection, origin, [event], now)


async def look_up(doubtful: Sequence[Doubtful], channels: Channels, link_of: LinkOf = no_link) -> list[Result]:
    """Ask the providers; one result for each. ``link_of`` gives a message's own link as it stands in its text."""
    places = asyncio.Semaphore(IN_FLIGHT)
    asked = (_one(one, channels.get(one.attempt.channel), places, link_of) for one in doubtful)
    return await asyncio.gather(*asked)


async def _one(doubt: Doubtful, channel: Channel[Any] | None, places: asyncio.Semaphore, link_of: LinkOf) -> Result:
    row = doubt.attempt
    medium = _sent.decode(row.sent).medium
    begun, until = instant(row.started_at), instant(row.send_by)
    attempt = Attempt(row.id, row.key, row.customer, row.channel, row.address, begun, until, link_of(row, medium))
    async with places:
        outcome = Ambiguous(UNPROVEN) if channel is None else await _asked(channel, attempt)
    return Result(row.id, load_record(doubt.message.body), _sent.decode(row.sent), outcome)


async def _asked(channel: Channel[Any], attempt: Attempt) -> Outcome:
    if channel.capabilities.lookup == "none":
        return Ambiguous(UNPROVEN)
    try:
        async with asyncio.timeout(CALL_SECONDS):
            receipt = await channel.lookup(attempt)
    except Exception as error:  # noqa: BLE001 - a channel may raise anything; the doubt merely stays
        return Ambiguous(f"{UNPROVEN} ({type(error).__name__})")
    if receipt is not None:
        return Found(receipt.reference, receipt.state, receipt.detail)
    if channel.capabilities.lookup == "proof":
        return TryLater("the channel never took it.", after=ZERO)
    return Ambiguous(UNPROVEN)


ZERO = timedelta()
