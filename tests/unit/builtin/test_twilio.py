"""Texts and calls by Twilio: the requests, what every answer means, and what comes in."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode

import pytest

from commsched import (
    Accepted,
    Ambiguous,
    Attempt,
    ChannelDown,
    Forged,
    Outgoing,
    Refused,
    TryLater,
    WebhookRequest,
)
from commsched.builtin.channels.twilio_codes import BAD_NUMBER, NO_TEXTS, OURS, TOO_MUCH, kind_of
from commsched.builtin.channels.twilio_signature import signature
from commsched.builtin.channels.twilio_sms import TwilioSms, TwilioSmsSettings
from commsched.builtin.channels.twilio_voice import TwilioVoice, TwilioVoiceSettings
from commsched.testing.provider import nobody, provider

SID, TOKEN, NUMBER, THEIRS = "AC" + "0" * 32, "secret-token-of-twilio", "+18475550142", "+13125550142"
NOW = datetime.now(UTC)
CALLBACK = "https://garage.example/webhooks/text/attempt-1"
MESSAGES, CALLS = f"/2010-04-01/Accounts/{SID}/Messages.json", f"/2010-04-01/Accounts/{SID}/Calls.json"


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    with provider(tmp_path_factory.mktemp("twilio") / "provider") as made:
        yield made


def outgoing(medium="sms", **fields):
    now = datetime.now(UTC)
    given = {
        "text": "Oil is due. https://g.example/x",
        "html": "",
        "send_by": now + timedelta(hours=2),
        "at": now,
        "callback": CALLBACK,
        "locale": "en_US",
    }
    return Outgoing("attempt-1", "ann/oil/1", medium, THEIRS, "Ann", "", **given | fields)


def sms(url="http://127.0.0.1:9", sender=NUMBER, **more):
    settings = {"account_sid": SID, "auth_token": TOKEN, "sender": sender, "base_url": url, "timeout": 2}
    return TwilioSms(TwilioSmsSettings.model_validate(settings | more), name="text")


def voice(url="http://127.0.0.1:9", **more):
    settings = {"account_sid": SID, "auth_token": TOKEN, "sender": NUMBER, "base_url": url, "timeout": 2}
    return TwilioVoice(TwilioVoiceSettings.model_validate(settings | more), name="phone")


def outcome(channel, message=None):
    try:
        return asyncio.run(channel.send(message or outgoing()))
    except (Refused, TryLater, Ambiguous) as error:
        return error


def form(there):
    (got,) = there.got
    return got, {name: values[0] for name, values in parse_qs(got.body).items()}


def test_a_text_is_one_request_with_its_validity_and_its_callback(there):
    """The exact fields; the validity period is the time that is left, the account signs in by basic authentication."""
    there.answers(201, json.dumps({"sid": "SM1", "status": "queued"}))
    assert outcome(sms(there.url)) == Accepted("SM1")
    got, fields = form(there)
    assert (got.method, got.path) == ("POST", MESSAGES)
    assert got.headers["authorization"].startswith("Basic ")
    validity = int(fields.pop("ValidityPeriod"))
    assert 7100 <= validity <= 7200
    assert fields == {"To": THEIRS, "From": NUMBER, "Body": outgoing().text, "StatusCallback": CALLBACK}


@pytest.mark.parametrize(("left", "validity"), [(timedelta(days=3), 36000), (timedelta(milliseconds=900), 1)])
def test_the_validity_period_keeps_to_what_twilio_takes(there, left, validity):
    """Between a second and ten hours."""
    there.answers(201, json.dumps({"sid": "SM1"}))
    assert outcome(sms(there.url), outgoing(send_by=datetime.now(UTC) + left)) == Accepted("SM1")
    assert form(there)[1]["ValidityPeriod"] == str(validity)


def test_a_messaging_service_takes_the_place_of_a_number(there):
    """Its SID goes in a field of its own, and without a public address there is no callback."""
    there.answers(201, json.dumps({"sid": "SM1"}))
    service = "MG" + "1" * 32
    outcome(sms(there.url, sender=service), outgoing(callback=""))
    fields = form(there)[1]
    assert fields["MessagingServiceSid"] == service
    assert not {"From", "StatusCallback"} & fields.keys()


CODES = [
    *((400, code, "bad") for code in sorted(BAD_NUMBER)),
    *((400, code, "unsuited") for code in sorted(NO_TEXTS)),
    *((400, code, "later") for code in sorted(TOO_MUCH)),
    *((400, code, "down") for code in sorted(OURS)),
    (400, 21610, "opted_out"),
    (403, 21610, "opted_out"),
    # What is wrong with this message alone: its text, its country.
    *((400, code, "refused") for code in (21408, 21602, 21605, 21608, 21612, 21617, 21618, 21619, 21620, 21623, 21215)),
    (400, 99999, "refused"),
    (401, 20003, "down"),
    (401, None, "down"),
    (403, None, "down"),
    (404, None, "refused"),
    (405, None, "refused"),
    (307, None, "down"),
    (408, None, "doubt"),
    (415, None, "refused"),
    (422, None, "refused"),
    (429, 20429, "later"),
    (429, None, "later"),
    (500, 20500, "doubt"),
    (502, None, "doubt"),
    (503, 20503, "doubt"),
    (504, None, "doubt"),
    (200, None, "doubt"),
]


def meant(found):
    if isinstance(found, Refused):
        if found.unsuited:
            return "unsuited"
        return "opted_out" if found.opted_out else "bad" if found.bad_address else "refused"
    kinds = {ChannelDown: "down", TryLater: "later", Ambiguous: "doubt"}
    return kinds[type(found)]


@pytest.mark.parametrize(("status", "code", "expected"), CODES)
def test_every_answer_means_one_outcome(there, status, code, expected):
    """By Twilio's code where there is one, else by the status; each request was made once."""
    body = (
        "" if code is None else json.dumps({"code": code, "message": f"The number {THEIRS} failed", "status": status})
    )
    there.answers(status, body, {"Retry-After": "7"})
    found = outcome(sms(there.url))
    assert meant(found) == expected
    assert len(there.got) == 1
    assert THEIRS not in str(found)
    if isinstance(found, TryLater):
        assert found.after == timedelta(seconds=7)


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"sid": 5}', '"SM1"', "not json", '{"sid": ""}'])
def test_a_yes_without_an_id_leaves_doubt(there, body):
    """201 with anything but a message in it."""
    there.answers(201, body)
    assert isinstance(outcome(sms(there.url)), Ambiguous)


