"""The composition root: a folder becomes a running commsched, with the store, the world and the intake together."""

from __future__ import annotations

import json
import zoneinfo
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from commsched.app import App
from commsched.check.messages import message_problems
from commsched.engine.clock import SetClock
from commsched.store import queries
from commsched.store.messages import load_task
from commsched.store.store import micros

AT = "2026-06-01T12:00:00Z"


@pytest.fixture
def app(deploy, store, noon):
    """Loads the deployment on a store, at noon."""
    return lambda files=None, at=noon: App(deploy(files), clock=SetClock(at), store=store)


def world(one):
    with one.store.read() as connection:
        return one.world(connection)


def test_two_channels_for_one_medium(app, configuration):
    """A medium may have several channels: plans name the first, and all of them are known in their order."""
    added = configuration + '\n[[channels]]\nname = "second"\nkind = "outbox"\nmedium = "sms"\n'
    found = world(app({"config/commsched.toml": added}))
    assert (found.channels["sms"], found.carriers_of("sms")) == ("text", ("text", "second"))
    assert found.carriers_of("letter") == ()


def test_the_world_changes_with_what_plans_rest_on(app, configuration):
    """Another text or rule is another world; the same folder, or another store, is the same one."""
    first = world(app()).hash
    assert world(app()).hash == first
    assert world(app({"config/commsched.toml": configuration + "# a remark\n"})).hash == first
    assert world(app({"templates/thanks/sms.txt": "Thanks!\n"})).hash != first
    assert world(app({"config/commsched.toml": configuration.replace("US-IL", "US-WI")})).hash != first


def test_fault_21_new_rules_of_a_zone_send_everybody_through_the_planner(app, learn, fact, monkeypatch, noon):
    """Another version of tzdata is another world, and whoever was planned in the old one is looked at again."""
    one = app()
    learn(one.store, fact("customer", name="Ann"))
    one.loop().tick(noon)
    assert one.loop().sweep(noon, 10) == 0
    monkeypatch.setattr("importlib.metadata.version", lambda _: "2027.1")
    newer = app()
    assert world(newer).hash != world(one).hash
    assert newer.loop().sweep(noon, 10) == 1


def test_zones_are_those_of_the_package_whose_version_the_world_has():
    """The machine may have an older copy of the time zones; nothing of it is used."""
    assert zoneinfo.TZPATH == ()


def test_a_rule_counts_from_when_it_was_first_loaded(app, configuration, noon):
    """The first start counts from the deployment's live date; a rule that is added later, from then on."""
    first = app()
    first.remember_rules()
    live = datetime(2020, 1, 1, 6, tzinfo=UTC)
    assert world(first).since == {"thanks": live}
    other = (
        "config/rules/other.yaml",
        (first.folder / "config/rules/thanks.yaml").read_text().replace("rule: thanks", "rule: other"),
    )
    later = app(dict([other]), noon + timedelta(days=5))
    later.remember_rules()
    assert world(later).since == {"thanks": live, "other": noon + timedelta(days=5)}
    again = app(dict([other]), noon + timedelta(days=9))
    again.remember_rules()
    assert world(again).since == world(later).since


def test_without_a_live_date_the_first_start_counts(app, configuration, noon):
    """Where the configuration names no date, the past before the first start yields nothing."""
    plain = {"config/commsched.toml": configuration.replace("live_from = 2020-01-01\n", "")}
    app(plain).remember_rules()
    assert world(app(plain, noon + timedelta(days=3))).since == {"thanks": noon}


def test_controls_are_part_of_the_world(app, noon):
    """Pauses and breakers of the store stand in the world that plans are made in."""
    one = app()
    with one.store.write() as connection:
        queries.put_pause(connection, "all", 0, "Tom")
        queries.put_breaker(connection, "opt_out", 60_000_000, "it raised")
    seen = world(one)
    assert [(pause.scope, pause.by) for pause in seen.pauses] == [("all", "Tom")]
    assert seen.breakers == {"opt_out": datetime(1970, 1, 1, 0, 1, tzinfo=UTC)}


def test_an_import_is_durable_batch_by_batch(app):
    """A file's facts are in the store when its batch is handed back; a second time, nothing is new."""
    one = app()
    lines = [f'{{"type": "customer", "id": "C{number}", "at": "{AT}"}}' for number in range(3)]
    path = one.folder / "facts.jsonl"
    path.write_text("\n".join([*lines, "nonsense"]))
    (batch,) = one.take_in(path, None)
    assert (len(batch.facts), len(batch.rejects), batch.rejects[0].line) == (3, 1, 4)
    assert batch.facts[0][1].source == "facts.jsonl"
    with one.store.read() as connection:
        assert queries.customers(connection) == ["C0", "C1", "C2"]
    (again,) = one.take_in(path, None)
    assert again.facts == []


