"""A simulation in several processes: the same result, and no process is left behind."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from datetime import UTC, datetime

import msgspec
import pytest

from commsched.cli.shares import Simulation
from commsched.cli.virtual import Virtual
from commsched.errors import PartFailed
from commsched.store.store import Store

START, END = datetime(2027, 2, 25, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC)
MANY = 10**9


def purchase(number):
    """A customer who buys something, and whose address two share at a time."""
    name, at = f"p{number:02}", "2027-03-01T16:00:00Z"
    mail = {"type": "contact_point", "kind": "email", "address": f"home{number // 2}@example.com"}
    return [
        {"type": "customer", "id": name, "at": "2026-01-01T12:00:00Z", "name": f"Customer {number}", "kind": "person"},
        {**mail, "customer": name, "at": "2026-01-01T12:00:00Z"},
        {"type": "event", "kind": "purchase", "customer": name, "at": at},
    ]


@pytest.fixture
def simulate(shell, tmp_path):
    """Simulates the deployment's facts: in so many processes; with fewer facts than ``least``, in one go."""
    opened = []

    def run(jobs=2, least=0, progress=lambda _passed, _now: None):
        scratch = tmp_path / f"scratch-{len(opened)}"
        (scratch / "shares").mkdir(parents=True)
        store = Store("sqlite:///scratch.db", folder=scratch, scratch=True)
        opened.append(store)
        virtual = Virtual(shell.folder, START, store, record=True)
        facts, _ = virtual.facts([shell.folder / "facts.jsonl"])
        return msgspec.json.encode(Simulation(virtual, scratch / "shares", END, jobs, progress, least).run(facts))

    text = "".join(json.dumps(fact) + "\n" for number in range(12) for fact in purchase(number))
    (shell.folder / "facts.jsonl").write_text(text, "utf-8")
    yield run
    for store in opened:
        store.close()


def pace(shell, places):
    path = shell.folder / "config" / "rules" / "thanks.yaml"
    path.write_text(path.read_text("utf-8").replace("trigger:", f"pace: {places}/day\ntrigger:"), "utf-8")


def test_as_many_processes_as_one_likes_give_the_same_bytes(simulate):
    """One, two or three of them, or everything in one go."""
    whole = simulate(least=MANY)
    assert whole.count(b'"state":"sent"') == 12
    assert [simulate(jobs) == whole for jobs in (1, 2, 3)] == [True] * 3


def test_places_that_run_out_are_given_to_the_same(shell, simulate):
    """A rule with five places a day writes to twelve on three days, whoever is simulated with whom."""
    pace(shell, 5)
    whole = simulate(least=MANY)
    assert [simulate(jobs) == whole for jobs in (1, 2)] == [True] * 2
    days = [one["at"][:10] for one in json.loads(whole)[0] if one["state"] == "sent"]
    assert [days.count(day) for day in sorted(set(days))] == [5, 5, 2]


def test_a_policy_that_fails_is_seen_by_all(shell, simulate):
    """It is not asked about anybody for a while, so that everybody is simulated together."""
    (shell.folder / "plugins").mkdir()
    (shell.folder / "plugins" / "broken.py").write_text(BROKEN, "utf-8")
    config = shell.folder / "config" / "commsched.toml"
    config.write_text(config.read_text("utf-8") + '\n[[policies]]\nkind = "broken"\n', "utf-8")
    whole = simulate(least=MANY)
    assert b"broken" in whole
    assert simulate(2) == whole


def test_a_process_that_cannot_work_is_one_sentence(shell, simulate, monkeypatch):
    """What is wrong is said, and the others end with it."""
    config = shell.folder / "config" / "commsched.toml"
    real = Simulation._apart

    def breaking(self, *arguments, **named):
        config.write_text("[deployment", "utf-8")
        return real(self, *arguments, **named)

    monkeypatch.setattr(Simulation, "_apart", breaking)
    with pytest.raises(PartFailed, match=r"could not be finished\. The deployment"):
        simulate(2)
    assert multiprocessing.active_children() == []


def test_a_process_that_is_killed_is_one_sentence(simulate):
    """Nothing is taken for a result that is only a part of it."""

    def kill(_passed, _now):
        os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)

    with pytest.raises(PartFailed, match=r"ended from outside \(exit code -9\)"):
        simulate(2, progress=kill)
    assert multiprocessing.active_children() == []


def test_stopping_the_command_ends_its_processes(simulate):
    """Ctrl-C leaves none of them."""

    def stop(_passed, _now):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(2, progress=stop)
    assert multiprocessing.active_children() == []


BROKEN = """
from commsched import NoSettings, Policy, allow, hookimpl, must_not


class Broken(Policy[NoSettings]):
    kind = "broken"
    code = must_not("broken")
    depends = frozenset({"history"})

    def review(self, proposal, view):
        if proposal.customer == "p03":
            raise ZeroDivisionError
        return allow()


@hookimpl
def register_policies():
    return [Broken]
"""
