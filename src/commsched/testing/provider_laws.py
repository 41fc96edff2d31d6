"""Laws of channels that call a provider over the web, and of those that a provider calls, to be run by their tests.

For example, with a channel that takes ``base_url`` and ``timeout`` as settings::

    def test_laws(tmp_path):
        def make(url):
            return MyChannel(MySettings(base_url=url, timeout=1.0), name="mine")

        provider_laws(make, message, Yes(201, '{"id": "m1"}'), tmp_path / "provider")

Each function raises ``AssertionError`` with the law that is broken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commsched.plugin.channel import (
    Accepted,
    Ambiguous,
    Channel,
    ChannelEvent,
    Forged,
    Outcome,
    Outgoing,
    Refused,
    TryLater,
    WebhookRequest,
)
from commsched.testing.laws import heard, law, secrets_of
from commsched.testing.provider import Mode, Provider, nobody, provider

# Longer than any call may take whose channel was made with a time limit of at most a second.
PATIENCE = 10.0
AFTER = 7
NO = (300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 409, 410, 413, 415, 418, 422, 425, 429, 451)
NOBODY_KNOWS = (408, 500, 501, 502, 503, 504, 507, 520, 599)
BROKEN: tuple[Mode, ...] = ("reset", "garbage", "hang", "drip")


@dataclass(frozen=True)
class Yes:
    """How the provider says that it has taken a message."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def provider_laws(
    make: Callable[[str], Channel[Any]], message: Outgoing, yes: Yes, folder: Path, *, tells: bool = True
) -> None:
    """What every channel keeps that calls a provider; ``make`` makes one for the provider at an address.

    A yes is an accept, with one request. Every other status is one of the outcomes, and never an accept: 408 and 5xx
    leave doubt, 429 is tried again when the provider says, and any other was certainly not taken. What breaks off
    leaves doubt, within the time limit. Nothing is ever asked twice. Where nobody listens nothing was taken. A call
    that is cancelled does not hinder the next. Neither errors nor logs have a secret, the address or the words in them,
    even if the provider repeats them. ``tells``: whether a no can be told from a failure; where not, all is in doubt.
    """
    with provider(folder) as there:
        channel = make(there.url)
        _keeps_secrets(channel, message, there, yes)
        _accepts(channel, message, there, yes)
        for status in (*NO, *NOBODY_KNOWS):
            _means_what_it_says(channel, message, there, status, tells=tells)
        for mode in BROKEN:
            _leaves_doubt(channel, message, there, mode)
        _survives(make, message, there, yes)
    with nobody() as url:
        found = _sent(make(url), message)
        law(isinstance(found, TryLater) or not tells, "where nobody listens nothing was taken")
        law(not isinstance(found, Accepted), "where nobody listens nothing was accepted")


def webhook_laws(channel: Channel[Any], request: WebhookRequest) -> None:
    """What every channel keeps that a provider calls; ``request`` is a genuine call with at least one event.

    The same call gives the same events, each with the provider's id. A call that was changed in any byte of its body,
    in its address, or that lacks its signature, is forged, and so is whatever else comes in: no other error.
    """
    events = list(channel.webhook(request))
    law(bool(events), "a genuine call has events")
    law(all(one.id for one in events), "every event has the provider's id")
    law(len({one.id for one in events}) == len(events), "the events of a call have ids of their own")
    law(list(channel.webhook(request)) == events, "the same call gives the same events")
    law(channel.answer(request).status // 100 == 2, "what was taken is answered with a yes")  # noqa: PLR2004
    _is_forged(channel, replace(request, headers={}))
    _adds_nothing(channel, replace(request, url=f"{request.url}x"), events)
    for at in range(len(request.body)):
        changed = bytearray(request.body)
        changed[at] ^= 1
        _is_forged(channel, replace(request, body=bytes(changed)))

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.binary(max_size=200), st.dictionaries(st.sampled_from(sorted(request.headers)), st.text(max_size=60)))
    def hold(body: bytes, headers: dict[str, str]) -> None:
        _is_forged(channel, replace(request, body=body, headers=headers))

    hold()


