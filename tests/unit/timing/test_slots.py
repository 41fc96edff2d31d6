"""Slots: what is free, in which order it is offered, and what is counted of the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from commsched import NEVER, Windows, zone
from commsched.timing.slots import Ask, cells, find, room, span_of

CHICAGO = zone("America/Chicago")
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO).astimezone(UTC)


def between(day: str, first: str, last: str) -> Windows:
    return Windows.between(at(f"{day} {first}"), at(f"{day} {last}"))


MONDAY, TUESDAY = "2026-12-07", "2026-12-08"
OPEN = between(MONDAY, "08:00", "12:00") | between(TUESDAY, "08:00", "17:00")
ASK = Ask(HOUR, (at(f"{MONDAY} 00:00"), at("2026-12-09 00:00")), at(f"{MONDAY} 00:00"), CHICAGO)


def starts(found):
    return [f"{slot.start.astimezone(CHICAGO):%a %H:%M}" for slot in found.slots]


def test_the_soonest_come_first_spread_over_half_days():
    """Each half-day's first time stands before any half-day's second."""
    found = find(OPEN, [NEVER], ASK)
    assert starts(found)[:6] == ["Mon 08:00", "Tue 08:00", "Tue 12:00", "Mon 08:15", "Tue 08:15", "Tue 12:15"]
    assert starts(find(OPEN, [NEVER], replace(ASK, spread=False)))[:3] == ["Mon 08:00", "Mon 08:15", "Mon 08:30"]


def test_the_nearest_to_a_wanted_time_come_first():
    """Of two that are equally near, the earlier."""
    found = find(OPEN, [NEVER], replace(ASK, near=at(f"{TUESDAY} 10:00"), spread=False))
    assert starts(found)[:3] == ["Tue 10:00", "Tue 09:45", "Tue 10:15"]


def test_what_suits_the_customer_comes_first_and_the_rest_is_flagged():
    """Times outside the stated hours are free all the same; they say that they do not suit."""
    found = find(OPEN, [NEVER], replace(ASK, hours=between(TUESDAY, "15:00", "16:30")))
    assert starts(found)[:4] == ["Tue 15:00", "Tue 15:15", "Tue 15:30", "Mon 08:00"]
    assert [slot.suits for slot in found.slots[:4]] == [True, True, True, False]
    assert found.unsuited == len(found.slots) - 3


def test_a_slot_is_free_as_long_as_one_resource_is_for_all_of_it():
    """Two resources that are each busy for half of it do not make one that is free."""
    first, second = between(MONDAY, "08:00", "10:00"), between(MONDAY, "10:00", "12:00")
    day = replace(ASK, within=(at(f"{MONDAY} 00:00"), at(f"{TUESDAY} 00:00")))
    found = find(OPEN, [first, second], replace(day, duration=2 * HOUR))
    assert starts(found) == ["Mon 08:00", "Mon 10:00"]
    assert [slot.free for slot in found.slots] == [1, 1]
    assert found.full == found.opened - 2


def test_notice_and_preparation_take_times_away_and_are_counted():
    """What is too soon, and what leaves no time to tell of a preparation, is counted under its own name."""
    early = replace(ASK, earliest=at(f"{MONDAY} 10:00"))
    assert find(OPEN, [NEVER], early).notice == 8
    told = replace(ASK, told_from=at(f"{MONDAY} 09:00"), tell_by=lambda start: start - 24 * HOUR)
    found = find(OPEN, [NEVER], told)
    assert found.prep == 13 + 4
    assert starts(found)[0] == "Tue 09:00"


def test_times_lie_on_quarters_and_cells_are_whole():
    """A window that opens at an odd minute begins with the next quarter; a span takes every cell that it touches."""
    odd = Windows.between(at(f"{MONDAY} 08:01"), at(f"{MONDAY} 09:29"))
    assert starts(find(odd, [NEVER], ASK)) == ["Mon 08:15"]
    first, last = cells(at(f"{MONDAY} 09:02"), at(f"{MONDAY} 09:47"))
    assert span_of(first, last) == (at(f"{MONDAY} 09:00"), at(f"{MONDAY} 09:50"))
    assert last - first == 10


@pytest.mark.parametrize(("taken", "expected"), [((), 0), ((NEVER,), 13), ((NEVER, OPEN), 13), ((NEVER, NEVER), 26)])
def test_room_counts_what_fits_one_after_the_other(taken, expected):
    """Thirteen open hours hold thirteen appointments of an hour on each free resource."""
    assert room(OPEN, taken, HOUR) == expected
