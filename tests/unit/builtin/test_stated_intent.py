"""What customers have said they want, or never want, outranks every campaign."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from commsched import Intent
from commsched.builtin.policies.stated_intent import StatedIntent
from commsched.model.state import Asset

CAR = Asset("car-1", "car", acquired_on=date(2025, 3, 1))
VAN = Asset("van-1", "car", acquired_on=date(2026, 5, 10))
LATER = datetime(2035, 3, 1, 6, tzinfo=UTC)  # midnight in Chicago, ten years after the car was bought


def said(stance: str, day: int = 1, by: str = "customer", **fields) -> Intent:
    """A statement of May 2026 about trade-ins."""
    given = {"topic": "trade_in"} | fields
    return Intent(at=datetime(2026, 5, day, tzinfo=UTC), customer="ann", stated_by=by, stance=stance, **given)


@pytest.fixture
def trade_in(ask, may, proposal):
    """Whether an offer to trade in a car may go, given statements and assets."""

    def asked(*intents: Intent, asset: str | None = "car-1", at: datetime | None = None, assets=(CAR,), **fields):
        one = proposal(**{"purpose": "sales", "topic": "trade_in", "asset": asset} | fields)
        verdict = ask(StatedIntent, proposal=one, intents=intents, assets={asset.id: asset for asset in assets})
        return may(verdict, "email", at or datetime(2026, 6, 15, 12, tzinfo=UTC))

    return asked


def test_never_is_never(trade_in):
    """Without an end, a never has none."""
    assert not trade_in(said("never"))
    assert not trade_in(said("never"), at=datetime(2060, 1, 1, tzinfo=UTC))
    assert trade_in()


def test_ten_years_count_from_the_purchase(trade_in):
    """Who keeps cars ten years is asked ten years after this one was bought, from local midnight on."""
    keeps = said("never", for_="10y")
    assert not trade_in(keeps)
    assert not trade_in(keeps, at=LATER.replace(hour=5, minute=59))
    assert trade_in(keeps, at=LATER)


def test_it_survives_the_purchase_of_another(trade_in):
    """A statement about no car in particular holds for each by its own day, the one bought later too."""
    keeps = said("never", for_="10y")
    assert not trade_in(keeps, asset="van-1", assets=(CAR, VAN), at=LATER)
    assert trade_in(keeps, asset="car-1", assets=(CAR, VAN), at=LATER)


def test_a_campaign_about_no_asset_waits_for_all_in_use(trade_in):
    """While any car of theirs is inside its time, a general offer does not go; one out of use no longer counts."""
    keeps = said("never", for_="10y")
    assert not trade_in(keeps, asset=None, assets=(CAR, VAN), at=LATER)
    parked = Asset("van-1", "car", acquired_on=date(2026, 5, 10), in_use=False)
    assert trade_in(keeps, asset=None, assets=(CAR, parked), at=LATER)


def test_where_the_purchase_is_unknown_it_counts_from_the_statement(trade_in):
    """Without a date of purchase, or without any asset, the time begins when it was said."""
    keeps = said("never", for_="10y")
    undated = Asset("car-1", "car")
    for asset, assets in (("car-1", (undated,)), (None, ()), ("other", ())):
        assert not trade_in(keeps, asset=asset, assets=assets, at=datetime(2036, 4, 29, tzinfo=UTC))
        assert trade_in(keeps, asset=asset, assets=assets, at=datetime(2036, 5, 1, tzinfo=UTC))


def test_a_date_is_its_local_midnight(trade_in):
    """Not before a date: from its first instant where the customer is."""
    waits = said("not_before", until=date(2026, 7, 1))
    assert not trade_in(waits, at=datetime(2026, 7, 1, 4, 59, tzinfo=UTC))
    assert trade_in(waits, at=datetime(2026, 7, 1, 5, tzinfo=UTC))


def test_a_statement_about_one_asset_leaves_the_others(trade_in):
    """What was said of the car does not bind the van; an offer about no asset it does bind, while the car is in use."""
    one = said("never", asset="car-1")
    assert not trade_in(one, asset="car-1", assets=(CAR, VAN))
    assert trade_in(one, asset="van-1", assets=(CAR, VAN))
    assert not trade_in(one, asset=None, assets=(CAR, VAN))
    gone = Asset("car-1", "car", in_use=False)
    assert trade_in(one, asset=None, assets=(gone, VAN))


def test_a_topic_covers_what_lies_under_it(trade_in):
    """No sales means no trade-ins; no trade-ins says nothing of other sales."""
    assert not trade_in(said("never", topic="sales"))
    assert trade_in(said("never"), topic="sales")


def test_a_named_topic_binds_every_purpose_but_the_exempt(trade_in):
    """A message is not let through because it calls itself service; what must be told goes all the same."""
    assert not trade_in(said("never"), purpose="service")
    for purpose in ("safety", "legal", "transactional"):
        assert trade_in(said("never"), purpose=purpose)


def test_every_topic_means_every_ask(trade_in):
    """Who wants to be asked for nothing is still reminded of the oil change."""
    nothing = said("never", topic="*")
    assert not trade_in(nothing)
    assert not trade_in(nothing, purpose="survey", topic="oil")
    assert trade_in(nothing, purpose="service", topic="oil")


def test_a_later_wish_opens_it_again(trade_in):
    """The customer may change their mind; what they said before does not count against it."""
    assert trade_in(said("never", 1), said("wants", 2))
    assert not trade_in(said("wants", 1), said("never", 2))
    assert trade_in(said("wants", 2), said("never", 1))


def test_a_wish_for_a_time_opens_it_for_that_time(trade_in):
    """Looking for a car until July ends in July, and the never stands again."""
    looking = said("wants", 2, until=date(2026, 7, 1))
    assert trade_in(said("never", 1), looking)
    assert not trade_in(said("never", 1), looking, at=datetime(2026, 7, 2, tzinfo=UTC))


def test_a_wish_opens_no_more_than_it_names(trade_in):
    """A wish about one car opens that car; one about sales at large does not undo a never about trade-ins."""
    about_car = said("wants", 2, asset="car-1")
    assert trade_in(said("never", 1), about_car)
    assert not trade_in(said("never", 1), about_car, asset="van-1", assets=(CAR, VAN))
    assert not trade_in(said("never", 1), said("wants", 2, topic="sales"))
    assert trade_in(said("never", 1, topic="sales"), said("wants", 2))


def test_a_statement_can_be_taken_back(trade_in):
    """By the customer, for its own topic and asset; what is said later stands again."""
    assert trade_in(said("never", 1), said("never", 2, withdrawn=True))
    assert not trade_in(said("never", 1), said("never", 2, withdrawn=True), said("never", 3))
    assert not trade_in(said("never", 1), said("never", 2, withdrawn=True, topic="sales"))
    assert not trade_in(said("never", 1), said("never", 2, withdrawn=True, asset="car-1"))
    assert not trade_in(said("never", 1), said("wants", 2), said("wants", 3, withdrawn=True))


@pytest.mark.parametrize("by", ["import", "staff"])
def test_nobody_takes_back_what_the_customer_said(trade_in, by):
    """A campaign that imports a withdrawal changes nothing."""
    assert not trade_in(said("never", 1), said("never", 9, by, withdrawn=True))


@pytest.mark.parametrize("by", ["import", "staff"])
def test_nobody_outranks_the_customer(trade_in, by):
    """What an import or staff says later neither lifts a customer's never nor takes back their wish."""
    assert not trade_in(said("never", 1), said("wants", 9, by))
    assert trade_in(said("wants", 1), said("never", 9, by))


def test_the_last_word_on_a_scope_replaces_the_earlier(trade_in):
    """Never, and later not before July: then July it is."""
    assert trade_in(
        said("never", 1), said("not_before", 2, until=date(2026, 7, 1)), at=datetime(2026, 7, 2, tzinfo=UTC)
    )


def test_the_reason_is_in_their_own_words(ask, proposal):
    """The verdict quotes what they said."""
    never = said("never", words="keeps cars ten years")
    verdict = ask(StatedIntent, proposal=proposal(purpose="sales", topic="trade_in"), intents=(never,))
    assert verdict.detail == "you told us what you want: keeps cars ten years"
