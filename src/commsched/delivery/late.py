"""Calls that take longer than a pass can wait for: their answer counts all the same when it comes.

Until then the attempt is in doubt, like one whose process was killed: nothing is sent again. A process that ends takes
what it waited for with it, and the doubt stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from commsched.delivery.intent import Ready
from commsched.delivery.receipts import Result, settle
from commsched.plugin.channel import Accepted, Ambiguous, Channel, Outcome, Refused, TryLater
from commsched.signals import Failed, announce
from commsched.store import queries
from commsched.store.store import micros

# How long it is looked whether any of them has ended.
GLANCE = 0.02


@dataclass
class Late:
    """The calls under way that nobody waits for, by attempt."""

    calls: dict[str, tuple[Ready, asyncio.Task[Accepted]]] = field(default_factory=dict)

    def keep(self, ready: Ready, call: asyncio.Task[Accepted]) -> None:
        """Go on listening for the answer to a message."""
        self.calls[ready.outgoing.attempt] = ready, call

    async def ended(self) -> list[Result]:
        """What came of those that have ended by now."""
        await asyncio.wait([call for _, call in self.calls.values()], timeout=GLANCE)
        over = [name for name, (_, call) in self.calls.items() if call.done()]
        found = [self.calls.pop(name) for name in over]
        return [Result(one.outgoing.attempt, one.record, one.sent, await answer_of(call, one)) for one, call in found]


async def answer_of(call: asyncio.Task[Accepted], one: Ready) -> Outcome:
    """The outcome of a call that has ended; whatever else it raises leaves doubt."""
    try:
        return await call
    except (Refused, TryLater, Ambiguous) as outcome:
        return outcome
    except Exception as error:  # noqa: BLE001 - a channel may raise anything
        announce(Failed("channel", one.channel, type(error).__name__))
        return Ambiguous(f"the channel {one.channel} raised {type(error).__name__}.")


def settle_late(
    connection: Connection,
    results: Sequence[Result],
    now: datetime,
    channels: Mapping[str, Channel[Any]] | None = None,
) -> None:
    """Make late answers durable, and have their customers looked at."""
    again: Mapping[str, datetime] = settle(connection, results, now, channels)
    # Whoever is in no queue any more was erased.
    for customer in sorted(queries.fences(connection, sorted({one.record.customer for one in results}))):
        queries.wake(connection, [customer], micros(again.get(customer, now)))


def clear_answers(results: Sequence[Result]) -> dict[str, list[Outcome]]:
    """What late answers say of their channels.

    That there was none in time counted against the channel then; an unclear one does not count again.
    """
    clear: dict[str, list[Outcome]] = {}
    for one in results:
        if not isinstance(one.outcome, Ambiguous):
            clear.setdefault(one.record.channel or "", []).append(one.outcome)
    return clear


def call_end(started: datetime, channel: Channel[Any] | None) -> datetime:
    """Until when a call may still be under way, of which not being found at the provider would seem to prove an end."""
    proof = channel is not None and channel.capabilities.lookup == "proof"
    return started + (channel.patience if channel is not None and proof else timedelta())
