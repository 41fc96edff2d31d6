"""What matters most to the customer goes first, not who asked first."""

from __future__ import annotations

import pytest
from worlds import accepted, at, ledger, planned, policy, then, world

from commsched.planning.plan import plan

RULE = """
rule: {name}
why: "You came on {{{{ event }}}}."
purpose: {purpose}
topic: {topic}
department: service
trigger: {{event: {event}}}
{more}
steps:
  - {{step: {name}, at: event + {days}d at 10:00, not_before: event, deadline: event + {until}d, template: t-{name}}}
"""
VISIT = {"type": "event", "kind": "visit", "id": "V", "at": "2026-06-01 09:00"}
BOUGHT = {"type": "event", "kind": "purchase", "id": "P", "at": "2026-06-03 09:00"}
CAP = policy("frequency_cap", at_most=1, per="7d")


def rule(name, purpose, *, event="visit", days=1, until=20, topic="oil", more=""):
    return RULE.format(name=name, purpose=purpose, event=event, days=days, until=until, topic=topic, more=more)


OFFER = rule("offer", "sales", topic="trade_in")
NEEDED = rule("needed", "service", event="purchase")
NOTICE = rule("notice", "safety", event="purchase", more="reference: R-1")


def decisions(one, in_world, now):
    return {d.proposal.step: d for d in plan(one, in_world, at(now)).decisions}


def test_the_higher_goes_first_though_it_asked_later(tmp_path):
    """The offer was first in time and has the earlier deadline; the service message matters more, and it waits."""
    in_world = world(tmp_path, OFFER, NEEDED, policies=(CAP,))
    assert planned(ledger(VISIT, BOUGHT), in_world, "2026-06-03 09:30") == {
        "needed": "2026-06-04 10:00",
        "offer": "2026-06-11 10:00",
    }


def test_without_a_cap_both_go_when_they_are_meant_to(tmp_path):
    """Priority alone holds nothing back."""
    in_world = world(tmp_path, OFFER.replace("event + 1d", "event + 4d"), NEEDED)
    assert planned(ledger(VISIT, BOUGHT), in_world, "2026-06-03 09:30") == {
        "needed": "2026-06-04 10:00",
        "offer": "2026-06-05 10:00",
    }


def test_a_higher_one_displaces_what_was_planned_and_not_sent(tmp_path):
    """The offer had its place; then something that matters more came up, and took it."""
    in_world = world(tmp_path, OFFER.replace("event + 1d", "event + 4d"), NEEDED, policies=(CAP,))
    before = ledger(VISIT)
    assert planned(before, in_world, "2026-06-02 09:30") == {"offer": "2026-06-05 10:00"}
    assert planned(ledger(VISIT, BOUGHT), in_world, "2026-06-03 09:30") == {
        "needed": "2026-06-04 10:00",
        "offer": "2026-06-11 10:00",
    }


def test_a_lower_one_displaces_nothing(tmp_path):
    """The other way round: what came up later and matters less finds the place taken."""
    low = rule("offer", "sales", topic="trade_in", event="purchase")
    in_world = world(tmp_path, low, rule("needed", "service", days=4), policies=(CAP,))
    assert planned(ledger(VISIT), in_world, "2026-06-02 09:30") == {"needed": "2026-06-05 10:00"}
    assert planned(ledger(VISIT, BOUGHT), in_world, "2026-06-03 09:30") == {
        "needed": "2026-06-05 10:00",
        "offer": "2026-06-12 10:00",
    }


def test_what_was_sent_is_not_unsent(tmp_path):
    """Once the offer is gone it counts, and even what matters more keeps its distance."""
    in_world = world(tmp_path, OFFER, NEEDED, policies=(CAP,))
    one = ledger(VISIT)
    sent = accepted(decisions(one, in_world, "2026-06-02 09:30")["offer"], "2026-06-02 10:00")
    later = then(one, *(fact for _, fact in ledger(BOUGHT).entries if fact.type == "event"), sent)
    assert planned(later, in_world, "2026-06-03 09:30") == {"needed": "2026-06-09 10:00"}


def test_what_finds_no_place_lapses_and_says_what_went_before(tmp_path):
    """Its deadline comes before the cap has room again: it is refused, and its reason names the other."""
    short = OFFER.replace("event + 20d", "event + 7d")
    found = decisions(ledger(VISIT, BOUGHT), world(tmp_path, short, NEEDED, policies=(CAP,)), "2026-06-03 09:30")
    (reason,) = found["offer"].reasons
    assert (found["offer"].state, reason.code) == ("refused", "frequency_cap")
    assert reason.note == "at most one message in 7 days, and others go first: oil on 4 Jun 2026"


def test_a_message_that_waits_says_for_what(tmp_path):
    """So does one that goes after all, only later."""
    found = decisions(ledger(VISIT, BOUGHT), world(tmp_path, OFFER, NEEDED, policies=(CAP,)), "2026-06-03 09:30")
    assert [one.note for one in found["offer"].reasons] == [
        "at most one message in 7 days, and others go first: oil on 4 Jun 2026"
    ]


def test_safety_is_never_capped(tmp_path):
    """It goes when it is meant to, whatever went before, and keeps nothing else from going."""
    in_world = world(tmp_path, rule("needed", "service"), NOTICE, policies=(CAP,))
    found = planned(ledger(VISIT, BOUGHT), in_world, "2026-06-03 09:30")
    assert found == {"needed": "2026-06-03 09:30", "notice": "2026-06-04 10:00"}


@pytest.mark.parametrize(("own", "first"), [("priority: 9", "offer"), ("priority: 5", "needed")])
def test_a_rule_may_say_how_much_it_matters(tmp_path, own, first):
    """Its own word counts for more than its purpose's."""
    low = rule("needed", "service", more=own)
    in_world = world(tmp_path, rule("offer", "sales", topic="trade_in"), low, policies=(CAP,))
    found = planned(ledger(VISIT), in_world, "2026-06-02 09:30")
    assert min(found, key=found.get) == first


def test_of_two_that_matter_alike_the_sooner_due_goes_first(tmp_path):
    """Who has less time left."""
    late = rule("late", "service", until=40)
    in_world = world(tmp_path, late, rule("soon", "service", until=8), policies=(CAP,))
    assert planned(ledger(VISIT), in_world, "2026-06-01 09:30") == {
        "soon": "2026-06-02 10:00",
        "late": "2026-06-09 10:00",
    }
