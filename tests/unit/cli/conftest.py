"""A small deployment in a folder, and a way to run the command line on it."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from commsched.cli import cli

CONFIG = """
[deployment]
name = "Corner Garage"
timezone = "America/Chicago"
region = "US-IL"
locale = "en_US"
sender = "Corner Garage <desk@garage.example>"
horizon = "60d"

[departments.service]
title = "Service"
calendar = "hours"

[[calendars]]
name = "hours"
kind = "opening_hours"
weekly = { "mon-fri" = ["08:00-18:00"] }

[[channels]]
name = "mail"
kind = "outbox"
medium = "email"

[[policies]]
kind = "reachable"

[[policies]]
kind = "opt_out"

[[policies]]
kind = "quiet_hours"
opens = "08:00"
closes = "20:00"
media = ["email"]
"""
VOCABULARY = """
topics: {maintenance: [oil], appointment: []}
events: {purchase: {amount: number}}
assets: {car: {fuel: string}}
"""
SERVICES = """
services:
  oil_change:
    name: Oil change
    for: asset.kind == "car"
    every: {months: 12}
    duration: 45m
    calendar: hours
"""
THANKS = """
rule: thanks
why: "You bought something from us."
purpose: transactional
topic: maintenance
department: service
trigger: {event: purchase}
steps:
  - step: thank
    at: event + 1d at 10:00
    deadline: event + 20d
    template: thanks
    media: [email]
"""
REMINDER = """
rule: reminder
why: "You have an appointment with us."
purpose: transactional
topic: appointment
department: service
trigger: {appointment: {status: [booked]}}
steps:
  - step: remind
    at: start - 1d at 10:00
    not_before: start - 5d
    deadline: start - 2h
    template: reminder
    media: [email]
otherwise: {task: "Call {{ customer.name }}: {{ reason }}"}
"""
OLD, NEW = "2026-01-01T12:00:00Z", "2027-03-01T16:00:00Z"
NO = {"medium": "*", "purpose": "*", "granted": False, "method": "phone", "stated_by": "customer"}
BOUGHT = {"type": "event", "kind": "purchase", "at": NEW, "recorded_at": "2027-03-01T16:05:00Z"}
MAIL = {"type": "contact_point", "kind": "email", "at": OLD}
FACTS = [
    {"type": "customer", "id": "ana", "at": OLD, "name": "Ana Ruiz", "kind": "person"},
    {**MAIL, "customer": "ana", "address": "ana@example.com"},
    {**BOUGHT, "customer": "ana"},
    {"type": "customer", "id": "ben", "at": OLD, "name": "Ben Okafor", "kind": "person"},
    {**MAIL, "customer": "ben", "address": "ben@example.com"},
    {"type": "consent", "customer": "ben", "at": OLD, **NO},
    {**BOUGHT, "customer": "ben"},
]


def write_deployment(folder: Path) -> Path:
    files = {
        "config/commsched.toml": CONFIG,
        "config/vocabulary.yaml": VOCABULARY,
        "config/services.yaml": SERVICES,
        "config/rules/thanks.yaml": THANKS,
        "config/rules/reminder.yaml": REMINDER,
        "templates/thanks/email.txt": "Subject: Thank you, {{ customer.name }}\n\n{{ why }}\n",
        "templates/reminder/email.txt": "Subject: See you soon\n\n{{ why }} {{ start }}\n",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (folder / "facts.jsonl").write_text("".join(json.dumps(fact) + "\n" for fact in FACTS), "utf-8")
    return folder


@dataclass
class Shell:
    """A deployment and its command line."""

    folder: Path

    def __call__(self, *arguments: str, code: int = 0) -> Result:
        result = CliRunner(env={"COLUMNS": "160"}).invoke(cli, ["--deployment", str(self.folder), *arguments])
        assert result.exit_code == code, result.output + repr(result.exception)
        return result

    def json(self, *arguments: str, code: int = 0):
        return json.loads(self("--json", *arguments, code=code).stdout)

    def facts(self) -> str:
        return str(self.folder / "facts.jsonl")


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.delenv("COMMSCHED_STORE", raising=False)
    return Shell(write_deployment(tmp_path / "garage"))


@pytest.fixture
def told(shell: Shell) -> Shell:
    """The deployment with its facts taken in, live since 2027-01-01."""
    config = shell.folder / "config" / "commsched.toml"
    text = config.read_text("utf-8").replace('horizon = "60d"', 'horizon = "60d"\nlive_from = 2026-01-01')
    config.write_text(text, "utf-8")
    shell("import", shell.facts())
    return shell
