"""The log of single events: by one id from the fact to the receipt."""

from __future__ import annotations

from logs import all_logs

from commsched.engine.chronicle import chronicle
from commsched.plugin.channel import ChannelEvent, WebhookRequest
from commsched.signals import Pressed, announce, listening


def told(work):
    """What is logged meanwhile, level and all."""
    with all_logs() as logs, listening(chronicle):
        work()
    return [{name: value for name, value in line.items() if name != "at"} for line in logs]


def test_one_id_leads_from_the_fact_to_the_receipt(garage, customer, provider):
    """Fact, decision, attempt, delivery, reply, press: each line has the ids of the one before."""

    class Answering(provider):
        def webhook(self, request):
            attempt = request.body.decode()
            return [
                ChannelEvent("delivered", shop.clock.at, attempt, id="Message-ID of ann@x.example"),
                ChannelEvent("reply", shop.clock.at, attempt, text="Ann Miller, Elm Street", id="second"),
            ]

    shop = garage()
    shop.app.hearing.channels = {"mail": Answering("mail")}

    def work():
        for one in shop.learn(*customer()):
            shop.app.plugins.tell("received", event=one)
        shop.tick()
        (call,) = shop.mail.calls
        called = WebhookRequest("POST", "https://x.example/", {}, call.attempt.encode())
        shop.app.hearing.called("mail", called, shop.clock.at)
        announce(Pressed("ann", call.key, "confirm", "confirmed"))

    lines = told(work)
    followed = [line for line in lines if "order-ann" in str(line)]
    assert [(line["event"], line["log_level"]) for line in followed] == [
        ("fact", "debug"),
        ("decided", "debug"),
        ("attempted", "info"),
        ("heard", "info"),
        ("heard", "info"),
        ("fact", "debug"),
        ("fact", "info"),
        ("pressed", "info"),
    ]
    attempted, delivered, reply = (line for line in followed if line["event"] in {"attempted", "heard"})
    assert attempted["attempt"] == delivered["attempt"] == reply["attempt"]
    assert (delivered["kind"], reply["kind"]) == ("delivered", "reply")
    (fact,) = (line for line in lines if line.get("type") == "reply")
    assert (fact["fact"], fact["log_level"]) == (reply["receipt"], "info")
    everything = str(lines)
    assert not [word for word in ("x.example", "Ann", "Elm", "Message-ID") if word in everything]


def test_a_reply_from_nobody_known_has_a_receipt_and_no_customer(garage, provider):
    """It is followed by its id alone."""

    class Answering(provider):
        def webhook(self, request):
            return [ChannelEvent("reply", shop.clock.at, address="who@x.example", text="hello", id="x")]

    shop = garage()
    shop.app.hearing.channels = {"mail": Answering("mail")}
    called = WebhookRequest("POST", "https://x.example/", {}, b"")
    lines = told(lambda: shop.app.hearing.called("mail", called, shop.clock.at))
    (heard,) = (line for line in lines if line["event"] == "heard")
    assert set(heard) == {"event", "log_level", "channel", "kind", "receipt"}


def test_a_refused_message_names_policies_and_codes(garage, customer, fact):
    """Not the sentence of the reason, which may name somebody."""
    shop = garage()
    no = {"purpose": "*", "granted": False, "method": "reply", "stated_by": "customer", "medium": "*"}
    shop.learn(*customer(), fact("consent", **no))
    (line,) = (one for one in told(shop.tick) if one["event"] == "decided")
    assert (line["state"], line["reasons"]) == ("refused", ["opt_out.opt_out"])
