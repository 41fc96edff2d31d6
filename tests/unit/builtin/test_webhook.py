"""Messages to a customer's own system: signed, to a public address only, and what each answer means."""

from __future__ import annotations

import asyncio
import hmac
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from pydantic import ValidationError

from commsched import Accepted, Ambiguous, ChannelDown, Outgoing, Refused, TryLater
from commsched.builtin.channels.webhook import Webhook, WebhookSettings
from commsched.testing.provider import nobody, provider

SECRET = "a-secret-long-enough"


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    with provider(tmp_path_factory.mktemp("receiver") / "provider") as made:
        yield made


def hook(**more):
    settings = {"secret": SECRET, "allow_private": True, "timeout": 2}
    return Webhook(WebhookSettings.model_validate(settings | more), name="hook")


def outgoing(to, **fields):
    now = datetime.now(UTC)
    given = {"send_by": now + timedelta(hours=1), "at": now, "locale": "en_US", "link": "https://g.example/x"}
    return Outgoing("attempt-1", "ann/oil/1", "webhook", to, "Ann", "Oil", "Due.", "", **given | fields)


def outcome(channel, message):
    try:
        return asyncio.run(channel.send(message))
    except (Refused, TryLater, Ambiguous) as error:
        return error


def test_a_message_is_a_signed_post(there):
    """A receiver can check the signature over the time and the bytes, and knows a repetition by its key."""
    there.answers(204)
    message = outgoing(f"{there.url}/hook?for=ann")
    assert outcome(hook(), message) == Accepted("attempt-1")
    (got,) = there.got
    assert (got.method, got.path) == ("POST", "/hook?for=ann")
    stamp = got.headers["commsched-timestamp"]
    expected = hmac.new(SECRET.encode(), f"{stamp}.{got.body}".encode(), sha256).hexdigest()
    assert got.headers["commsched-signature"] == f"sha256={expected}"
    assert abs(int(stamp) - datetime.now(UTC).timestamp()) < 60
    assert got.headers["idempotency-key"] == sha256(b"ann/oil/1").hexdigest()
    said = json.loads(got.body)
    assert said == {
        "type": "message",
        "id": "attempt-1",
        "subject": "Oil",
        "text": "Due.",
        "html": "",
        "locale": "en_US",
        "link": "https://g.example/x",
        "unsubscribe": "",
        "at": message.at.isoformat(),
        "send_by": message.send_by.isoformat(),
    }


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, Accepted) for status in (200, 201, 202, 204)),
        *((status, Refused) for status in (301, 302, 307, 308, 400, 401, 403, 404, 405, 409, 410, 413, 422)),
        *((status, TryLater) for status in (425, 429)),
        *((status, Ambiguous) for status in (408, 500, 502, 503, 504)),
    ],
)
def test_every_status_means_one_outcome(there, status, expected):
    """One receiver's refusal is never the channel's, no redirect is followed, and only 410 speaks of the address."""
    there.answers(status, "", {"Retry-After": "7", "Location": f"{there.url}/elsewhere"})
    found = outcome(hook(), outgoing(there.url))
    assert isinstance(found, expected)
    assert not isinstance(found, ChannelDown)
    assert len(there.got) == 1
    if isinstance(found, Refused):
        assert found.bad_address == (status == 410)
    if isinstance(found, TryLater):
        assert found.after == timedelta(seconds=7)


@pytest.mark.parametrize("mode", ["hang", "reset", "garbage", "drip"])
def test_what_breaks_off_leaves_doubt(there, mode):
    """Once bytes have left, nobody knows."""
    there.answers(mode=mode)
    assert isinstance(outcome(hook(timeout=1.0), outgoing(there.url)), Ambiguous)
    assert len(there.got) == 1


def test_nobody_there_took_nothing():
    """It is tried again."""
    with nobody() as url:
        assert isinstance(outcome(hook(), outgoing(url)), TryLater)


@pytest.mark.parametrize(
    "to",
    [
        "https://127.0.0.1/x",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/x",
        "https://[::ffff:10.0.0.1]/",
    ],
)
def test_fault_36_a_private_address_is_refused(to):
    """Whatever it is called; nothing is said to it."""
    found = outcome(hook(allow_private=False), outgoing(to))
    assert isinstance(found, Refused)
    assert not found.bad_address


@pytest.mark.parametrize(
    "to",
    ["http://public.example/x", "ftp://public.example/x", "https://user:pw@public.example/", "https:///x", "words"],
)
def test_an_address_that_is_none_is_the_reason(to):
    """Only https, and no password in it."""
    found = outcome(hook(allow_private=False), outgoing(to))
    assert isinstance(found, Refused)
    assert found.bad_address


def test_a_short_secret_is_no_setting():
    """It could be guessed."""
    with pytest.raises(ValidationError, match="openssl rand"):
        WebhookSettings(secret="short")
