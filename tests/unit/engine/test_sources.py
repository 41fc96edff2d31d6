"""When a source was last heard of, and what follows while it is silent."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commsched.app import App
from commsched.cli.health import examine
from commsched.engine.clock import SetClock
from commsched.engine.sources import heard
from commsched.errors import ConfigurationError
from commsched.store import queries

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def deployment(tmp_path):
    """A copy of the shipped deployment whose source must be two days old at most."""
    for name in ("config", "plugins", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def changed(folder, old, new):
    file = folder / "config" / "commsched.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    return folder


def opened(folder, now=NOW):
    clock = SetClock(now)
    return App(folder, clock=clock), clock


def world(app):
    with app.store.read() as connection:
        return app.world(connection)


def last_heard(app):
    with app.store.read() as connection:
        return heard(connection, "dms")


def test_a_source_is_stale_from_its_first_delivery_on(deployment):
    """Before it there is no copy that could be out of date; after it, two days count to the second."""
    app, clock = opened(deployment)
    assert dict(world(app).stale) == {}
    (deployment / "inbox").mkdir()
    (deployment / "inbox" / "monday.jsonl").write_text("")
    assert app.pull(NOW).failed == []
    clock.at = NOW + 2 * DAY
    assert dict(world(app).stale) == {}
    clock.at += timedelta(seconds=1)
    assert dict(world(app).stale) == {"dms": NOW}


def test_an_empty_folder_is_no_sign_of_life(deployment):
    """That the folder can be read says nothing of the system that fills it; a file does, even one without facts."""
    app, clock = opened(deployment)
    app.hear("dms", NOW)
    clock.at = NOW + 3 * DAY
    assert app.pull(clock.at).failed == []
    assert dict(world(app).stale) == {"dms": NOW}
    (deployment / "inbox" / "thursday.jsonl").write_text("")
    app.pull(clock.at)
    assert dict(world(app).stale) == {}


def test_a_source_that_can_be_asked_is_heard_of_though_it_has_nothing_new(deployment, monkeypatch):
    """What answers is there; only what delivers by itself may have gone without a word."""
    app, _ = opened(deployment)
    monkeypatch.setattr(type(app.sources["dms"]), "delivers", False)
    app.pull(NOW)
    assert last_heard(app) == NOW


def test_a_source_that_fails_is_not_heard_of(deployment, monkeypatch):
    """A folder that cannot be read says nothing about what would be in it."""
    app, _ = opened(deployment)
    monkeypatch.setattr(app.sources["dms"], "read", lambda: (_ for _ in ()).throw(OSError("gone")))
    assert app.pull(NOW).failed == ["dms"]
    assert last_heard(app) is None


@pytest.mark.parametrize(("source", "when"), [("dms", NOW), ("crm", None), (None, None)])
def test_an_import_in_its_name_counts(deployment, source, when):
    """A file that is imported with `--source dms` is a word from dms; any other file is none."""
    app, _ = opened(deployment)
    file = deployment / "new.jsonl"
    file.write_text('{"type":"customer","id":"C1","at":"2026-11-20T10:00:00Z","name":"Ana Ortiz"}\n')
    assert sum(len(batch.facts) for batch in app.take_in(file, source)) == 1
    assert last_heard(app) == when


def test_a_stale_source_makes_another_world_and_a_fresh_one_the_former(deployment):
    """Who waits is planned again when the source is back, because the world is another one then."""
    app, clock = opened(deployment)
    before = world(app).hash
    app.hear("dms", NOW)
    fresh = world(app).hash
    assert before == fresh
    clock.at = NOW + DAY
    assert world(app).hash == fresh
    clock.at = NOW + 3 * DAY
    assert world(app).hash != fresh
    app.hear("dms", clock.at)
    assert world(app).hash == fresh


def test_a_source_that_says_nothing_about_its_age_is_never_stale(tmp_path):
    """Without `fresh` everything is as it was."""
    for name in ("config", "plugins", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    app, clock = opened(changed(tmp_path, 'fresh = "2d"', ""))
    app.pull(NOW)
    clock.at = NOW + 900 * DAY
    assert dict(world(app).stale) == {}


def test_the_sweep_looks_again_when_a_former_world_comes_back(deployment):
    """Fresh, silent for a while, fresh again: whoever was planned in between is woken, and few wait at once."""
    app, clock = opened(deployment)
    app.remember_rules()
    app.hear("dms", NOW)
    loop = app.loop()
    people = "".join(
        f'{{"type":"customer","id":"C{number}","at":"2026-11-20T10:00:00Z","name":"P"}}\n' for number in range(5)
    )
    (deployment / "new.jsonl").write_text(people)
    list(app.take_in(deployment / "new.jsonl", None))
    assert loop.tick(NOW).planned == 5
    assert loop.sweep(NOW, 100) == 0
    clock.at = NOW + 3 * DAY
    assert [loop.sweep(clock.at, 2), loop.sweep(clock.at, 2)] == [2, 0]
    assert loop.tick(clock.at).planned == 2
    assert loop.sweep(clock.at, 2) == 2
    assert loop.tick(clock.at).planned == 2
    app.hear("dms", clock.at)
    assert loop.sweep(clock.at, 100) == 4  # the fifth was never planned while it was silent
    assert loop.tick(clock.at).planned == 4
    assert loop.sweep(clock.at, 100) == 0


def test_who_was_planned_while_it_was_silent_is_found_without_a_sweep_in_between(deployment):
    """A customer who came up by themselves in the silent world is looked at again once it is over."""
    app, clock = opened(deployment)
    app.remember_rules()
    app.hear("dms", NOW)
    loop = app.loop()
    line = '{{"type":"customer","id":"{}","at":"2026-11-20T10:00:00Z","name":"P"}}\n'
    (deployment / "new.jsonl").write_text(line.format("C1"))
    list(app.take_in(deployment / "new.jsonl", None))
    loop.tick(NOW)
    loop.sweep(NOW, 100)
    clock.at = NOW + 3 * DAY
    (deployment / "new.jsonl").write_text(line.format("C2"))
    list(app.take_in(deployment / "new.jsonl", None))
    assert loop.tick(clock.at).planned == 1
    app.hear("dms", clock.at)
    assert loop.sweep(clock.at, 100) == 1


def test_doctor_names_a_source_that_has_gone_silent(deployment):
    """It says when it was heard of last, how often it must be, and what to do."""
    app, clock = opened(deployment)
    (finding,) = [one for one in examine(app) if one.what == "source"]
    assert finding.ok
    assert "nothing has come" in finding.says
    app.hear("dms", NOW)
    clock.at = NOW + DAY
    (finding,) = [one for one in examine(app) if one.what == "source"]
    assert finding.ok
    assert "every 2 days" in finding.says
    clock.at = NOW + 3 * DAY
    (finding,) = [one for one in examine(app) if one.what == "source"]
    assert not finding.ok
    assert "--source dms" in finding.do


def test_a_source_that_is_not_declared_or_not_a_length_of_time_stops_the_start_up(deployment):
    """A misspelt source would hold nothing, ever."""
    with pytest.raises(ConfigurationError, match="there is no such source"):
        App(changed(deployment, 'source = "dms"', 'source = "dsm"'))
    changed(deployment, 'source = "dsm"', 'source = "dms"')
    with pytest.raises(ConfigurationError, match="fresh"):
        App(changed(deployment, 'fresh = "2d"', 'fresh = "often"'))


def test_it_is_written_down_no_more_than_once_a_minute(deployment):
    """Sources are read every few seconds, and that is no reason to write as often."""
    app, _ = opened(deployment)
    app.hear("dms", NOW)
    app.hear("dms", NOW + timedelta(seconds=59))
    with app.store.read() as connection:
        assert queries.setting(connection, "heard:dms") == NOW.isoformat()
    app.hear("dms", NOW + timedelta(seconds=60))
    assert dict(world(app).stale) == {}
