"""Whether an engine lives, and what it leaves in the store for who asks another process."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

import pytest

from commsched.engine.pulse import HANGS, SELDOM, TICK, Pulse, failures, seen
from commsched.signals import Asked, Failed, Received


@pytest.fixture
def beating(garage):
    """A pulse on a store, its clock that runs forward, and the shop."""
    shop, at = garage(), [100.0]
    return Pulse(shop.store, shop.clock, seconds=lambda: at[0]), at, shop


def read(shop, what, *arguments):
    with shop.store.read() as connection:
        return what(connection, *arguments)


def test_it_lives_while_it_turns(beating):
    """Before it has begun it is not ill; then five minutes without a turn are too long, and one turn mends it."""
    pulse, at, _ = beating
    assert (pulse.began, pulse.lives) == (False, True)
    pulse.turn()
    at[0] += HANGS - 1
    assert pulse.lives
    at[0] += 2
    assert not pulse.lives
    pulse.turn()
    assert (pulse.began, pulse.lives) == (True, True)


def test_a_long_import_is_no_standstill_and_a_page_is_no_life(beating, customer):
    """A fact in the main thread shows that it goes on; what happens in another thread says nothing of the loop."""
    pulse, at, _ = beating
    pulse.turn()
    at[0] += HANGS + 1
    thread = Thread(target=pulse.hear, args=[Asked("page", 200)])
    thread.start()
    thread.join()
    assert not pulse.lives
    pulse.hear(Received(customer()[0]))
    assert pulse.lives


def test_it_is_written_down_seldom(beating):
    """A turn a second: one write in half a minute; that it was told to stop is written at once."""
    pulse, at, shop = beating
    pulse.turn()
    first = shop.clock.at
    assert read(shop, seen).at == first
    shop.clock.at += timedelta(seconds=5)
    at[0] += SELDOM - 1
    pulse.turn()
    assert read(shop, seen).at == first
    at[0] += 1
    pulse.turn()
    assert (read(shop, seen).at, read(shop, seen).ended) == (shop.clock.at, False)
    pulse.end()
    assert read(shop, seen).ended


def test_nobody_passes_for_the_service(beating):
    """While `run` is silent, a tick writes under its own name, and a worker leaves only what failed."""
    pulse, _, shop = beating
    pulse.turn()
    crashed = read(shop, seen)
    shop.clock.at += timedelta(hours=1)
    Pulse(shop.store, shop.clock, TICK).end()
    worker = Pulse(shop.store, shop.clock, None)
    worker.hear(Failed("channel", "mail", "KeyError"))
    worker.turn()
    worker.end()
    assert read(shop, seen) == crashed
    assert not crashed.ended
    assert read(shop, seen, TICK).at == shop.clock.at
    assert [one.plugin for one in read(shop, failures, shop.clock.at)] == ["mail"]


def test_the_last_failure_of_each_plugin_is_kept(beating):
    """Two failures of one plugin are one line, with the later time; older ones than are asked for are left out."""
    pulse, at, shop = beating
    begin = shop.clock.at
    pulse.hear(Failed("channel", "mail", "KeyError"))
    pulse.turn()
    shop.clock.at += timedelta(minutes=10)
    for error in ("ValueError", "TypeError"):
        pulse.hear(Failed("policy", "quiet_hours", error))
    at[0] += SELDOM
    pulse.turn()
    found = read(shop, failures, begin)
    assert [(one.kind, one.plugin, one.error) for one in found] == [
        ("channel", "mail", "KeyError"),
        ("policy", "quiet_hours", "TypeError"),
    ]
    assert [one.plugin for one in read(shop, failures, begin + timedelta(minutes=1))] == ["quiet_hours"]
    assert read(shop, seen).at == shop.clock.at
