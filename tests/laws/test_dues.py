"""The laws of due dates, held over the sample customers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from commsched.model.facts import Reading
from commsched.planning.due import Dues
from commsched.planning.fold import fold
from commsched.planning.ledger import ledger_of

NOW = datetime(2026, 11, 24, tzinfo=UTC)
INDEX = st.integers(0, 10_000)
DAYS = st.dates(date(2020, 1, 1), date(2034, 1, 1))


def by_key(state, world, **window):
    names = sorted(
        name for name, service in world.services.items() if service.schedule.every and not service.schedule.once
    )
    found = Dues(state, world).of(names, **window)
    return {(due.service.id, due.asset.id if due.asset else None, due.occurrence): due.when for due in found}


@given(index=INDEX, one=DAYS, other=DAYS)
@settings(max_examples=150, deadline=None)
def test_a_window_shows_what_lies_in_it_and_nothing_else(ledgers, world, index, one, other):
    """To look only at near dates leaves out exactly those that are not near."""
    first, last = min(one, other), max(one, other)
    state = fold(ledgers[index % len(ledgers)], NOW)
    every = by_key(state, world)
    near = {key: when for key, when in every.items() if first <= when.on <= last}
    assert by_key(state, world, window=(first, last)) == near


@given(index=INDEX, miles=st.floats(0, 4000), days=st.integers(1, 60), stated_by=st.sampled_from(["staff", "customer"]))
@settings(max_examples=150, deadline=None)
def test_a_reading_moves_dates_and_makes_no_other_occasion(ledgers, world, index, miles, days, stated_by):
    """Whatever the meter shows next, what is due belongs to the same record, mark or plan as before."""
    ledger = ledgers[index % len(ledgers)]
    state = fold(ledger, NOW)
    at = NOW + timedelta(days=days)
    readings = [
        Reading(at=at, recorded_at=at, customer=ledger.customer, source="desk", stated_by=stated_by, asset=asset,
                value=max((r.value for r in state.readings.get(asset, [])), default=0) + miles, unit="mi")
        for asset in state.assets
    ]  # fmt: skip
    after = fold(ledger_of(ledger.customer, [*(fact for _, fact in ledger.entries), *readings]), at)
    before, moved = (set(by_key(one, world)) for one in (fold(ledger, at), after))
    # What now seems a decade away is not due at all, and a schedule may come near a recheck that speaks for it, or
    # leave it: then the other of the two shows. Whatever shows belongs to something that was recorded.
    recorded = {"first", *(identity for identity, _ in after.records)}
    assert all(key in before or key[2] in recorded for key in moved)


@given(index=INDEX)
@settings(max_examples=100, deadline=None)
def test_a_date_lies_within_its_interval(ledgers, world, index):
    """The best guess is never outside of the days that are named with it."""
    for when in by_key(fold(ledgers[index % len(ledgers)], NOW), world).values():
        assert when.earliest <= when.on <= when.latest
