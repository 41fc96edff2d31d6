"""When steps are proposed: identity, lateness, order, merging, bundles, repeats, corrections, fallbacks."""

from __future__ import annotations

from datetime import time

import pytest
from worlds import accepted, at, facts, ledger, planned, policy, then, world

from commsched.planning.plan import plan

REMINDERS = """
rule: reminders
why: You made this appointment.
purpose: transactional
topic: appointment
department: service
trigger: {appointment: {status: [booked, confirmed]}}
steps:
  - {step: week, at: start - 7d at 10:00, deadline: start - 2d, template: reminder}
  - {step: day, at: start - 1d at 10:00, deadline: start - 2h, template: reminder-day}
  - {step: moved, at: changed, deadline: start - 1h, template: moved, late: send}
  - {step: cancelled, at: changed, deadline: changed + 2d, template: cancelled, late: send}
otherwise: {task: "Call {{ customer.name }}: {{ reason }}"}
"""
OIL = """
rule: oil-due
why: Old oil wears an engine.
purpose: service
topic: oil
department: service
trigger: {service_due: [oil, tires]}
steps:
  - {step: invite, at: due - 21d at 10:00, not_before: due - 35d, deadline: due + 30d, template: oil}
  - step: second
    after: invite
    at: due + 7d at 10:00
    deadline: due + 45d
    template: oil-again
    unless: '"invite" in replied'
stop_when: booked || served
"""
BOOKED = {
    "type": "appointment", "at": "2026-11-01 09:00", "id": "A1", "service": "oil", "status": "booked",
    "booked_by": "customer", "stated_by": "import", "start": "2026-12-15 09:00",
}  # fmt: skip
CAR = {"type": "asset", "at": "2024-01-01 10:00", "id": "V1", "kind": "car", "model": "Ford", "in_use": True}


def record(day, service="oil", **more):
    return {
        "type": "service_record",
        "at": f"{day} 12:00",
        "service": service,
        "asset": "V1",
        "outcome": "done",
        **more,
    }


def test_an_appointment_is_reminded_by_its_local_time(tmp_path):
    """A week and a day before, at ten o'clock where the customer is."""
    times = planned(ledger(BOOKED), world(tmp_path, REMINDERS), "2026-11-02 09:00")
    assert times == {"week": "2026-12-08 10:00", "day": "2026-12-14 10:00"}


def test_a_booking_made_late_skips_what_was_past(tmp_path):
    """Booked two days ahead: no week-before reminder fires at booking (Cal-ID #1442, cal.com #10749)."""
    late = {**BOOKED, "at": "2026-12-13 15:00"}
    assert planned(ledger(late), world(tmp_path, REMINDERS), "2026-12-13 15:01") == {"day": "2026-12-14 10:00"}


def test_an_appointment_in_the_past_yields_nothing(tmp_path):
    """Past-dated reminders are never planned (cal.com #22353)."""
    past = {**BOOKED, "start": "2026-10-01 09:00"}
    assert plan(ledger(past), world(tmp_path, REMINDERS), at("2026-11-02 09:00")).decisions == ()


def test_moved_from_a_to_b_to_a_is_reminded_for_a(tmp_path):
    """Moving there and back leaves a reminder for the time that holds, and it was not told of B."""
    moved = {"type": "appointment", "id": "A1", "at": "2026-11-03 09:00", "start": "2026-12-20 09:00"}
    back = {"type": "appointment", "id": "A1", "at": "2026-11-04 09:00", "start": "2026-12-15 09:00"}
    made = world(tmp_path, REMINDERS)
    times = planned(ledger(BOOKED, moved, back), made, "2026-11-05 09:00")
    assert times == {"week": "2026-12-08 10:00", "day": "2026-12-14 10:00"}


