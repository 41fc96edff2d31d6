"""What SendGrid tells besides its events: mail that came in, and what it knows of a message that is in doubt."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from commsched import Ambiguous, Attempt, Forged, WebhookRequest
from commsched.builtin.channels.sendgrid_email import SendgridEmail, SendgridSettings
from commsched.builtin.channels.sendgrid_inbound import inbound_events
from commsched.builtin.channels.sendgrid_signature import SIGNATURE, TIMESTAMP
from commsched.testing.provider import provider

PRIVATE, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
HEADERS = (
    "Received: by mx.example\nFrom: Ann \u017d <ann@mail.example>\nTo: desk@in.garage.example\nSubject: Re: Oil\n"
    "Message-ID: <answer-1@mail.example>\nIn-Reply-To: <attempt-1@garage.example>\n"
    'Content-Type: multipart/alternative; boundary="abc"\n'
)
RAW = (
    b"From: Ann <ann@mail.example>\r\nMessage-ID: <answer-1@mail.example>\r\nSubject: Re: Oil\r\n"
    b"In-Reply-To: <attempt-1@garage.example>\r\n\r\nSTOP\r\n\r\n> Your oil is due.\r\n"
)
BEGUN = datetime(2026, 6, 15, 12, tzinfo=UTC)
ATTEMPT = Attempt("attempt-1", "k", "ann", "mail", "ann@mail.example", BEGUN, BEGUN + timedelta(hours=1))


def public(key):
    format_ = serialization.PublicFormat.SubjectPublicKeyInfo
    return b64encode(key.public_key().public_bytes(serialization.Encoding.DER, format_)).decode()


def channel(url="http://127.0.0.1:9", **more):
    settings = {"api_key": "SG.secret", "webhook_key": public(OTHER), "parse_key": public(PRIVATE), "base_url": url}
    return SendgridEmail(SendgridSettings.model_validate(settings | {"timeout": 2} | more), name="mail")


def call(fields, *, key=PRIVATE, head='multipart/form-data; boundary="xYz"', file=b""):
    parts = [
        b'--xYz\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
        for name, value in fields.items()
    ]
    body = b"".join(parts) + file + b"--xYz--\r\n"
    signature = b64encode(key.sign(b"1600112502" + body, ec.ECDSA(hashes.SHA256()))).decode()
    headers = {SIGNATURE: signature, TIMESTAMP: "1600112502", "content-type": head}
    return WebhookRequest("POST", "https://garage.example/webhooks/mail", headers, body, BEGUN)


def parts(text="Yes, please.", *, headers=HEADERS, charset="utf-8", **more):
    given = {
        "headers": headers,
        "text": text,
        "subject": "Re: Oil",
        "from": "x",
        "charsets": json.dumps({"text": charset}),
    }
    return {name: one.encode(charset if name == "text" else "utf-8") for name, one in (given | more).items()}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (parts(), "Yes, please."),
        (parts("Grüße aus Köln", charset="iso-8859-1"), "Grüße aus Köln"),
        (parts("Ja\n\nOn Monday 3 June Garage wrote:\n> Your oil"), "Ja"),
        ({"email": RAW}, "STOP"),
        (parts("Yes") | {"charsets": b"[1]"}, "Yes"),
        (parts("Yes") | {"charsets": b'{"text": "no-such-set"}'}, "Yes"),
        (parts("Yes") | {"charsets": b"[" * 100_000}, "Yes"),
        (parts("\u202e\x00\ud7ff"), "\u202e\x00\ud7ff"),
    ],
)
def test_an_answer_is_a_reply_that_nobody_vouches_for(fields, text):
    """Whether the raw message comes or its parts: who wrote, what, and which message of ours they answer."""
    (event,) = channel().webhook(call(fields))
    assert (event.kind, event.attempt, event.address) == ("reply", "attempt-1", "ann@mail.example")
    assert (event.text, event.proven, event.at) == (text, False, BEGUN)
    assert event.id.startswith("answer-1@mail.example")


@pytest.mark.parametrize(
    "headers",
    [
        HEADERS + "Auto-Submitted: auto-replied\n",
        HEADERS.replace("Re: Oil", "Out of office: back on Monday"),
        HEADERS.replace("multipart/alternative", "multipart/report"),
        "",
        "no headers at all",
        "Subject: nobody\n",
    ],
)
def test_what_a_machine_wrote_or_nobody_tells_nothing(headers):
    """An absence note is no answer, and what has no sender is nobody's."""
    assert channel().webhook(call(parts("STOP", headers=headers))) == []