@pytest.mark.parametrize("mode", ["reset", "garbage", "hang"])
def test_what_breaks_off_leaves_doubt_and_is_not_asked_again(there, mode):
    """Once bytes have left, nobody knows; the library makes no second request."""
    there.answers(mode=mode)
    assert isinstance(outcome(sms(there.url, timeout=1.0)), Ambiguous)
    assert len(there.got) == 1


def test_nobody_there_is_a_channel_that_is_down():
    """A refused connection took nothing."""
    with nobody() as url:
        assert isinstance(outcome(sms(url)), ChannelDown)


def listed(**fields):
    stamp = NOW.strftime("%a, %d %b %Y %H:%M:%S +0000")
    given = {
        "sid": "SM1",
        "body": "Oil is due. https://g.example/x",
        "direction": "outbound-api",
        "status": "delivered",
    }
    return (
        {"to": THEIRS, "from": NUMBER, "date_created": stamp, "date_sent": stamp, "error_code": None} | given | fields
    )


def page(name, *entries):
    return json.dumps({name: entries, "page": 0, "next_page_uri": None})


ATTEMPT = Attempt("attempt-1", "ann/oil/1", "ann", "text", THEIRS, NOW, NOW + timedelta(hours=2), "https://g.example/x")


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([listed()], ("delivered", "SM1", "")),
        ([listed(status="queued")], ("accepted", "SM1", "")),
        ([listed(status="undelivered", error_code=30003)], ("undelivered", "SM1", "Twilio 30003")),
        ([listed(body="Something else")], None),
        ([listed(direction="inbound")], None),
        ([listed(sid="SM9", body="other"), listed()], ("delivered", "SM1", "")),
        ([], None),
    ],
)
def test_a_text_is_found_again_by_its_link(there, entries, expected):
    """Among what went to the number; what quotes the link back does not count."""
    there.answers(200, page("messages", *entries))
    found = asyncio.run(sms(there.url).lookup(ATTEMPT))
    assert (found and (found.state, found.reference, found.detail)) == expected
    assert parse_qs(there.got[0].path.partition("?")[2])["To"] == [THEIRS]


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"messages": 5}', "not json", '{"messages": [5]}'])
def test_a_listing_that_cannot_be_read_proves_nothing(there, body):
    """The doubt stays."""
    there.answers(200, body)
    with pytest.raises(Ambiguous):
        asyncio.run(sms(there.url).lookup(ATTEMPT))


