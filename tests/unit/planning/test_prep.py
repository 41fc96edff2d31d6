"""Preparations: told in time or the fallback at once, whatever happens to the appointment (story 14)."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from msgspec.structs import replace
from worlds import CHICAGO, SERVICES, accepted, at, facts, ledger, planned, policy, then, world

from commsched.model.facts import Consent, TaskDone
from commsched.planning.plan import plan
from commsched.plugin.view import Department, Snapshot
from commsched.timing.civil import weekly

DRINK = "      - {id: drink, begins: start - 1d at 18:00, notice: 12h}\n"
BOTH = SERVICES + DRINK
HEAD = """
rule: prep
why: It works only if you prepare.
purpose: transactional
topic: appointment
department: service
trigger: {appointment: {service: [scope], status: [booked, confirmed]}}
steps:
"""
DIET = """
  - step: tell-diet
    prep: diet
    at: prep - 2d at 10:00
    not_before: prep - 5d
    template: diet
    too_late: {task: "Call about the diet: {{ reason }}"}
    on_veto: {task: "Tell them in person: {{ reason }}"}
"""
WITH_DRINK = DIET.replace("    at:", "    covers: [drink]\n    at:")
TELL_DRINK = """
  - step: tell-drink
    prep: drink
    at: prep - 1d at 10:00
    template: drink
    too_late: {task: "Call about the drink"}
