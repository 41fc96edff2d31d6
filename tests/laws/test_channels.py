"""Every channel kind, built-in or of the shipped deployment, keeps the laws of channels."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr
from smtp_server import PASSWORD, USER, mail_server

from commsched import (
    Accepted,
    Ambiguous,
    Attempt,
    Calls,
    Capabilities,
    Channel,
    ChannelEvent,
    Outgoing,
    Refused,
    Settings,
    TryLater,
    Unreachable,
    Unsent,
    WebhookRequest,
    ask_web,
    outcome_of_status,
    retry_after,
    time_left,
)
from commsched.builtin.channels.sendgrid_signature import SIGNATURE, TIMESTAMP
from commsched.builtin.channels.twilio_signature import signature
from commsched.loading import load_plugins
from commsched.testing.laws import channel_laws
from commsched.testing.provider import provider
from commsched.testing.provider_laws import Yes, provider_laws, webhook_laws

ROOT = Path(__file__).parents[2]
KINDS = {name: kind for (what, name), kind in load_plugins(ROOT).kinds.items() if what == "channel"}
AT = datetime(2026, 11, 23, 15, tzinfo=UTC)


def outgoing(medium: str) -> Outgoing:
    """A message of this medium, still in time."""
    to = {"email": "ann@mail.example", "letter": "Ann Example\n1 Main Street\nEvanston, IL 60201"}.get(
        medium, "+13125550142"
    )
    mime = b"Subject: Oil\r\n\r\nDue." if medium == "email" else b""
    return Outgoing("a1", "ann/oil/-/1", medium, to, "Ann", "Oil", "It is due.", "", AT + timedelta(hours=1), AT, mime)


def outbox_lines(folder: Path) -> list[str]:
    """The attempts that the outbox has taken."""
    lines = [json.loads(line) for line in (folder / "var/outbox/outbox.jsonl").read_text().splitlines()]
    return [line["attempt"] for line in lines if "void" not in line]


def letters(folder: Path) -> list[str]:
    """The attempts that the mailing house was told of."""
    return [line.split("\t")[0] for line in (folder / "var/letters/manifest.tsv").read_text().splitlines()]


def manifest(folder: Path) -> list[str]:
    """The attempts that are to be printed."""
    lines = [json.loads(line) for line in (folder / "var/letters/manifest.jsonl").read_text().splitlines()]
    return [line["attempt"] for line in lines if "attempt" in line]


LOCAL: dict[str, tuple[dict[str, str], str, Callable[[Path], Sequence[str]] | None]] = {
    "console": ({"medium": "sms"}, "sms", None),
    "outbox": ({"medium": "email"}, "email", outbox_lines),
    "letters": ({}, "letter", letters),
    "letter": ({}, "letter", manifest),
}
SID, TOKEN = f"AC{'0' * 32}", "token-of-twilio-0123456789"
TWILIO = {"account_sid": SID, "auth_token": TOKEN, "sender": "+18475550142", "base_url": "URL", "timeout": 1.0}
# Every kind that calls a provider: its settings, in which URL is where the provider is, and what a yes is.
REMOTE: dict[str, tuple[dict[str, Any], str, Yes]] = {
    "twilio_sms": (TWILIO, "sms", Yes(201, '{"sid": "SM1"}')),
    "twilio_voice": (TWILIO, "voice", Yes(201, '{"sid": "CA1"}')),
    "sendgrid_email": (
        {"api_key": "SG.key-of-sendgrid", "base_url": "URL", "timeout": 1.0},
        "email",
        Yes(202, "", {"X-Message-Id": "m1"}),
    ),
    "webhook": ({"secret": "secret-of-webhooks", "allow_private": True, "timeout": 1.0}, "webhook", Yes(204)),
    "apprise": (
        {"medium": "sms", "service_url": "json://user:secret-of-apprise@HOST/{to}", "timeout": 1.0},
        "sms",
        Yes(200, "{}"),
    ),
}
MAIL = {"smtp"}


def test_every_channel_kind_is_held_to_the_laws() -> None:
    """A kind that is registered and stands in no table here is not tried."""
    assert KINDS.keys() == LOCAL.keys() | REMOTE.keys() | MAIL


@pytest.mark.parametrize("kind", sorted(LOCAL))
def test_every_local_channel_keeps_the_laws(kind: str, tmp_path: Path) -> None:
    """Late messages come back, one attempt is one accept, a cancelled call leaves no doubt, secrets stay secret."""
    settings, medium, taken = LOCAL[kind]
    accepted = None if taken is None else lambda: taken(tmp_path)
    channel_laws(made(kind, settings, tmp_path), outgoing(medium), accepted=accepted)


def made(kind: str, settings: Mapping[str, Any], folder: Path = Path()) -> Channel[Any]:
    """An instance of a kind."""
    plugin = KINDS[kind].plugin
    return plugin(plugin.settings_type().model_validate(settings), name=kind, folder=folder)


def at(kind: str, url: str) -> Channel[Any]:
    """A channel whose provider is at this address."""
    host = url.removeprefix("http://")
    settings = REMOTE[kind][0].items()
    told = {name: str(value).replace("URL", url).replace("HOST", host) for name, value in settings}
    return made(kind, told)


def now(medium: str, url: str) -> Outgoing:
    """A message that is to go now."""
    at = datetime.now(UTC)
    to = f"{url}/hook" if medium == "webhook" else outgoing(medium).to
    mime = b"From: Garage <hello@garage.example>\r\nMessage-ID: <a1@garage.example>\r\n\r\n"
    words = "The oil of your car is due on Friday."
    return replace(outgoing(medium), to=to, text=words, at=at, send_by=at + timedelta(hours=1), mime=mime)


@pytest.mark.parametrize("kind", sorted(REMOTE))
def test_every_channel_of_a_provider_keeps_the_laws(kind: str, tmp_path: Path) -> None:
    """Every status is one outcome, what breaks off is doubt, nothing is asked twice or told to a log."""
    _, medium, yes = REMOTE[kind]
    tells = kind != "apprise"
    if medium == "webhook":
        hook_laws(yes, tmp_path)
        return
    provider_laws(lambda url: at(kind, url), now(medium, ""), yes, tmp_path / "laws", tells=tells)
    with provider(tmp_path / "provider") as there:
        there.answers(yes.status, yes.body, yes.headers)
        channel_laws(at(kind, there.url), now(medium, there.url))


def hook_laws(yes: Yes, folder: Path) -> None:
    """A webhook goes to the customer's own address, so the message is another at each provider."""

    class Hook(Channel[Any]):
        def __init__(self, url: str) -> None:
            self.inner, self.url = at("webhook", url), url
            super().__init__(self.inner.settings, name="hook")

        async def send(self, message: Outgoing) -> Accepted:
            return await self.inner.send(replace(message, to=message.to.replace("http://there", self.url)))

    provider_laws(Hook, now("webhook", "http://there"), yes, folder / "laws")
    with provider(folder / "provider") as there:
        channel_laws(at("webhook", there.url), now("webhook", there.url))