def test_without_a_link_nothing_can_be_found():
    """Then the listing proves nothing."""
    with pytest.raises(Ambiguous):
        asyncio.run(sms().lookup(Attempt("a", "k", "ann", "text", THEIRS, NOW, NOW)))


def test_what_came_in_is_listed_under_the_same_ids_as_by_webhook(there):
    """A lost STOP is found; our own texts and older ones are not told."""
    since = NOW - timedelta(hours=1)
    theirs = {"direction": "inbound", "from": THEIRS, "to": NUMBER}
    old = (NOW - timedelta(hours=2)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    entries = [listed(sid="SM2", body="STOP", **theirs), listed(), listed(sid="SM3", **theirs | {"date_sent": old})]
    there.answers(200, page("messages", *entries))
    (event,) = asyncio.run(sms(there.url).inbound(since))
    (told,) = sms().webhook(signed({"MessageSid": "SM2", "From": THEIRS, "Body": "STOP", "SmsStatus": "received"}))
    assert (event.kind, event.id, event.address) == (told.kind, told.id, told.address) == ("opt_out", "SM2", THEIRS)


SERVICE = "MG" + "0" * 32


@pytest.mark.parametrize(
    ("sender", "more", "expected", "asked"),
    [
        (NUMBER, {}, ["SM1"], [[NUMBER]]),
        ("84433", {}, ["SM2"], [["84433"]]),
        (SERVICE, {}, ["SM3"], [None]),
        (SERVICE, {"numbers": ["84433"]}, ["SM2"], [["84433"]]),
        ("Garage", {}, [], []),
    ],
)
def test_only_what_came_in_for_this_channel_is_told(there, sender, more, expected, asked):
    """An account may have other numbers and services; what people write there is none of this channel's."""
    came = {"direction": "inbound", "from": THEIRS, "body": "Yes"}
    entries = [
        listed(sid="SM1", to=NUMBER, **came),
        listed(sid="SM2", to="84433", **came),
        listed(sid="SM3", to="+18475550199", messaging_service_sid=SERVICE, **came),
        listed(sid="SM4", to="+18475550198", **came),
        listed(sid="SM5", messaging_service_sid=SERVICE),
    ]
    there.answers(200, page("messages", *entries))
    found = asyncio.run(sms(there.url, sender=sender, **more).inbound(NOW - timedelta(hours=1)))
    assert [one.id for one in found] == expected
    assert [parse_qs(got.path.partition("?")[2]).get("To") for got in there.got] == asked


def test_stop_words_count_however_they_are_written():
    """In the configuration as well as in the text."""
    request = signed({"MessageSid": "SM2", "From": THEIRS, "Body": "basta", "SmsStatus": "received"})
    (event,) = sms(stop_words=["Basta"]).webhook(request)
    assert event.kind == "opt_out"


def test_a_listing_has_several_pages(there):
    """They are all read; one that never ends is given up, and said to be."""
    theirs = {"direction": "inbound", "from": THEIRS, "to": NUMBER}
    more = json.loads(page("messages", listed(sid="SM2", body="hi", **theirs)))
    there.answers(200, json.dumps(more | {"next_page_uri": f"{MESSAGES}?Page=1"}))
    with pytest.raises(Ambiguous, match="pages"):
        asyncio.run(sms(there.url).inbound(NOW - timedelta(hours=1)))
    assert len(there.got) == 21


def signed(fields, url="https://garage.example/webhooks/text", token=TOKEN, **more):
    pairs = list(fields.items())
    headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature(url, pairs, token)}
    return WebhookRequest("POST", url, headers | more, urlencode(pairs).encode(), NOW)


REPORTS = [
    ("queued", "", "accepted"),
    ("sending", "", "accepted"),
    ("sent", "", "accepted"),
    ("delivered", "", "delivered"),
    ("read", "", "delivered"),
    ("undelivered", "30003", "undelivered"),
    ("undelivered", "30005", "bounced"),
    ("undelivered", "30006", "unsuited"),
    ("undelivered", "30007", "undelivered"),
    ("undelivered", "30008", "undelivered"),
    ("undelivered", "30036", "undelivered"),
    ("failed", "30001", "undelivered"),
    ("failed", "21610", "opt_out"),
    ("failed", "", "undelivered"),
    ("canceled", "", "undelivered"),
]


