"""What doctor says of engines, workers, plugins, clocks and links, and what it says to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from commsched.app import App
from commsched.cli import atwork
from commsched.engine import jobs
from commsched.engine.clock import SetClock
from commsched.engine.pulse import TICK, Crew, Pulse
from commsched.signals import Failed
from commsched.store import queries

NOW = datetime(2026, 6, 15, 17, tzinfo=UTC)


@pytest.fixture
def app(shell):
    """A deployment at noon, with a store of its own."""
    loaded = App(shell.folder, clock=SetClock(NOW))
    yield loaded
    loaded.store.close()


@pytest.fixture
def distributed(app):
    """The same with the engine whose work workers share."""
    app.configuration = app.configuration.model_copy(
        update={"deployment": app.configuration.deployment.model_copy(update={"engine": "distributed"})}
    )
    return app


def found(app, look, later=timedelta()):
    with app.store.read() as connection:
        return [(one.ok, one.says, one.do) for one in look(app, connection, NOW + later)]


def test_an_engine_that_never_was_is_no_fault(app):
    """Somebody may only ever call tick; that customers wait is for the queue to say."""
    ((ok, says, do),) = found(app, atwork.engine)
    assert (ok, do) == (True, "")
    assert "not been at work" in says


def test_an_engine_that_died_is_named(app):
    """Seen lately: well. Silent for longer: look; unless it was told to stop."""
    pulse = Pulse(app.store, app.clock)
    pulse.turn()
    ((ok, says, _),) = found(app, atwork.engine, timedelta(minutes=4))
    assert (ok, says) == (True, "at work, last seen Mon 15 Jun 2026 12:00 CDT")
    ((ok, says, do),) = found(app, atwork.engine, timedelta(minutes=6))
    assert not ok
    assert "not heard of since Mon 15 Jun 2026 12:00 CDT" in says
    assert "start it again" in do
    pulse.end()
    ((ok, says, _),) = found(app, atwork.engine, timedelta(days=6))
    assert (ok, says) == (True, "stopped as it was told to, Mon 15 Jun 2026 12:00 CDT")


def test_a_tick_does_not_hide_a_service_that_died(app):
    """As cron calls one every hour beside a service that is not there any more."""
    Pulse(app.store, app.clock).turn()
    app.clock.at += timedelta(hours=1)
    Pulse(app.store, app.clock, TICK).end()
    ((ok, says, _),) = found(app, atwork.engine, timedelta(hours=1))
    assert not ok
    assert "not heard of since Mon 15 Jun 2026 12:00 CDT" in says


@pytest.mark.parametrize(("working", "well"), [(1, False), (0, True)])
def test_workers_do_not_stand_in_for_the_service(distributed, monkeypatch, working, well):
    """It alone asks sources and calendars: with workers only, never begun or told to stop, it is missing."""
    monkeypatch.setattr(jobs, "crew", lambda _: Crew(0, 0, working))
    for _ in range(2):
        ((ok, says, do),) = found(distributed, atwork.engine)
        assert (ok, "`commsched run` is not" in says, bool(do)) == (well, not well, not well)
        Pulse(distributed.store, distributed.clock).end()


def test_workers_are_asked_for_only_where_there_are_any(app):
    """The local engine has none."""
    assert found(app, atwork.workers) == []


@pytest.mark.parametrize(
    ("crew", "wells", "words"),
    [
        (None, [False], "none is at work"),
        (Crew(3, 0, 0), [False], "none is at work"),
        (Crew(3, 0, 2), [True], "2 workers at work; 3 batches waiting"),
        (Crew(0, 1, 1), [True, False], "1 batch is held by a worker that is not heard of any more"),
    ],
)
def test_workers_and_their_batches(distributed, monkeypatch, crew, wells, words):
    """Nobody at work, and batches that nobody holds any more, come with what to do."""
    monkeypatch.setattr(jobs, "crew", lambda _: crew)
    rows = found(distributed, atwork.workers)
    assert [ok for ok, _, _ in rows] == wells
    assert words in " ".join(says for _, says, _ in rows)
    assert all(bool(do) != ok for ok, _, do in rows)


@pytest.mark.parametrize("kind", ["policy", "observer", "channel", "calendar", "source", "plan"])
def test_a_plugin_that_failed_is_named_for_an_hour(app, kind):
    """With the kind of error and what to do, whatever process it failed in."""
    pulse = Pulse(app.store, app.clock)
    pulse.hear(Failed(kind, "thing", "KeyError"))
    pulse.end()
    ((ok, says, do),) = found(app, atwork.plugins, timedelta(minutes=59))
    assert (ok, says) == (False, f"thing ({kind}) failed, Mon 15 Jun 2026 12:00 CDT: KeyError")
    assert do.endswith(".")
    assert found(app, atwork.plugins, timedelta(minutes=61)) == []


def test_the_database_of_a_file_has_no_clock_of_its_own(app):
    """SQLite goes by the machine's."""
    assert found(app, atwork.clock) == []


@pytest.mark.postgres
def test_clocks_that_are_apart_are_named(shell, postgres_url, monkeypatch):
    """The machine and the database agree; an hour apart, it says what hangs on it."""
    monkeypatch.setenv("COMMSCHED_STORE", postgres_url)
    app = App(shell.folder)
    ((ok, _, _),) = found(app, atwork.clock)
    assert ok
    monkeypatch.setattr(queries, "database_now", lambda _: datetime.now(UTC) - timedelta(hours=1))
    ((ok, says, do),) = found(app, atwork.clock)
    assert (ok, says) == (False, "this machine and the database are 3600.0 s apart")
    assert "NTP" in do
    app.store.close()


def test_links_that_lead_nowhere_are_named(app):
    """No address: no links, which is said. This machine's own: nobody else reaches it. Else whether they are signed."""
    ((ok, says, _),) = found(app, atwork.links)
    assert (ok, "no public_url" in says) == (True, True)
    app.public_url = "http://localhost:8000"
    ((ok, says, do),) = found(app, atwork.links)
    assert (ok, "only this machine" in says, "https://" in do) == (False, True, True)
    app.public_url = "https://my.garage.example"
    assert "makes the signing key" in found(app, atwork.links)[0][1]
    app.loop()
    assert found(app, atwork.links) == [(True, "they lead to https://my.garage.example, and are signed", "")]


def test_a_tick_leaves_its_pulse(told):
    """Who has no service running sees when a tick was last at work, and that it ended well."""
    told("tick")
    engine = next(one for one in told.json("doctor")["findings"] if one["what"] == "engine")
    assert engine["ok"] is True
    assert "has not been at work on this store yet; the last `commsched tick` ended" in engine["says"]