def test_told_of_a_then_b_then_back_to_a_is_told_of_a_again(tmp_path):
    """Once told of B, the customer is told when it is A again, and reminded for A."""
    made, before = world(tmp_path, REMINDERS), ledger(BOOKED)
    week = next(d for d in plan(before, made, at("2026-12-08 10:00")).decisions if d.proposal.step == "week")
    before = then(before, accepted(week, "2026-12-08 10:00"))
    move = {
        "type": "appointment",
        "id": "A1",
        "at": "2026-12-09 09:00",
        "start": "2026-12-22 09:00",
        "stated_by": "staff",
    }
    before = then(before, *facts(move))
    moved = next(d for d in plan(before, made, at("2026-12-09 09:03")).decisions if d.proposal.step == "moved")
    before = then(before, accepted(moved, "2026-12-09 09:03"))
    back = {
        "type": "appointment",
        "id": "A1",
        "at": "2026-12-09 15:00",
        "start": "2026-12-15 09:00",
        "stated_by": "staff",
    }
    times = planned(then(before, *facts(back)), made, "2026-12-09 15:05")
    assert set(times) == {"moved", "day"}
    assert times["day"] == "2026-12-14 10:00"


def test_a_move_of_a_few_minutes_is_no_change(tmp_path):
    """Twenty minutes later is the same appointment: nothing is said again, the reminder keeps its key."""
    made = world(tmp_path, REMINDERS)
    shift = {"type": "appointment", "id": "A1", "at": "2026-11-03 09:00", "start": "2026-12-15 09:20"}
    before = {d.key for d in plan(ledger(BOOKED), made, at("2026-11-05 09:00")).decisions}
    assert {d.key for d in plan(ledger(BOOKED, shift), made, at("2026-11-05 09:00")).decisions} == before


def test_a_cancelled_appointment_is_not_reminded(tmp_path):
    """No reminder after a cancellation (cal.com #6973), and nobody is told who was never told of it."""
    cancelled = {
        "type": "appointment",
        "id": "A1",
        "at": "2026-11-03 09:00",
        "status": "cancelled",
        "stated_by": "staff",
    }
    assert planned(ledger(BOOKED, cancelled), world(tmp_path, REMINDERS), "2026-11-05 09:00") == {}


@pytest.mark.parametrize(("who", "told"), [("staff", {"cancelled"}), ("customer", set())])
def test_who_cancelled_it_themselves_is_not_told(tmp_path, who, told):
    """A cancellation owes one correction to who was told of the time; not to who cancelled it (rdv #3345)."""
    made, before = world(tmp_path, REMINDERS), ledger(BOOKED)
    week = next(d for d in plan(before, made, at("2026-12-08 10:00")).decisions if d.proposal.step == "week")
    cancelled = {"type": "appointment", "id": "A1", "at": "2026-12-09 09:00", "status": "cancelled", "stated_by": who}
    after = then(before, accepted(week, "2026-12-08 10:00"), *facts(cancelled))
    assert set(planned(after, made, "2026-12-09 09:05")) == told


def test_what_a_person_did_waits_for_a_second_thought(tmp_path):
    """A move by staff is told two minutes later, so that a mis-click put right at once tells nobody (rdv #2538)."""
    made, before = world(tmp_path, REMINDERS), ledger(BOOKED)
    week = next(d for d in plan(before, made, at("2026-12-08 10:00")).decisions if d.proposal.step == "week")
    before = then(before, accepted(week, "2026-12-08 10:00"))
    slip = {
        "type": "appointment",
        "id": "A1",
        "at": "2026-12-09 09:00",
        "start": "2026-12-22 09:00",
        "stated_by": "staff",
    }
    undo = {
        "type": "appointment",
        "id": "A1",
        "at": "2026-12-09 09:01",
        "start": "2026-12-15 09:00",
        "stated_by": "staff",
    }
    assert planned(then(before, *facts(slip)), made, "2026-12-09 09:00")["moved"] == "2026-12-09 09:02"
    assert "moved" not in planned(then(before, *facts(slip, undo)), made, "2026-12-09 09:03")