@pytest.mark.parametrize(("status", "code", "kind"), REPORTS)
@pytest.mark.parametrize("url", [CALLBACK, "https://garage.example/webhooks/text?attempt=attempt-1"])
def test_a_delivery_report_is_an_event_of_its_attempt(status, code, kind, url):
    """Every status that Twilio documents; the same report has the same id."""
    fields = {"MessageSid": "SM1", "MessageStatus": status, "To": THEIRS, "New": "kept"} | (
        {"ErrorCode": code} if code else {}
    )
    first, second = (list(sms().webhook(signed(fields, url))) for _ in range(2))
    assert first == second
    (event,) = first
    assert (event.kind, event.attempt, event.reference, event.id) == (kind, "attempt-1", "SM1", f"SM1:{status}")
    assert (event.at, event.address, event.data["New"]) == (NOW, THEIRS, "kept")


def test_a_status_that_is_not_known_tells_nothing():
    """Twilio may add one at any time."""
    assert list(sms().webhook(signed({"MessageSid": "SM1", "MessageStatus": "pondering"}))) == []


@pytest.mark.parametrize(
    ("body", "more", "kind"),
    [
        ("yes please", {}, "reply"),
        ("YES", {}, "reply"),
        ("stop", {}, "opt_out"),
        (" Unsubscribe ", {}, "opt_out"),
        ("stopped working yesterday", {}, "reply"),
        ("no more", {"OptOutType": "STOP"}, "opt_out"),
        ("Start", {}, "opt_in"),
        ("hi", {"OptOutType": "START"}, "opt_in"),
        ("HELP", {"OptOutType": "HELP"}, "reply"),
        ("", {}, "reply"),
    ],
)
def test_a_text_that_comes_in_is_a_reply_or_what_twilio_made_of_it(body, more, kind):
    """The words that Twilio blocks on are a stop; what only contains them is not."""
    (event,) = sms().webhook(
        signed({"MessageSid": "SM5", "SmsStatus": "received", "From": THEIRS, "Body": body, **more})
    )
    assert (event.kind, event.address, event.text, event.id, event.attempt) == (kind, THEIRS, body, "SM5", "")


def test_a_service_with_words_of_its_own_is_believed():
    """Where CANCEL was taken off Twilio's list, it is a reply."""
    (event,) = sms(stop_words=["STOP"]).webhook(signed({"MessageSid": "SM5", "From": THEIRS, "Body": "CANCEL"}))
    assert event.kind == "reply"


def test_twilio_is_answered_with_an_empty_document():
    """Any text in it would be sent to the customer."""
    answer = sms().answer(signed({}))
    assert (answer.status, answer.body, answer.content_type) == (200, b"<Response/>", "text/xml")


def test_a_call_speaks_and_takes_a_digit(there):
    """The language of the message, its words, and where the digit goes."""
    there.answers(201, json.dumps({"sid": "CA1"}))
    message = outgoing(
        "voice", text="Oil & filter are due.", locale="es_US", callback="https://g.example/webhooks/phone/attempt-1"
    )
    assert outcome(voice(there.url), message) == Accepted("CA1")
    got, fields = form(there)
    assert got.path == CALLS
    assert (fields["To"], fields["From"], fields["Timeout"]) == (THEIRS, NUMBER, "30")
    assert parse_qs(got.body)["StatusCallbackEvent"] == ["initiated", "answered", "completed"]
    twiml = fields["Twiml"]
    assert '<Say language="es-MX">Oil &amp; filter are due.</Say>' in twiml
    assert 'action="https://g.example/webhooks/phone/attempt-1?language=es-MX"' in twiml
    assert 'numDigits="1"' in twiml
    assert "pulse 9" in twiml


def test_a_call_without_a_public_address_only_speaks(there):
    """There is nowhere for a digit to go."""
    there.answers(201, json.dumps({"sid": "CA1"}))
    outcome(voice(there.url), outgoing("voice", callback=""))
    fields = form(there)[1]
    assert "Gather" not in fields["Twiml"]
    assert "StatusCallback" not in fields


def test_a_text_too_long_to_be_spoken_is_refused(there):
    """Before it is sent."""
    there.answers(201, json.dumps({"sid": "CA1"}))
    assert meant(outcome(voice(there.url), outgoing("voice", text="word " * 900))) == "refused"
    assert there.got == []


