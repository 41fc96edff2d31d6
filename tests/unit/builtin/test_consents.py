"""Consent and opt-out: what was permitted, what was refused, by whom and for whom."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from commsched import Consent
from commsched.builtin.policies.consent import ConsentNeeded
from commsched.builtin.policies.opt_out import OptOut

PHONE = "+13125550142"


def said(granted: bool, day: int, by: str = "customer", **fields) -> Consent:
    """A consent or refusal of May 2026; of everything on every medium, unless fields say otherwise."""
    given = {"medium": "*", "purpose": "*", "customer": "ann", "method": "form"} | fields
    return Consent(at=datetime(2026, 5, day, tzinfo=UTC), stated_by=by, granted=granted, **given)


def test_nothing_said_is_no_consent(ask, may, proposal):
    """Where a consent is needed, silence is a no."""
    verdict = ask(ConsentNeeded, proposal=proposal(purpose="marketing"))
    assert not may(verdict, "sms")
    assert not may(verdict, "email")


def test_consent_covers_its_medium_purpose_and_topic(ask, may, proposal):
    """A consent to texts about a topic opens texts about it and what lies under it, and nothing else."""
    given = (said(True, 1, medium="sms", purpose="sales", topic="sales"),)
    about_trade_in = proposal(purpose="sales", topic="trade_in")
    verdict = ask(ConsentNeeded, proposal=about_trade_in, consents=given)
    assert may(verdict, "sms")
    assert not may(verdict, "email")
    assert not may(ask(ConsentNeeded, proposal=proposal(purpose="sales", topic="oil"), consents=given), "sms")
    assert not may(ask(ConsentNeeded, proposal=proposal(purpose="marketing", topic="sales"), consents=given), "sms")


def test_a_consent_taken_back_is_none(ask, may, proposal):
    """The last word counts, in whatever order the facts come."""
    taken_back = (said(False, 9), said(True, 1))
    assert not may(ask(ConsentNeeded, proposal=proposal(purpose="sales"), consents=taken_back), "sms")
    given_again = (said(True, 10), said(False, 9), said(True, 1))
    assert may(ask(ConsentNeeded, proposal=proposal(purpose="sales"), consents=given_again), "sms")


def test_a_refusal_stands(ask, may):
    """Who has said stop gets nothing more on that medium; the other media stay open."""
    verdict = ask(OptOut, consents=(said(False, 1, medium="sms"),))
    assert not may(verdict, "sms")
    assert may(verdict, "email")


@pytest.mark.parametrize(
    ("refused_by", "granted_by", "open_again"),
    [
        ("customer", "import", False),
        ("customer", "staff", False),
        ("customer", "customer", True),
        ("staff", "import", False),
        ("staff", "staff", True),
        ("staff", "customer", True),
        ("import", "import", True),
        ("import", "customer", True),
    ],
)
def test_only_the_same_rank_lifts_a_refusal(ask, may, refused_by, granted_by, open_again):
    """A later grant counts if it comes from somebody of at least the same rank: no import lifts a customer's."""
    verdict = ask(OptOut, consents=(said(False, 1, refused_by), said(True, 2, granted_by)))
    assert may(verdict) is open_again


def test_a_customers_refusal_outlasts_what_others_said_in_between(ask, may):
    """A later refusal by an import does not make a customer's own easier to lift."""
    consents = (said(False, 1), said(False, 2, "import"), said(True, 3, "staff"))
    assert not may(ask(OptOut, consents=consents))


def test_a_grant_at_the_same_instant_lifts_nothing(ask, may):
    """Of a grant and a refusal at the same instant the refusal counts."""
    assert not may(ask(OptOut, consents=(said(False, 1), said(True, 1))))


def test_a_grant_before_the_refusal_lifts_nothing(ask, may):
    """Only a later grant lifts a refusal, however the facts are ordered."""
    assert not may(ask(OptOut, consents=(said(False, 5), said(True, 4))))


def test_a_refusal_binds_its_topic_and_what_lies_under_it(ask, may, proposal):
    """No sales also means no trade-in offers; maintenance is another matter."""
    refused = (said(False, 1, topic="sales"),)
    assert not may(ask(OptOut, proposal=proposal(topic="trade_in"), consents=refused))
    assert may(ask(OptOut, proposal=proposal(topic="oil"), consents=refused))


def test_a_refusal_of_one_purpose_leaves_the_others(ask, may, proposal):
    """No marketing is no refusal of service messages."""
    refused = (said(False, 1, purpose="marketing"),)
    assert not may(ask(OptOut, proposal=proposal(purpose="marketing"), consents=refused))
    assert may(ask(OptOut, proposal=proposal(purpose="service"), consents=refused))


def test_a_refusal_of_everything_leaves_what_must_be_said(ask, may, proposal):
    """Safety and legal messages still go; unless it is they that were refused by name."""
    assert may(ask(OptOut, proposal=proposal(purpose="safety"), consents=(said(False, 1),)))
    assert not may(ask(OptOut, proposal=proposal(purpose="transactional"), consents=(said(False, 1),)))
    assert not may(ask(OptOut, proposal=proposal(purpose="safety"), consents=(said(False, 1, purpose="safety"),)))
    everything = ask(OptOut, {"exempt": []}, proposal=proposal(purpose="safety"), consents=(said(False, 1),))
    assert not may(everything)


def test_a_narrow_grant_opens_only_what_it_names(ask, may, proposal):
    """After a stop, a yes to service texts opens service texts."""
    consents = (said(False, 1), said(True, 2, medium="sms", purpose="service"))
    assert may(ask(OptOut, proposal=proposal(purpose="service"), consents=consents), "sms")
    assert not may(ask(OptOut, proposal=proposal(purpose="service"), consents=consents), "email")
    assert not may(ask(OptOut, proposal=proposal(purpose="marketing"), consents=consents), "sms")


def test_anybodys_refusal_binds_a_shared_address(ask, may):
    """Who shares a phone cannot be texted on it when one of them has said stop, whatever the others say."""
    shared = {PHONE: (said(False, 1, medium="sms", customer="ben"), said(True, 2, medium="sms", customer="ann"))}
    verdict = ask(OptOut, address_consents=shared)
    assert not may(verdict, "sms")
    assert may(verdict, "email")


def test_each_lifts_their_own_refusal_of_a_shared_address(ask, may):
    """The one who refused can open the address again; their own ledger and the address's are read together."""
    shared = {PHONE: (said(False, 1, medium="sms", customer="ben"), said(True, 3, medium="sms", customer="ben"))}
    assert may(ask(OptOut, address_consents=shared), "sms")
    mine = {PHONE: (said(False, 1, medium="sms"),)}
    assert may(ask(OptOut, address_consents=mine, consents=(said(True, 2),)), "sms")
