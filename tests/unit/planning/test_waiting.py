"""The waiting list, as far as one customer is concerned: silence is an answer there, too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from commsched.model.facts import Offer
from commsched.model.state import Profile, State
from commsched.planning.waiting import LEFT_ALONE, OFFERS, asked_next

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def offered(*expired_ago):
    """A customer whose wish was offered times that expired so long ago."""
    made = {
        f"O{number}": Offer(
            at=NOW - ago - DAY, customer="ann", id=f"O{number}", wish="W1", service="oil", start=NOW + 9 * DAY,
            end=NOW + 9 * DAY, calendar="bays", expires=NOW - ago,
        )
        for number, ago in enumerate(expired_ago)
    }  # fmt: skip
    return State(Profile("ann"), offers=made)


def test_a_wish_is_offered_a_time_at_once():
    assert asked_next("W1", offered(), NOW) == NOW


def test_who_let_an_offer_lapse_is_left_alone_for_some_days():
    assert asked_next("W1", offered(DAY), NOW) == NOW - DAY + LEFT_ALONE


def test_who_let_several_lapse_is_not_asked_again():
    """Another wish of theirs is another matter."""
    silent = offered(*(DAY * 10 * number for number in range(1, OFFERS + 1)))
    assert asked_next("W1", silent, NOW) is None
    assert asked_next("W2", silent, NOW) == NOW


def test_an_offer_that_still_stands_has_not_lapsed():
    assert asked_next("W1", offered(-DAY), NOW) == NOW