@pytest.mark.parametrize(
    ("digit", "meaning", "words"),
    [("1", "confirm", "confirmed"), ("2", "call_me", "call you"), ("9", "stop", "no more"), ("5", "", "")],
)
def test_a_digit_is_an_event_and_is_thanked_for(digit, meaning, words):
    """Once for each digit of a call, in the language of the call."""
    url = "https://g.example/webhooks/phone/attempt-1?language=en-US"
    request = signed({"CallSid": "CA1", "Digits": digit, "To": THEIRS, "CallStatus": "in-progress"}, url)
    (event,) = voice().webhook(request)
    assert (event.kind, event.text, event.detail, event.attempt) == ("digit", digit, meaning, "attempt-1")
    assert event.id == f"CA1:digit:{digit}"
    answer = voice().answer(request)
    assert answer.content_type == "text/xml"
    assert words in answer.body.decode()
    assert ("<Say" in answer.body.decode()) == bool(words)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("initiated", "accepted"),
        ("ringing", "accepted"),
        ("in-progress", "accepted"),
        ("completed", "delivered"),
        ("busy", "undelivered"),
        ("no-answer", "undelivered"),
        ("failed", "undelivered"),
        ("canceled", "undelivered"),
    ],
)
def test_how_a_call_stands_is_an_event(status, kind):
    """Every status that Twilio documents."""
    (event,) = voice().webhook(
        signed({"CallSid": "CA1", "CallStatus": status, "To": THEIRS}, "https://g.example/webhooks/phone/attempt-1")
    )
    assert (event.kind, event.attempt, event.reference) == (kind, "attempt-1", "CA1")


def test_a_call_is_found_again_only_where_it_can_be_no_other(there):
    """The only one to the number since the attempt; an older one does not count."""
    old = (NOW - timedelta(hours=2)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    one, other, before = listed(sid="CA1", status="completed"), listed(sid="CA2"), listed(sid="CA0", date_created=old)
    found = []
    for entries in ([one], [one, before], [one, other], [before]):
        there.answers(200, page("calls", *entries))
        found.append(asyncio.run(voice(there.url).lookup(ATTEMPT)))
    assert [one and (one.state, one.reference) for one in found] == [
        ("delivered", "CA1"),
        ("delivered", "CA1"),
        None,
        None,
    ]


FORM = {"MessageSid": "SM1", "MessageStatus": "sent"}


@pytest.mark.parametrize(
    "request_",
    [
        signed(FORM, token="another"),
        WebhookRequest("POST", CALLBACK, {}, b""),
        WebhookRequest("POST", CALLBACK, signed(FORM, CALLBACK).headers, b"MessageSid=SM1&MessageStatus=delivered"),
        WebhookRequest("POST", CALLBACK + "x", signed(FORM, CALLBACK).headers, signed(FORM, CALLBACK).body),
        WebhookRequest("POST", CALLBACK, signed(FORM, CALLBACK).headers, b"\xff\xfe=1"),
        WebhookRequest("POST", CALLBACK, {"x-twilio-signature": "ümlaut"}, b""),
        WebhookRequest(
            "POST",
            CALLBACK,
            {"content-type": "application/json", "x-twilio-signature": signature(CALLBACK, [], TOKEN)},
            b"{}",
        ),
    ],
)
def test_what_is_not_signed_by_twilio_counts_for_nothing(request_):
    """Another token, no signature, another body or address, what cannot be read, JSON without its hash."""
    with pytest.raises(Forged):
        list(sms().webhook(request_))


@pytest.mark.parametrize(
    "public",
    ["https://g.example", "https://g.example:8443", "https://[2001:db8::1]:8443", "https://user:pw@g.example:8443"],
)
@pytest.mark.parametrize("signer", ["with", "without"])
def test_a_signature_counts_with_and_without_the_port(public, signer):
    """Also for addresses with brackets or a user in them."""
    url = f"{public}/webhooks/text/attempt-1"
    bare = url.replace(":8443", "")
    as_signed = (url if ":8443" in url else url.replace("g.example", "g.example:443")) if signer == "with" else bare
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-twilio-signature": signature(as_signed, list(FORM.items()), TOKEN),
    }
    (event,) = sms().webhook(WebhookRequest("POST", url, headers, urlencode(FORM).encode()))
    assert event.attempt == "attempt-1"


def test_every_code_stands_in_one_table_only():
    """A code has one meaning."""
    tables = [BAD_NUMBER, NO_TEXTS, OURS, TOO_MUCH, frozenset({21610})]
    assert sum(map(len, tables)) == len(frozenset().union(*tables))
    assert kind_of("failed", 30005) == "bounced"
