"""Which services an asset needs is asked once for all that are alike; what is far is told before it is forecast."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commsched.model.facts import Interval
from commsched.planning.needs import REMEMBERED, Needs
from commsched.planning.outlook import length
from commsched.rules.expressions import Declarations, compile_expression, numbers, strings
from commsched.rules.rule import Schedule, Service, Variant
from commsched.timing.civil import add_months

NAMES = Declarations({**strings("asset.fuel"), **numbers("asset.doors")})
TWICE = Schedule(Interval(months=6))


def asked(text):
    return compile_expression(text, NAMES, where="needs")


@pytest.fixture
def needs():
    variant = Variant(asked("asset.doors > 4.0"), TWICE)
    return Needs([
        Service("oil", "Oil", needs=asked('asset.fuel != "electric"'), schedule=Schedule(Interval(months=12))),
        Service("doors", "Doors", schedule=Schedule(Interval(months=24)), severe=(variant,)),
    ])  # fmt: skip


def test_what_is_needed_depends_on_what_is_asked_and_on_nothing_else(needs):
    """Two cars alike in what the services ask need the same; a car that differs is asked anew."""
    petrol = needs.of({"asset.fuel": "petrol", "asset.doors": 5, "asset.id": "a"})
    assert [need.service.id for need in petrol] == ["oil", "doors"]
    assert [need.schedule.every.months for need in petrol] == [12, 6]
    assert needs.of({"asset.fuel": "petrol", "asset.doors": 5, "asset.id": "b"}) is petrol
    assert [need.service.id for need in needs.of({"asset.fuel": "electric", "asset.doors": 3})] == ["doors"]


def test_what_is_not_known_is_not_needed(needs):
    """Without an answer there is no need, and values that only look alike are not taken for each other."""
    assert [need.service.id for need in needs.of({})] == ["doors"]
    assert needs.of({"asset.fuel": "petrol", "asset.doors": 5})[1].schedule is TWICE
    assert needs.of({"asset.fuel": "petrol", "asset.doors": "5"})[1].schedule is not TWICE


def test_no_more_kinds_are_remembered_than_fit(needs):
    """A thousand cars of which no two are alike do not fill the memory."""
    for number in range(REMEMBERED + 10):
        needs.of({"asset.fuel": f"kind {number}", "asset.doors": 3})
    assert len(needs._answers) <= REMEMBERED


@given(
    st.dates(date(1900, 1, 1), date(2300, 1, 1)),
    st.integers(1, 600) | st.none(),
    st.integers(1, 2600) | st.none(),
    st.integers(1, 20000) | st.none(),
)
def test_the_time_of_an_interval_lies_between_its_bounds(since, months, weeks, days):
    """However long the months are that it begins with, an interval takes no less and no more days."""
    way = length(Interval(months=months, weeks=weeks, days=days))
    if months is weeks is days is None:
        assert way.least == way.most == float("inf")
        return
    ends = add_months(since, months or 0) + timedelta(weeks=weeks or 0, days=days or 0)
    assert way.least <= (ends - since).days <= way.most