def _is_forged(channel: Channel[Any], request: WebhookRequest) -> None:
    try:
        list(channel.webhook(request))
    except Forged:
        return
    raise AssertionError("what is not genuine is forged")


def _adds_nothing(channel: Channel[Any], request: WebhookRequest, genuine: list[ChannelEvent]) -> None:
    """Not every signature is over the address: then the same call tells the same, wherever it comes in."""
    try:
        found = list(channel.webhook(request))
    except Forged:
        return
    law([one.id for one in found] == [one.id for one in genuine], "a call at another address tells nothing new")


def _sent(channel: Channel[Any], message: Outgoing) -> Accepted | Outcome:
    """What comes of a message, within the time limit."""
    began = monotonic()
    try:
        outcome: Accepted | Outcome = asyncio.run(channel.send(message))
    except (Refused, TryLater, Ambiguous) as raised:
        outcome = raised
    law(monotonic() - began < PATIENCE, "a call ends within the time limit")
    return outcome


def _accepts(channel: Channel[Any], message: Outgoing, there: Provider, yes: Yes) -> None:
    there.answers(yes.status, yes.body, yes.headers)
    law(isinstance(_sent(channel, message), Accepted), "a yes is an accept")
    law(len(there.got) == 1, "a message is one request")
    late = replace(message, send_by=message.at - timedelta(seconds=1))
    law(isinstance(_sent(channel, late), (TryLater, Refused)), "a message whose time is over comes back unsent")
    law(len(there.got) == 1, "a message whose time is over is not sent")


def _means_what_it_says(channel: Channel[Any], message: Outgoing, there: Provider, status: int, *, tells: bool) -> None:
    there.answers(status, "", {"Retry-After": str(AFTER), "Location": "/elsewhere"})
    found = _sent(channel, message)
    law(not isinstance(found, Accepted), f"{status} is no accept")
    law(len(there.got) == 1, f"after {status} nothing is asked again, nor elsewhere")
    if status in NOBODY_KNOWS:
        law(isinstance(found, Ambiguous), f"{status} leaves doubt")
    elif tells:
        law(isinstance(found, (Refused, TryLater)), f"{status} was not taken")
    if tells and status == 429:  # noqa: PLR2004 - too many requests
        law(isinstance(found, TryLater) and found.after == timedelta(seconds=AFTER), "429 says when to try again")


def _leaves_doubt(channel: Channel[Any], message: Outgoing, there: Provider, mode: Mode) -> None:
    there.answers(mode=mode)
    law(isinstance(_sent(channel, message), Ambiguous), f"what breaks off ({mode}) leaves doubt")
    law(len(there.got) == 1, f"what broke off ({mode}) is not asked again")


def _survives(make: Callable[[str], Channel[Any]], message: Outgoing, there: Provider, yes: Yes) -> None:
    """Cancelled before, at, and after the request."""
    channel = make(there.url)

    async def cut(seconds: float) -> None:
        task = asyncio.ensure_future(channel.send(message))
        await asyncio.wait([task], timeout=seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    there.answers(mode="hang")
    for seconds in (0, 0.02, 0.1):
        asyncio.run(cut(seconds))
    there.answers(yes.status, yes.body, yes.headers)
    law(isinstance(_sent(channel, message), Accepted), "after a cancelled call it still sends")


def _keeps_secrets(channel: Channel[Any], message: Outgoing, there: Provider, yes: Yes) -> None:
    """Even where the provider says again whatever it was told."""
    kept = {*secrets_of(channel), message.to, message.text}
    said = [repr(channel), repr(channel.settings)]
    with heard() as logged:
        for status in (400, 401, 429, 500):
            there.answers(status, mode="echo")
            found = _sent(channel, message)
            said += [str(found), repr(found), repr(getattr(found, "__cause__", None))]
        there.answers(yes.status, yes.body, yes.headers)
        _sent(channel, message)
    law(not any(one in text for one in kept for text in said), "no secret, address or word is in an error")
    law(not any(one in text for one in kept for text in logged), "no secret, address or word is in a log")
