"""Rates as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commsched.timing.rates import parse_daily, parse_spacing


@pytest.mark.parametrize(
    ("text", "seconds"), [("10/s", 0.1), ("75/min", 0.8), ("600/h", 6), ("4500 / min", 60 / 4500), ("1/day", 86400)]
)
def test_spacing(text, seconds):
    """A rate is the time from one message to the next."""
    assert abs(parse_spacing(text) - timedelta(seconds=seconds)) < timedelta(microseconds=2)


@pytest.mark.parametrize(("text", "count"), [("2000/day", 2000), ("2000", 2000)])
def test_a_day(text, count):
    """A number a day stands alone or with its day."""
    assert parse_daily(text) == count


@pytest.mark.parametrize("text", ["", "0/s", "ten/s", "10", "10/week", "-1/s", "1.5/s"])
def test_no_rate(text):
    """What is no rate is refused, with how to write one."""
    with pytest.raises(ValueError, match=r"write e\.g\. 10/s"):
        parse_spacing(text)


def test_no_number_a_day():
    """A rate of another length is no number a day."""
    with pytest.raises(ValueError, match=r"write e\.g\. 2000/day"):
        parse_daily("10/s")
