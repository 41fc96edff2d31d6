"""Business days of a calendar that cannot be read: the message waits, and says for what."""

from __future__ import annotations

from datetime import timedelta

import pytest
from worlds import CHICAGO, at, ledger, world

from commsched.planning.plan import plan
from commsched.plugin.view import Department, Snapshot
from commsched.timing.windows import NEVER, Windows

RULE = """
rule: reminders
why: You made this appointment.
purpose: transactional
topic: appointment
department: service
trigger: {appointment: {status: [booked, confirmed]}}
steps:
  - {step: early, at: "earliest(start - 2bd at 10:00, start - 40h)", deadline: start - 1d, template: reminder}
  - {step: day, at: start - 20h, deadline: start - 2h, template: reminder-day}
"""
BOOKED = {
    "type": "appointment", "at": "2026-05-01 09:00", "id": "A1", "service": "oil", "status": "booked",
    "booked_by": "customer", "stated_by": "import", "start": "2026-06-15 10:00",
}  # fmt: skip
NOW = at("2026-06-08 09:00")
OPEN = Windows(
    (at(f"2026-06-{day:02} 09:00"), at(f"2026-06-{day:02} 17:00")) for day in (8, 9, 10, 11, 15, 16, 17, 18)
)


@pytest.fixture
def decisions(tmp_path):
    """What is decided by a calendar for an appointment on Monday the fifteenth, by step."""

    def asked(calendar):
        service = Department("service", "Service", CHICAGO, "hours")
        seen = world(tmp_path, RULE, departments={"service": service}, calendars={"hours": calendar})
        return {one.proposal.step: one for one in plan(ledger(BOOKED), seen, NOW).decisions}

    return asked


def test_business_days_are_those_of_the_calendar(decisions):
    """Closed on Friday the twelfth, so that two days before Monday is Wednesday; a copy counts as well."""
    found = decisions(Snapshot("hours", OPEN, NOW))
    assert found["early"].at == at("2026-06-10 10:00")
    assert decisions(Snapshot("hours", OPEN, NOW - timedelta(days=1), stale=True)) == found


def test_without_a_calendar_to_count_by_the_message_waits(decisions):
    """Monday to Friday would be a guess; what counts no business days goes as ever."""
    found = decisions(Snapshot("hours", NEVER, NOW, stale=True, since=NOW))
    assert (found["early"].state, found["early"].final) == ("refused", False)
    (reason,) = found["early"].reasons
    assert reason.code == "calendar_unreadable"
    assert reason.detail == "the calendar hours of Service could not be read since 2026-06-08 09:00"
    assert found["day"].state == "planned"


TASK = RULE.replace("template: reminder}", 'task: "Call them"}').replace("deadline: start - 1d, ", "")


def test_a_task_is_not_held_back_and_says_what_is_guessed(tmp_path):
    """Nothing is promised to anybody; with the calendar, or without business days, there is nothing to say."""
    service = Department("service", "Service", CHICAGO, "hours")

    def asked(calendar):
        seen = world(tmp_path, TASK, departments={"service": service}, calendars={"hours": calendar})
        (task,) = plan(ledger(BOOKED), seen, NOW).tasks
        return task

    blind, seeing = asked(Snapshot("hours", NEVER, NOW, stale=True, since=NOW)), asked(Snapshot("hours", OPEN, NOW))
    assert (blind.at, seeing.at) == (at("2026-06-11 10:00"), at("2026-06-10 10:00"))
    assert (blind.key, blind.state, seeing.reasons) == (seeing.key, "open", ())
    (reason,) = blind.reasons
    assert (reason.policy, reason.code) == ("commsched", "calendar_unreadable")
    assert reason.detail.endswith("could not be read since 2026-06-08 09:00, so it counts Monday to Friday")
