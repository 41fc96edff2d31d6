"""Clock changes: in no zone that changes in 2026 to 2028 is a reminder lost, doubled, or outside its windows."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from worlds import accepted, ledger, policy, then, world

from commsched.planning.ledger import Ledger, ledger_of
from commsched.planning.plan import plan
from commsched.timing.civil import clock_changes, daily, instant, zone

FIRST, LAST = date(2026, 1, 1), date(2029, 1, 1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RULE = """
rule: reminders
why: You made this appointment.
purpose: transactional
topic: appointment
department: service
trigger: {appointment: {status: [booked]}}
merge: 0h
steps:
  - {step: night, at: start - 1d at 02:30, not_before: start - 2d, deadline: start - 2h, template: a, media: [email]}
  - {step: exact, at: start - 24h, not_before: start - 2d, deadline: start - 1h, template: b, media: [email]}
  - {step: civil, at: start - 1d, not_before: start - 2d, deadline: start - 1h, template: c, media: [email]}
  - {step: text, at: start - 1d at 02:30, not_before: start - 2d, deadline: start - 1h, template: d, media: [sms]}
"""


@cache
def changing() -> tuple[ZoneInfo, ...]:
    """One zone of each way to change clocks in these years, of all that tzdata knows."""
    found: dict[tuple[object, ...], ZoneInfo] = {}
    for name in sorted(available_timezones()):
        place = zone(name)
        changes = clock_changes(place, FIRST, LAST)
        if changes:
            offsets = [at.astimezone(place).utcoffset() for at in changes]
            found.setdefault((*changes, *offsets), place)
    return tuple(found.values())


def test_there_are_zones_that_change():
    """Enough of them to mean something, and Casablanca, Troll and Lord Howe, which change in ways of their own."""
    names = {str(place) for place in changing()}
    assert len(names) > 20
    assert {"Africa/Casablanca", "Antarctica/Troll", "Australia/LHI"} <= names


@pytest.mark.parametrize("place", changing(), ids=str)
def test_every_change_is_found_to_the_second(place):
    for at in clock_changes(place, FIRST, LAST):
        before, after = (at - timedelta(seconds=1)).astimezone(place), at.astimezone(place)
        assert before.utcoffset() != after.utcoffset()


@pytest.mark.parametrize("place", changing(), ids=str)
def test_quiet_hours_hold_by_the_clock_on_the_wall(place):
    """Around every change the windows of a day are those that a clock there shows, and nothing else."""
    for at in clock_changes(place, FIRST, LAST):
        windows = daily(time(8), time(21), (place,), (at - 2 * DAY, at + 2 * DAY))
        moment = at - 2 * DAY
        while moment < at + 2 * DAY:
            assert (moment in windows) == (time(8) <= moment.astimezone(place).time() < time(21)), moment
            moment += HOUR / 4


@pytest.fixture(scope="module")
def reminders(tmp_path_factory):
    quiet = policy("quiet_hours", opens=time(8), closes=time(21))
    return world(tmp_path_factory.mktemp("clocks"), RULE, policies=(quiet,))


@pytest.mark.parametrize("place", changing(), ids=str)
def test_every_reminder_goes_once_and_in_time(reminders, place):
    """Whatever clocks do between the reminder and the appointment."""
    for change in clock_changes(place, FIRST, LAST):
        for start in (change + 20 * HOUR, change + 26 * HOUR + timedelta(minutes=30), change + DAY):
            said = lived_through(reminders, place, start)
            assert sorted(step for step, _ in said) == ["civil", "exact", "night", "text"], (change, start)
            for step, at in said:
                expect(step, at, start, place)


def lived_through(made, place: ZoneInfo, start: datetime) -> list[tuple[str, datetime]]:
    """What is said about an appointment and when, planning anew whenever the plan says so, as the service does.

    Steps that fall on the same instant go as one message with several parts.
    """
    one, said = booked(place, start), []
    now = start - 3 * DAY
    while now < start:
        found = plan(one, made, now)
        due = [d for d in found.decisions if d.state == "planned" and d.at <= now]
        if due:
            said += [(part.split("/")[2], now) for decision in due for part in decision.parts]
            one = then(one, *(accepted(decision, now) for decision in due))
        else:
            now = found.wake_at
    return said


def expect(step: str, at: datetime, start: datetime, place: ZoneInfo) -> None:
    """Each reminder at its time."""
    local = start.astimezone(place)
    if step == "text":
        assert time(8) <= at.astimezone(place).time() < time(21)
        assert at < start
        return
    ideals = {
        "night": instant(datetime.combine(local.date() - DAY, time(2, 30)), place),
        "exact": start - DAY,
        "civil": instant(datetime.combine(local.date() - DAY, local.time().replace(fold=0)), place),
    }
    assert at == ideals[step], step


def booked(place: ZoneInfo, start: datetime) -> Ledger:
    fact = {
        "type": "appointment", "at": (start - 30 * DAY).isoformat(), "id": "A1", "service": "oil", "status": "booked",
        "booked_by": "customer", "stated_by": "import", "start": start.isoformat(),
    }  # fmt: skip
    return ledger(lives_in(place), fact)


def lives_in(place: ZoneInfo, since: str = "2024-02-01 10:00") -> dict[str, object]:
    return {"type": "customer", "at": since, "timezone": str(place), "stated_by": "customer"}


def test_a_customer_who_moves_is_reminded_by_the_new_clock(reminders):
    """Chicago to Berlin between the booking and the reminder: the text waits for the morning there (FAULTS 21)."""
    start = datetime(2026, 12, 15, 15, tzinfo=UTC)
    one = booked(ZoneInfo("America/Chicago"), start)
    berlin = ZoneInfo("Europe/Berlin")
    there = ledger(lives_in(berlin, "2026-12-10 10:00"))
    moved = ledger_of("C1", [fact for _, fact in (*one.entries, *there.entries)])
    now = datetime(2026, 12, 11, 12, tzinfo=UTC)
    before, after = (
        next(d.at for d in plan(each, reminders, now).decisions if d.proposal.step == "text") for each in (one, moved)
    )
    assert (before, after) == (
        datetime(2026, 12, 14, 14, tzinfo=UTC),
        datetime(2026, 12, 14, 7, tzinfo=UTC),
    )
