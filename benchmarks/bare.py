"""The limit of a storm: a loop that knows already what to say and to whom, and keeps no record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from benchmarks.bench import Numbers, timed
from benchmarks.population import STORM
from commsched.app import App
from commsched.builtin.channels.outbox import Outbox, OutboxSettings
from commsched.model.decisions import Decision, Plan
from commsched.model.state import State
from commsched.planning.fold import fold
from commsched.planning.plan import plan
from commsched.plugin.channel import Outgoing
from commsched.store import queries
from commsched.store.ledgers import load

MOST = 10_000
BATCH = 500
Decided = tuple[Plan, Decision, State]


def bare_loop(app: App, customers: Sequence[str]) -> Numbers:
    """Render, frame and lay down what was decided beforehand: the limit of this renderer and this outbox."""
    due = decided(app, customers[:MOST])
    outbox = Outbox(OutboxSettings(medium="email", folder="var/outbox-bare"), name="mail", folder=app.folder)

    async def run() -> None:
        for chunk in queries.chunks(due, BATCH):
            await outbox.send_batch(list(messages(app, chunk)))

    with timed() as watch:
        asyncio.run(run())
    return {"per_second": len(due) / watch.seconds, "per_cpu": len(due) / watch.cpu, "sent": len(due)}


def messages(app: App, due: Sequence[Decided]) -> Iterator[Outgoing]:
    """What was decided, rendered and framed."""
    composer = app.composer
    with app.store.read() as connection:
        world = app.world(connection)
    for one, decision, state in due:
        content = composer.content(decision, state, world)
        yield composer.outgoing(one, decision, content, state, f"bare-{one.customer}")


def decided(app: App, customers: Sequence[str]) -> list[Decided]:
    """What is due at ``STORM``."""
    found = []
    with app.store.read() as connection:
        world = app.world(connection)
        for chunk in queries.chunks(customers):
            for one in load(connection, chunk).values():
                planned, state = plan(one.ledger, world, STORM), fold(one.ledger, STORM)
                due = [d for d in planned.decisions if d.state == "planned" and d.at is not None and d.at <= STORM]
                found += [(planned, decision, state) for decision in due]
    return found