def test_a_reading_moves_the_date_and_makes_no_second_invite(tmp_path):
    """The invitation's key is made of the last record, whatever the odometer forecasts."""
    made = world(tmp_path, OIL)
    base = (CAR, record("2026-01-10", reading=10000, unit="mi"), record("2026-10-20", service="tires"))
    readings = [
        {
            "type": "reading",
            "at": f"2026-{month:02}-10 12:00",
            "asset": "V1",
            "value": 10000 + 800 * (month - 1),
            "unit": "mi",
        }
        for month in range(2, 12)
    ]
    first = plan(ledger(*base, *readings), made, at("2026-12-01 09:00"))
    fast = {"type": "reading", "at": "2026-12-01 08:00", "asset": "V1", "value": 19400, "unit": "mi"}
    second = plan(ledger(*base, *readings, fast), made, at("2026-12-01 09:00"))
    keys = [{d.key for d in one.decisions if d.proposal.step == "invite"} for one in (first, second)]
    assert keys[0] == keys[1]
    assert len(keys[0]) == 1


def test_the_second_step_is_never_sent_in_place_of_the_first(tmp_path):
    """Where the invitation was refused, no reminder of it goes either."""
    made = world(tmp_path, OIL, policies=(policy("opt_out"),))
    no = {"type": "consent", "at": "2026-01-01 10:00", "medium": "*", "purpose": "service", "granted": False,
          "method": "phone", "stated_by": "customer"}  # fmt: skip
    found = plan(
        ledger(CAR, record("2025-12-20"), record("2026-10-20", service="tires"), no), made, at("2026-12-30 09:00")
    )
    assert [(d.proposal.step, d.state) for d in found.decisions] == [("invite", "refused")]
    assert found.tasks == ()


def test_an_answer_ends_the_chain(tmp_path):
    """`unless` sees that the invitation was answered."""
    made = world(tmp_path, OIL)
    before = ledger(CAR, record("2025-12-20"), record("2026-10-20", service="tires"))
    invite = plan(before, made, at("2026-11-29 10:00")).decisions[0]
    after = then(before, accepted(invite, "2026-11-29 10:00"))
    assert "second" in planned(after, made, "2026-11-30 10:00")
    reply = {"type": "reply", "at": "2026-11-29 12:00", "medium": "email", "key": invite.key}
    assert planned(then(after, *facts(reply)), made, "2026-11-30 10:00") == {}


def test_a_booking_stops_the_rule(tmp_path):
    """Whoever has an appointment for it is not invited (stop_when)."""
    made = world(tmp_path, OIL)
    base = (CAR, record("2025-12-20"), record("2026-10-20", service="tires"))
    assert "invite" in planned(ledger(*base), made, "2026-11-20 10:00")
    booking = {**BOOKED, "at": "2026-11-10 09:00", "asset": "V1"}
    assert planned(ledger(*base, booking), made, "2026-11-20 10:00") == {}


def test_occurrences_that_fall_together_go_as_one_bundle(tmp_path):
    """Oil and tires due within a month of each other are one message with two parts."""
    made = world(tmp_path, OIL + "bundle: {within: 30d, template: several}\n")
    one = ledger(CAR, record("2025-12-20"), record("2026-01-05", service="tires"))
    found = plan(one, made, at("2026-11-29 10:00"))
    invites = [d for d in found.decisions if d.proposal.step == "invite"]
    assert [(len(d.parts), d.template) for d in invites] == [(2, "several")]


def test_a_bundle_says_why_it_goes_when_it_does(tmp_path):
    """What waits for the other part says so, and names no policy that has nothing against its own time."""
    quiet = (policy("quiet_hours", opens=time(8), closes=time(21)),)
    made = world(tmp_path, OIL + "bundle: {within: 30d, template: several}\n", policies=quiet, channels={"sms": "text"})
    one = ledger(CAR, record("2025-12-20"), record("2026-01-05", service="tires"))
    (invite,) = [d for d in plan(one, made, at("2026-11-20 10:00")).decisions if d.proposal.step == "invite"]
    assert len(invite.parts) == 2
    assert invite.at > invite.proposal.ideal
    assert [(reason.policy, reason.code) for reason in invite.reasons] == [("commsched", "bundled")]
    early = OIL.replace("due - 21d at 10:00, not_before", "due - 21d at 06:00, not_before")
    made = world(
        tmp_path, early + "bundle: {within: 30d, template: several}\n", policies=quiet, channels={"sms": "text"}
    )
    (invite,) = [d for d in plan(one, made, at("2026-11-20 10:00")).decisions if d.proposal.step == "invite"]
    assert [reason.policy for reason in invite.reasons] == ["quiet_hours", "commsched"]


