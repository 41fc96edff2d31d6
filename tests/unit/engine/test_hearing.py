"""Calls of providers and what channels list: verified, once, and only then answered; on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from commsched.engine import hearing, sources
from commsched.engine.hearing import ASKED, FIRST, OVERLAP, PROBLEM, Hearing
from commsched.errors import UnknownName
from commsched.plugin.channel import Capabilities, ChannelEvent, Forged, WebhookAnswer, WebhookRequest
from commsched.store import queries

REQUEST = WebhookRequest("POST", "https://x.example/hooks/mail", {"signature": "good"}, b"yes")


@pytest.fixture
def shop(garage, provider, customer):
    """A mail channel that takes calls and can list what came in; ann was written to."""

    class Talking(provider):
        capabilities = Capabilities(webhook=True, inbound=True)

        def webhook(self, request):
            if request.headers.get("signature") != "good":
                raise Forged(self.name)
            return [self.event(request.body.decode(), "call")]

        def answer(self, request):
            return WebhookAnswer(200, b"thanks")

        async def inbound(self, since):
            self.asked.append(since)
            if self.away:
                raise self.away
            return [self.event("yes", "call"), self.event("no", "listed")]

        def event(self, text, name):
            return ChannelEvent("reply", found.clock.at, address="ann@x.example", text=text, id=name)

    found = garage()
    found.mail = Talking("mail")
    found.mail.capabilities = Talking.capabilities
    found.mail.asked, found.mail.away = [], None
    found.loop.channels["mail"] = found.mail
    found.learn(*customer())
    found.tick()
    found.told = []
    channels = {"mail": found.mail, "text": found.text}
    found.hearing = Hearing(found.store, channels, "desk", "mi", lambda _, event: found.told.append(event),
                            lambda _: found.world, lambda *_: None)  # fmt: skip
    return found


def test_a_call(shop):
    """A call is taken once, told to observers, and answered as its channel wants; again, it is only answered."""
    for _ in range(2):
        assert shop.hearing.called("mail", REQUEST, shop.clock.at) == WebhookAnswer(200, b"thanks")
    assert [fact.text for fact in shop.told] == ["yes"]


def test_a_forged_call(shop):
    """Without a valid signature nothing is written; it is counted."""
    with pytest.raises(Forged):
        shop.hearing.called("mail", WebhookRequest("POST", REQUEST.url, {}, b"yes"), shop.clock.at)
    assert (shop.told, shop.hearing.forged) == ([], {"mail": 1})
    with shop.store.read() as connection:
        assert len(queries.messages(connection, ["ann"])["ann"]) == 1
    with pytest.raises(UnknownName):
        shop.hearing.called("nobody", REQUEST, shop.clock.at)


def test_what_a_lost_call_would_have_told(shop):
    """Asked, the channel tells the same events: those that a call brought count no more."""
    shop.hearing.called("mail", REQUEST, shop.clock.at)
    with asyncio.Runner() as runner:
        shop.hearing.ask(shop.clock.at, runner.run)
        shop.hearing.ask(shop.clock.at + timedelta(minutes=2), runner.run)
    assert [fact.text for fact in shop.told] == ["yes", "no"]
    assert shop.mail.asked == [shop.clock.at - FIRST, shop.clock.at - OVERLAP]


def test_after_a_backup_channels_are_asked_from_then_on(shop):
    """What came in since the backup was made is asked for; who can only call, and not be asked, is named."""
    made = shop.clock.at - timedelta(days=5)
    with shop.store.write() as connection:
        deaf = hearing.ask_again(connection, shop.hearing.channels, made)
    with asyncio.Runner() as runner:
        shop.hearing.ask(shop.clock.at, runner.run)
    assert (deaf, shop.mail.asked) == ([], [made - OVERLAP])
    shop.mail.capabilities = Capabilities(webhook=True)
    with shop.store.write() as connection:
        assert hearing.ask_again(connection, shop.hearing.channels, made) == ["mail"]


def test_a_channel_that_cannot_be_asked(shop):
    """It is said that it could not be asked, and it is asked for the same time again."""
    shop.mail.away = OSError("no route")
    with asyncio.Runner() as runner:
        shop.hearing.ask(shop.clock.at, runner.run)
        with shop.store.read() as connection:
            assert queries.setting(connection, PROBLEM + "mail") == "OSError"
            assert queries.setting(connection, ASKED + "mail") is None
        shop.mail.away = None
        shop.hearing.ask(shop.clock.at, runner.run)
    with shop.store.read() as connection:
        assert queries.setting(connection, PROBLEM + "mail") == ""


def test_a_deployment_takes_calls(shop):
    """The application takes calls for its channels."""
    with pytest.raises(Forged):
        shop.app.heard("mail", REQUEST)
    with pytest.raises(UnknownName):
        shop.app.heard("nobody", REQUEST)


def test_channels_are_asked_at_once(shop, monkeypatch):
    """One that does not answer holds up neither the others nor the engine for longer than is said."""
    met = asyncio.Event()

    class Waiting(type(shop.mail)):
        async def inbound(self, since):
            await met.wait()
            return [self.event("yes", "met")]

    class Last(Waiting):
        async def inbound(self, since):
            met.set()
            return []

    class Silent(Waiting):
        async def inbound(self, since):
            await asyncio.Event().wait()

    monkeypatch.setattr(hearing, "ASK_SECONDS", 0.2)
    shop.hearing.channels = {name: kind(name) for name, kind in {"a": Waiting, "b": Silent, "c": Last}.items()}
    for channel in shop.hearing.channels.values():
        channel.capabilities = Capabilities(inbound=True)
    with asyncio.Runner() as runner:
        shop.hearing.ask(shop.clock.at, runner.run)
    with shop.store.read() as connection:
        problems = {name: queries.setting(connection, PROBLEM + name) for name in "abc"}
    assert problems == {"a": "", "b": "TimeoutError", "c": ""}
    assert [fact.text for fact in shop.told] == ["yes"]


def test_a_source_of_the_same_name_is_another(shop):
    """That a source was heard of does not say that the channel of its name was asked."""
    sources.hear(shop.store, "mail", shop.clock.at)
    with asyncio.Runner() as runner:
        shop.hearing.ask(shop.clock.at, runner.run)
    assert shop.mail.asked == [shop.clock.at - FIRST]