def test_a_bounce_is_told_apart():
    """A mail server's own words, about a message of ours, are no person's."""
    bounce = (
        b"From: MAILER-DAEMON@mx.example\r\nMessage-ID: <b1@mx.example>\r\nSubject: Undelivered Mail\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="q"\r\n\r\n'
        b"--q\r\n\r\nNo.\r\n--q\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        b"Final-Recipient: rfc822; ann@mail.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        b"Diagnostic-Code: smtp; 550 5.1.1 user unknown\r\n\r\n--q\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        b"Message-ID: <attempt-1@garage.example>\r\n\r\n--q--\r\n"
    )
    (event,) = channel().webhook(call({"email": bounce}))
    assert (event.kind, event.attempt, event.address, event.proven) == (
        "bounced",
        "attempt-1",
        "ann@mail.example",
        False,
    )


def test_files_and_second_fields_change_nothing():
    """What hangs on a mail is not looked at, whatever it calls itself; of two fields by one name the first counts."""
    file = (
        b'--xYz\r\nContent-Disposition: form-data; name="email"; filename="a.eml"\r\n\r\nFrom: eve@x.example\r\n'
        b"\r\nSTOP\r\n"
        b'--xYz\r\nContent-Disposition: form-data; name="text"\r\n\r\nSTOP\r\n--xYz\r\n\r\nnothing\r\n'
    )
    (event,) = channel().webhook(call(parts(), file=file))
    assert (event.address, event.text) == ("ann@mail.example", "Yes, please.")


@pytest.mark.parametrize(
    ("made", "request_"),
    [
        (channel(parse_key=""), call(parts())),
        (channel(), call(parts(), key=OTHER)),
        (channel(), call(parts(), head="application/json")),
        (channel(webhook_key=""), call(parts(), head="")),
    ],
    ids=["no key", "the key of the events", "called JSON", "no type and no key"],
)
def test_what_is_not_signed_for_it_counts_for_nothing(made, request_):
    """Without its own key no mail is believed; the key of the events opens no other door, and none stands open."""
    with pytest.raises(Forged):
        made.webhook(request_)


@pytest.mark.parametrize(
    "head", ["multipart/form-data", 'multipart/form-data; boundary="\r\nx: y"', "multipart/form-data; boundary=other"]
)
def test_a_form_that_cannot_be_taken_apart_is_empty(head):
    """The type is not signed: without its boundary there are no fields."""
    assert channel().webhook(call(parts(), head=head)) == []


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    with provider(tmp_path_factory.mktemp("activity") / "provider") as made:
        yield made


def looked_up(there, status, body, **more):
    there.answers(status, body if isinstance(body, str) else json.dumps(body))
    return asyncio.run(channel(there.url, activity=True, **more).lookup(ATTEMPT))


def message(status="delivered", **more):
    return {"messages": [{"to_email": "Ann@mail.example", "status": status, "msg_id": "abc.filter-1.2", **more}]}


@pytest.mark.parametrize(
    ("status", "state"),
    [("delivered", "delivered"), ("not_delivered", "undelivered"), ("processed", "accepted"), ("new", "accepted")],
)
def test_what_is_found_was_accepted(there, status, state):
    """It is asked for by the attempt, and what became of it counts."""
    found = looked_up(there, 200, message(status))
    assert (found.attempt, found.state, found.reference) == ("attempt-1", state, "abc")
    (got,) = there.got
    asked = urlsplit(got.path)
    assert (got.method, asked.path) == ("GET", "/v3/messages")
    assert parse_qs(asked.query) == {"query": ["(unique_args['attempt']=\"attempt-1\")"], "limit": ["10"]}
    assert "ann@" not in got.path


