"""What channels that call a provider share: calls in threads, what is left of time, careful words."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commsched import (
    Accepted,
    Ambiguous,
    Calls,
    ChannelDown,
    Outgoing,
    Refused,
    TryLater,
    attempt_in,
    library,
    masked,
    outcome_of_status,
    raised,
    retry_after,
    time_left,
)


def test_a_call_gives_what_it_returns_and_raises():
    """In a thread of its own."""
    calls = Calls(5)

    def fail():
        raise Refused("no")

    assert asyncio.run(calls.run(lambda: 7)) == 7
    with pytest.raises(Refused, match="no"):
        asyncio.run(calls.run(fail))


def test_of_a_call_that_takes_too_long_nobody_knows():
    """And one that never had its turn was not made, then or later."""
    calls, go, made = Calls(0.2, at_once=1), Event(), []

    async def both():
        return await asyncio.gather(
            calls.run(go.wait), calls.run(lambda: made.append("second")), return_exceptions=True
        )

    first, second = asyncio.run(both())
    assert type(first) is Ambiguous
    assert type(second) is TryLater
    go.set()
    assert asyncio.run(Calls.run(calls, lambda: "after")) == "after"
    assert made == []


def test_a_call_that_does_not_begin_soon_never_does():
    """So that no call begins which has no time to end: it was certainly not made."""
    calls, go, made = Calls(30, at_once=1, begin=0.1), Event(), []

    async def both():
        first = asyncio.ensure_future(calls.run(go.wait))
        second = asyncio.ensure_future(calls.run(lambda: made.append("second")))
        await asyncio.wait([second])
        go.set()
        return await first, second.exception()

    first, second = asyncio.run(both())
    assert first is True
    assert type(second) is TryLater
    assert made == []


def test_several_calls_have_an_outcome_each_in_order():
    """What returned, what raised, what was not made in time."""
    calls, go = Calls(0.3, at_once=2), Event()

    def later():
        raise TryLater("busy")

    found = asyncio.run(calls.run_all([lambda: 1, later, go.wait, go.wait, lambda: 2]))
    go.set()
    assert (found[0], type(found[1]), type(found[2]), type(found[3])) == (1, TryLater, Ambiguous, Ambiguous)
    assert type(found[4]) is TryLater
    assert asyncio.run(calls.run_all([])) == []


def test_a_cancelled_call_that_has_not_begun_is_never_made():
    """One that has begun ends where nobody waits for it."""
    calls, go, begun, made = Calls(5, at_once=1), Event(), Event(), []

    async def cut():
        first = asyncio.ensure_future(calls.run(lambda: (begun.set(), go.wait(), made.append("first"))))
        await asyncio.to_thread(begun.wait)
        second = asyncio.ensure_future(calls.run(lambda: made.append("second")))
        await asyncio.sleep(0)
        second.cancel()
        first.cancel()
        return await asyncio.gather(first, second, return_exceptions=True)

    assert [type(one) for one in asyncio.run(cut())] == [asyncio.CancelledError] * 2
    go.set()
    assert asyncio.run(calls.run(lambda: made)) == ["first"]


def outgoing(at, send_by):
    return Outgoing("a", "k", "sms", "+1", "Ann", "", "Due.", "", send_by, at)


def test_time_is_left_until_the_message_must_have_gone():
    """By the later of this machine's clock and the instant at which it was decided."""
    now, hour = datetime.now(UTC), timedelta(hours=1)
    assert timedelta(minutes=59) < time_left(outgoing(now, now + hour)) <= hour
    assert time_left(outgoing(now + hour, now + 2 * hour)) == hour
    for late in (outgoing(now - 2 * hour, now - hour), outgoing(now + 2 * hour, now + hour), outgoing(now, now - hour)):
        with pytest.raises(TryLater):
            time_left(late)


@given(st.integers(100, 599))
def test_every_status_has_an_outcome(status):
    """Only what was certainly not taken may be tried again; a 2xx is for the channel to read."""
    found = outcome_of_status(status, "words")
    certain = (status in {401, 402, 403, 407, 425, 429} or 300 <= status < 400, 400 <= status < 500 and status != 408)
    assert isinstance(found, TryLater) == certain[0]
    assert isinstance(found, Refused) == (certain[1] and not certain[0])
    assert isinstance(found, Ambiguous) == (not any(certain))
    assert isinstance(found, ChannelDown) == (status in {401, 402, 403, 407} or 300 <= status < 400)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), ("0", 1), (" 90 ", 90), ("999999999", 86400), (None, 60), ("", 60), ("soon", 60), ("-5", 60), ("٣", 60)],
)
def test_retry_after_in_seconds(value, seconds):
    """Between a second and a day; what cannot be read is a minute."""
    assert retry_after(value) == timedelta(seconds=seconds)


def test_retry_after_as_a_date():
    """A time that is over is now."""
    now = datetime.now(UTC)
    assert (
        timedelta(seconds=50)
        < retry_after(format_datetime(now + timedelta(minutes=1), usegmt=True))
        <= timedelta(minutes=1)
    )
    assert retry_after(format_datetime(now - timedelta(hours=1), usegmt=True)) == timedelta(seconds=1)


@pytest.mark.parametrize(
    "secret",
    [
        "ann.o'neil@mail.example",
        "+1 (312) 555-0142",
        "13125550142",
        "SG.abcdefghijklmnopqrstuvwxyz",
        base64.b64encode(b"user:password-of-ours").decode(),
    ],
)
def test_what_a_provider_says_is_repeated_without_what_it_was_told(secret):
    """Addresses, numbers, keys and what encodes them."""
    said = masked(f"The value {secret}\n\n is wrong " + "very " * 100)
    assert secret not in said
    assert said.startswith("The value … is wrong")
    assert len(said) <= 200


@pytest.mark.parametrize(
    ("url", "attempt"),
    [
        ("https://g.example/webhooks/text/a1", "a1"),
        ("https://g.example/webhooks/text/a1/", "a1"),
        ("https://g.example/webhooks/text/a%2D1?x=y", "a-1"),
        ("https://g.example/webhooks/text?attempt=a1", "a1"),
        ("https://g.example/webhooks/text", ""),
        ("https://g.example/", ""),
        ("https://g.example", ""),
        ("https://g.example/other/a1", ""),
    ],
)
def test_a_callback_address_names_its_attempt(url, attempt):
    """After the channel's name, or in the query; the channel's own address names none."""
    assert attempt_in(url, "text") == attempt


def test_a_library_that_is_missing_says_how_to_get_it():
    """With the name of the extra."""
    assert library("json", "x").dumps(1) == "1"
    with pytest.raises(ImportError, match=r"pip install 'commsched\[twilio\]'"):
        library("no_such_library.rest", "twilio")


def test_an_outcome_is_returned_or_raised():
    """As `send` gives it."""
    assert raised(Accepted("x")) == Accepted("x")
    with pytest.raises(Ambiguous):
        raised(Ambiguous("?"))
