"""What a process did, as Prometheus reads it."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

import pytest
from prometheus_client.exposition import generate_latest

from commsched.engine import meters
from commsched.engine.counts import LONGEST, MOST, Counts
from commsched.errors import UnknownName
from commsched.model.decisions import Reason
from commsched.plugin.channel import Ambiguous, ChannelEvent, Forged, WebhookRequest
from commsched.signals import Asked, Called, Failed, Handed, Heard, Passed, announce, listening

TOMORROW = """\
rule: thanks
why: "You ordered from us."
purpose: service
topic: visit
department: desk
trigger: {event: order}
steps:
  - {step: say, at: event + 24h, deadline: event + 10d, template: thanks}
"""


@pytest.fixture
def counts():
    return Counts(lambda: 42.0)


def value(counts, name, **labels):
    return counts.registry.get_sample_value(name, labels)


def test_every_kind_of_thing_that_is_announced_is_counted(counts):
    """A pass, a hand-over, a failure, a call, a page, an event: each under its labels, and nobody else's."""
    with listening(counts.hear):
        announce(Passed(30, 0.2))
        announce(Handed("mail", timedelta(seconds=4)))
        announce(Failed("policy", "quiet_hours", "refuses"))
        announce(Called("mail", "forged"))
        announce(Called("", "forged"))
        announce(Asked("press", 303))
        announce(Heard("mail", "delivered", "r1", "ann", "k", "a1"))
    announce(Passed(1, 1.0))  # nobody listens any more
    assert value(counts, "commsched_customers_planned_total") == 30
    assert value(counts, "commsched_pass_seconds_count") == 1
    assert value(counts, "commsched_lateness_seconds_bucket", channel="mail", le="2.0") == 0
    assert value(counts, "commsched_lateness_seconds_bucket", channel="mail", le="5.0") == 1
    assert value(counts, "commsched_plugin_failures_total", plugin="quiet_hours", kind="policy") == 1
    assert value(counts, "commsched_webhook_calls_total", channel="mail", result="forged") == 1
    assert value(counts, "commsched_webhook_calls_total", channel="unknown", result="forged") == 1
    assert value(counts, "commsched_page_requests_total", kind="press", status="303") == 1
    assert value(counts, "commsched_events_total", channel="mail", kind="delivered") == 1
    assert value(counts, "commsched_last_turn_timestamp_seconds") == 42


def test_a_plugin_that_makes_up_codes_cannot_make_up_labels_for_ever(counts):
    """A code that counts up, and one of a megabyte: so many are told apart, and the rest is one label."""
    with listening(counts.hear):
        for number in range(10 * MOST):
            announce(Heard("mail", f"{number:06} " * 1000, "r"))
    lines = [line for line in generate_latest(counts.registry).decode().splitlines() if "events_total{" in line]
    assert len(lines) == MOST + 1
    assert max(map(len, lines)) < LONGEST + 100
    assert value(counts, "commsched_events_total", channel="other", kind="other") == 9 * MOST


def test_what_the_loop_does_is_counted(garage, customer, counts):
    """One message goes and one is refused: decisions, vetoes with their force, attempts, facts, the pass."""
    shop = garage()
    with listening(counts.hear):
        shop.learn(*customer(), *customer("bob", email="bob@x.example"))
        shop.app.plugins.tell("received", event=customer("bob")[2])
        shop.mail.answers["bob@x.example"] = Ambiguous("it broke off")
        shop.tick()
    assert value(counts, "commsched_customers_planned_total") == 2
    assert value(counts, "commsched_decisions_total", state="planned") == 2
    assert value(counts, "commsched_attempts_total", channel="mail", outcome="accepted") == 1
    assert value(counts, "commsched_attempts_total", channel="mail", outcome="in_doubt") == 1
    assert value(counts, "commsched_facts_total", type="event") == 1
    assert value(counts, "commsched_lateness_seconds_count", channel="mail") == 2


def test_vetoes_name_policy_code_and_force(garage, customer, fact, counts):
    """Who wants no mail is counted under the policy that knew, as what must not be."""
    shop = garage()
    no = {"purpose": "*", "granted": False, "method": "reply", "stated_by": "customer"}
    with listening(counts.hear):
        shop.learn(*customer(), fact("consent", medium="*", **no))
        shop.tick()
    assert value(counts, "commsched_vetoes_total", policy="opt_out", code="opt_out", force="must_not") == 1