def test_what_is_not_found_proves_nothing(there):
    """SendGrid may list it later; the channel claims no proof."""
    assert looked_up(there, 200, {"messages": []}) is None
    assert channel().capabilities.lookup == "hint"


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 429, 500])
def test_no_answer_is_no_proof(there, status):
    """Without the add-on, or asked too often: nobody knows."""
    with pytest.raises(Ambiguous):
        looked_up(there, status, {"messages": []})


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "[]",
        "null",
        '{"messages": null}',
        '{"messages": ["x"]}',
        '{"messages": [{"to_email": "ann@mail.example"}]}',
        json.dumps(message(to_email="bob@mail.example")),
        json.dumps({"messages": message()["messages"] * 2}),
        '{"messages": ' + "[" * 100_000,
        json.dumps({"messages": [], "more": "x" * 2_000_000}),
    ],
)
def test_an_answer_to_another_question_is_none(there, body):
    """A server that lists others, or nothing that can be read, has said nothing of the attempt."""
    with pytest.raises(Ambiguous):
        looked_up(there, 200, body)


def test_without_the_add_on_nobody_is_asked(there):
    """Its requests would be refused, each and every hour."""
    there.answers(200, json.dumps(message()))
    with pytest.raises(Ambiguous):
        asyncio.run(channel(there.url).lookup(ATTEMPT))
    assert there.got == []


def test_a_batch_may_take_two_rounds():
    """What it says that it needs grows with the number, and fits into a lease."""
    few, many = (channel(timeout=10).time_for(count).total_seconds() for count in (1, 1000))
    assert few < 30 < many < 60


HOSTILE_HEADS = (
    "Subject: =?utf-8?b?////?=",
    "Content-Type: multipart/report; report-type=delivery-status; boundary*0*=x",
    "Content-Type: text/plain; charset*=a'b'c%ff",
    "Content-Transfer-Encoding: base64",
    "Date: Mon, 99 Foo 99999",
    "Date: Tue, 1 Jan 0000 00:00:00 +99999999999999",
    "From: =?x?q?=00?= <a\udcffb@x>",
    "From\x00: x",
    " folded",
    "Message-ID: <\x00>",
    "Auto-Submitted:",
    "Return-Path: <>",
)
HOSTILE_NAMES = (
    'name="{}"',
    "name=utf-9''{}",
    "name*=utf-9''{}",
    "name*0={}; name*1*=x",
    "name={}; filename*0*=bad'x'%ff",
    'name="{}"\r\nContent-Transfer-Encoding: x-uuencode',
    'name="{}"\r\nContent-Type: multipart/mixed; boundary=q',
)
HOSTILE_VALUES = (
    b"\xff\x00",
    b"begin 644 x\n#$$$\nend",
    b'{"text":"idna","headers":"punycode"}',
    b'{"text":"\x00","headers":"utf-16"}',
    b"[" * 5000,
    b"--q\r\n\r\nx\r\n--q--",
)


@given(data=st.data())
def test_a_hostile_form_keeps_nothing_else_out(data):
    """Whatever a form says, something is made of it or nothing; it never fails, for it would come again and again."""
    body = b""
    heads = st.lists(st.sampled_from(HOSTILE_HEADS), max_size=8).map(
        lambda one: "\r\n".join(one).encode("utf-8", "surrogateescape")
    )
    for name in data.draw(st.lists(st.sampled_from(("headers", "text", "email", "charsets")), max_size=5)):
        said = data.draw(st.sampled_from(HOSTILE_NAMES)).format(name)
        value = data.draw(st.one_of(st.sampled_from(HOSTILE_VALUES), heads, st.binary(max_size=60)))
        body += f"--xYz\r\nContent-Disposition: form-data; {said}\r\n\r\n".encode() + value + b"\r\n"
    head = data.draw(st.sampled_from(("boundary=xYz", 'boundary="xYz"', "boundary*=utf-8''xYz", "boundary*0*=x'y'xYz")))
    headers = {"content-type": f"multipart/form-data; {head}"}
    request = WebhookRequest("POST", "https://garage.example/webhooks/mail", headers, body + b"--xYz--\r\n", BEGUN)
    assert all(not one.proven for one in inbound_events(request))
