"""Calling channels: outcomes in order, one at a time or in batches, and no channel takes another with it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from commsched.delivery import send
from commsched.delivery.send import Ending, Sender, Trip
from commsched.plugin.channel import Accepted, Ambiguous, ChannelDown, Outgoing, Refused, TryLater


@dataclass(frozen=True)
class Ready:
    """What sending needs of a message that is ready."""

    outgoing: Outgoing
    channel: str
    slot: datetime | None = None


@pytest.fixture
def ready(noon):
    """A message for an address, by a channel, that may go until so many minutes from now."""

    def made(to: str, channel: str = "mail", minutes: int = 10, at: datetime = noon) -> Ready:
        until = at + timedelta(minutes=minutes)
        return Ready(Outgoing(f"try-{to}", "k", "email", to, "", "", "Hi", "", until, at), channel)

    return made


@pytest.fixture
def sent(noon):
    """Sends, and gives the names of the outcomes."""

    def names(messages, *channels, until=float("inf")):
        outcomes = asyncio.run(Sender({one.name: one for one in channels}).send(messages, Trip(noon, until)))
        return [type(one).__name__ for one in outcomes]

    return names


ANSWERS = {"b": Refused("no"), "c": TryLater("busy"), "d": Ambiguous("lost"), "e": ValueError("oh")}
EXPECTED = ["Accepted", "Refused", "TryLater", "Ambiguous", "Ambiguous"]


@pytest.mark.parametrize("batch", [0, 2, 100])
def test_outcomes_stand_in_order(ready, sent, provider, batch):
    """Each message has its own outcome, at its own place, whether sent alone or with others."""
    mail = provider("mail", batch=batch)
    mail.answers = {**ANSWERS} if batch == 0 else {name: one for name, one in ANSWERS.items() if name != "e"}
    letters = "abcde" if batch == 0 else "abcd"
    assert sent([ready(to) for to in letters], mail) == EXPECTED[: len(letters)]
    assert len(mail.calls) == len(letters)


def test_many_more_than_fit_at_once(ready, sent, provider):
    """However many there are, all are sent, and no more than so many at a time."""
    mail = provider("mail")
    running, most = [], []
    plain = mail.send

    async def slow(message):
        running.append(message)
        most.append(len(running))
        await asyncio.sleep(0)
        running.remove(message)
        return await plain(message)

    mail.send = slow
    assert sent([ready(f"a{number}") for number in range(200)], mail) == ["Accepted"] * 200
    assert max(most) == send.IN_FLIGHT


@pytest.mark.parametrize(
    ("failure", "name"),
    [
        (ValueError("oh"), "Ambiguous"),
        (Refused("no"), "Refused"),
        (TryLater("busy"), "TryLater"),
        (OSError(), "Ambiguous"),
    ],
)
def test_a_batch_that_fails_as_a_whole(ready, sent, provider, failure, name):
    """What a channel says of the whole batch counts for each of its messages; other channels go on."""
    mail, text = provider("mail", batch=10), provider("text")
    mail.answers["batch"] = failure
    assert sent([ready("a"), ready("t", "text"), ready("b")], mail, text) == [name, "Accepted", name]


def test_a_batch_that_miscounts(ready, sent, provider):
    """A channel that gives fewer outcomes than there were messages says nothing about any of them."""
    mail = provider("mail", batch=10)

    async def short(messages):
        return [Accepted()] * (len(messages) - 1)

    mail.send_batch = short
    assert sent([ready("a"), ready("b")], mail) == ["Ambiguous"] * 2


def test_a_message_whose_window_has_closed_is_not_sent(ready, sent, provider):
    """After its window a message comes back unsent, to be planned again; the others go."""
    mail = provider("mail")
    assert sent([ready("late", minutes=-1), ready("a", minutes=0)], mail) == ["NotTried", "Accepted"]
    assert [call.to for call in mail.calls] == ["a"]


@pytest.mark.parametrize("batch", [0, 10])
def test_a_worker_that_was_held_up_sends_nothing(ready, sent, provider, batch):
    """Once its lease is over, a worker makes no call: the customers may be another's."""
    mail = provider("mail", batch=batch)
    assert sent([ready("a")], mail, until=0.0) == ["NotTried"]
    assert mail.calls == []