def test_a_source_is_pulled_once(app, configuration, noon):
    """What a source has is taken in and moved aside; the next pull finds nothing."""
    one = app(
        {"config/commsched.toml": configuration + '\n[[sources]]\nname = "dms"\nkind = "folder"\npath = "inbox"\n'}
    )
    (one.folder / "inbox").mkdir()
    (one.folder / "inbox/a.jsonl").write_text(f'{{"type": "customer", "id": "C1", "at": "{AT}"}}\n')
    assert [one.pull(noon).facts, one.pull(noon).facts] == [1, 0]
    assert not (one.folder / "inbox/a.jsonl").exists()


def test_a_line_that_a_source_got_wrong_is_kept(app, configuration, noon):
    """An opt-out with a misspelt medium is not taken, and not lost: it is counted and kept with what is wrong."""
    one = app(
        {"config/commsched.toml": configuration + '\n[[sources]]\nname = "dms"\nkind = "folder"\npath = "inbox"\n'}
    )
    (one.folder / "inbox").mkdir()
    line = {
        "type": "consent",
        "customer": "C1",
        "at": AT,
        "medium": "e-mail",
        "purpose": "*",
        "granted": False,
        "method": "x",
    }
    (one.folder / "inbox/a.jsonl").write_text(json.dumps(line) + "\n")
    pulled = one.pull(noon)
    assert (pulled.facts, pulled.rejects, pulled.failed) == (0, 1, [])
    (kept,) = (one.folder / "var/rejects").iterdir()
    assert "'e-mail' is not declared" in kept.read_text()


def test_plans_of_all_customers(app, customer, learn):
    """Plans can be asked for without anything being written."""
    one = app()
    learn(one.store, *customer(), *customer("bob"))
    one.remember_rules()
    plans = list(one.plans(None, one.clock.now()))
    assert [(plan.customer, [d.state for d in plan.decisions]) for plan in plans] == [
        ("ann", ["planned"]),
        ("bob", ["planned"]),
    ]
    with one.store.read() as connection:
        assert queries.counts(connection) == {}


def test_what_follows_from_rules_alone_is_worked_out_once(app, customer, learn):
    """A pause changes the world, and not which policies concern a message or how far a rule reaches."""
    one = app()
    learn(one.store, *customer())
    one.remember_rules()
    before = world(one)
    (rule,) = one.rules
    before.chain(rule.purpose, rule.topic, rule.department)
    before.bounds(rule, one.clock.now())
    with one.store.write() as connection:
        queries.put_pause(connection, "all", micros(one.clock.now()), "ann")
    after = world(one)
    assert [pause.scope for pause in after.pauses] == ["all"]
    assert before.pauses == ()
    later = one.clock.now() + timedelta(days=1)
    since = {rule.name: later}
    fresh = after.as_it_stands("other", {}, since, after.pauses, {}, {})
    assert fresh.chain(rule.purpose, rule.topic, rule.department) is before.chain(
        rule.purpose, rule.topic, rule.department
    )
    assert fresh.bounds(rule, later) == replace(after, since=since).bounds(rule, later)


def test_recording_replaces_the_channels(deploy, store):
    """In a rehearsal every channel only keeps what it is handed, for the same media."""
    one = App(deploy(), store=store, recording=True)
    assert {type(channel).kind for channel in one.channels.values()} == {"recording"}
    assert world(one).channels == {"email": "mail", "sms": "text"}


def test_a_task_says_whom_it_is_for(garage, configuration, fact, customer):
    """The texts of tasks see their department's title and telephone number, as docs/rules.md says."""
    text = "{{ department.title }}, {{ department.phone }}: {{ reason }}"
    rule = (
        "rule: thanks\nwhy: You ordered from us.\npurpose: service\ntopic: visit\ndepartment: desk\n"
        f'trigger: {{event: order}}\nsteps:\n  - {{step: say, at: event, task: "{text}"}}\n'
    )
    with_phone = configuration.replace('title = "Desk"', 'title = "Desk"\nphone = "+1 847 555 0100"')
    one = garage({"config/commsched.toml": with_phone, "config/rules/thanks.yaml": rule})
    one.learn(*customer()[:2], fact("event", kind="order", at="2026-06-15T11:00:00Z"))
    one.tick()
    with one.store.read() as connection:
        (row,) = queries.tasks(connection)
    assert load_task(row.body).text == "Desk, +1 847 555 0100: it is due"
    assert [problem for problem in message_problems(one.app) if problem.code == "text_failed"] == []
