"""Who can be simulated apart: those who share no circle, and compete for nothing that runs out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

import pytest

from commsched.engine.apart import UNLIMITED, Circles, crowded, must_stay_whole, rivals, without_paces
from commsched.model.facts import ContactPoint, Customer, Wish
from commsched.rules.rule import Fallback
from commsched.store.messages import MessageRecord
from commsched.timing.rates import Rate

AT = datetime(2027, 3, 1, 16, tzinfo=UTC)
HERE = ZoneInfo("America/Chicago")


def person(name, **fields):
    return f"c:{name}", Customer(at=AT, customer=name, id=name, **fields)


def mail(name, address):
    return f"c:{name}", ContactPoint(at=AT, customer=name, kind="email", address=address)


def message(customer, rule="thanks", at=AT, state="sent"):
    return MessageRecord(
        f"{customer}/{rule}", (), customer, rule, "one", "-", "service", "x", "service", "email", "mail", None, state,
        False, at, "due", AT, AT, AT, "thanks",
    )  # fmt: skip


@pytest.fixture
def rule(shipped):
    """A shipped rule, without places of its own."""
    return replace(shipped.rules[0], pace=None, catch_up=None, free_slots=False)


def test_whoever_shares_a_circle_stays_together():
    """Through an address, a household, an organisation or a guardian, however long the chain."""
    facts = [
        person("ann"),
        mail("ann", "home@example.com"),
        mail("bob", "home@example.com"),
        person("bob", household="H1"),
        person("cy", household="H1", organisation="O1"),
        person("dot", guardian="cy"),
        ("o:O1", Customer(at=AT, organisation="O1", id="O1")),
        person("eve"),
    ]
    circles = Circles(facts)
    assert len({circles.of(subject) for subject, _ in facts}) == 2
    assert circles.of("c:ann") == circles.of("o:O1") == circles.of("c:dot")
    assert circles.of("c:eve") != circles.of("c:ann")


def test_shares_are_of_about_one_size_and_lose_nothing():
    """Every fact is in one share, in its order, and no circle in two."""
    facts = [
        fact for number in range(40) for fact in (person(f"p{number}"), mail(f"p{number}", f"p{number // 3}@x.org"))
    ]
    circles = Circles(facts)
    shares = circles.shares(facts, 3)
    assert [len(share) for share in shares] == pytest.approx([27, 27, 27], abs=3)
    assert sorted(map(facts.index, chain(*shares))) == list(range(len(facts)))
    where = [{circles.of(subject) for subject, _ in share} for share in shares]
    assert not where[0] & where[1]
    assert all(list(map(facts.index, share)) == sorted(map(facts.index, share)) for share in shares)


def test_there_are_no_empty_shares():
    """One circle is one share, however many processes there are."""
    facts = [person("ann"), mail("ann", "ann@example.com")]
    assert Circles(facts).shares(facts, 4) == [facts]


def test_what_is_given_out_in_turn_keeps_all_together(rule):
    """Free times, wishes and channels with a rate do; a pace does not, for it is looked at afterwards."""
    one = [person("ann")]
    wish = Wish(at=AT, customer="ann", id="W1", service="oil_change", between=(AT.date(), AT.date()))
    offering = replace(rule, otherwise=Fallback(template="offer-slots"))
    assert not must_stay_whole([replace(rule, pace=3)], {}, one)
    assert must_stay_whole([replace(rule, free_slots=True)], {}, one)
    assert must_stay_whole([offering], {}, one)
    assert must_stay_whole([rule], {"sms": Rate(timedelta(seconds=1))}, one)
    assert must_stay_whole([rule], {}, [*one, ("c:ann", wish)])


def test_a_rule_is_crowded_when_a_day_takes_all_its_places(rule):
    """Counted by the days of the place; only what went counts, and only of rules that have so many places."""
    paced = replace(rule, name="thanks", pace=2)
    late = datetime(2027, 3, 2, 5, tzinfo=UTC)  # 23:00 of the day before, in Chicago
    assert crowded([message("ann"), message("bob", at=late)], [paced], HERE) == {"thanks"}
    assert crowded([message("ann"), message("bob", state="refused")], [paced], HERE) == set()
    assert crowded([message("ann"), message("bob", at=late + timedelta(hours=2))], [paced], HERE) == set()
    assert crowded([message("ann")], [replace(paced, pace=None)], HERE) == set()
    assert crowded([message("ann")], [replace(paced, catch_up=1)], HERE) == {"thanks"}


def test_rivals_are_those_whom_a_rule_wrote_to():
    """Whoever was only refused has taken no place."""
    found = [message("ann"), message("bob", "other"), message("cy", state="refused")]
    assert rivals(found, {"thanks"}) == {"ann"}


def test_rules_with_places_for_everybody_are_otherwise_the_same(rule):
    """A rule that catches up still does."""
    (one, two) = without_paces([replace(rule, pace=3), replace(rule, catch_up=2)])
    assert one == rule
    assert two == replace(rule, catch_up=UNLIMITED)