@pytest.mark.parametrize("batch", [0, 10])
def test_a_channel_that_never_answers(ready, sent, provider, monkeypatch, batch):
    """A call that takes too long is given up, in doubt, and holds nobody else up."""
    monkeypatch.setattr(send, "CALL_SECONDS", 0.05)
    mail, text = provider("mail", batch=batch), provider("text")

    async def hang(_message):
        await asyncio.Event().wait()

    mail.send = mail.send_batch = hang
    assert sent([ready("a"), ready("t", "text")], mail, text) == ["Ambiguous", "Accepted"]


def test_a_channel_that_proves_to_be_down_is_left_alone(ready, noon, provider):
    """After a few unclear answers, or the word that it is down, nothing more is handed over."""
    mail = provider("mail", batch=1)
    mail.answers = {"batch": Ambiguous("lost")}
    outcomes = asyncio.run(Sender({"mail": mail}).send([ready(f"t{n}") for n in range(9)], Trip(noon)))
    assert [isinstance(one, Ambiguous) for one in outcomes] == [True] * 5 + [False] * 4
    assert all(isinstance(one, send.NotTried) for one in outcomes[5:])
    mail.answers = {"batch": ChannelDown("401")}
    outcomes = asyncio.run(Sender({"mail": mail}).send([ready(f"t{n}") for n in range(7)], Trip(noon)))
    assert [type(one).__name__ for one in outcomes] == ["ChannelDown"] * 5 + ["NotTried"] * 2


def test_what_was_seen_of_a_channel_lasts_from_pass_to_pass(ready, noon, provider):
    """One that answers well has all its calls at once from the next pass on; one that is down is left alone."""
    mail = provider("mail")
    most = _most_at_once(mail)
    with asyncio.Runner() as runner:
        sender = Sender({"mail": mail})
        runner.run(sender.send([ready(f"a{n}") for n in range(100)], Trip(noon)))
        assert most[0] == send.FIRST_FLIGHT
        most.clear()
        runner.run(sender.send([ready(f"b{n}") for n in range(50)], Trip(noon)))
        assert max(most) == send.IN_FLIGHT
        mail.answers = {f"c{n}": ChannelDown("401") for n in range(50)}
        runner.run(sender.send([ready(f"c{n}") for n in range(50)], Trip(noon)))
        calls = len(mail.calls)
        again = runner.run(sender.send([ready("d")], Trip(noon)))
        assert (again, len(mail.calls)) == ([send.BROKEN], calls)
        sender.noted(["mail"])
        assert isinstance(runner.run(sender.send([ready("d")], Trip(noon)))[0], Accepted)


def test_a_few_that_hang_say_nothing_against_a_channel_that_answers_the_others(ready, noon, provider, monkeypatch):
    """One call in a hundred hangs; all of these end last, one after the other, and the channel is open all the same."""
    monkeypatch.setattr(send, "CALL_SECONDS", 0.3)
    mail = provider("mail")
    sending = mail.send

    async def some_hang(message):
        if message.to.startswith("hangs"):
            await asyncio.sleep(60)
        await asyncio.sleep(0.005)
        return await sending(message)

    mail.send = some_hang
    names = [f"hangs{number}" if number % 20 == 10 else f"to{number}" for number in range(200)]
    sender = Sender({"mail": mail})
    found = asyncio.run(sender.send([ready(name) for name in names], Trip(noon)))
    assert Counter(type(one).__name__ for one in found) == {"Accepted": 190, "Overtaken": 10}
    assert not sender._lines["mail"].broken


