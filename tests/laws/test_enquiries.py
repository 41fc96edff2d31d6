"""Laws of asking: a shorter look is the longer one clipped, and what a person may is what a message may."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import AS_OF
from hypothesis import given
from hypothesis import strategies as st

from commsched.planning.enquiry import Enquirer, Question
from commsched.planning.plan import plan


@pytest.fixture(scope="module")
def asked(world, ledgers):
    """Enquirers for some of the sample customers."""
    return [Enquirer(ledger, world, AS_OF) for ledger in ledgers[::6]]


@given(data=st.data())
def test_a_shorter_look_is_the_longer_one_clipped(asked, data):
    """How far ahead somebody looks does not change what is allowed in the time that they look at."""
    enquirer = data.draw(st.sampled_from(asked))
    purpose = data.draw(st.sampled_from(sorted(enquirer.world.vocabulary.purposes)))
    medium = data.draw(st.sampled_from(["voice", "email", "sms"]))
    days = data.draw(st.integers(1, 13))
    long = Question(purpose, "", "service", medium, ahead=timedelta(days=14))
    whole, part = enquirer.may(long), enquirer.may(replace(long, ahead=timedelta(days=days)))
    assert part.when == whole.when.clip(AS_OF, AS_OF + timedelta(days=days))
    assert part.at(AS_OF) == (not part.reasons)


def test_fewer_policies_never_allow_less(world, ledgers):
    """Whatever a person may with all policies, they may with half of them."""
    fewer = replace(world, policies=world.policies[::2])
    for ledger in ledgers[::10]:
        for purpose in ("service", "sales", "survey"):
            question = Question(purpose, "", "service", "email")
            with_all = Enquirer(ledger, world, AS_OF).may(question).when
            assert with_all == with_all & Enquirer(ledger, fewer, AS_OF).may(question).when


def test_asking_plans_nothing(world, ledgers):
    """The plan of somebody who was asked about is what it was."""
    ledger = ledgers[0]
    before = plan(ledger, world, AS_OF)
    Enquirer(ledger, world, AS_OF).ask(Question("sales", "sales", "sales"))
    assert plan(ledger, world, AS_OF) == before
