"""Messages on their way: the next batch is planned meanwhile, results count as they come, and none is lost."""

from __future__ import annotations

import asyncio
from threading import Event
from time import monotonic

import pytest

from commsched.engine import flight, loop
from commsched.errors import StoreError
from commsched.plugin.channel import Accepted

PATIENCE = 20.0


@pytest.fixture
def shop(garage, provider, customer, monkeypatch):
    """A service in which time passes; mail to ``slow@x.example`` waits until it is told to go on by ``go``."""
    found = garage()

    class Slow(provider):
        async def send(self, message):
            if message.to == "slow@x.example":
                self.calls.append(message)
                await asyncio.to_thread(found.go.wait, PATIENCE)
                return Accepted("late")
            return await super().send(message)

    monkeypatch.setattr(flight, "SETTLE", 0.01)
    monkeypatch.setattr(loop, "SETTLE", 0.01)
    found.go = Event()
    found.mail = Slow("mail")
    found.loop = found.worker(found.store, live=True)
    found.learn(*customer("slow"))
    yield found
    found.go.set()
    found.loop.end()


def until(what):
    """Wait for something, for a while."""
    end = monotonic() + PATIENCE
    while not what():
        assert monotonic() < end
        Event().wait(0.005)


def settled(shop, customer):
    """Whether the engine has made the customer's message one that was sent."""
    shop.loop.hear(shop.clock.at)
    return shop.messages[f"{customer}/say"].state == "sent"


def test_the_next_batch_is_planned_and_sent_while_a_provider_takes_its_time(shop, customer):
    """A pass ends when its calls have begun; what is answered is durable before the slow one is."""
    assert shop.loop.step(shop.clock.at).planned == 1
    until(lambda: shop.mail.calls)
    shop.learn(*customer("ann"), *customer("bob"))
    assert shop.loop.step(shop.clock.at).planned == 2
    until(lambda: settled(shop, "ann") and settled(shop, "bob"))
    assert ("slow", "sending") in shop.attempts
    shop.go.set()
    until(lambda: settled(shop, "slow"))
    assert shop.loop.flights == []
    assert len(shop.mail.calls) == 3


def test_one_call_that_hangs_holds_up_no_result_of_its_own_batch(shop, customer):
    """The others of the batch are done with, and given back, while it hangs."""
    shop.learn(*customer("ann"))
    shop.loop.step(shop.clock.at)
    until(lambda: settled(shop, "ann"))
    assert [one.under_way for one in shop.loop.flights] == [1]
    assert shop.due("ann") > shop.clock.at + shop.loop.lease


def test_nothing_new_is_begun_while_too_much_is_under_way(shop, customer, monkeypatch):
    """A batch that would only wait for its turn is left to somebody else, its lease not begun."""
    shop.loop.step(shop.clock.at)
    monkeypatch.setattr(loop, "BATCH", 0)
    shop.learn(*customer("ann"))
    assert shop.loop.step(shop.clock.at).planned == 0
    assert [one for one, _ in shop.attempts] == ["slow"]
    shop.go.set()
    until(lambda: settled(shop, "slow"))
    monkeypatch.undo()
    assert shop.loop.step(shop.clock.at).planned == 1


def test_a_result_outlives_a_database_that_is_away(shop, monkeypatch):
    """What a provider has answered is kept until it can be written."""
    shop.loop.step(shop.clock.at)
    until(lambda: shop.mail.calls)
    with monkeypatch.context() as away:
        away.setattr(flight, "settle", _fails)
        shop.go.set()
        with pytest.raises(StoreError):
            until(lambda: shop.loop.hear(shop.clock.at) and False)
    assert shop.attempts == [("slow", "sending")]
    until(lambda: settled(shop, "slow"))
    assert shop.attempts == [("slow", "accepted")]


def test_a_tick_ends_when_everything_is_answered(shop):
    """The command does what is due, and leaves nothing under way behind."""
    shop.mail.answers = {}
    shop.go.set()
    report = shop.loop.tick(shop.clock.at)
    assert (report.planned, report.sent, shop.loop.flights) == (1, 1, [])


def test_a_defect_in_sending_is_said_once_and_holds_nobody_up(shop, customer, monkeypatch):
    """The attempts are looked up when their lease is over, as after a crash; the next batch goes on."""
    monkeypatch.setattr(type(shop.loop.sender), "send", _breaks)
    with pytest.raises(RuntimeError, match="a defect"):
        until(lambda: shop.loop.step(shop.clock.at) and False)
    assert (shop.loop.flights, shop.attempts) == ([], [("slow", "sending")])
    monkeypatch.undo()
    shop.learn(*customer("ann"))
    assert shop.loop.tick(shop.clock.at).sent == 1


def _fails(*_):
    message = "the database is away"
    raise StoreError(message)


async def _breaks(*_):
    message = "a defect"
    raise RuntimeError(message)
