"""E-mail by SendGrid: the requests, what every answer means, and what its events tell."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from commsched import Accepted, Ambiguous, ChannelDown, Forged, Outgoing, Refused, TryLater, WebhookRequest
from commsched.builtin.channels.sendgrid_email import SendgridEmail, SendgridSettings
from commsched.builtin.channels.sendgrid_signature import SIGNATURE, TIMESTAMP
from commsched.testing.provider import nobody, provider

KEY = "SG.secret-key-of-sendgrid"
PRIVATE = ec.generate_private_key(ec.SECP256R1())
PUBLIC = b64encode(
    PRIVATE.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()
UNSUBSCRIBE = "https://garage.example/u/abc"


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    with provider(tmp_path_factory.mktemp("sendgrid") / "provider") as made:
        yield made


def sendgrid(url="http://127.0.0.1:9", **more):
    settings = {"api_key": KEY, "webhook_key": PUBLIC, "base_url": url, "timeout": 2, "categories": ["reminders"]}
    return SendgridEmail(SendgridSettings.model_validate(settings | more), name="mail")


def outgoing(number=1, *, text="Due.", to=None, late=False, **fields):
    now = datetime.now(UTC)
    mime = (
        b"From: The Garage <hello@garage.example>\r\nTo: x@mail.example\r\nSubject: Oil\r\n"
        b"Message-ID: <attempt-%d@garage.example>\r\nAuto-Submitted: auto-generated\r\n"
        b"List-Unsubscribe: <mailto:stop@garage.example>\r\nReply-To: desk@garage.example\r\n\r\n" % number
    )
    left = timedelta(seconds=-1) if late else timedelta(hours=1)
    given = {"subject": "Oil", "text": text, "html": "<p>Due.</p>", "send_by": now + left, "at": now, "mime": mime}
    to = to or f"customer{number}@mail.example"
    return Outgoing(f"attempt-{number}", f"k/{number}", "email", to, "Ann", **given | fields)


def outcome(channel, message=None):
    try:
        return asyncio.run(channel.send(message or outgoing()))
    except (Refused, TryLater, Ambiguous) as error:
        return error


def test_a_message_is_one_request_without_personal_data_beside_it(there):
    """The exact body: sender and Reply-To as written, one-click unsubscribe, no tracking, the attempt to come back."""
    there.answers(202, headers={"X-Message-Id": "msg1"})
    assert outcome(sendgrid(there.url), outgoing(unsubscribe=UNSUBSCRIBE)) == Accepted("msg1")
    (got,) = there.got
    assert (got.method, got.path, got.headers["authorization"]) == ("POST", "/v3/mail/send", f"Bearer {KEY}")
    assert json.loads(got.body) == {
        "from": {"email": "hello@garage.example", "name": "The Garage"},
        "reply_to": {"email": "desk@garage.example"},
        "subject": "Oil",
        "content": [{"type": "text/plain", "value": "Due."}, {"type": "text/html", "value": "<p>Due.</p>"}],
        "categories": ["reminders"],
        "personalizations": [
            {
                "to": [{"email": "customer1@mail.example", "name": "Ann"}],
                "subject": "Oil",
                "headers": {
                    "Message-ID": "<attempt-1@garage.example>",
                    "Auto-Submitted": "auto-generated",
                    "List-Unsubscribe": f"<{UNSUBSCRIBE}>",
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                },
                "custom_args": {"attempt": "attempt-1"},
            }
        ],
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
            "subscription_tracking": {"enable": False},
        },
    }


def test_without_a_link_to_unsubscribe_the_address_that_was_written_stays(there):
    """The mailto: of the mail's own header."""
    there.answers(202)
    outcome(sendgrid(there.url))
    headers = json.loads(there.got[0].body)["personalizations"][0]["headers"]
    assert headers["List-Unsubscribe"] == "<mailto:stop@garage.example>"
    assert "List-Unsubscribe-Post" not in headers


def error(field, message="is not right"):
    return json.dumps({"errors": [{"message": message, "field": field, "help": None}]})


ANSWERS = [
    (202, "", "accepted"),
    (200, "", "doubt"),
    (201, "", "doubt"),
    (204, "", "doubt"),
    (301, "", "down"),
    (302, "", "down"),
    (400, error("personalizations.0.to.0.email"), "bad"),
    (400, error("personalizations.0.to"), "bad"),
    (400, error("from.email"), "refused"),
    (400, error("content.0.value"), "refused"),
    (400, error(None), "refused"),
    (400, "not json", "refused"),
    (400, '{"errors": 5}', "refused"),
    (401, error(None, "authorization required"), "down"),
    (402, "", "down"),
    (403, error("from", "not a verified sender"), "down"),
    (404, "", "refused"),
    (405, "", "refused"),
    (406, "", "refused"),
    (408, "", "doubt"),
    (413, "", "refused"),
    (415, "", "refused"),
    (429, error(None, "too many requests"), "later"),
    (500, "", "doubt"),
    (502, "", "doubt"),
    (503, "", "doubt"),
    (504, "", "doubt"),
]


