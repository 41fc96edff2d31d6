"""Clocks that jump, and local times that a clock change skips or repeats."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from deployment import DAY, HOUR, NOON, appointment, customer, visit, visitors

AT_NIGHT = """\
rule: night
why: You were here.
purpose: service
topic: news
department: desk
trigger: {{event: purchase}}
steps:
  - {{step: thanks, at: "event + 1d at {time}", deadline: event + 3d, template: hello}}
"""


def test_fault_17_a_clock_a_day_ahead_makes_no_burst(broken):
    """When the clock jumps on by two days, what is too late expires with the reason, and only the rest goes."""
    broken.given(
        *customer(),
        appointment(NOON + 50 * HOUR),
        *customer("C2"),
        visit("C2"),
        *customer("C3"),
        visit("C3", NOON + DAY),
    )
    ahead = NOON + 2 * DAY + HOUR
    broken.run("tick", "--at", ahead.isoformat())
    by_rule = {(one.customer, one.rule): one for one in broken.messages}
    assert {key: one.state for key, one in by_rule.items()} == {
        ("C1", "appointments"): "expired",
        ("C2", "hello"): "expired",
        ("C3", "hello"): "sent",
    }
    assert [reason[1] for reason in by_rule["C1", "appointments"].reasons] == ["expired"]
    assert [line["key"] for line in broken.accepted] == [by_rule["C3", "hello"].key]


def test_fault_17_the_clock_comes_back(broken):
    """After the clock was right again, what is still to come goes at its time, once."""
    broken.given(*customer(), visit(at=NOON + 3 * HOUR))
    broken.run("tick", "--at", (NOON + DAY).isoformat())
    for hours in range(6):
        broken.tick(NOON + hours * HOUR)
    broken.once_each(1)


def test_fault_18_a_clock_an_hour_back_sends_nothing_again(broken):
    """When the clock is set back behind what was sent, nothing is said again."""
    broken.given(*visitors(10))
    broken.run("tick", "--at", (NOON + HOUR).isoformat())
    broken.once_each(10)
    broken.given({"type": "feedback", "customer": "C00003", "mood": "fine"})
    for minutes in (0, 30, 90):
        broken.run("tick", "--at", (NOON + timedelta(minutes=minutes)).isoformat())
    broken.once_each(10)


@pytest.mark.parametrize(
    ("day", "time", "first"),
    [
        pytest.param("2027-03-13", "02:30", datetime(2027, 3, 14, 8, 0, tzinfo=UTC), id="fault_19_skipped"),
        pytest.param("2026-10-31", "01:30", datetime(2026, 11, 1, 6, 30, tzinfo=UTC), id="fault_20_repeated"),
    ],
)
def test_local_times(broken, day, time, first):
    """A local time that a clock change skips is the first instant after it, one that it repeats the first; once."""
    noon = datetime.fromisoformat(f"{day}T18:00Z")
    broken.rule("night", AT_NIGHT.format(time=time))
    broken.given(*customer(), visit(at=noon, kind="purchase"), at=noon)
    broken.ticks(noon, first - timedelta(minutes=1), timedelta(minutes=30))
    broken.tick(first - timedelta(seconds=1))
    assert broken.accepted == []
    assert [one.at for one in broken.messages] == [first]
    broken.tick(first)
    broken.ticks(first + timedelta(minutes=30), first + 3 * HOUR, timedelta(minutes=30))
    broken.once_each(1)
