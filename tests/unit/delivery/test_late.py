"""Answers that come after a pass has given up waiting end the doubt that they left; on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from commsched.delivery import breakers, send
from commsched.delivery.late import call_end
from commsched.plugin.channel import Accepted, Ambiguous, Capabilities, ChannelDown, Refused, TryLater
from commsched.store import queries


@pytest.fixture
def shop(garage, provider, customer, monkeypatch):
    """A mail server that answers when it is told to, by way of ``answer``; a pass waits for a moment only."""

    class Slow(provider):
        patience = timedelta(minutes=10)
        answer = None

        async def send(self, message):
            self.calls.append(message)
            self.answer = asyncio.get_running_loop().create_future()
            return await self.answer

    monkeypatch.setattr(send, "CALL_SECONDS", 0.02)
    found = garage()
    found.mail = Slow("mail")
    found.loop.channels["mail"] = found.mail
    found.learn(*customer())
    found.tick()
    assert (found.messages["ann/say"].state, found.attempts) == ("in_doubt", [("ann", "in_doubt")])
    return found


@pytest.mark.parametrize(
    ("outcome", "message", "attempt"),
    [
        (Accepted("ref"), "sent", "accepted"),
        (Refused("550 no"), "planned", "refused"),
        (TryLater("451 later"), "planned", "try_later"),
        (Ambiguous("hung up"), "in_doubt", "in_doubt"),
        (OSError("reset"), "in_doubt", "in_doubt"),
    ],
)
def test_a_late_answer_counts(shop, outcome, message, attempt):
    """Whatever it is, it is what came of the attempt, and ends the doubt where it is clear."""
    answer(shop, outcome)
    shop.loop.hear_late(shop.clock.at)
    assert (shop.messages["ann/say"].state, shop.attempts) == (message, [("ann", attempt)])
    assert shop.loop.sender.late.calls == {}


def test_nothing_goes_twice_while_the_answer_is_awaited(shop):
    """However long it takes; once the answer is there it was sent, and once."""
    for minutes in (1, 2, 5):
        shop.tick(minutes=minutes)
    assert len(shop.mail.calls) == 1
    shop.mail.answer.set_result(Accepted("ref"))
    shop.tick(seconds=1)
    assert (shop.messages["ann/say"].state, len(shop.mail.calls)) == ("sent", 1)


def test_not_being_found_proves_nothing_while_the_call_goes_on(shop):
    """A channel whose not knowing is proof is asked once the call must be over."""
    shop.mail.capabilities = Capabilities(lookup="proof")
    shop.tick(minutes=5)
    assert (shop.mail.lookups, len(shop.mail.calls)) == ([], 1)
    assert call_end(shop.clock.at, shop.mail) == shop.clock.at + timedelta(minutes=10)
    shop.tick(minutes=6)
    assert len(shop.mail.lookups) == 1


def answer(shop, outcome):
    """The mail server answers after all."""
    if isinstance(outcome, Exception):
        shop.mail.answer.set_exception(outcome)
    else:
        shop.mail.answer.set_result(outcome)


def outages(shop):
    with shop.store.read() as connection:
        return {
            row.channel: (row.failures, row.since is not None)
            for row in queries.lock_outages(connection, ["mail"]).values()
        }


@pytest.mark.parametrize(
    ("outcome", "standing"),
    [
        (Accepted("ref"), {}),
        (Refused("550 no"), {}),
        (ChannelDown("421 closing"), {"mail": (2, True)}),
        (Ambiguous("hung up"), {"mail": (1, False)}),
    ],
)
def test_a_late_answer_says_how_it_stands_with_the_channel(shop, outcome, standing):
    """A clear one opens it again or closes it; that the call was unclear counted when nobody waited any longer."""
    assert outages(shop) == {"mail": (1, False)}
    answer(shop, outcome)
    shop.loop.hear_late(shop.clock.at)
    assert outages(shop) == standing


def test_a_late_yes_opens_a_channel_that_was_closed(shop):
    """Whoever was put off until it was to be tried need not wait for that."""
    with shop.store.write() as connection:
        breakers.note(connection, {"mail": [ChannelDown("nobody there")]}, shop.clock.at)
    shop.mail.answer.set_result(Accepted("ref"))
    shop.loop.hear_late(shop.clock.at)
    assert outages(shop) == {}