def test_steps_of_one_rule_within_hours_go_as_one_message(tmp_path):
    """A day-before and a two-hours-before reminder that would go at the same hour are merged."""
    rule = REMINDERS.replace(
        "at: start - 1d at 10:00, deadline: start - 2h", "at: start - 7d at 12:00, deadline: start - 2h"
    )
    found = plan(ledger(BOOKED), world(tmp_path, rule), at("2026-11-02 09:00"))
    assert [len(d.parts) for d in found.decisions if d.state == "planned"] == [2]


TWO_MEDIA = """
rule: two-media
why: You made this appointment.
purpose: {purpose}
topic: appointment
department: service
trigger: {{appointment: {{status: [booked]}}}}
{more}
steps:
  - {{step: mail, at: start - 1d at 15:00, deadline: start - 3h, template: a, media: [email]}}
  - {{step: text, at: start - 1d at 17:00, deadline: start - 2h, template: b, media: [sms]}}
"""


@pytest.mark.parametrize(
    ("purpose", "more", "merge", "went"),
    [
        ("transactional", "", "merge: 6h", [("mail", 2)]),
        ("transactional", "", "merge: 0h", [("mail", 1), ("text", 1)]),
        ("legal", "", "merge: 6h", [("mail", 1), ("text", 1)]),
    ],
)
def test_two_steps_that_fall_together_on_two_media_are_one_message(tmp_path, purpose, more, merge, went):
    """The one that must go first is enough, unless the rule wants both, or the law does."""
    made = world(tmp_path, TWO_MEDIA.format(purpose=purpose, more=merge), channels={"email": "mail", "sms": "text"})
    found = plan(ledger(BOOKED), made, at("2026-12-01 09:00"))
    assert [(d.proposal.step, len(d.parts)) for d in found.decisions if d.state == "planned"] == went


def test_a_cap_looks_to_both_sides(tmp_path):
    """One service message a week: the one that matters less gives way to one that is planned after it, too."""
    urgent = OIL.replace("rule: oil-due", "rule: urgent\npriority: 1").replace("[oil, tires]", "[tires]")
    made = world(
        tmp_path, OIL.replace("[oil, tires]", "[oil]"), urgent, policies=(policy("frequency_cap", at_most=1, per="7d"),)
    )
    one = ledger(CAR, record("2025-12-20"), record("2025-12-22", service="tires"))
    found = {
        d.proposal.rule: d for d in plan(one, made, at("2026-11-20 10:00")).decisions if d.proposal.step == "invite"
    }
    gap = abs(found["oil-due"].at - found["urgent"].at)
    assert found["urgent"].at == found["urgent"].proposal.ideal
    assert gap.days >= 7


def test_what_could_not_be_falls_back_to_a_person(tmp_path):
    """Nobody to be reached: after the deadline there is a task that says why, once."""
    from commsched.planning.ledger import ledger_of

    unreachable = ledger_of("C1", facts({"type": "customer", "at": "2024-01-01 10:00", "name": "Ana Ortiz"}, BOOKED))
    made = world(tmp_path, REMINDERS)
    assert plan(unreachable, made, at("2026-12-08 10:30")).tasks == ()
    tasks = plan(unreachable, made, at("2026-12-14 09:00")).tasks
    assert [(task.step, task.state) for task in tasks] == [("week", "open")]
    assert tasks[0].until == at("2026-12-15 09:00"), "once the appointment has begun, a call is of no use"
    done = facts(
        {"type": "task_done", "at": "2026-12-14 10:00", "task": tasks[0].key, "outcome": "reached", "by": "Tom"}
    )
    assert plan(then(unreachable, *done), made, at("2026-12-14 10:05")).tasks[0].state == "done"


