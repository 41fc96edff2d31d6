"""What every peer's job does: load the customer, three checks written by hand, render text and HTML, POST it."""

from __future__ import annotations

import sqlite3
import threading
from datetime import datetime, time, timedelta
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from benchmarks.bench import opened, warmed
from benchmarks.population import STORM, customer_id
from commsched.render.context import Context
from commsched.render.mail import Mailbox, frame

AT_ONCE = 50
GAP = timedelta(days=3)
OPENS, CLOSES = time(8), time(21)
PLACE = ZoneInfo("America/New_York")
DUE = STORM.date() + timedelta(days=21)
Row = tuple[str, str, int, str, str]


def fill(folder: Path, count: int) -> list[str]:
    """Make the table of customers; who they are."""
    people = [customer_id(number, "S") for number in range(count)]
    (folder / "var").mkdir(exist_ok=True)
    with sqlite3.connect(folder / "var/peer.db") as connection:
        connection.execute(
            "CREATE TABLE customer"
            " (id TEXT PRIMARY KEY, name TEXT, email TEXT, opted_out INT, last_contact TEXT, car TEXT)"
        )
        rows = [
            (who, "Ana Ortiz", f"{who.lower()}@example.com", 0, "2026-06-01T00:00:00+00:00", "Ford Escape")
            for who in people
        ]
        connection.executemany("INSERT INTO customer VALUES (?, ?, ?, ?, ?, ?)", rows)
    return people


class Desk:
    """A process's means to remind somebody; its threads share it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.host, self.mine = folder, urlsplit(url).netloc, threading.local()
        self.app, _ = opened(self.folder, STORM)
        warmed(self.app)

    def remind(self, who: str) -> None:
        """The job."""
        name, email, opted_out, last, car = self._customer(who)
        awake = OPENS <= STORM.astimezone(PLACE).time() < CLOSES
        if not opted_out and awake and STORM - datetime.fromisoformat(last) >= GAP:
            self._post(email, self._rendered(who, name, email, car))

    def _customer(self, who: str) -> Row:
        """The customer's row, over a connection of this thread's own."""
        if not hasattr(self.mine, "database"):
            self.mine.database = sqlite3.connect(self.folder / "var/peer.db")
        query = "SELECT name, email, opted_out, last_contact, car FROM customer WHERE id = ?"
        row: Row = self.mine.database.execute(query, (who,)).fetchone()
        return row

    def _post(self, email: str, mime: bytes) -> None:
        if not hasattr(self.mine, "connection"):
            self.mine.connection = HTTPConnection(self.host, timeout=10)
        self.mine.connection.request("POST", "/mail", mime, {"X-To": email})
        self.mine.connection.getresponse().read()

    def _rendered(self, who: str, name: str, email: str, car: str) -> bytes:
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
            "due": DUE,
            "due.date": DUE,
            "due.certain": True,
        }
        rule = next(rule for rule in app.rules if rule.name == "oil-change-due")
        context = Context(variables, PLACE, why=rule.why, department=app.departments["service"])
        content = app.renderer.render("oil-change", "email", "en_US", context)
        return frame(content, app.composer.letterhead.sender, Mailbox(name, email), f"{who}@peer.example", STORM)