def test_reasons_of_refusals_only_are_vetoes(garage, customer, counts):
    """A reason that explains why something goes is no veto."""
    shop = garage()
    with listening(counts.hear):
        shop.learn(*customer())
        shop.tick()
    assert not [name for name in generate_latest(counts.registry).decode().splitlines() if "vetoes_total{" in name]
    assert Reason("p", "c", "d").force == "could_not"


def test_lateness_is_counted_from_the_first_plan(garage, customer, counts):
    """Planned for tomorrow and looked at two minutes after: late by two minutes, though the new plan says now."""
    shop = garage({"config/rules/thanks.yaml": TOMORROW})
    shop.learn(*customer())
    shop.tick()
    late = []
    with listening(lambda one: late.append(one.late) if isinstance(one, Handed) else None):
        shop.tick(days=1, minutes=2)
    assert late == [timedelta(minutes=2)]


def test_a_channel_that_raises_is_counted_and_one_that_refuses_is_not(garage, customer, counts):
    """A refusal is an answer; anything else that is raised is the plugin's fault."""
    shop = garage()
    with listening(counts.hear):
        shop.learn(*customer())
        shop.mail.answers["ann@x.example"] = ZeroDivisionError()
        shop.tick()
    assert value(counts, "commsched_plugin_failures_total", plugin="mail", kind="channel") == 1


def test_an_observer_that_raises_is_counted(garage, customer, counts):
    """It is named as in the log."""
    plugin = "from commsched import hookimpl\n\n@hookimpl\ndef attempted(attempt):\n    raise KeyError(attempt.to)\n"
    shop = garage({"plugins/watcher.py": plugin})
    with listening(counts.hear):
        shop.learn(*customer())
        shop.tick()
    assert value(counts, "commsched_plugin_failures_total", plugin="plugins/watcher.py", kind="observer") == 1


def test_calls_of_providers_are_counted_by_what_they_were(garage, counts, provider):
    """Signed, forged, for a channel that there is not, and one that the channel cannot read."""

    class Answering(provider):
        def webhook(self, request):
            if request.body == b"forged":
                raise Forged(self.name)
            if request.body == b"odd":
                raise ValueError(request.body)
            return [ChannelEvent("delivered", shop.clock.at, id="e1")]

    shop = garage()
    shop.app.hearing.channels = {"mail": Answering("mail")}
    with listening(counts.hear):
        assert call(shop, "mail", b"") is None
        assert call(shop, "mail", b"forged") is Forged
        assert call(shop, "mail", b"odd") is ValueError
        assert call(shop, "fax", b"") is UnknownName
    found = {("mail", "accepted"), ("mail", "forged"), ("mail", "failed"), ("unknown", "forged")}
    for channel, result in found:
        assert value(counts, "commsched_webhook_calls_total", channel=channel, result=result) == 1
    assert value(counts, "commsched_events_total", channel="mail", kind="delivered") == 1
    assert value(counts, "commsched_plugin_failures_total", plugin="mail", kind="channel") == 1


def call(shop, channel, body):
    try:
        shop.app.hearing.called(channel, WebhookRequest("POST", "https://x.example/", {}, body), shop.clock.at)
    except (Forged, UnknownName, ValueError) as error:
        return type(error)
    return None


def test_counting_is_safe_in_threads(counts):
    """Pages announce in threads of their own; nothing is lost between them."""

    def ask():
        for _ in range(500):
            announce(Asked("page", 200))

    threads = [Thread(target=ask) for _ in range(8)]
    with listening(counts.hear):
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert value(counts, "commsched_page_requests_total", kind="page", status="200") == 4000


def test_names_follow_the_conventions():
    """Counters end in _total, lengths of time in _seconds; every metric says what it means."""
    assert len({one.name for one in meters.METERS}) == len(meters.METERS) > 25
    for one in meters.METERS:
        assert one.name.startswith("commsched_")
        assert one.name.endswith("_total") == (one.kind == "counter")
        assert one.means.endswith(".")
        assert not {"customer", "key", "address", "attempt"} & set(one.labels)
