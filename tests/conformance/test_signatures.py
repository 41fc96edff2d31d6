"""The providers' own vectors for the signatures of their calls."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from corpora import corpus

from commsched import Forged, WebhookRequest
from commsched.builtin.channels.sendgrid_email import SendgridEmail, SendgridSettings
from commsched.builtin.channels.sendgrid_signature import SIGNATURE, TIMESTAMP
from commsched.builtin.channels.twilio_signature import checked

FOLDER = corpus("signatures")
TWILIO = json.loads((FOLDER / "twilio_request.json").read_text())["vectors"]
SENDGRID = json.loads((FOLDER / "sendgrid_event_webhook.json").read_text())["vectors"]


def call(vector, **changed):
    """A vector as the call that it describes."""
    kind = "application/x-www-form-urlencoded" if vector["params"] is not None else "application/json"
    body = urlencode(vector["params"]) if vector["params"] is not None else vector["body"]
    given = {"url": vector["url"], "body": body.encode(), "signature": vector["signature"]} | changed
    return WebhookRequest(
        "POST", given["url"], {"content-type": kind, "x-twilio-signature": given["signature"]}, given["body"]
    )


@pytest.mark.parametrize("vector", TWILIO, ids=lambda one: one["name"])
def test_twilio(vector):
    """What counts there counts here, and nothing else."""
    if vector["valid"]:
        said = checked(call(vector), vector["auth_token"])
        assert vector["params"] is None or vector["params"].items() <= said.items()
        with pytest.raises(Forged):
            checked(call(vector, body=call(vector).body + b"&x=y"), vector["auth_token"])
        with pytest.raises(Forged):
            checked(call(vector), vector["auth_token"] + "6")
    else:
        with pytest.raises(Forged):
            checked(call(vector), vector["auth_token"])


def test_a_json_body_without_its_hash_is_refused():
    """Twilio's own validator takes it: its signature is over the address alone."""
    (vector,) = [one for one in TWILIO if one["name"] == "json body"]
    bare = vector["url"].partition("&bodySHA256")[0]
    from commsched.builtin.channels.twilio_signature import signature

    signed = signature(bare, [], vector["auth_token"])
    with pytest.raises(Forged):
        checked(call(vector, url=bare, signature=signed), vector["auth_token"])


@pytest.mark.parametrize("vector", SENDGRID, ids=lambda one: one["name"])
def test_sendgrid(vector):
    """What counts there counts here, byte for byte: without the last line break it is another body."""
    channel = SendgridEmail(
        SendgridSettings.model_validate({"api_key": "SG.x", "webhook_key": vector["public_key"]}), name="mail"
    )
    headers = {SIGNATURE: vector["signature"], TIMESTAMP: vector["timestamp"]}
    request = WebhookRequest("POST", "https://g.example/webhooks/mail", headers, vector["payload"].encode())
    if not vector["valid"]:
        with pytest.raises(Forged):
            channel.webhook(request)
        return
    (event,) = channel.webhook(request)
    assert (event.kind, event.address, event.reference) == ("bounced", "hello@world.com", "LRzXl_NHStOGhQ4kofSm_A")
    with pytest.raises(Forged):
        channel.webhook(WebhookRequest("POST", request.url, headers, request.body.rstrip()))
