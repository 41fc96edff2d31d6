"""Reconciling: what the plan says against what stands, and only the difference is written; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from commsched.model.decisions import (
    Anchor,
    Decision,
    Plan,
    Proposal,
    Reason,
    Review,
    TaskDecision,
    Verdict,
    could_not,
    deny,
    must_not,
)
from commsched.store import queries
from commsched.store.messages import load_decision, load_record, load_task, message_row, reconcile, told, write
from commsched.timing.windows import Windows

CHANNELS = {"email": "mail", "sms": "text"}
WHY = Reason("opt_out", "opted_out", "they said stop", "must_not")


@pytest.fixture
def decision(noon):
    """A decision about ann's message of a step, by default planned for tomorrow by mail."""

    def made(step="say", **fields):
        key = f"ann/r/{step}/-/1"
        proposal = Proposal(
            key=key,
            customer="ann",
            rule="r",
            step=step,
            subject="-",
            occurrence="1",
            purpose="service",
            topic="visit",
            department="desk",
            priority=5,
            anchor=Anchor("event", noon),
            ideal=noon,
            span=(noon, noon + timedelta(days=9)),
            template="t",
            media=("email",),
            addresses={"email": "ann@x.example"},
        )
        standard = {"state": "planned", "final": False, "at": noon + timedelta(days=1), "medium": "email"}
        rest = {"reasons": (), "reviews": (), "template": "t"}
        return Decision(**{"key": key, "parts": (key,), "proposal": proposal, **standard, **rest, **fields})

    return made


@pytest.fixture
def settle(store, noon):
    """Reconciles ann's plan of these decisions with what stands, writes it, and gives what changed."""

    def settled(*decisions, tasks=(), now=noon):
        plan = Plan("ann", now, decisions, tuple(tasks), now + timedelta(days=60), now + timedelta(days=60))
        with store.write() as connection:
            changes = reconcile([plan], queries.messages(connection, ["ann"]), CHANNELS, "w1")
            write(connection, changes)
        return changes

    return settled


def standing(store):
    with store.read() as connection:
        return {row.key.split("/")[2]: load_record(row.body) for row in queries.all_messages(connection)}


def test_a_plan_becomes_messages(store, settle, decision):
    """Each decision stands as a message, with the channel and address it would take."""
    settle(decision(), decision("other", state="refused", at=None, medium=None, reasons=(WHY,)))
    found = standing(store)
    assert (found["say"].state, found["say"].channel, found["say"].to) == ("planned", "mail", "ann@x.example")
    other = found["other"]
    assert (other.state, other.channel, other.to, other.reasons) == (
        "refused",
        None,
        None,
        (("opt_out", "opted_out", "they said stop"),),
    )