def meant(found):
    if isinstance(found, Refused):
        return "bad" if found.bad_address else "refused"
    return {Accepted: "accepted", ChannelDown: "down", TryLater: "later", Ambiguous: "doubt"}[type(found)]


@pytest.mark.parametrize(("status", "body", "expected"), ANSWERS)
def test_every_answer_means_one_outcome(there, status, body, expected):
    """By the status, and by the field where it is the address; no redirect is followed, nothing is asked twice."""
    there.answers(status, body, {"Location": "/elsewhere"})
    assert meant(outcome(sendgrid(there.url))) == expected
    assert [got.path for got in there.got] == ["/v3/mail/send"]


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"Retry-After": "7"}, 7, 7),
        ({"X-RateLimit-Reset": str(int(datetime.now(UTC).timestamp()) + 6000)}, 1, 6000),
        ({}, 60, 60),
    ],
)
def test_too_many_says_when_to_try_again(there, headers, least, most):
    """By Retry-After, or by the second at which SendGrid counts anew."""
    there.answers(429, "", headers)
    found = outcome(sendgrid(there.url))
    assert timedelta(seconds=least) <= found.after <= timedelta(seconds=most)


@pytest.mark.parametrize("mode", ["reset", "garbage", "hang"])
def test_what_breaks_off_leaves_doubt_and_is_not_asked_again(there, mode):
    """Once bytes have left, nobody knows."""
    there.answers(mode=mode)
    assert isinstance(outcome(sendgrid(there.url, timeout=1.0)), Ambiguous)
    assert len(there.got) == 1


def test_nobody_there_is_a_channel_that_is_down():
    """A refused connection took nothing, nor did a host that is not known."""
    with nobody() as url:
        assert isinstance(outcome(sendgrid(url)), ChannelDown)
    assert isinstance(outcome(sendgrid("http://no-such-host.invalid")), ChannelDown)


def sizes(there):
    return sorted(len(json.loads(got.body)["personalizations"]) for got in there.got)


def test_messages_with_the_same_words_go_together(there):
    """Others go by themselves; an address that comes twice stands in two requests, as SendGrid refuses it in one."""
    there.answers(202, headers={"X-Message-Id": "m"})
    same = [outgoing(number) for number in range(5)]
    other = outgoing(10, text="Something else.")
    twice = outgoing(11, to="customer0@mail.example")
    found = asyncio.run(sendgrid(there.url).send_batch([*same, other, twice]))
    assert found == [Accepted("m")] * 7
    assert sizes(there) == [1, 1, 5]


def test_no_request_has_more_than_a_thousand(there):
    """SendGrid's limit."""
    there.answers(202)
    channel = sendgrid(there.url, timeout=30)
    found = asyncio.run(channel.send_batch([outgoing(number) for number in range(1001)]))
    assert {type(one) for one in found} == {Accepted}
    assert len(found) == 1001
    assert sizes(there) == [1, 1000]


def test_what_is_late_stays_out_of_a_batch(there):
    """The others go; outcomes stand in the order of the messages."""
    there.answers(202)
    batch = [outgoing(1), outgoing(2, late=True), outgoing(3)]
    found = asyncio.run(sendgrid(there.url).send_batch(batch))
    assert [type(one) for one in found] == [Accepted, TryLater, Accepted]
    assert sizes(there) == [2]


def test_a_batch_that_is_refused_is_tried_one_by_one(there):
    """It took none, so only what is the reason is refused in the end."""
    there.answers(400, error("personalizations.1.to.0.email"))
    found = asyncio.run(sendgrid(there.url).send_batch([outgoing(1), outgoing(2)]))
    assert [meant(one) for one in found] == ["bad", "bad"]
    assert sizes(there) == [1, 1, 2]


@pytest.mark.parametrize(("status", "expected"), [(500, "doubt"), (429, "later"), (401, "down")])
def test_a_batch_that_fails_otherwise_is_not_tried_again(there, status, expected):
    """All of it is in doubt, or waits."""
    there.answers(status)
    found = asyncio.run(sendgrid(there.url).send_batch([outgoing(1), outgoing(2)]))
    assert [meant(one) for one in found] == [expected] * 2
    assert sizes(there) == [2]


