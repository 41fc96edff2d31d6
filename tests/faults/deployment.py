"""A small deployment to break: one department, one outbox, two rules, plain templates, in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from commsched.app import App
from commsched.cli import cli
from commsched.engine.clock import SetClock
from commsched.model.facts import AnyFact
from commsched.model.subjects import subject_of
from commsched.plugin.crash import VARIABLE
from commsched.store import queries
from commsched.store.intake import Origin, complete
from commsched.store.messages import MessageRecord, TaskRecord, load_record, load_task
from commsched.store.store import Store

NOON = datetime(2026, 5, 6, 17, tzinfo=UTC)  # a Wednesday, 12:00 in Chicago
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

CONFIG = """\
[deployment]
name = "Small Practice"
timezone = "America/Chicago"
sender = "Small Practice <desk@practice.example>"
live_from = 2020-01-01
policy_seconds = 0.2

[departments.desk]
title = "Front desk"

[[channels]]
name = "mail"
kind = "outbox"
medium = "email"

[[policies]]
kind = "opt_out"
"""
VOCABULARY = """\
topics: {news: [], appointment: []}
events: {visit: {}, purchase: {}}
items: {brush: {}}
roles: [owner]
assets: {car: {}}
facts: {note: string}
"""
SERVICES = """\
services:
  checkup: {name: Check-up, duration: 30m}
"""
HELLO = """\
rule: hello
why: You were here.
purpose: service
topic: news
department: desk
trigger: {event: visit}
steps:
  - {step: thanks, at: event, deadline: event + 2d, template: hello}
"""
APPOINTMENTS = """\
rule: appointments
why: You have an appointment with us.
purpose: transactional
topic: appointment
department: desk
trigger: {appointment: {status: [booked, confirmed]}}
steps:
  - {step: week, at: start - 7d at 10:00, deadline: start - 3d, template: reminder}
  - {step: reminder, at: start - 1d at 10:00, deadline: start - 2h, template: reminder}
  - {step: moved, at: changed, deadline: "earliest(changed + 1d, start - 1h)", template: moved, late: send}
  - {step: cancelled, at: changed, deadline: changed + 2d, template: cancelled, late: send}
"""
TEMPLATES = {
    "hello": "Subject: Thank you\n\nHello {{ customer.name }}, thank you for your visit.\n",
    "reminder": "Subject: Your appointment\n\n{{ service.name }} on {{ start }}.\n",
    "moved": "Subject: New time\n\n{{ service.name }} is now on {{ start }}.\n",
    "cancelled": "Subject: Cancelled\n\n{{ service.name }} on {{ start }} was cancelled.\n",
}


class Deployment:
    """A deployment's folder, what is done to it, and what came of that."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[Process] = []
        self.write("config/commsched.toml", CONFIG)
        self.write("config/vocabulary.yaml", VOCABULARY)
        self.write("config/services.yaml", SERVICES)
        self.rule("hello", HELLO)
        self.rule("appointments", APPOINTMENTS)
        for name, text in TEMPLATES.items():
            self.template(name, text)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def rule(self, name: str, text: str) -> None:
        self.write(f"config/rules/{name}.yaml", text)

    def template(self, name: str, text: str) -> None:
        self.write(f"templates/{name}/email.txt", text)

    def plugin(self, name: str, text: str, config: str = "") -> None:
        self.write(f"plugins/{name}.py", text)
        self.configure(config)

    def configure(self, more: str) -> None:
        path = self.folder / "config/commsched.toml"
        path.write_text(path.read_text("utf-8") + more, "utf-8")

    def replace(self, old: str, new: str) -> None:
        path = self.folder / "config/commsched.toml"
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    # --- in this process -----------------------------------------------------------------------------------------

    def app(self, at: datetime = NOON, *, store: Store | None = None) -> App:
        """The deployment, loaded afresh, with the clock set."""
        app = App(self.folder, clock=SetClock(at), store=store)
        app.remember_rules()
        return app

    def given(self, *facts: Mapping[str, Any], at: datetime = NOON) -> None:
        """Facts that become known at an instant."""
        app = self.app(at)
        give(app, *facts)
        app.store.close()

    def tick(self, at: datetime = NOON) -> None:
        """One pass in this process."""
        app = self.app(at)
        app.loop().tick(at)
        app.store.close()

    def ticks(self, start: datetime, end: datetime, step: timedelta = HOUR) -> None:
        """A pass every so often."""
        app = self.app(start)
        loop, at = app.loop(), start
        while at <= end:
            app.clock.at = at
            loop.tick(at)
            at += step
        app.store.close()

    # --- in processes of their own -------------------------------------------------------------------------------

    def start(self, *arguments: str, crash: str = "", **environment: str) -> Process:
        """A command, begun in a process of its own."""
        self.processes.append(Process(["--deployment", str(self.folder), *arguments], {VARIABLE: crash, **environment}))
        return self.processes[-1]

    def end(self) -> None:
        """Kill what is still running."""
        for process in self.processes:
            process.kill()

    def run(self, *arguments: str, crash: str = "", **environment: str) -> tuple[int, str, str]:
        """A command, run to its end in a process of its own: exit code, what it printed, what it complained of."""
        return self.start(*arguments, crash=crash, **environment).wait()

    # --- what came of it -----------------------------------------------------------------------------------------

    @property
    def accepted(self) -> list[dict[str, str]]:
        """What the provider took, by its own ledger."""
        path = self.folder / "var/outbox/outbox.jsonl"
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
        return [line for line in lines if "attempt" in line]

    @property
    def messages(self) -> list[MessageRecord]:
        with self._store() as store, store.read() as connection:
            return [load_record(row.body) for row in queries.all_messages(connection)]

    @property
    def tasks(self) -> list[TaskRecord]:
        with self._store() as store, store.read() as connection:
            return [load_task(row.body) for row in queries.tasks(connection)]

    @property
    def states(self) -> Counter[str]:
        return Counter(message.state for message in self.messages)

    def once_each(self, count: int) -> None:
        """So many messages, each accepted once, each in the state ``sent``, and no attempt open."""
        assert self.states == {"sent": count}
        assert Counter(line["key"] for line in self.accepted) == Counter(message.key for message in self.messages)
        with self._store() as store, store.read() as connection:
            assert queries.attempts(connection, states=("sending", "in_doubt")) == []

    def _store(self) -> Opened:
        return Opened(f"sqlite:///{self.folder / 'var/commsched.db'}")


