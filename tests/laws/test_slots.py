"""Laws of slots, against a search by brute force: inside what is open, never beyond what there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from commsched import Windows, zone
from commsched.timing.slots import STEP, Ask, find, room

START = datetime(2026, 10, 31, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAYS = (START, START + timedelta(days=3))
PLACES = st.sampled_from(["America/Chicago", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"])


@st.composite
def times(draw: st.DrawFn) -> Windows:
    """Some windows within three days, one of which has a clock change."""
    edges = draw(st.lists(st.tuples(st.integers(0, 4320), st.integers(1, 900)), max_size=6))
    return Windows((START + first * MINUTE, START + (first + length) * MINUTE) for first, length in edges)


@st.composite
def asks(draw: st.DrawFn) -> Ask:
    """Any search."""
    needs = draw(st.sampled_from([None, 30, 600]))
    lead = needs * MINUTE if needs is not None else timedelta()
    near = draw(st.none() | st.integers(0, 4320))
    return Ask(
        draw(st.integers(5, 200)) * MINUTE,
        DAYS,
        START + draw(st.integers(0, 2000)) * MINUTE,
        zone(draw(PLACES)),
        draw(st.none() | times()),
        START + near * MINUTE if near is not None else None,
        draw(st.booleans()),
        (lambda start: start - lead) if needs is not None else (lambda _: None),
        START + draw(st.integers(0, 2000)) * MINUTE,
    )


def by_force(opened: Windows, taken: list[Windows], ask: Ask) -> dict[datetime, tuple[int, bool | None]]:
    """Every start of the grid, tried one by one."""
    found = {}
    start = DAYS[0]
    while start < DAYS[1]:
        end = start + ask.duration
        inside = any(first <= start and end <= last for first, last in opened.clip(*DAYS))
        free = sum(not any(first < end and start < last for first, last in one) for one in taken)
        by = ask.tell_by(start)
        if inside and free and start >= ask.earliest and (by is None or by >= ask.told_from):
            suits = None if ask.hours is None else any(a <= start and end <= b for a, b in ask.hours)
            found[start] = (free, suits)
        start += STEP
    return found


@given(times(), st.lists(times(), max_size=3), asks())
def test_slots_are_exactly_what_a_search_by_force_finds(opened: Windows, taken: list[Windows], ask: Ask) -> None:
    """Inside open times, free on as many resources as stated, not too soon, preparation can still be told."""
    found = find(opened, taken, ask)
    assert {slot.start: (slot.free, slot.suits) for slot in found.slots} == by_force(opened, taken, ask)
    assert found.opened == len(found.slots) + found.full + found.notice + found.prep


@given(times(), st.lists(times(), max_size=3), asks())
def test_no_slot_that_does_not_suit_stands_before_one_that_does(
    opened: Windows, taken: list[Windows], ask: Ask
) -> None:
    """The order is: suiting ones first; and the same question has the same answer, in the same order."""
    found = find(opened, taken, ask)
    unsuited = [slot.suits is False for slot in found.slots]
    assert unsuited == sorted(unsuited)
    assert find(opened, taken, ask) == found


@given(times(), st.lists(times(), max_size=3), asks())
def test_there_is_room_for_no_more_than_can_be_seated(opened: Windows, taken: list[Windows], ask: Ask) -> None:
    """What counts as room can be given away one after the other, without two on one resource at once."""
    within = opened.clip(*DAYS)
    seated, busy = 0, list(taken)
    for number in range(len(busy)):
        for first, last in within - busy[number]:
            at = first
            while at + ask.duration <= last:
                assert not busy[number].clip(at, at + ask.duration)
                busy[number] |= Windows.between(at, at + ask.duration)
                at += ask.duration
                seated += 1
    assert room(within, taken, ask.duration) == seated