def signed(events, *, stamp="1600112502", key=PRIVATE):
    body = events if isinstance(events, bytes) else json.dumps(events).encode() + b"\r\n"
    signature = b64encode(key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    return WebhookRequest(
        "POST", "https://garage.example/webhooks/mail", {SIGNATURE: signature, TIMESTAMP: stamp}, body
    )


def event(name, **more):
    given = {"email": "ann@mail.example", "event": name, "timestamp": 1600112492, "sg_event_id": f"id-{name}"}
    return {**given, "sg_message_id": "msg1.filter-1", "attempt": "attempt-1", **more}


EVENTS = [
    (event("processed"), "accepted"),
    (event("deferred", response="450 later"), "accepted"),
    (event("delivered", response="250 OK"), "delivered"),
    (event("bounce", type="bounce", status="5.1.1", reason="550 5.1.1 unknown"), "bounced"),
    (event("bounce", type="bounce", bounce_classification="Invalid Address"), "bounced"),
    (event("bounce", type="bounce", bounce_classification="Mailbox Unavailable", status="5.2.2"), "undelivered"),
    (event("bounce", type="bounce", bounce_classification="Content", status="5.7.1"), "undelivered"),
    (event("bounce", type="bounce", status="5.7.1", reason="550 5.7.1 policy"), "undelivered"),
    (event("bounce", type="bounce", reason="no such domain"), "bounced"),
    (
        event("bounce", type="blocked", reason="unable to get mx info", bounce_classification="Unclassified"),
        "undelivered",
    ),
    (event("dropped", reason="Bounced Address"), "bounced"),
    (event("dropped", reason="Invalid"), "bounced"),
    (event("dropped", reason="Unsubscribed Address"), "opt_out"),
    (event("dropped", reason="Spam Reporting Address"), "complaint"),
    (event("dropped", reason="Spam Content (if spam checker app enabled)"), "undelivered"),
    (event("dropped", reason="Recipient List over Package Quota"), "undelivered"),
    (event("spamreport"), "complaint"),
    (event("unsubscribe"), "opt_out"),
    (event("group_unsubscribe"), "opt_out"),
    (event("group_resubscribe"), "opt_in"),
]


@pytest.mark.parametrize(("said", "kind"), EVENTS)
def test_every_event_means_one_thing(said, kind):
    """With the attempt, SendGrid's own id, the time that it states, and every field kept."""
    (found,) = sendgrid().webhook(signed([{**said, "new_field": 7}]))
    assert (found.kind, found.attempt, found.reference, found.id) == (kind, "attempt-1", "msg1", said["sg_event_id"])
    assert (found.at, found.address) == (datetime(2020, 9, 14, 19, 41, 32, tzinfo=UTC), "ann@mail.example")
    assert found.data["new_field"] == "7"


def test_what_is_not_about_a_message_tells_nothing():
    """Opened, clicked, what is new, what is no event at all."""
    assert list(sendgrid().webhook(signed([event("open"), event("click"), event("pondered"), 5, {}]))) == []
    assert list(sendgrid().webhook(signed({}))) == []


def test_an_event_without_a_time_gives_way_to_any_other():
    """It is as old as can be."""
    (found,) = sendgrid().webhook(signed([event("delivered", timestamp=None)]))
    assert found.at.year == 1970


GOOD = signed([event("delivered")])


@pytest.mark.parametrize(
    "request_",
    [
        WebhookRequest("POST", GOOD.url, {}, GOOD.body),
        WebhookRequest("POST", GOOD.url, {**GOOD.headers, TIMESTAMP: "1600112503"}, GOOD.body),
        WebhookRequest("POST", GOOD.url, {**GOOD.headers, SIGNATURE: "bm90IGEgc2lnbmF0dXJl"}, GOOD.body),
        WebhookRequest("POST", GOOD.url, {**GOOD.headers, SIGNATURE: "no base64 ü"}, GOOD.body),
        # A body whose last line break was lost on the way is another body.
        WebhookRequest("POST", GOOD.url, GOOD.headers, GOOD.body.rstrip()),
        signed([event("delivered")], key=ec.generate_private_key(ec.SECP256R1())),
        signed(b"not json"),
    ],
)
def test_what_is_not_signed_by_sendgrid_counts_for_nothing(request_):
    """Without a signature, with another, over other bytes or another time."""
    with pytest.raises(Forged):
        list(sendgrid().webhook(request_))


def test_without_the_public_key_nothing_is_believed():
    """The channel cannot know SendGrid then."""
    with pytest.raises(Forged, match="webhook_key"):
        list(sendgrid(webhook_key="").webhook(GOOD))


def test_a_key_that_was_copied_in_part_is_no_setting():
    """The error says what to do."""
    with pytest.raises(ValidationError, match="copy the public key"):
        sendgrid(webhook_key="not a key!")