def test_smtp_keeps_the_laws(tmp_path: Path) -> None:
    """With a real mail server; tests/unit/builtin/test_smtp.py has what its replies mean."""
    with mail_server(tmp_path / "server") as there:
        settings = {
            "host": "localhost",
            "port": there.port,
            "user": USER,
            "password": PASSWORD,
            "authorities": str(there.folder / "certificate.pem"),
        }
        channel_laws(made("smtp", settings), now("email", ""))
        assert len(there.taken) == 1


def test_twilio_is_believed_by_its_signature_alone() -> None:
    """Every byte of the body counts, and the address."""
    url = "https://garage.example/webhooks/twilio_sms/a1"
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+13125550142"}
    signed = signature(url, list(fields.items()), TOKEN)
    headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signed}
    webhook_laws(
        at("twilio_sms", "http://127.0.0.1:9"), WebhookRequest("POST", url, headers, urlencode(fields).encode())
    )
    fields = {"CallSid": "CA1", "Digits": "1", "To": "+13125550142"}
    headers |= {"x-twilio-signature": signature(url, list(fields.items()), TOKEN)}
    webhook_laws(
        at("twilio_voice", "http://127.0.0.1:9"), WebhookRequest("POST", url, headers, urlencode(fields).encode())
    )


def test_sendgrid_is_believed_by_its_signature_alone() -> None:
    """Every byte of the body counts, and the time."""
    key = ec.generate_private_key(ec.SECP256R1())
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    settings = {"api_key": "SG.key", "webhook_key": b64encode(key.public_key().public_bytes(*form)).decode()}
    body = json.dumps([{"event": "delivered", "sg_event_id": "e1", "timestamp": 1, "attempt": "a1"}]).encode()
    signed = b64encode(key.sign(b"1600112502" + body, ec.ECDSA(hashes.SHA256()))).decode()
    headers = {SIGNATURE: signed, TIMESTAMP: "1600112502"}
    url = "https://garage.example/webhooks/mail"
    webhook_laws(made("sendgrid_email", settings), WebhookRequest("POST", url, headers, body))


