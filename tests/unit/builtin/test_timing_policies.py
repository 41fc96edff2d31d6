"""Quiet hours, business hours, caps and spacing: when a message may go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from commsched import Department, Snapshot, Windows, crowded, zone
from commsched.builtin.policies.business_hours import BusinessHours
from commsched.builtin.policies.frequency_cap import FrequencyCap, FrequencyCapSettings
from commsched.builtin.policies.quiet_hours import QuietHours, QuietHoursSettings
from commsched.builtin.policies.spacing import Spacing

CHICAGO = zone("America/Chicago")
DAY = timedelta(days=1)


def test_quiet_hours_are_the_customers_own(ask, may):
    """Eight in the morning is eight in the morning where the customer is."""
    verdict = ask(QuietHours)
    assert may(verdict, "sms", datetime(2026, 6, 15, 13, tzinfo=UTC))
    assert not may(verdict, "sms", datetime(2026, 6, 15, 12, 59, 59, tzinfo=UTC))
    assert not may(verdict, "sms", datetime(2026, 6, 16, 2, tzinfo=UTC))
    assert may(verdict, "sms", datetime(2026, 6, 16, 1, 59, 59, tzinfo=UTC))


def test_several_zones_leave_what_is_decent_in_all(ask, may):
    """Who may be in New York or in Los Angeles is texted from 08:00 Pacific to 21:00 Eastern."""
    verdict = ask(QuietHours, zones=("America/New_York", "America/Los_Angeles"))
    assert verdict.windows is not None
    first = next(iter(verdict.windows.clip(datetime(2026, 6, 15, 8, tzinfo=UTC), datetime(2026, 6, 16, 8, tzinfo=UTC))))
    assert first == (datetime(2026, 6, 15, 15, tzinfo=UTC), datetime(2026, 6, 16, 1, tzinfo=UTC))


def test_hours_may_run_over_midnight(ask, may):
    """A day that closes before it opens goes on after midnight."""
    verdict = ask(QuietHours, {"opens": "18:00", "closes": "02:00"})
    assert may(verdict, "sms", datetime(2026, 6, 15, 6, 30, tzinfo=UTC))
    assert not may(verdict, "sms", datetime(2026, 6, 15, 7, tzinfo=UTC))


@pytest.mark.parametrize("opens", ["8 o'clock", "25:00", 8, "08:00+02:00"])
def test_a_bad_time_is_refused_with_an_example(opens):
    """What is no local time is refused when the configuration is read, with what would be right."""
    with pytest.raises(ValidationError, match="local time such as 08:00"):
        QuietHoursSettings(opens=opens)


def hours(open_at: Windows, *, stale: bool = False) -> dict[str, object]:
    """The service department with its calendar."""
    department = Department("service", "Service", CHICAGO, "hours")
    taken = datetime(2026, 6, 1, tzinfo=UTC)
    return {"departments": {"service": department}, "calendars": {"hours": Snapshot("hours", open_at, taken, stale)}}


def test_business_hours_are_the_departments(ask, may, noon):
    """The message goes while its department is open."""
    verdict = ask(BusinessHours, **hours(Windows.between(noon, noon + DAY)))
    assert may(verdict, "email", noon)
    assert not may(verdict, "email", noon + DAY)


def test_a_department_without_a_calendar_is_always_open(ask):
    """Without a calendar there is nothing to observe."""
    assert ask(BusinessHours).windows is None
    alone = {"service": Department("service", "Service", CHICAGO)}
    assert ask(BusinessHours, departments=alone).windows is None


SINCE = datetime(2026, 6, 1, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("calendars", "detail"),
    [
        ({}, "cannot be read at present"),
        ({"hours": Snapshot("hours", Windows(), SINCE, True)}, "cannot be read at present"),
        ({"hours": Snapshot("hours", Windows(), SINCE, True, SINCE)}, "could not be read since 2026-06-01 09:30"),
    ],
)
def test_a_calendar_that_cannot_be_read_closes_the_department(ask, may, calendars, detail):
    """A calendar that is missing, or was not read for too long, is not an open one; the reason says since when."""
    verdict = ask(BusinessHours, **{**hours(Windows()), "calendars": calendars})
    assert not may(verdict)
    assert verdict.detail == f"the calendar hours of Service {detail}"


def test_the_last_good_copy_of_a_calendar_counts(ask, may, noon):
    """While a calendar cannot be read, the hours are those that were known last."""
    verdict = ask(BusinessHours, **hours(Windows.between(noon, noon + DAY), stale=True))
    assert may(verdict, "email", noon)
    assert not may(verdict, "email", noon + DAY)


def test_a_cap_lets_so_many_through_and_no_more(ask, may, placed, noon):
    """With two of two sent, the third waits until the first is a week old."""
    history = [placed(noon - 3 * DAY), placed(noon - DAY)]
    verdict = ask(FrequencyCap, {"at_most": 2, "per": "7d"}, history=history)
    assert not may(verdict)
    assert not may(verdict, "email", noon + 4 * DAY - timedelta(seconds=1))
    assert may(verdict, "email", noon + 4 * DAY)


def test_a_cap_looks_ahead_too(ask, may, placed, noon):
    """What is planned for later leaves no room before it either."""
    history = [placed(noon + DAY, sent=False), placed(noon + 2 * DAY, sent=False)]
    verdict = ask(FrequencyCap, {"at_most": 2, "per": "7d"}, history=history)
    assert not may(verdict)
    assert may(verdict, "email", noon - 5 * DAY)
    assert not may(verdict, "email", noon - 5 * DAY + timedelta(seconds=1))


def test_a_window_of_one_sends_one(ask, may, placed, noon):
    """A cap of one in a day keeps a day on both sides of a message."""
    verdict = ask(FrequencyCap, {"at_most": 1, "per": "24h"}, history=[placed(noon)])
    assert not may(verdict, "email", noon - DAY + timedelta(seconds=1))
    assert may(verdict, "email", noon - DAY)
    assert may(verdict, "email", noon + DAY)


def test_a_cap_counts_the_named_purposes_only(ask, may, placed, noon):
    """A reminder of an appointment takes nobody's place."""
    history = [placed(noon, purpose="transactional"), placed(noon, purpose="safety")]
    assert may(ask(FrequencyCap, {"at_most": 1}, history=history))