def test_what_must_not_be_never_falls_back(tmp_path):
    """An opt-out must not turn into a phone call."""
    made = world(tmp_path, REMINDERS, policies=(policy("opt_out"),))
    no = {"type": "consent", "at": "2026-01-01 10:00", "medium": "*", "purpose": "*", "granted": False,
          "method": "sms", "stated_by": "customer"}  # fmt: skip
    found = plan(ledger(BOOKED, no), made, at("2026-12-14 09:00"))
    assert [d.state for d in found.decisions if d.proposal.step == "week"] == ["refused"]
    assert found.tasks == ()


def test_a_refusal_is_provisional_until_the_deadline(tmp_path):
    """Before the deadline it may still change; after it, it is final."""
    made = world(tmp_path, REMINDERS, policies=(policy("opt_out"),))
    no = {"type": "consent", "at": "2026-01-01 10:00", "medium": "*", "purpose": "*", "granted": False,
          "method": "sms", "stated_by": "customer"}  # fmt: skip
    states = [
        next(d.final for d in plan(ledger(BOOKED, no), made, at(now)).decisions if d.proposal.step == "week")
        for now in ("2026-12-08 09:00", "2026-12-13 10:00")
    ]
    assert states == [False, True]


def test_old_occurrences_yield_nothing_when_going_live(tmp_path):
    """What lay before the rule counts is not sent, and makes no task."""
    made = world(tmp_path, OIL, since={"oil-due": at("2026-12-10 00:00")})
    found = plan(ledger(CAR, record("2025-12-20"), record("2026-10-20", service="tires")), made, at("2026-12-11 09:00"))
    assert found.decisions == ()
    assert found.tasks == ()


def test_catch_up_lets_them_go_all_the_same(tmp_path):
    """With `catch_up` they are planned; how many go a day is decided when they are sent."""
    made = world(tmp_path, OIL + "catch_up: {per_day: 5}\n", since={"oil-due": at("2026-12-10 00:00")})
    one = ledger(CAR, record("2025-12-20"), record("2026-10-20", service="tires"))
    assert "invite" in planned(one, made, "2026-12-11 09:00")


def test_a_renamed_rule_does_not_say_it_again(tmp_path):
    """`was:` keeps the keys that were settled under the old name."""
    before = ledger(CAR, record("2025-12-20"), record("2026-10-20", service="tires"))
    invite = plan(before, world(tmp_path, OIL), at("2026-11-29 10:00")).decisions[0]
    renamed = world(tmp_path, OIL.replace("rule: oil-due", "rule: oil-change\nwas: oil-due"))
    after = then(before, accepted(invite, "2026-11-29 10:00"))
    assert "invite" not in planned(after, renamed, "2026-11-30 10:00")


REPEATED = """
rule: recall
why: Your car was recalled.
purpose: safety
reference: R-1
topic: maintenance
department: service
trigger: {event: visit}
steps:
  - {step: notice, at: event + 1d at 10:00, deadline: event + 30d, template: recall}
repeat: {every: 60d, at_most: 3}
stop_when: '"notice" in replied'
"""


def test_a_repeated_rule_comes_again_until_it_is_answered(tmp_path):
    """Every sixty days, three times in all; an answer to the first ends the others."""
    made = world(tmp_path, REPEATED)
    visit = {"type": "event", "at": "2026-06-01 10:00", "kind": "visit", "id": "E1"}
    now, seen = "2026-06-01 11:00", []
    one = ledger(visit)
    for day in ("2026-06-02 10:00", "2026-08-01 10:00", "2026-09-30 10:00", "2026-11-29 10:00"):
        due = [d for d in plan(one, made, at(day)).decisions if d.state == "planned" and d.at <= at(day)]
        seen += [d.proposal.occurrence for d in due]
        one = then(one, *(accepted(d, day) for d in due))
    assert seen == ["E1", "E1#2", "E1#3"]
    first = plan(ledger(visit), made, at("2026-06-02 10:00")).decisions[0]
    answered = then(ledger(visit), accepted(first, "2026-06-02 10:00"))
    reply = facts({"type": "reply", "at": "2026-06-03 10:00", "medium": "email", "key": first.key})
    assert planned(then(answered, *reply), made, "2026-08-01 10:00") == {}
    assert now < day


