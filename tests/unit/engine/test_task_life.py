"""When a task is withdrawn, and when it stays: what matters is its reason, not its age."""

from __future__ import annotations

from people import car, driver

from commsched.store import queries
from commsched.store.messages import TaskRecord, task_row


def states(tale, rule):
    return [task.state for task in tale.tasks if task.rule == rule]


def test_what_still_holds_stays_however_old(story):
    """She said that she feels trapped, and nobody has called: two months later that is still to be done."""
    tale = driver(story("2026-12-01 09:00"))
    tale.given("feedback", customer="C1", mood="trapped", stated_by="customer").until("2027-02-01")
    assert states(tale, "unhappy-customer") == ["open"]


def test_the_dead_are_nobodys_task(story):
    """Whoever has died is not called any more, whatever the reason was."""
    tale = driver(story("2026-12-01 09:00"))
    tale.given("feedback", customer="C1", mood="trapped", stated_by="customer").until("2026-12-20")
    tale.given("customer", id="C1", status="deceased", stated_by="staff").until("2026-12-21")
    assert states(tale, "unhappy-customer") == ["withdrawn"]


def test_a_call_in_place_of_a_message_ends_with_its_occasion(story):
    """Nobody could be told of the closed case; when the case is open again, there is nothing to tell."""
    tale = story("2026-12-01 09:00").given("customer", id="C1", name="Ana Ortiz")
    car(tale).given("case", customer="C1", id="K1", kind="complaint", status="closed", stated_by="staff")
    tale.until("2026-12-08")
    assert states(tale, "case-closed") == ["open"]
    tale.given("case", customer="C1", id="K1", status="open", stated_by="staff").until("2026-12-09")
    assert states(tale, "case-closed") == ["withdrawn"]


def test_what_no_rule_of_ours_raised_is_left_alone(story):
    """A task of a rule that there is no more is ended by people, not by a plan that knows nothing of it."""
    tale = driver(story("2026-12-01 09:00"))
    task = TaskRecord("C1/gone/call/-/1", "C1", "gone", "call", "service", tale.clock.at, "Call", "open")
    with tale.app.store.write() as connection:
        queries.put_tasks(connection, [task_row(task)])
    tale.until("2026-12-03")
    assert states(tale, "gone") == ["open"]
