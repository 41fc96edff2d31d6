"""Providers' calls over HTTP: what a valid signature vouches for is durable before the answer, and nothing else is."""

import http.client
from urllib.parse import urlencode, urlsplit

import pytest

from commsched.builtin.channels.twilio_signature import signature
from commsched.builtin.channels.twilio_sms import TwilioSms, TwilioSmsSettings

TOKEN, PUBLIC, PHONE = "a-token-of-ours", "https://my.northside-motors.example", "+13125550164"


@pytest.fixture
def shop(told):
    """Texts go and come by Twilio."""
    found = told("sms")
    settings = {"account_sid": "AC" + "0" * 32, "auth_token": TOKEN, "sender": "+18475550100"}
    found.tale.app.channels["text"] = TwilioSms(TwilioSmsSettings.model_validate(settings), name="text")
    return found


def calls(shop, fields, path="/webhooks/text", token=TOKEN, signed=None, method="POST"):
    """A call of the provider's, as it comes through a proxy: signed over the public address."""
    parts = urlsplit(shop.home)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if token:
        headers["X-Twilio-Signature"] = signature(signed or PUBLIC + path, list(fields.items()), token)
    connection.request(method, path, urlencode(fields), headers)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), answer.getheader("content-type")
    connection.close()
    return found


def stop(number=1):
    return {"From": PHONE, "To": "+18475550100", "Body": "STOP", "OptOutType": "STOP", "MessageSid": f"SM{number:032d}"}


def test_a_stop_counts_before_it_is_answered(shop):
    """STOP by the provider's call: 200 with an empty TwiML, and no text goes any more."""
    before = shop.facts()
    status, body, kind = calls(shop, stop())
    assert status == 200
    assert "<Response" in body
    assert "xml" in kind
    assert shop.facts() > before
    assert shop.tale.until("2026-12-20").sent(rule="appointment-reminders", step="reminder").medium == "email"


def test_fault_25_the_same_call_46_times(shop):
    """One effect, and 200 each time."""
    calls(shop, stop())
    before = shop.facts()
    assert {calls(shop, stop())[0] for _ in range(45)} == {200}
    assert shop.facts() == before


@pytest.mark.parametrize(
    "more",
    [
        {"token": ""},
        {"token": "another token"},
        {"signed": "https://elsewhere.example/webhooks/text"},
        {"path": "/webhooks/nobody"},
        {"path": "/webhooks/mail"},
    ],
    ids=["unsigned", "another key", "another address", "no such channel", "a channel without calls"],
)
def test_fault_27_what_is_not_signed(shop, more):
    """403, counted, and nothing is written; whether there is such a channel is not told."""
    before = shop.facts()
    assert calls(shop, stop(), **more)[:2] == (403, "")
    assert shop.facts() == before


def test_a_report_about_an_attempt(shop):
    """The address of the callback names the attempt, and `delivered` moves the message on."""
    attempt = shop.tale.app.store
    with attempt.read() as connection:
        name = connection.exec_driver_sql("select id from attempt").scalar()
    path = f"/webhooks/text/{name}"
    report = {"MessageSid": "SM" + "1" * 32, "MessageStatus": "delivered", "To": PHONE, "From": "+18475550100"}
    assert calls(shop, report, path)[0] in {200, 204}
    assert {one.state for one in shop.tale.messages if one.step == "confirmation"} == {"delivered"}


def test_an_answer_by_text(shop):
    """Her YES, as the provider hands it on, confirms the appointment."""
    said = {"From": PHONE, "To": "+18475550100", "Body": "Yes, I will be there", "MessageSid": "SM" + "2" * 32}
    assert calls(shop, said)[0] == 200
    shop.tale.until("2026-12-20").nothing(rule="appointment-reminders", step="day-before")
