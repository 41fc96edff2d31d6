"""Appointments in parts: facts that name the start alone, the end alone, both or neither, in any order of import."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from commsched.model.facts import Appointment
from commsched.planning.fold import fold
from commsched.planning.ledger import ledger_of

FIRST = datetime(2026, 6, 1, tzinfo=UTC)
NOW = datetime(2026, 7, 1, tzinfo=UTC)
TIMES = st.integers(0, 40).map(lambda number: FIRST + timedelta(days=60, minutes=15 * number))
SAID = st.tuples(
    st.sampled_from(["start", "both", "end", "no end", "status"]), TIMES, st.integers(1, 12), st.sampled_from("ab")
)


def facts_of(said):
    """One fact an hour, so that which of two came later is no question."""
    for hour, (what, time, quarters, source) in enumerate(said):
        end = {"both": time + timedelta(minutes=15 * quarters), "end": time, "no end": None}.get(what, UNSET)
        yield Appointment(
            at=FIRST + timedelta(hours=hour),
            customer="C1",
            source=source,
            id="A1",
            service="oil",
            start=time if what in {"start", "both"} else UNSET,
            end=end,
            status="confirmed" if what == "status" else UNSET,
        )


def times_of(facts):
    """Where it stands: read fact by fact, in plain words."""
    start = end = None
    for fact in facts:
        if fact.start is not UNSET:
            if fact.end is UNSET and start is not None and end is not None:
                end = fact.start + (end - start)
            start = fact.start
        if fact.end is not UNSET:
            end = fact.end
    return (start, end if start is not None and end is not None and end > start else None)


@given(st.lists(SAID, min_size=1, max_size=7), st.randoms(use_true_random=False))
def test_fold_of_parts_is_the_same_in_any_order(said, seed):
    """A new start takes the length along; an end alone changes the length; without a start there is none."""
    facts = list(facts_of(said))
    shuffled = facts + facts[:2]
    seed.shuffle(shuffled)
    found = fold(ledger_of("C1", shuffled), NOW).appointments
    start, end = times_of(facts)
    if start is None:
        assert found == {}
    else:
        assert (found["A1"].start, found["A1"].end) == (start, end)
    assert found == fold(ledger_of("C1", facts), NOW).appointments


@given(st.lists(SAID, max_size=5), TIMES, TIMES)
def test_fold_of_a_move_keeps_the_length(said, first, second):
    """Whatever was said before: an appointment with an end, moved by its start alone, takes as long as before."""
    booked = ("both", first, 3, "a")
    before, after = (
        fold(ledger_of("C1", list(facts_of([*said, booked, *more]))), NOW).appointments["A1"]
        for more in ((), (("start", second, 1, "b"),))
    )
    assert before.end - before.start == after.end - after.start == timedelta(minutes=45)
    assert after.start == second
    assert (before.occurrence == after.occurrence) == (abs(second - first) < timedelta(minutes=30))