class KeySettings(Settings):
    """Settings with a secret."""

    key: SecretStr = SecretStr("hunter2-hunter2")


class Careless(Channel[KeySettings]):
    """What the laws must notice."""

    kind = "careless"

    def __init__(self, how: str) -> None:
        super().__init__(KeySettings(), name="careless")
        self.how = how

    async def send(self, message: Outgoing) -> Accepted:
        if self.how == "log":
            logging.getLogger("careless").debug("with %s", self.settings.key.get_secret_value())
        if message.at > message.send_by and self.how != "late":
            raise TryLater(f"refused with {self.settings.key.get_secret_value()}" if self.how == "leak" else "late")
        if self.how == "dead":
            raise Refused("never")
        return Accepted()


class Boastful(Careless):
    """Has what it does not declare."""

    async def lookup(self, attempt: Attempt) -> None:
        return None


class Hollow(Careless):
    """Declares what it does not have."""

    capabilities = Capabilities(batch=5)


class Gullible(Careless):
    """Believes whoever calls."""

    capabilities = Capabilities(webhook=True)

    def webhook(self, request: WebhookRequest) -> list[ChannelEvent]:
        return [ChannelEvent("delivered", AT, id="1")]


@pytest.mark.parametrize(
    ("channel", "law"),
    [
        (Careless("late"), "comes back unsent"),
        (Careless("leak"), "no secret is in an error"),
        (Careless("log"), "no secret is in a log"),
        (Careless("dead"), "never"),
        (Boastful(""), "declares lookup"),
        (Hollow(""), "batch"),
        (Gullible(""), "forged"),
    ],
)
def test_the_laws_catch_a_channel_that_breaks_them(channel: Channel[Any], law: str) -> None:
    """A channel that breaks a law fails its test, and the failure names the law."""
    with pytest.raises((AssertionError, Refused), match=law):
        channel_laws(channel, outgoing("sms"))


class Caller(Channel[KeySettings]):
    """Calls a provider, each in another wrong way."""

    kind = "caller"

    def __init__(self, how: str, url: str) -> None:
        super().__init__(KeySettings(), name="caller")
        self.how, self.url, self.calls = how, url, Calls(1.0)

    async def send(self, message: Outgoing) -> Accepted:
        if self.how != "late":
            time_left(message)
        for _ in range(2 if self.how == "twice" else 1):
            found = await self.calls.run(lambda: self.post(message))
        return found

    def post(self, message: Outgoing) -> Accepted:
        body = json.dumps({"to": message.to, "text": message.text, "key": self.settings.key.get_secret_value()})
        try:
            answer = ask_web(
                "POST", urlsplit(self.url), {}, body.encode(), timeout=1.0, limit=99999, allow_private=True
            )
        except Unsent:
            raise TryLater("nobody") from None
        except Unreachable:
            raise (TryLater if self.how == "again" else Ambiguous)("nothing") from None
        said = answer.body.decode() if self.how == "repeats" else ""
        if answer.status < 300 or (self.how == "glad" and answer.status == 500):
            return Accepted("x")
        raise outcome_of_status(answer.status, said, retry_after(answer.headers.get("retry-after")))


@pytest.mark.parametrize(
    ("how", "law"),
    [
        ("", None),
        ("late", "comes back unsent"),
        ("twice", "one request"),
        ("again", "leaves doubt"),
        ("repeats", "is in an error"),
        ("glad", "500 is no accept"),
    ],
)
def test_the_laws_of_providers_catch_who_breaks_them(how: str, law: str | None, tmp_path: Path) -> None:
    """And let pass who keeps them."""
    caught = nullcontext() if law is None else pytest.raises(AssertionError, match=law)
    with caught:
        provider_laws(lambda url: Caller(how, url), now("sms", ""), Yes(200), tmp_path / "provider")