@pytest.mark.parametrize("policy", [FrequencyCap, Spacing])
@pytest.mark.parametrize("purpose", ["safety", "legal", "transactional"])
def test_what_must_be_told_is_never_held_up(ask, may, placed, proposal, noon, policy, purpose):
    """However full the week, safety, legal and transactional messages go, even if the policy is applied to them."""
    assert may(ask(policy, proposal=proposal(purpose=purpose), history=[placed(noon)] * 9))


@pytest.mark.parametrize("policy", [FrequencyCap, Spacing])
def test_a_message_is_not_in_its_own_way(ask, may, placed, proposal, noon, policy):
    """What stands on the plan under the same key is the message itself."""
    one = proposal()
    settings = {"at_most": 1} if policy is FrequencyCap else {}
    assert may(ask(policy, settings, proposal=one, history=[placed(noon, key=one.key)]))


@given(
    st.lists(st.integers(0, 60), max_size=12).map(sorted),
    st.integers(1, 4),
    st.integers(1, 20),
    st.integers(-25, 85),
)
def test_a_cap_is_exact(minutes, at_most, per, candidate):
    """An instant is closed if and only if some stretch would then hold more than allowed, counted by brute force."""
    zero = datetime(2026, 6, 15, tzinfo=UTC)
    history = [zero + timedelta(minutes=minute) for minute in minutes]
    at = zero + timedelta(minutes=candidate)
    closed = at in crowded(history, at_most, timedelta(minutes=per))
    starts = range(candidate - per + 1, candidate + 1)
    full = any(sum(start <= minute < start + per for minute in minutes) >= at_most for start in starts)
    assert closed == full


def test_spacing_keeps_a_distance_on_both_sides(ask, may, placed, noon):
    """Two days before and after any message nothing else goes; exactly two days is enough."""
    verdict = ask(Spacing, {"gap": "48h"}, history=[placed(noon)])
    assert not may(verdict, "email", noon + 2 * DAY - timedelta(seconds=1))
    assert not may(verdict, "email", noon - 2 * DAY + timedelta(seconds=1))
    assert may(verdict, "email", noon + 2 * DAY)
    assert may(verdict, "email", noon - 2 * DAY)


@pytest.mark.parametrize("per", ["soon", "0d", "1mo", 7])
def test_a_length_must_be_a_length(per):
    """What has no fixed length, or is none, is refused when the configuration is read."""
    with pytest.raises(ValidationError, match="per"):
        FrequencyCapSettings(per=per)