def test_reconciling_twice_changes_nothing(store, settle, decision):
    """The same plan again writes no message, no decision, and tells no observer."""
    plan = [decision(), decision("other", state="refused", at=None, medium=None, reasons=(WHY,))]
    assert len(settle(*plan).decided) == 2
    again = settle(*plan)
    assert (again.messages, again.decisions, again.decided) == ([], [], [])
    with store.read() as connection:
        assert len(queries.decisions(connection, "ann")) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"state": "refused", "at": None, "medium": None, "reasons": (WHY,)},
        {"medium": "sms"},
        {"template": "u"},
        {"final": True},
        {"reasons": (WHY,)},
        {"parts": ("ann/r/say/-/1", "ann/r/b/-/1")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_changes_is_written(store, settle, decision, noon, change):
    """A decision that differs is written with its message, and the former one stays to be shown."""
    settle(decision())
    later = settle(replace(decision(), **change), now=noon + timedelta(hours=1))
    assert (len(later.messages), len(later.decided)) == (1, 1)
    with store.read() as connection:
        rows = queries.decisions(connection, "ann", "ann/r/say/-/1")
    assert [load_decision(row.body).decided_at for row in rows] == [noon, noon + timedelta(hours=1)]


def test_a_new_time_is_written(store, settle, decision, noon):
    """A message that moves is written at its new time."""
    settle(decision())
    settle(decision(at=noon + timedelta(days=2)))
    assert standing(store)["say"].at == noon + timedelta(days=2)


@pytest.mark.parametrize("state", ["sending", "in_doubt", "sent", "delivered", "undelivered"])
def test_what_left_the_house_is_never_replanned(store, settle, decision, state):
    """A message that is being sent, in doubt or accepted stays as it is, whatever the plan says."""
    settle(decision())
    record = replace(standing(store)["say"], state=state)
    with store.write() as connection:
        queries.put_messages(connection, [message_row(record, signature=b"", attempt="t1")])
    assert settle(decision(template="u")).messages == []
    assert settle().messages == []
    assert standing(store)["say"].state == state


def test_what_the_plan_no_longer_holds_is_taken_back(store, settle, decision, noon):
    """A message that is planned no more is cancelled; past its deadline, expired; gone along with another, skipped."""
    settle(decision("a"), decision("b"), decision("c"))
    parts = ("ann/r/c/-/1", "ann/r/b/-/1")
    settle(decision("c", parts=parts))
    found = standing(store)
    assert (found["a"].state, found["a"].final, found["a"].at) == ("cancelled", True, None)
    assert (found["b"].state, found["c"].state) == ("skipped", "planned")
    settle(now=noon + timedelta(days=30))
    assert standing(store)["c"].state == "expired"


def test_a_message_that_was_cancelled_may_come_back(store, settle, decision):
    """Plans change: what was taken back is planned again when its reason is back."""
    settle(decision())
    settle()
    settle(decision())
    assert standing(store)["say"].state == "planned"


def test_a_decision_shows_what_it_rests_on(store, settle, decision, noon):
    """Policies, codes, windows, the smallest conflict, the facts read and the world are kept with the decision."""
    review = Review("opt_out", must_not("opted_out"), deny("they said stop", media={"sms", "email"}))
    settle(
        decision(state="refused", at=None, medium=None, reviews=(review,), conflict=("opt_out",), reads=("consent",))
    )
    with store.read() as connection:
        (row,) = queries.decisions(connection, "ann")
    found = load_decision(row.body)
    assert found.reviews == (("opt_out", "opted_out", "must_not", "they said stop", ("email", "sms"), ()),)
    assert (found.conflict, found.reads, found.world, found.decided_at) == (("opt_out",), ("consent",), "w1", noon)


def test_what_the_staff_are_told_is_kept_beside_what_the_customer_is(store, settle, decision, noon):
    """The notes of reasons and reviews are stored in order; where there is none, the customer's sentence is told."""
    full = Reason("cap", "frequency_cap", "at most 3 messages", note="3 of 3: oil/invite on 2026-05-01")
    review = Review("cap", could_not("frequency_cap"), deny("at most 3 messages", note="3 of 3"))
    settle(
        decision(state="refused", at=None, medium=None, reasons=(WHY, full), reviews=(review,)),
        decision("plain", state="refused", at=None, medium=None, reasons=(WHY,)),
        tasks=[TaskDecision("k", "ann", "r", "call", "desk", noon, "Call Ann", "open", (full,))],
    )
    found = standing(store)
    assert found["say"].reasons[1][2] == "at most 3 messages"
    assert told(found["say"]) == (found["say"].reasons[0], ("cap", "frequency_cap", "3 of 3: oil/invite on 2026-05-01"))
    assert (found["plain"].notes, told(found["plain"])) == ((), found["plain"].reasons)
    with store.read() as connection:
        kept = load_decision(next(row.body for row in queries.decisions(connection, "ann") if "/say" in row.key))
        (task,) = [load_task(row.body) for row in queries.tasks(connection)]
    assert (kept.notes, kept.review_notes) == (("", full.note), ("3 of 3",))
    assert told(task)[0][2] == full.note


def test_tasks_appear_when_their_time_has_come(store, settle, noon):
    """A task stands once it is due, once, and done when somebody has done it."""
    task = TaskDecision("k", "ann", "r", "call", "desk", noon, "Call Ann", "open", (WHY,))
    settle(tasks=[replace(task, key="later", at=noon + timedelta(days=1)), task])
    settle(tasks=[task])
    with store.read() as connection:
        assert [load_task(row.body).text for row in queries.tasks(connection, state="open")] == ["Call Ann"]
    settle(tasks=[replace(task, state="done")])
    with store.read() as connection:
        assert [row.state for row in queries.tasks(connection)] == ["done"]


@pytest.mark.parametrize(("at", "days"), [(1, 4), (None, 9)])
def test_what_policies_left_open_is_kept_where_it_matters(store, settle, decision, noon, at, days):
    """Around where a message was placed and should have been; all of it where it has no place."""
    open_days = Windows(tuple((noon + timedelta(days=n), noon + timedelta(days=n, hours=1)) for n in range(9)))
    review = Review("hours", could_not("hours"), Verdict(open_days, detail="only then"))
    placed = {"at": noon + timedelta(days=at)} if at else {"state": "refused", "at": None, "medium": None}
    settle(decision(reviews=(review,), **placed))
    with store.read() as connection:
        (row,) = queries.decisions(connection, "ann")
    stored = load_decision(row.body)
    assert len(stored.reviews[0][-1]) == days
    assert stored.kept[0] <= noon
    assert stored.kept[1] >= noon + timedelta(days=at or 9)
