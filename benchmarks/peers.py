"""What a storm is compared with: the bare loop that nothing can beat, and what people pick instead.

Both are treated kindly: they use commsched's own renderer, mail framing and outbox, and record nothing of their own.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from benchmarks.bench import Numbers, timed
from benchmarks.population import STORM, customer_id
from commsched.app import App
from commsched.builtin.channels.outbox import Outbox, OutboxSettings
from commsched.model.decisions import Decision, Plan
from commsched.model.state import State
from commsched.planning.fold import fold
from commsched.planning.plan import plan
from commsched.plugin.channel import Outgoing
from commsched.render.context import Context
from commsched.render.mail import Mailbox, frame
from commsched.store import queries
from commsched.store.ledgers import load

JOBS = 2000
MOST_BARE = 10_000
BATCH = 500
GAP = timedelta(days=3)
OPENS, CLOSES = time(8), time(21)
PLACE = ZoneInfo("America/New_York")
LIMIT_SECONDS = 300.0


def bare_loop(app: App, customers: Sequence[str]) -> Numbers:
    """Render, frame and lay down what was decided beforehand: the limit of this renderer and this outbox."""
    decided = _decided(app, customers[:MOST_BARE])
    outbox = _outbox(app.folder, "var/outbox-bare")
    composer = app.composer
    with app.store.read() as connection:
        world = app.world(connection)

    async def run() -> None:
        for chunk in queries.chunks(decided, BATCH):
            messages = []
            for one, decision, state in chunk:
                content = composer.content(decision, state, world)
                messages.append(composer.outgoing(one, decision, content, state, f"bare-{one.customer}"))
            await outbox.send_batch(messages)

    with timed() as watch:
        asyncio.run(run())
    return {"per_second": len(decided) / watch.seconds, "per_cpu": len(decided) / watch.cpu, "sent": len(decided)}


def _decided(app: App, customers: Sequence[str]) -> list[tuple[Plan, Decision, State]]:
    found = []
    with app.store.read() as connection:
        world = app.world(connection)
        for chunk in queries.chunks(customers):
            for one in load(connection, chunk).values():
                planned, state = plan(one.ledger, world, STORM), fold(one.ledger, STORM)
                due = [d for d in planned.decisions if d.state == "planned" and d.at == STORM]
                found += [(planned, decision, state) for decision in due]
    return found


def _outbox(folder: Path, name: str) -> Outbox:
    return Outbox(OutboxSettings(medium="email", folder=name), name="mail", folder=folder)


class Desk:
    """What the jobs of the peer share: a table of customers, the renderer, the outbox."""

    def __init__(self, app: App, folder: Path) -> None:
        self.app, self.path = app, folder / "var" / "peer.db"
        self.outbox = _outbox(folder, "var/outbox-peer")
        self.lock, self.local = threading.Lock(), threading.local()
        self.sent, self.done = 0, threading.Event()
        self.total = JOBS
        self._fill()

    def _fill(self) -> None:
        self.path.unlink(missing_ok=True)
        with sqlite3.connect(self.path) as connection:
            connection.execute(
                "CREATE TABLE customer (id TEXT PRIMARY KEY, name TEXT, email TEXT, opted_out INT, last_contact TEXT,"
                " car TEXT, due TEXT)"
            )
            last, car, due = "2026-06-01T00:00:00+00:00", "Ford Escape", "2026-12-22"
            people = [customer_id(number, "S") for number in range(JOBS)]
            rows = [(who, "Ana Ortiz", f"{who.lower()}@example.com", 0, last, car, due) for who in people]
            connection.executemany("INSERT INTO customer VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def customer(self, who: str) -> tuple[str, str, int, str, str, str]:
        """The customer's row, over a connection of this thread's own."""
        if not hasattr(self.local, "connection"):
            self.local.connection = sqlite3.connect(self.path)
        query = "SELECT name, email, opted_out, last_contact, car, due FROM customer WHERE id = ?"
        row: tuple[str, str, int, str, str, str] = self.local.connection.execute(query, (who,)).fetchone()
        return row

    def remind(self, who: str) -> None:
        """One job: load the customer, three checks by hand, render, lay the message down."""
        name, email, opted_out, last, car, due = self.customer(who)
        quiet = not OPENS <= STORM.astimezone(PLACE).time() < CLOSES
        if not opted_out and not quiet and STORM - datetime.fromisoformat(last) >= GAP:
            message = self._message(who, name, email, car, date.fromisoformat(due))
            with self.lock:
                asyncio.run(self.outbox.send(message))
        with self.lock:
            self.sent += 1
            if self.sent == self.total:
                self.done.set()

    def _message(self, who: str, name: str, email: str, car: str, due: date) -> Outgoing:
        app = self.app
        service = app.services["oil_change"]
        variables = {
            "customer.id": who,
            "customer.name": name,
            "customer.roles": (),
            "asset.id": f"V{who}1",
            "asset.model": car,
            "asset.kind": "car",
            "service.id": service.id,
            "service.name": service.name,
            "due": due,
            "due.date": due,
            "due.certain": True,
        }
        rule = next(rule for rule in app.rules if rule.name == "oil-change-due")
        context = Context(variables, PLACE, why=rule.why, department=app.departments["service"])
        content = app.renderer.render("oil-change", "email", "en_US", context)
        sender = app.composer.letterhead.sender
        mime = frame(content, sender, Mailbox(name, email), f"{who}@peer.example", STORM)
        return Outgoing(
            attempt=f"peer-{who}",
            key=f"peer/{who}",
            medium="email",
            to=email,
            name=name,
            subject=content.subject,
            text=content.text,
            html=content.html,
            send_by=STORM + timedelta(minutes=10),
            at=STORM,
            mime=mime,
        )


_desk: list[Desk] = []


def remind(who: str) -> None:
    """The job, by a name that a job store can keep."""
    _desk[0].remind(who)


def apscheduler_jobs(app: App, folder: Path, *, durable: bool) -> Numbers:
    """Run the jobs, all due at once, with the misfire grace taken off so that none is dropped."""
    desk = Desk(app, folder)
    _desk[:] = [desk]
    store = SQLAlchemyJobStore(f"sqlite:///{folder / 'var' / 'jobs.db'}") if durable else MemoryJobStore()
    scheduler = BackgroundScheduler(
        jobstores={"default": store}, timezone=UTC, job_defaults={"misfire_grace_time": None}
    )
    scheduler.start(paused=True)
    at = datetime.now(UTC) - timedelta(seconds=1)
    for number in range(JOBS):
        who = customer_id(number, "S")
        scheduler.add_job(remind, "date", run_date=at, args=[who], id=who)
    start = perf_counter()
    scheduler.resume()
    desk.done.wait(LIMIT_SECONDS)
    seconds = perf_counter() - start
    scheduler.shutdown()
    return {"per_second": desk.sent / seconds, "sent": desk.sent}
