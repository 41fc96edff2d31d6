"""Doubt: what is looked up is looked for by the link that stands in its text; on both databases."""

from __future__ import annotations

import json
from dataclasses import replace
from email.utils import format_datetime

import pytest

from commsched.builtin.channels.twilio_sms import TwilioSms, TwilioSmsSettings
from commsched.plugin.channel import Ambiguous
from commsched.store import queries
from commsched.testing.provider import provider

SID, NUMBER, THEIRS = "AC" + "0" * 32, "+18475550142", "+13125550142"
ORDERS = """\
rule: thanks
why: "You ordered from us."
purpose: service
topic: visit
department: desk
trigger: {event: order}
steps:
  - {step: say, at: event, deadline: event + 10d, template: thanks, media: [sms]}
"""


@pytest.fixture
def shop(garage, customer, configuration):
    """A text to ann of which nobody knows whether it was taken, in a deployment whose messages have links."""
    public = configuration.replace("live_from", 'public_url = "https://garage.example"\nlive_from')
    text = "Thank you. {{ links.home }}\n"
    files = {"config/commsched.toml": public, "config/rules/thanks.yaml": ORDERS, "templates/thanks/sms.txt": text}
    found = garage(files)
    found.text.answers[THEIRS] = Ambiguous("reset")
    found.learn(*customer(phone=THEIRS))
    found.tick()
    assert found.messages["ann/say"].state == "in_doubt"
    return found


@pytest.mark.parametrize(("quoted", "state"), [(True, "delivered"), (False, "in_doubt")])
def test_a_text_is_found_by_its_own_link(shop, tmp_path, quoted, state):
    """At Twilio, whose listing has nothing else of ours in it; another text to the number is not it."""
    (sent,) = shop.text.calls
    body = sent.text if quoted else "Something else."
    stamp = format_datetime(shop.clock.at)
    listed = {"sid": "SM1", "body": body, "direction": "outbound-api", "status": "delivered", "error_code": None}
    listed |= {"to": THEIRS, "from": NUMBER, "date_created": stamp, "date_sent": stamp}
    with provider(tmp_path / "twilio") as there:
        there.answers(200, json.dumps({"messages": [listed], "page": 0, "next_page_uri": None}))
        settings = {"account_sid": SID, "auth_token": "secret", "sender": NUMBER, "base_url": there.url, "timeout": 5}
        channel = TwilioSms(TwilioSmsSettings.model_validate(settings), name="text")
        shop.loop = replace(shop.loop, channels={"mail": shop.mail, "text": channel})
        shop.tick(minutes=3)
        assert there.got
    assert sent.link in sent.text
    assert shop.messages["ann/say"].state == state


def test_a_mails_link_is_signed_as_it_was(garage, customer, configuration):
    """A mail's token is kept nowhere; it is made again, as it stands in the mail."""
    public = configuration.replace("live_from", 'public_url = "https://garage.example"\nlive_from')
    shop = garage({"config/commsched.toml": public})
    shop.learn(*customer())
    shop.tick()
    (sent,) = shop.mail.calls
    with shop.store.read() as connection:
        (row,) = queries.attempts(connection)
    assert row.code is None
    assert shop.loop.composer.link_of(row, "email") == sent.link
