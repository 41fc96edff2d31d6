"""Every request that the channels make, against the providers' own descriptions of their interfaces.

`prism mock` answers as the description says, and refuses what it does not allow. tools/test-services installs it.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from corpora import corpus

from commsched import Accepted, Ambiguous, Attempt, ChannelDown, Outgoing, Refused
from commsched.builtin.channels.sendgrid_email import SendgridEmail, SendgridSettings
from commsched.builtin.channels.twilio_sms import TwilioSms, TwilioSmsSettings
from commsched.builtin.channels.twilio_voice import TwilioVoice, TwilioVoiceSettings

FOLDER = corpus("providers")
ROOT = Path(__file__).parents[2]
PRISM = next(
    (str(path) for path in (ROOT / "node_modules/.bin/prism",) if path.exists()),
    shutil.which("prism"),
)
if PRISM is None or shutil.which("node") is None:
    pytest.skip("prism is not here (tools/test-services installs it with npm)", allow_module_level=True)

NOW = datetime.now(UTC)
THEIRS, NUMBER = "+13125550142", "+18475550142"
TWILIO = {"account_sid": f"AC{'0' * 32}", "auth_token": "token", "sender": NUMBER, "timeout": 20}


@contextmanager
def mock(file: str) -> Iterator[str]:
    """The address of a server that answers by the description."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(PRISM), "mock", "-h", "127.0.0.1", "-p", str(port), str(FOLDER / file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "Prism is listening" in line:
                break
        else:
            pytest.fail("prism did not start: " + "".join(said)[-500:])
        yield f"http://127.0.0.1:{port}"
        process.kill()


@pytest.fixture(scope="module")
def twilio():
    with mock("twilio_api_v2010.json") as url:
        yield url


@pytest.fixture(scope="module")
def sendgrid():
    with mock("sendgrid_mail_v3.json") as url:
        yield url


def outgoing(medium, number=1, **fields):
    mime = (
        b"From: The Garage <hello@garage.example>\r\nReply-To: desk@garage.example\r\n"
        b"Message-ID: <attempt-1@garage.example>\r\nAuto-Submitted: auto-generated\r\n"
        b"List-Unsubscribe: <mailto:stop@garage.example>\r\n\r\n"
    )
    given = {
        "name": "Ann",
        "to": f"customer{number}@mail.example" if medium == "email" else THEIRS,
        "subject": "Oil" if medium == "email" else "",
        "text": "Your car’s oil is due. https://g.example/x",
        "html": "<p>Due.</p>",
        "send_by": datetime.now(UTC) + timedelta(hours=2),
        "at": datetime.now(UTC),
        "mime": mime if medium == "email" else b"",
        "locale": "es_US",
        "unsubscribe": "https://g.example/u/1",
        "callback": f"https://g.example/webhooks/{medium}/attempt-{number}",
    }
    return Outgoing(f"attempt-{number}", f"ann/oil/{number}", medium, **given | fields)


def text(url, **more):
    return TwilioSms(TwilioSmsSettings.model_validate({**TWILIO, "base_url": url, **more}), name="text")


def call(url):
    return TwilioVoice(TwilioVoiceSettings.model_validate({**TWILIO, "base_url": url}), name="phone")


@pytest.mark.parametrize("sender", [NUMBER, f"MG{'1' * 32}", "GARAGE"])
@pytest.mark.parametrize("more", [{}, {"callback": ""}, {"send_by": datetime.now(UTC) + timedelta(days=3)}])
def test_twilio_takes_every_text(twilio, sender, more):
    """From a number, a service, a name; with and without a callback; with the longest validity."""
    assert isinstance(asyncio.run(text(twilio, sender=sender).send(outgoing("sms", **more))), Accepted)


@pytest.mark.parametrize("more", [{}, {"callback": ""}, {"callback": "https://g.example/webhooks/phone?attempt=a1"}])
def test_twilio_takes_every_call(twilio, more):
    """With and without a digit."""
    assert isinstance(asyncio.run(call(twilio).send(outgoing("voice", **more))), Accepted)


def test_twilio_understands_what_it_is_asked(twilio):
    """The listings of texts, of calls, and of what came in."""
    attempt = Attempt("a1", "k", "ann", "text", THEIRS, NOW, NOW, "https://g.example/x")
    assert asyncio.run(text(twilio).lookup(attempt)) is None
    asyncio.run(call(twilio).lookup(attempt))
    # Every page of the description's example says that there is one more.
    with pytest.raises(Ambiguous, match="pages"):
        asyncio.run(text(twilio).inbound(NOW - timedelta(days=1)))


def test_what_twilio_does_not_allow_is_refused(twilio):
    """An account that cannot be one: the answer is a definite no, and is told as one."""
    settings = TwilioSmsSettings.model_construct(**text(twilio).settings.__dict__ | {"account_sid": "nobody"})
    with pytest.raises((Refused, ChannelDown)) as refused:
        asyncio.run(TwilioSms(settings, name="text").send(outgoing("sms")))
    assert THEIRS not in str(refused.value)


def mail(url, **more):
    settings = {"api_key": "SG.key", "base_url": url, "categories": ["reminders"], "timeout": 20}
    return SendgridEmail(SendgridSettings.model_validate(settings | more), name="mail")


@pytest.mark.parametrize("more", [{}, {"html": ""}, {"unsubscribe": ""}, {"name": ""}])
def test_sendgrid_takes_every_message(sendgrid, more):
    """With and without HTML, one-click unsubscribe, a name, categories."""
    message = outgoing("email", **more)
    assert isinstance(asyncio.run(mail(sendgrid).send(message)), Accepted)
    assert isinstance(asyncio.run(mail(sendgrid, categories=[]).send(message)), Accepted)


def test_sendgrid_takes_a_thousand_at_once(sendgrid):
    """As many as its description allows, in one request."""
    found = asyncio.run(mail(sendgrid).send_batch([outgoing("email", number) for number in range(1000)]))
    assert {type(one) for one in found} == {Accepted}


def test_what_sendgrid_does_not_allow_is_refused(sendgrid):
    """An address that is none."""
    with pytest.raises(Refused):
        asyncio.run(mail(sendgrid).send(outgoing("email", to="nobody")))