PREP = """
rule: prep
why: You must begin three days before.
purpose: transactional
topic: appointment
department: service
trigger: {appointment: {service: [scope], status: [booked]}}
steps:
  - step: diet
    prep: diet
    at: prep - 2d at 10:00
    template: diet
    too_late: {task: "Call {{ customer.name }} about the diet"}
"""


def test_prep_is_told_in_time_or_a_person_calls_at_once(tmp_path):
    """Told before prep begins less its notice; a booking inside that runs the fallback at once (story 14)."""
    made = world(tmp_path, PREP)
    early = {**BOOKED, "service": "scope", "at": "2026-11-20 09:00"}
    assert planned(ledger(early), made, "2026-11-20 10:00") == {"diet": "2026-12-10 10:00"}
    late = {**BOOKED, "service": "scope", "at": "2026-12-12 09:00"}
    found = plan(ledger(late), made, at("2026-12-12 09:01"))
    assert [d.state for d in found.decisions if d.state == "planned"] == []
    assert [task.text for task in found.tasks] == ["Call {{ customer.name }} about the diet"]


FOR_BUYERS = """
rule: fleet
why: The fleet car is due.
purpose: service
topic: oil
department: service
trigger: {service_due: [oil]}
to: {role: buyer, at_most: 1}
steps:
  - {step: invite, at: due - 21d at 10:00, deadline: due + 30d, template: oil}
"""


def test_a_role_is_written_to_about_what_the_organisation_owns(tmp_path):
    """The buyer hears of the fleet's car, the driver does not; and only one buyer does."""
    made = world(tmp_path, FOR_BUYERS)
    fleet = facts(
        {**CAR, "customer": None, "organisation": "O1"},
        {**record("2025-12-20"), "customer": None, "organisation": "O1", "id": "R1"},
    )
    person = {"type": "customer", "at": "2024-02-01 10:00", "organisation": "O1"}
    buyer = ledger({**person, "roles": ["buyer"]}, circles={"o:O1": fleet})
    driver = ledger({**person, "roles": ["driver"]}, circles={"o:O1": fleet})
    invite = plan(buyer, made, at("2026-11-29 10:00")).decisions
    assert [d.proposal.step for d in invite] == ["invite"]
    assert plan(driver, made, at("2026-11-29 10:00")).decisions == ()
    colleague = accepted(invite[0], "2026-11-29 10:00")
    import msgspec

    told = msgspec.structs.replace(
        colleague, customer="C2", parts=[part.replace("C1/", "C2/") for part in colleague.parts]
    )
    after = ledger({**person, "roles": ["buyer"]}, circles={"o:O1": [*fleet, told]})
    assert plan(after, made, at("2026-11-29 10:05")).decisions == ()


def test_a_step_that_follows_another_never_goes_along_with_it(tmp_path):
    """`after` means a message of its own, however close the two would fall; and the plan comes to rest."""
    rule = OIL.replace("at: due + 7d at 10:00", "at: due - 21d at 11:00")
    made = world(tmp_path, rule)
    one = ledger(CAR, record("2025-12-20"), record("2026-10-20", service="tires"))
    now = "2026-11-29 09:00"
    found = plan(one, made, at(now))
    assert [len(d.parts) for d in found.decisions if d.state == "planned"] == [1, 1]
    assert found.wake_at > at(now)
    later = plan(one, made, at("2026-11-29 09:59"))
    assert [(d.key, d.at) for d in later.decisions] == [(d.key, d.at) for d in found.decisions]


def test_a_veto_at_the_end_is_not_a_phone_call_although_there_was_a_time_before(tmp_path):
    """A hold that came while the message waited for its ideal ends in silence, not in the rule's fallback."""
    rule = REMINDERS.replace("at: start - 7d at 10:00,", "at: start - 7d at 10:00, not_before: start - 14d,")
    made = world(tmp_path, rule, policies=(policy("hold"),))
    hold = {"type": "hold", "at": "2026-12-04 09:00", "purposes": ["*"], "reason": "bereaved", "by": "Tom",
            "until": "2027-03-01 00:00"}  # fmt: skip
    found = plan(ledger(BOOKED, hold), made, at("2026-12-13 12:00"))
    assert [(d.state, d.final) for d in found.decisions if d.proposal.step == "week"] == [("refused", True)]
    assert found.tasks == ()