"""
# A Tuesday; the diet begins on Saturday the 12th at 9, so it must be told by Friday at 9.
BOOKED = {
    "type": "appointment", "at": "2026-11-20 09:00", "id": "A1", "service": "scope", "status": "booked",
    "booked_by": "customer", "stated_by": "customer", "start": "2026-12-15 09:00",
}  # fmt: skip


def moved(when, **changes):
    return {"type": "appointment", "id": "A1", "at": when, "stated_by": "staff", **changes}


def decision(one, made, now, step="tell-diet"):
    return next(d for d in plan(one, made, at(now)).decisions if d.proposal.step == step)


def tasks(one, made, now):
    return [task.text for task in plan(one, made, at(now)).tasks]


def test_what_a_message_tells_is_its_beginning(tmp_path):
    made = world(tmp_path, HEAD + WITH_DRINK, services_text=BOTH)
    found = decision(ledger(BOOKED), made, "2026-11-20 10:00")
    assert found.proposal.tells == {"A1/diet": at("2026-12-12 09:00"), "A1/drink": at("2026-12-14 18:00")}
    assert found.proposal.deadline == at("2026-12-11 09:00")


def test_one_message_covers_several_preparations(tmp_path):
    """What is told along is not told again, neither on the plan nor after it went."""
    made = world(tmp_path, HEAD + WITH_DRINK + TELL_DRINK, services_text=BOTH)
    one = ledger(BOOKED)
    assert planned(one, made, "2026-11-20 10:00") == {"tell-diet": "2026-12-10 10:00"}
    one = then(one, accepted(decision(one, made, "2026-12-10 10:00"), "2026-12-10 10:00"))
    assert planned(one, made, "2026-12-10 10:01") == {}
    assert tasks(one, made, "2026-12-14 20:00") == []


def test_several_preparations_are_told_apart(tmp_path):
    made = world(tmp_path, HEAD + DIET + TELL_DRINK, services_text=BOTH)
    assert planned(ledger(BOOKED), made, "2026-11-20 10:00") == {
        "tell-diet": "2026-12-10 10:00",
        "tell-drink": "2026-12-13 10:00",
    }


def test_a_booking_inside_the_notice_runs_the_fallback_at_once(tmp_path):
    """Too late for the diet, in time for the drink: a person calls now, and the drink is still told by message."""
    made = world(tmp_path, HEAD + DIET + TELL_DRINK, services_text=BOTH)
    late = ledger({**BOOKED, "at": "2026-12-12 08:00"})
    found = plan(late, made, at("2026-12-12 08:01"))
    assert [task.text.partition(":")[0] for task in found.tasks] == ["Call about the diet"]
    assert found.tasks[0].at <= at("2026-12-12 08:01")
    assert planned(late, made, "2026-12-12 08:01") == {"tell-drink": "2026-12-13 10:00"}


def test_a_booking_so_late_that_the_preparation_is_weeks_past_still_has_somebody_call(tmp_path):
    """A preparation of three weeks, booked three days before: too late by more than any grace period."""
    long = SERVICES.replace("start - 72h", "start - 21d")
    made = world(tmp_path, HEAD + DIET, services_text=long)
    late = ledger({**BOOKED, "at": "2026-12-12 08:00"})
    assert len(tasks(late, made, "2026-12-12 08:01")) == 1


def test_a_booking_in_the_past_yields_nothing(tmp_path):
    made = world(tmp_path, HEAD + DIET)
    past = ledger({**BOOKED, "at": "2026-12-16 08:00"})
    found = plan(past, made, at("2026-12-16 08:01"))
    assert (found.decisions, found.tasks) == ((), ())


def test_the_hold_back_of_a_mis_click_counts(tmp_path):
    """Booked a minute before the last moment: the two minutes that a mis-click waits are no longer there."""
    made = world(tmp_path, HEAD + DIET)
    just = ledger({**BOOKED, "at": "2026-12-11 08:57"})
    assert planned(just, made, "2026-12-11 08:57") == {"tell-diet": "2026-12-11 08:59"}
    missed = ledger({**BOOKED, "at": "2026-12-11 08:59"})
    assert planned(missed, made, "2026-12-11 08:59") == {}
    assert len(tasks(missed, made, "2026-12-11 08:59")) == 1


def test_a_moved_appointment_is_told_again(tmp_path):
    made = world(tmp_path, HEAD + DIET)
    one = ledger(BOOKED)
    one = then(one, accepted(decision(one, made, "2026-12-10 10:00"), "2026-12-10 10:00"))
    one = then(one, *facts(moved("2026-12-10 12:00", start="2026-12-22 09:00")))
    assert planned(one, made, "2026-12-10 12:05") == {"tell-diet": "2026-12-17 10:00"}


def test_a_move_of_a_few_minutes_is_no_move(tmp_path):
    made = world(tmp_path, HEAD + DIET)
    one = ledger(BOOKED)
    one = then(one, accepted(decision(one, made, "2026-12-10 10:00"), "2026-12-10 10:00"))
    one = then(one, *facts(moved("2026-12-10 12:00", start="2026-12-15 09:20")))
    assert planned(one, made, "2026-12-10 12:05") == {}


def test_moved_into_the_notice_has_somebody_call(tmp_path):
    made = world(tmp_path, HEAD + DIET)
    one = then(ledger(BOOKED), *facts(moved("2026-12-01 12:00", start="2026-12-04 09:00")))
    assert planned(one, made, "2026-12-01 12:03") == {}
    assert len(tasks(one, made, "2026-12-01 12:03")) == 1


def test_a_cancelled_appointment_needs_no_preparation(tmp_path):
    made = world(tmp_path, HEAD + DIET)
    one = then(ledger(BOOKED), *facts(moved("2026-12-11 12:00", status="cancelled")))
    found = plan(one, made, at("2026-12-11 12:05"))
    assert (found.decisions, found.tasks) == ((), ())


def test_a_changed_preparation_is_told_again(tmp_path):
    """The clinic lengthens the diet after the customer was told: they are told anew, and once."""
    before, now = world(tmp_path, HEAD + DIET), "2026-12-01 10:00"
    one = ledger(BOOKED)
    first = decision(one, before, now)
    one = then(one, accepted(first, "2026-12-05 10:00"))
    made = world(tmp_path, HEAD + DIET, services_text=SERVICES.replace("start - 72h", "start - 96h"))
    again = decision(one, made, "2026-12-05 12:00")
    assert (again.state, again.proposal.tells) == ("planned", {"A1/diet": at("2026-12-11 09:00")})
    assert again.key != first.key
    one = then(one, accepted(again, "2026-12-09 10:00"))
    assert planned(one, made, "2026-12-09 10:01") == {}


def test_the_same_words_about_another_beginning_are_no_repeat(tmp_path):
    made = world(tmp_path, HEAD + DIET, policies=(policy("no_repeat"),))
    one = ledger(BOOKED)
    one = then(one, accepted(decision(one, made, "2026-12-05 10:00"), "2026-12-05 10:00"))
    longer = SERVICES.replace("start - 72h", "start - 96h")
    made = world(tmp_path, HEAD + DIET, services_text=longer, policies=(policy("no_repeat"),))
    assert planned(one, made, "2026-12-05 12:00") == {"tell-diet": "2026-12-09 10:00"}


@pytest.mark.parametrize("name", ["diet", "tell-diet"])
def test_a_nurse_who_told_it_by_phone_satisfies_the_step(tmp_path, name):
    made = world(tmp_path, HEAD + DIET)
    late = ledger({**BOOKED, "at": "2026-12-12 08:00"})
    task = plan(late, made, at("2026-12-12 08:01")).tasks[0]
    done = TaskDone(at=at("2026-12-12 08:30"), task=task.key, outcome="reached", told=name, by="nurse")
    assert tasks(then(late, done), made, "2026-12-12 08:31") == []


def test_told_by_phone_of_one_preparation_leaves_the_other(tmp_path):
    made = world(tmp_path, HEAD + WITH_DRINK, services_text=BOTH)
    late = ledger({**BOOKED, "at": "2026-12-12 08:00"})
    task = plan(late, made, at("2026-12-12 08:01")).tasks[0]
    done = TaskDone(at=at("2026-12-12 08:30"), task=task.key, outcome="reached", told="diet", by="nurse")
    assert len(tasks(then(late, done), made, "2026-12-12 08:31")) == 1


def test_a_veto_hands_it_to_a_person(tmp_path):
    """What must not be written is said in person: a veto never leaves a preparation untold."""
    made = world(tmp_path, HEAD + DIET, policies=(policy("opt_out"),))
    refused = Consent(
        at=at("2026-11-21 09:00"), medium="*", purpose="*", granted=False, method="reply", stated_by="customer"
    )
    found = tasks(then(ledger(BOOKED), replace(refused, customer="C1")), made, "2026-11-21 10:00")
    assert [text.partition(":")[0] for text in found] == ["Tell them in person"]


def test_a_preparation_that_begins_at_night_is_told_by_day(tmp_path):
    """It begins at three in the morning: the last moment is before the night, not in it."""
    night = SERVICES.replace("start - 72h, notice: 24h", "start - 1d at 03:00, notice: 2h")
    rule = (HEAD + DIET).replace("prep - 2d at 10:00", "prep - 2h").replace("not_before: prep - 5d", "not_before: prep")
    rule = rule.replace("not_before: prep", "not_before: prep - 1d")
    quiet = policy("quiet_hours", opens=time(8), closes=time(21))
    made = world(tmp_path, rule, services_text=night, policies=(quiet,), channels={"sms": "text"})
    assert planned(ledger(BOOKED), made, "2026-11-20 10:00") == {"tell-diet": "2026-12-13 20:50"}
    missed = ledger({**BOOKED, "at": "2026-12-13 21:30"})
    assert len(tasks(missed, made, "2026-12-13 21:31")) == 1


def test_a_preparation_on_a_holiday_is_told_before_it(tmp_path):
    """Told only when the office is open, which is closed from Thursday to Sunday: told on Wednesday."""
    hours = weekly({day: ((time(8), time(17)),) for day in range(3)}, (CHICAGO,), (at("2026-11-01"), at("2027-02-01")))
    made = world(
        tmp_path,
        HEAD + DIET,
        policies=(policy("business_hours"),),
        departments={"service": Department("service", "Service", CHICAGO, "hours")},
        calendars={"hours": Snapshot("hours", hours, at("2026-11-01"))},
    )
    # At ten on Thursday would be ideal, and nobody is there.
    assert planned(ledger(BOOKED), made, "2026-11-20 10:00") == {"tell-diet": "2026-12-09 16:50"}
    # Booked on Wednesday evening: the next open hour is after the last moment.
    missed = ledger({**BOOKED, "at": "2026-12-09 18:00"})
    assert planned(missed, made, "2026-12-09 18:01") == {}
    assert len(tasks(missed, made, "2026-12-09 18:01")) == 1


def test_the_fallback_message_goes_at_once(tmp_path):
    rule = HEAD + DIET.replace('{task: "Call about the diet: {{ reason }}"}', "{template: too-late}")
    late = ledger({**BOOKED, "at": "2026-12-12 08:00"})
    found = decision(late, world(tmp_path, rule), "2026-12-12 08:03", "tell-diet!otherwise")
    assert (found.state, found.template) == ("planned", "too-late")
    assert found.at - at("2026-12-12 08:03") < timedelta(minutes=1)


HELLO = "  - {step: hello, at: booked, deadline: booked + 30d, covers: [diet], late: send, template: hello}\n"
LATE = HEAD + DIET + HELLO


def test_what_is_told_too_late_is_not_told(tmp_path):
    """A confirmation that speaks of the diet along with the rest goes after its time: somebody must still call."""
    made = world(tmp_path, LATE)
    one = ledger({**BOOKED, "at": "2026-12-12 12:00"})
    assert len(tasks(one, made, "2026-12-12 12:03")) == 1
    one = then(one, accepted(decision(one, made, "2026-12-12 12:03", "hello"), "2026-12-12 12:03"))
    assert len(tasks(one, made, "2026-12-12 12:04")) == 1


def test_what_a_confirmation_tells_in_time_is_told(tmp_path):
    made = world(tmp_path, LATE)
    one = ledger(BOOKED)
    one = then(one, accepted(decision(one, made, "2026-11-20 09:03", "hello"), "2026-11-20 09:03"))
    assert planned(one, made, "2026-12-11 08:00") == {}
    assert tasks(one, made, "2026-12-13 08:00") == []


def test_a_message_in_place_of_a_preparation_goes_once(tmp_path):
    rule = HEAD + DIET.replace('{task: "Call about the diet: {{ reason }}"}', "{template: too-late}")
    made, one = world(tmp_path, rule), ledger({**BOOKED, "at": "2026-12-12 08:00"})
    instead = decision(one, made, "2026-12-12 08:03", "tell-diet!otherwise")
    one = then(one, accepted(instead, "2026-12-12 08:03"))
    assert plan(one, made, at("2026-12-12 08:04")).decisions == ()


def test_a_proposal_from_before_a_rule_counts_is_told_once_it_is_booked(tmp_path):
    made = world(tmp_path, HEAD + DIET, since={"prep": at("2026-12-10 12:00")})
    offered = ledger({**BOOKED, "status": "proposed", "booked_by": "system"})
    yes = moved("2026-12-11 12:00", status="booked", booked_by="customer", stated_by="customer")
    assert len(tasks(then(offered, *facts(yes)), made, "2026-12-11 12:05")) == 1


def test_texts_see_when_each_preparation_begins(tmp_path):
    made = world(tmp_path, HEAD + WITH_DRINK, services_text=BOTH)
    seen = decision(ledger(BOOKED), made, "2026-11-20 10:00").proposal.variables
    assert (seen["prep"], seen["prep.drink"]) == (at("2026-12-12 09:00"), at("2026-12-14 18:00"))


def test_a_booking_made_since_the_rule_counts_is_never_too_old(tmp_path):
    """The rule is newer than the ideal time: what was booked since is told all the same, an older booking is not."""
    made = world(tmp_path, HEAD + DIET, since={"prep": at("2026-12-10 12:00")})
    assert planned(ledger({**BOOKED, "at": "2026-12-10 13:00"}), made, "2026-12-10 13:05") == {
        "tell-diet": "2026-12-10 13:05"
    }
    assert planned(ledger(BOOKED), made, "2026-12-10 13:05") == {}


def test_a_late_booking_is_owed_even_where_the_ideal_time_was_before_the_rule_counts(tmp_path):
    """On the first day of a rule somebody books for the day after tomorrow: a person is told, as on any other day."""
    made = world(tmp_path, HEAD + DIET, since={"prep": at("2026-12-13 08:00")})
    late = {**BOOKED, "at": "2026-12-13 10:00"}
    assert len(tasks(ledger(late), made, "2026-12-13 10:05")) == 1
    before = {**BOOKED, "at": "2026-12-13 07:00"}
    assert tasks(ledger(before), made, "2026-12-13 10:05") == []
