"""Story 05: a supplier courts a company that has been its customer for years."""

import pytest
from copies import copy_of_the_deployment, with_message, with_rule
from people import colleague

from commsched.store.messages import told
from commsched.testing.stories import Story

INTRODUCTION = """
rule: introduction
why: You were here on {{ event.date }} to look around.
purpose: sales
topic: prospecting
department: sales
trigger: {event: visit}
steps:
  - step: hello
    at: event + 9d at 11:00
    deadline: event + 40d
    template: introduction
    media: [email]
    late: skip
"""


@pytest.fixture
def prospecting(tmp_path):
    """The shipped deployment with a campaign that is meant for strangers."""
    folder = copy_of_the_deployment(tmp_path)
    with_message(folder, "introduction", "What we could do for you", "We could look after your vehicles.")
    with_rule(folder, "introduction", INTRODUCTION)
    return Story(folder, tmp_path, "2026-09-01 09:00")


def visit(story, customer="C1"):
    return story.given("event", customer=customer, kind="visit", id=f"visit-{customer}")


def test_a_buyer_whose_company_is_a_customer_is_not_courted(prospecting):
    """She is new to us; the company that she buys for is not. The staff read through whom it is known."""
    tale = colleague(prospecting, "C1", "Ana Ortiz", "buyer", status="prospect")
    colleague(tale, "C2", "Ben Ochs", "driver")
    visit(tale).until("2026-11-01")
    tale.nothing(rule="introduction")
    refusal = tale.refused(rule="introduction", code="existing_customer")
    assert refusal.final
    assert told(refusal)[0][2] == "Ben Ochs (C2), who is at O1 too, is a customer already"
    assert "Ben" not in refusal.reasons[0][2]
    tale.no_task(rule="introduction")


def test_a_company_that_owns_a_vehicle_we_look_after_is_not_courted(prospecting):
    """What the company owns makes all its people customers."""
    tale = colleague(prospecting, "C1", "Ana Ortiz", "buyer", status="prospect")
    tale.given("asset", organisation="O1", id="V9", kind="car", model="Ford Transit", in_use=True)
    visit(tale).until("2026-11-01")
    assert "Ford Transit" in told(tale.refused(rule="introduction", code="existing_customer"))[0][2]


def test_a_stranger_who_becomes_a_customer_meanwhile_is_not_courted(prospecting):
    """It was planned; the company buys before it goes."""
    tale = visit(colleague(prospecting, "C1", "Ana Ortiz", "buyer", status="prospect")).until("2026-09-05")
    assert [m.state for m in tale.messages if m.rule == "introduction"] == ["planned"]
    colleague(tale, "C2", "Ben Ochs", "driver").until("2026-11-01")
    tale.nothing(rule="introduction")


def test_counterpart_a_stranger_is_introduced(prospecting):
    """Of whose company nobody is a customer, she hears from us once."""
    tale = colleague(prospecting, "C1", "Ana Ortiz", "buyer", status="prospect")
    colleague(tale, "C2", "Ben Ochs", "driver", organisation="O2")
    visit(tale).until("2026-11-01")
    assert "look after your vehicles" in tale.sent(rule="introduction").body