class Opened:
    def __init__(self, url: str) -> None:
        self.store = Store(url)

    def __enter__(self) -> Store:
        return self.store

    def __exit__(self, *_: object) -> None:
        self.store.close()


class Process:
    """The command line in a child of this process: as killable as any other, without the time to load Python."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str]) -> None:
        self.files = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in wait()
        self.ended = False
        self.pid = os.fork()
        if self.pid == 0:
            self._become(arguments, environment)

    def _become(self, arguments: list[str], environment: Mapping[str, str]) -> None:
        code: object = 70
        try:
            os.environ.update(environment)
            os.dup2(self.files[0].fileno(), 1)
            os.dup2(self.files[1].fileno(), 2)
            sys.stdout, sys.stderr = self.files
            cli.main(arguments, prog_name="commsched")
        except SystemExit as end:
            code = end.code or 0
        except BaseException:  # noqa: BLE001 - nothing may leave the child and run on as the test
            traceback.print_exc()
        finally:
            for file in self.files:
                file.flush()
            os._exit(code if isinstance(code, int) else 1)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def stopped(self) -> bool:
        """Wait until it has stopped itself; false if it ended."""
        return os.WIFSTOPPED(os.waitpid(self.pid, os.WUNTRACED)[1])

    def kill(self) -> None:
        """End it, if it has not ended."""
        if not self.ended:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()

    def wait(self) -> tuple[int, str, str]:
        """Wait for its end."""
        self.ended = True
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        said = []
        for file in self.files:
            file.seek(0)
            said.append(file.read())
            file.close()
        return code, said[0], said[1]


def give(app: App, *facts: Mapping[str, Any]) -> None:
    """Facts that become known by the app's clock."""
    now = app.clock.now()
    made = []
    for values in facts:
        fact = msgspec.json.decode(msgspec.json.encode({"at": now.isoformat(), **values}), type=AnyFact)
        complete(fact, Origin("test", now))
        app.checker.check(fact)
        made.append((subject_of(fact), fact))
    app.record(made)


def customer(name: str = "C1", email: str = "", **fields: Any) -> list[dict[str, Any]]:
    """A customer who can be reached by mail."""
    long_ago = "2020-01-01T00:00:00Z"
    person = {"type": "customer", "id": name, "name": f"Ana {name}", "kind": "person", "at": long_ago, **fields}
    address = email or f"{name.lower()}@example.com"
    return [person, {"type": "contact_point", "customer": name, "kind": "email", "address": address, "at": long_ago}]


def visit(name: str = "C1", at: datetime = NOON, **fields: Any) -> dict[str, Any]:
    """A visit, for which the rule ``hello`` says thanks."""
    return {
        "type": "event",
        "customer": name,
        "kind": "visit",
        "at": at.isoformat(),
        "id": f"v-{name}-{at:%d%H}",
        **fields,
    }


def visitors(count: int, at: datetime = NOON) -> list[dict[str, Any]]:
    """So many customers, each with a visit."""
    return [fact for number in range(count) for fact in (*customer(f"C{number:05}"), visit(f"C{number:05}", at))]


def appointment(start: datetime, name: str = "C1", **fields: Any) -> dict[str, Any]:
    """A booked appointment."""
    values = {"id": "A1", "service": "checkup", "status": "booked", "booked_by": "staff", **fields}
    return {"type": "appointment", "customer": name, "start": start.isoformat(), **values}