@pytest.mark.parametrize("circle", ["household", "organisation"])
def test_what_a_circle_has_refused_binds_its_members(tmp_path, circle):
    """An opt-out of the household or the organisation is one of everybody in it."""
    made = world(tmp_path, REMINDERS, policies=(policy("opt_out"),))
    no = facts({"type": "consent", "at": "2026-01-01 10:00", "medium": "*", "purpose": "*", "granted": False,
                "method": "phone", "stated_by": "customer", "customer": None, circle: "X1"})  # fmt: skip
    belongs = {"type": "customer", "at": "2024-02-01 10:00", circle: "X1"}
    found = plan(ledger(BOOKED, belongs, circles={f"{circle[0]}:X1": no}), made, at("2026-11-02 09:00"))
    assert {d.state for d in found.decisions} == {"refused"}


def test_a_refusal_counts_at_once_even_if_a_clock_was_fast(tmp_path):
    """An opt-out dated two hours ahead holds from the moment it is known."""
    made = world(tmp_path, REMINDERS, policies=(policy("opt_out"),))
    no = {"type": "consent", "at": "2026-12-08 12:00", "medium": "*", "purpose": "*", "granted": False,
          "method": "sms", "stated_by": "customer"}  # fmt: skip
    assert planned(ledger(BOOKED, no), made, "2026-12-08 10:00") == {}


def test_what_was_told_by_phone_is_told_of_this_occurrence_only(tmp_path):
    """A call about one appointment settles its reminder, and none of the next."""
    made = world(tmp_path, REMINDERS)
    told = {"type": "task_done", "at": "2026-11-02 09:00", "task": "C1/reminders/week/A1/x", "outcome": "done",
            "by": "Tom", "told": "week"}  # fmt: skip
    assert "week" in planned(ledger(BOOKED, told), made, "2026-11-03 09:00")
    key = next(d.key for d in plan(ledger(BOOKED), made, at("2026-11-03 09:00")).decisions if d.proposal.step == "week")
    assert "week" not in planned(ledger(BOOKED, {**told, "task": f"{key}!otherwise"}), made, "2026-11-03 09:00")


def test_two_rules_about_one_appointment_are_both_heard(tmp_path):
    """Steps of the same name in two rules do not settle each other."""
    made = world(tmp_path, REMINDERS, REMINDERS.replace("rule: reminders", "rule: others"))
    before = ledger(BOOKED)
    week = next(d for d in plan(before, made, at("2026-12-08 10:00")).decisions if d.proposal.step == "week")
    after = plan(then(before, accepted(week, "2026-12-08 10:00")), made, at("2026-12-08 10:01"))
    rules = {d.proposal.rule for d in after.decisions if d.proposal.step == "week" and d.state == "planned"}
    assert rules == {"others", "reminders"} - {week.proposal.rule}


FOR_GUARDIANS = REMINDERS.replace("steps:", "to: guardian\nsteps:")


@pytest.mark.parametrize(("status", "goes"), [("active", True), ("deceased", False)])
def test_a_guardian_is_written_to_as_who_they_are(tmp_path, status, goes):
    """A message about a child goes to the guardian's address, and is judged by the guardian's own facts."""
    made = world(tmp_path, FOR_GUARDIANS, policies=(policy("status"),))
    mother = facts(
        {"type": "customer", "customer": "C9", "at": "2024-01-01 10:00", "name": "Rosa", "status": status},
        {
            "type": "contact_point",
            "customer": "C9",
            "at": "2024-01-01 10:00",
            "kind": "email",
            "address": "rosa@example.com",
        },
    )
    child = {"type": "customer", "at": "2024-02-01 10:00", "guardian": "C9"}
    found = plan(ledger(child, BOOKED, circles={"c:C9": mother}), made, at("2026-11-02 09:00"))
    week = next(d for d in found.decisions if d.proposal.step == "week")
    assert (week.state == "planned") is goes
    assert week.proposal.addresses == {"email": "rosa@example.com"}
