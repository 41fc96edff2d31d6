"""Bookings that come at the same moment, from processes of their own."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from deployment import customer

CALENDAR = """
[[calendars]]
name = "chair"
kind = "opening_hours"
weekly = { "mon-sun" = ["00:00-24:00"] }
"""


@pytest.fixture
def practice(broken):
    """A practice with one chair, that is always open, and six customers."""
    broken.configure(CALENDAR)
    broken.write("config/services.yaml", "services:\n  checkup: {name: Check-up, duration: 30m, calendar: chair}\n")
    broken.given(*[fact for number in range(6) for fact in customer(f"C{number}")])
    return broken


def test_of_six_who_want_one_time_one_gets_it_and_five_hear_of_others(practice):
    """One booking stands; each of the others is told that the time is taken, and what is free."""
    wanted = [("book", f"C{number}", "checkup", "--start", "2031-03-04 09:00") for number in range(6)]
    ended = [process.wait() for process in [practice.start(*one) for one in wanted]]
    assert Counter(code for code, _, _ in ended) == {0: 1, 2: 5}
    refused = [said for code, _, said in ended if code == 2]
    assert all("it is taken. Free instead: Tue 4 Mar 2031 08:30 CST; " in said for said in refused)


def test_six_who_want_the_best_time_at_once_get_six_different_ones(practice):
    """One wins the best, each of the others gets the next best."""
    wanted = [("--json", "book", f"C{number}", "checkup", "--first") for number in range(6)]
    ended = [process.wait() for process in [practice.start(*one) for one in wanted]]
    assert [code for code, _, _ in ended] == [0] * 6
    app = practice.app()
    with app.store.read() as connection:
        taken = connection.exec_driver_sql("SELECT first, last, resource FROM slot ORDER BY first").all()
    app.store.close()
    assert len(taken) == 6
    assert {row.resource for row in taken} == {"chair#1"}
    assert all(one.last <= other.first for one, other in pairwise(taken))
