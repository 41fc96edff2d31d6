"""The laws of the plan (DESIGN §2), held over the sample customers at random instants."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commsched.model.decisions import Review, Verdict, could_not, must_not
from commsched.model.facts import Reading, Sent
from commsched.planning.fold import fold
from commsched.planning.ledger import Ledger, ledger_of
from commsched.planning.plan import plan
from commsched.planning.propose import Proposer
from commsched.planning.review import Reviewer, conflict
from commsched.timing.windows import RESOLUTION, Windows

FIRST = datetime(2026, 6, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 400 * 24 * 60).map(lambda minutes: FIRST + timedelta(minutes=minutes))
INDEX = st.integers(0, 10_000)


@pytest.fixture(scope="module")
def one_of(ledgers):
    """A sample customer by any number."""
    return lambda index: ledgers[index % len(ledgers)]


def placed(one):
    return {(d.key, d.parts, d.at, d.medium) for d in one.decisions if d.state == "planned"}


def as_bytes(one):
    decisions = [
        (
            d.key,
            d.parts,
            d.state,
            d.final,
            d.at,
            d.medium,
            d.template,
            [(r.policy, r.code, r.detail) for r in d.reasons],
        )
        for d in one.decisions
    ]
    tasks = [(t.key, t.at, t.text, t.state) for t in one.tasks]
    return msgspec.json.encode([decisions, tasks, one.wake_at])


def accepted(decision, at):
    """The fact that a channel took the message."""
    p = decision.proposal
    return Sent(
        at=at, recorded_at=at, customer=p.customer, source="commsched", stated_by="import", key=decision.key,
        parts=list(decision.parts), rule=p.rule, step=p.step, subject=p.subject, occurrence=p.occurrence,
        purpose=p.purpose, topic=p.topic, department=p.department, medium=decision.medium,
        address=p.addresses[decision.medium], template=decision.template, content=p.content, anchor=p.anchor.at,
    )  # fmt: skip


def with_facts(ledger, *facts):
    return ledger_of(ledger.customer, [*(fact for _, fact in ledger.entries), *facts])


@given(index=INDEX, now=INSTANTS)
@settings(max_examples=150)
def test_purity_same_input_same_bytes(one_of, world, index, now):
    """The plan of one ledger in one world at one instant is always the same, to the byte."""
    ledger = one_of(index)
    assert as_bytes(plan(ledger, world, now)) == as_bytes(plan(ledger, world, now))


@given(index=INDEX, now=INSTANTS, seed=st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_fold_any_order_of_import_gives_the_same_state(one_of, index, now, seed):
    """Facts that come in another order, some of them twice, fold to the same state."""
    ledger = one_of(index)
    facts = [fact for _, fact in ledger.entries]
    shuffled = facts + facts[:3]
    seed.shuffle(shuffled)
    assert fold(ledger_of(ledger.customer, shuffled), now) == fold(ledger_of(ledger.customer, facts), now)


@given(index=INDEX, now=INSTANTS, share=st.floats(0, 1))
@settings(max_examples=250)
def test_wake_until_wake_at_the_plan_places_the_same(one_of, world, index, now, share):
    """At any instant before wake_at the plan places what it placed before, at the same times."""
    ledger = one_of(index)
    before = plan(ledger, world, now)
    assert before.wake_at > now
    if any(d.at is not None and d.at <= now for d in before.decisions):
        return  # something is due at this very instant: it is sent now
    later = now + (before.wake_at - now - timedelta(seconds=1)) * share
    later = max(later.replace(microsecond=0), now)
    assert placed(plan(ledger, world, later)) == placed(before)


@given(index=INDEX, now=INSTANTS, miles=st.floats(100, 3000), days=st.integers(1, 20))
@settings(max_examples=150)
def test_identity_a_reading_never_makes_a_second_invite(one_of, world, index, now, miles, days):
    """However the forecast moves, what was said about an occurrence is never said again."""
    ledger = one_of(index)
    first = plan(ledger, world, now)
    said = [d for d in first.decisions if d.state == "planned"]
    told = [accepted(d, now + timedelta(minutes=1)) for d in said]
    state = fold(ledger, now)
    later = now + timedelta(days=days)
    readings = [
        Reading(at=later, recorded_at=later, customer=ledger.customer, source="dms", stated_by="staff", asset=asset,
                value=max((r.value for r in state.readings.get(asset, [])), default=0) + miles, unit="mi")
        for asset in state.assets
    ]  # fmt: skip
    again = plan(with_facts(ledger, *told, *readings), world, later + timedelta(minutes=1))
    settled = {part for d in said for part in d.parts}
    assert not settled & {part for d in again.decisions for part in d.parts}


@given(index=INDEX, now=INSTANTS, drop=st.sets(st.integers(0, 30), max_size=8))
@settings(max_examples=100)
def test_restriction_more_policies_never_allow_more(one_of, world, index, now, drop):
    """For a proposal against a fixed history, what all policies allow is allowed by any fewer of them."""
    ledger = one_of(index)
    fewer = replace(
        world, policies=tuple(p for number, p in enumerate(world.policies) if number not in drop)
    )
    state = fold(ledger, now)
    for wanted in Proposer(ledger, state, world, now).wanted():
        span = (wanted.proposal.span[0], wanted.proposal.deadline + RESOLUTION)
        strict = Reviewer(state, world, now, []).allowance(wanted.proposal, span).times
        loose = Reviewer(state, fewer, now, []).allowance(wanted.proposal, span).times
        for medium, times in strict.items():
            assert times & loose[medium] == times


@given(index=INDEX, now=INSTANTS, start=st.floats(0, 1), length=st.floats(0, 1))
@settings(max_examples=100)
def test_restriction_a_narrower_span_gives_the_clipped_verdict(one_of, world, index, now, start, length):
    """Asking about part of a span gives that part of the answer."""
    ledger = one_of(index)
    state = fold(ledger, now)
    for wanted in Proposer(ledger, state, world, now).wanted():
        opens, closes = wanted.proposal.span
        low = (opens + (closes - opens) * start).replace(microsecond=0)
        high = low + (closes - low) * length + RESOLUTION
        whole = Reviewer(state, world, now, []).allowance(wanted.proposal, (opens, closes + RESOLUTION)).times
        part = Reviewer(state, world, now, []).allowance(wanted.proposal, (low, high)).times
        for medium, times in part.items():
            assert times == whole[medium].clip(low, high)


@given(data=st.data())
@settings(max_examples=200)
def test_a_conflict_is_irreducible_and_shows_a_veto_that_is_enough(data):
    """What is named as the reason empties the allowance; nothing in it could be left out; vetoes come first."""
    start = datetime(2026, 12, 1, tzinfo=UTC)
    hours = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 6)), max_size=3)
    media = ("email", "sms")
    reviews = []
    for number in range(data.draw(st.integers(1, 6))):
        windows = Windows(
            (start + timedelta(hours=low), start + timedelta(hours=low + length)) for low, length in data.draw(hours)
        )
        on = data.draw(st.sampled_from([None, frozenset({"email"}), frozenset({"sms"})]))
        code = data.draw(st.sampled_from([must_not("no"), could_not("late")]))
        reviews.append(Review(f"p{number}", code, Verdict(windows, on, "")))
    span = (start, start + timedelta(days=1))

    def left(kept):
        times = []
        for medium in media:
            allowed = Windows.between(*span)
            for review in kept:
                windows = review.verdict.on(medium)
                allowed = allowed if windows is None else allowed & windows
            times.append(allowed)
        return any(times)

    if left(reviews):
        return
    found = conflict(reviews, media, span)
    assert not left(found)
    assert all(left([other for other in found if other is not one]) for one in found)
    vetoes = [review for review in reviews if review.code.force == "must_not"]
    if not left(vetoes):
        assert all(review.code.force == "must_not" for review in found)


def test_what_was_sent_is_never_planned_again(ledgers, world):
    """Marking a plan's due messages as sent takes them, and only them, off the next plan."""
    now = datetime(2026, 12, 1, 16, 30, tzinfo=UTC)
    for ledger in ledgers:
        first = plan(ledger, world, now)
        due = [d for d in first.decisions if d.state == "planned" and d.at <= now]
        if not due:
            continue
        second = plan(with_facts(ledger, *(accepted(d, now) for d in due)), world, now)
        gone = {part for d in due for part in d.parts}
        assert not gone & {part for d in second.decisions for part in d.parts}


def test_another_world_made_of_this_one_leaves_no_trace(one_of, world):
    """A plan is of its own world: one in which no rule counts yet says nothing of the one that it was made from."""
    ledgers = [one_of(index) for index in range(40)]
    now = datetime(2026, 11, 24, 15, tzinfo=UTC)
    before = [plan(ledger, world, now) for ledger in ledgers]
    fresh = replace(world, since=dict(world.since))
    not_yet = replace(fresh, since={rule.name: now + timedelta(days=400) for rule in fresh.rules})
    assert [plan(ledger, not_yet, now) for ledger in ledgers] != before
    assert [plan(ledger, fresh, now) for ledger in ledgers] == before


def test_an_empty_ledger_has_an_empty_plan(world):
    """Nothing known, nothing said, and a look again at the end of the horizon."""
    now = datetime(2026, 12, 1, tzinfo=UTC)
    empty = plan(Ledger("nobody", ()), world, now)
    assert not [d for d in empty.decisions if d.state == "planned"]
    assert now < empty.wake_at <= now + world.horizon