def test_those_that_began_last_and_hang_close_the_channel(ready, noon, provider, monkeypatch):
    """From one moment on nothing is answered: what went before shows nothing of how it is now."""
    monkeypatch.setattr(send, "CALL_SECONDS", 0.2)
    mail = provider("mail")
    sending = mail.send

    async def gone(message):
        if message.to >= "n050":
            await asyncio.sleep(60)
        return await sending(message)

    mail.send = gone
    sender = Sender({"mail": mail})
    found = asyncio.run(sender.send([ready(f"n{number:03}") for number in range(200)], Trip(noon)))
    kinds = Counter(type(one).__name__ for one in found)
    assert kinds["Accepted"] == 50
    assert kinds["Ambiguous"] >= send.UNCLEAR
    assert kinds["Overtaken"] == 0
    assert kinds["NotTried"] > 0
    assert sender._lines["mail"].broken


def test_what_was_seen_long_ago_counts_no_more(ready, noon, provider, monkeypatch):
    """A channel that was well an hour ago begins with a few calls again."""
    mail = provider("mail")
    most = _most_at_once(mail)
    with asyncio.Runner() as runner:
        sender = Sender({"mail": mail})
        runner.run(sender.send([ready(f"a{n}") for n in range(100)], Trip(noon)))
        most.clear()
        monkeypatch.setattr(send, "FORGOTTEN", -1.0)
        runner.run(sender.send([ready(f"b{n}") for n in range(50)], Trip(noon)))
    assert most[0] == send.FIRST_FLIGHT


def _most_at_once(channel):
    """Lets calls wait for each other; how many there were at once, turn by turn."""
    running, seen, plain = [], [], channel.send

    async def slow(message):
        running.append(message)
        await asyncio.sleep(0)
        seen.append(len(running))
        await asyncio.sleep(0)
        running.remove(message)
        return await plain(message)

    channel.send = slow
    return seen


@pytest.mark.parametrize(("batch", "waited"), [(0, [0, 1, 2]), (10, [2])])
def test_each_goes_in_its_place(ready, noon, provider, batch, waited):
    """A message waits for its place at the channel; a batch, for the place of its last."""
    seen = []

    async def wait(slot):
        seen.append((slot - noon).total_seconds())

    messages = [replace(ready(f"t{n}"), slot=noon + timedelta(seconds=n)) for n in range(3)]
    asyncio.run(Sender({"mail": provider("mail", batch=batch)}).send(messages, Trip(noon, wait=wait)))
    assert seen == waited


def test_told_to_stop_it_hands_back_what_is_not_begun_and_waits_no_longer_than_said(ready, noon, provider):
    """What is in a provider's hands and gets no answer in time is in doubt; the rest is planned again by the next."""
    mail, ending = provider("mail"), Ending()

    async def hanging(_):
        ending.ask(0.05)
        await asyncio.Event().wait()

    mail.send = hanging
    messages = [ready(f"a{number}") for number in range(20)]
    outcomes = asyncio.run(Sender({"mail": mail}, ending).send(messages, Trip(noon)))
    assert [type(one) for one in outcomes] == [Ambiguous] * send.FIRST_FLIGHT + [send.NotTried] * 15
    assert outcomes[-1] is send.STOPPED


@pytest.mark.parametrize(
    ("wanted", "left", "seconds"),
    [(0, 60, 30), (45, 60, 45), (90, 50, 50), (90, 5, 30), (1000, float("inf"), 120)],
)
def test_a_batch_has_the_time_that_it_needs(wanted, left, seconds):
    """Half a minute in any case; more where the channel asks for it, the lease lasts, and up to two minutes."""
    assert send.batch_seconds(timedelta(seconds=wanted), left) == seconds


@pytest.mark.parametrize(("wanted", "name"), [(0, "Ambiguous"), (60, "Accepted")])
def test_a_large_batch_is_not_cut_short(ready, sent, provider, monkeypatch, wanted, name):
    """What a channel says that it needs for so many, it gets."""
    monkeypatch.setattr(send, "CALL_SECONDS", 0.02)
    mail, asked = provider("mail", batch=10), []

    async def slowly(messages):
        await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.1)
        return [Accepted(one.attempt) for one in messages]

    mail.send_batch = slowly
    mail.time_for = lambda count: asked.append(count) or timedelta(seconds=wanted)
    assert sent([ready("a"), ready("b")], mail) == [name] * 2
    assert asked == [2]
