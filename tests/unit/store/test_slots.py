"""What appointments take of their calendars, however their facts come; on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from commsched.errors import SlotTaken, StoreError
from commsched.store import queries, slots
from commsched.store.ledgers import append
from commsched.store.slots import Resources

NINE = "2026-07-01T14:00:00Z"
SPAN = (datetime.fromisoformat(NINE), datetime.fromisoformat(NINE) + timedelta(minutes=45))


@pytest.fixture
def bays(store, noon):
    """A store that knows of a calendar with two places, and of a service of 45 minutes."""
    with store.write() as connection:
        slots.remember(connection, Resources({"bays": 2}, {"oil": 45}, {"oil": "bays"}), noon)
    return store


@pytest.fixture
def booked(fact):
    """An appointment on 1 July at nine in Chicago, that somebody has booked."""

    def made(name="a1", customer="ann", **fields):
        values = {"service": "oil", "start": NINE, "status": "booked", "calendar": "bays", **fields}
        return fact("appointment", id=name, customer=customer, **values)

    return made


def tell(store, resources, now):
    """Say what there is to book, as a start or a reload does."""
    with store.write() as connection:
        slots.remember(connection, resources, now)


def held(store):
    """Resource and length in cells of every appointment that takes something; ``None`` where there was no room."""
    with store.read() as connection:
        rows = connection.execute(text("SELECT appointment, resource, first, last FROM slot")).all()
        cells = connection.execute(text("SELECT appointment, resource, count(*) FROM cell GROUP BY 1, 2")).all()
    found = {row[0]: (row[1], row[3] - row[2]) for row in rows}
    assert {(a, r): n for a, r, n in cells} == {(a, r): n for a, (r, n) in found.items() if r is not None}
    return found


def test_two_take_the_two_places_and_a_third_is_overbooked(bays, booked, learn):
    """Facts that are imported are never refused: the third says what is, and has no place."""
    learn(bays, booked("a1"), booked("a2", "bob"), booked("a3", "cy"))
    assert held(bays) == {"a1": ("bays#1", 9), "a2": ("bays#2", 9), "a3": (None, 9)}
    with bays.read() as connection:
        assert [row.appointment for row in queries.overbooked(connection, ["bays"], 0)] == ["a3"]


def test_a_place_that_is_given_back_goes_to_who_was_overbooked(bays, booked, learn, fact):
    """Calling off one appointment seats the next in the same transaction."""
    learn(bays, booked("a1"), booked("a2", "bob"), booked("a3", "cy"))
    learn(bays, fact("appointment", id="a1", at="2026-06-01T12:00:00Z", status="cancelled"))
    assert held(bays) == {"a2": ("bays#2", 9), "a3": ("bays#1", 9)}


def test_where_no_calendar_is_named_that_of_the_service_counts(bays, booked, learn):
    """What other systems export seldom knows of our calendars."""
    learn(bays, booked("a1", calendar=None))
    assert held(bays) == {"a1": ("bays#1", 9)}


def test_a_move_that_names_no_end_takes_as_much_as_before(bays, booked, learn, fact):
    learn(bays, booked("a1", end="2026-07-01T14:45:00Z"))
    learn(bays, fact("appointment", id="a1", at="2026-06-01T12:00:00Z", start="2026-06-29T14:35:00Z"))
    assert held(bays) == {"a1": ("bays#1", 9)}


@pytest.mark.parametrize("status", ["proposed", "cancelled", "completed", "no_show"])
def test_what_does_not_hold_takes_nothing(bays, booked, learn, fact, status):
    """Proposals hold no capacity, and what is over or off gives it back."""
    learn(bays, booked(status=status))
    assert held(bays) == {}
    learn(bays, fact("appointment", id="a1", at="2026-06-01T12:00:00Z", status="confirmed"))
    assert held(bays) == {"a1": ("bays#1", 9)}
    learn(bays, fact("appointment", id="a1", at="2026-06-02T12:00:00Z", status=status))
    assert held(bays) == {}


def test_a_moved_appointment_frees_the_old_time_and_takes_the_new(bays, booked, learn, fact):
    """Its end is its own, not the service's; what it left can be booked by others."""
    learn(bays, booked("a1"))
    later = {"start": "2026-07-01T16:00:00Z", "end": "2026-07-01T17:32:00Z"}
    learn(bays, fact("appointment", id="a1", at="2026-06-01T12:00:00Z", **later))
    assert held(bays) == {"a1": ("bays#1", 19)}
    learn(bays, booked("a2", "bob"))
    assert held(bays)["a2"] == ("bays#1", 9)


def test_appointments_elsewhere_or_past_take_nothing(bays, booked, learn, noon):
    """A service that has no calendar, an unknown one, or a time that is over: no cells."""
    over = {"start": "2026-06-01T14:00:00Z", "end": "2026-06-01T15:00:00Z"}
    learn(bays, booked("a1", calendar=None, service="talk"), booked("a2", calendar="roof"), booked("a3", **over))
    assert held(bays) == {}


def test_a_past_appointment_that_is_moved_ahead_takes_its_place(bays, booked, learn, fact, noon):
    """What once held a time that has passed holds the new one."""
    learn(bays, booked("a1"))
    august = noon + timedelta(days=60)
    moved = fact("appointment", id="a1", at="2026-08-10T12:00:00Z", start="2026-09-01T14:00:00Z")
    learn(bays, moved, now=august)
    assert held(bays) == {"a1": ("bays#1", 9)}


def test_the_same_facts_again_change_nothing(bays, booked, learn):
    """Places are kept by who has them."""
    learn(bays, booked("a1"), booked("a2", "bob"))
    before = held(bays)
    learn(bays, booked("a1"), booked("a2", "bob"))
    assert held(bays) == before


def test_another_capacity_seats_everybody_afresh(bays, booked, learn, noon):
    """What was booked before the resources were known, or while there were fewer, takes its place then."""
    learn(bays, booked("a1"), booked("a2", "bob"), booked("a3", "cy"))
    with bays.write() as connection:
        slots.remember(connection, Resources({"bays": 3}, {"oil": 45}), noon)
    assert {name: resource for name, (resource, _) in held(bays).items()} == {
        "a1": "bays#1",
        "a2": "bays#2",
        "a3": "bays#3",
    }
    with bays.write() as connection:
        slots.remember(connection, Resources({"bays": 1}, {"oil": 45}), noon)
    assert [resource for resource, _ in held(bays).values()].count(None) == 2
    with bays.write() as connection:
        slots.remember(connection, Resources({}, {}), noon)
    assert held(bays) == {}


def test_what_is_over_or_was_elsewhere_is_seated_afresh_too(bays, booked, learn, fact, noon):
    """Where capacity and length change at once, and where an appointment moved while its calendar was not known."""
    learn(bays, booked("a1", calendar=None))
    later = datetime.fromisoformat(NINE) + timedelta(minutes=50)
    tell(bays, Resources({"bays": 3}, {"oil": 60}, {"oil": "bays"}), later)
    assert held(bays) == {"a1": ("bays#1", 12)}
    tell(bays, Resources(), later + timedelta(hours=2))
    moved = fact("appointment", id="a1", at="2026-07-01T18:00:00Z", start="2026-07-10T14:00:00Z")
    learn(bays, moved, now=later + timedelta(hours=4))
    tell(bays, Resources({"bays": 2}, {"oil": 60}, {"oil": "bays"}), later + timedelta(hours=5))
    assert held(bays) == {"a1": ("bays#1", 12)}


def test_what_was_stored_before_its_calendar_was_known_takes_its_place_then(store, booked, learn, noon):
    """Appointments that name no calendar too, when the service is said to be done at one, or a calendar is declared."""
    learn(store, booked("a1"), booked("a2", "bob", calendar=None), booked("a3", "cy", calendar=None, service="tyres"))
    assert held(store) == {}
    tell(store, Resources({"bays": 2}, {"oil": 45}, {"oil": "bays"}), noon)
    assert held(store) == {"a1": ("bays#1", 9), "a2": ("bays#2", 9)}
    tell(store, Resources({"bays": 2, "yard": 1}, {"oil": 45, "tyres": 30}, {"oil": "bays", "tyres": "yard"}), noon)
    assert held(store) == {"a1": ("bays#1", 9), "a2": ("bays#2", 9), "a3": ("yard#1", 6)}


def test_what_follows_its_service_moves_and_grows_with_it(bays, booked, learn, noon):
    """A service that is done elsewhere, or takes longer, takes those along of which nothing else was said."""
    said = booked("a2", "bob", end="2026-07-01T14:20:00Z")
    learn(bays, booked("a1", calendar=None), said, booked("a3", "cy", calendar=None, status="cancelled"))
    tell(bays, Resources({"bays": 2}, {"oil": 60}, {"oil": "bays"}), noon)
    assert held(bays) == {"a1": ("bays#1", 12), "a2": ("bays#2", 4)}
    tell(bays, Resources({"bays": 2, "yard": 1}, {"oil": 60}, {"oil": "yard"}), noon)
    assert held(bays) == {"a1": ("yard#1", 12), "a2": ("bays#2", 4)}


def test_a_closed_resource_is_given_last(bays, booked, learn, noon):
    """A fact takes the place that is open; a booking that asks is refused where only closed ones are left."""
    with bays.write() as connection:
        when = {"start": 0, "end": 2**52}
        queries.add_closure(connection, id="CL", calendar="bays", resource="bays#1", reason="", by="sam", at=0, **when)
    learn(bays, booked("a1"))
    assert held(bays) == {"a1": ("bays#2", 9)}
    with pytest.raises(SlotTaken), bays.write() as connection:
        slots.require_free(connection, "bays", SPAN)
    learn(bays, booked("a2", "bob"))
    assert held(bays)["a2"] == ("bays#1", 9)


def test_a_move_counts_its_own_time_as_free(bays, booked, learn):
    """An appointment may be moved by a quarter of an hour on a calendar that is otherwise full."""
    learn(bays, booked("a1"), booked("a2", "bob"))
    with bays.write() as connection:
        slots.require_free(connection, "bays", SPAN, leaving=("ann", "a1"))
    with pytest.raises(SlotTaken), bays.write() as connection:
        slots.require_free(connection, "bays", SPAN)


def test_the_database_itself_lets_nobody_take_a_cell_twice(bays, booked, learn):
    """The key of the table is the last word."""
    learn(bays, booked("a1"))
    twice = [{"customer": "x", "appointment": "x", "calendar": "bays", "resource": "bays#1"}]
    with bays.read() as connection:
        row = connection.execute(text("SELECT first, last FROM slot")).one()
    with pytest.raises(StoreError) as error, bays.write() as connection:
        queries.put_slots(connection, [{**twice[0], "first": row.last - 1, "last": row.last + 3}])
    assert isinstance(error.value.__cause__, IntegrityError)
    assert set(held(bays)) == {"a1"}


def test_of_eight_who_book_at_once_two_get_the_two_places(bays, booked, open_store, noon):
    """Each asks and appends in one transaction of its own connection; six are told that the time is taken."""
    everybody = Barrier(8)

    def book(number):
        fact = booked(f"a{number}", f"c{number}")
        one = open_store()
        everybody.wait()
        try:
            with one.write() as connection:
                queries.lock_ledgers(connection, {f"c:c{number}"})
                slots.require_free(connection, "bays", SPAN)
                append(connection, [(f"c:c{number}", fact)], noon)
        except SlotTaken:
            return "taken"
        return "booked"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(book, range(8)))
    assert sorted(outcomes) == ["booked"] * 2 + ["taken"] * 6
    assert sorted(resource for resource, _ in held(bays).values()) == ["bays#1", "bays#2"]


def test_a_database_that_knew_of_no_resources_is_caught_up(store, booked, learn, noon):
    """What was booked before anybody said what there is to book takes its place then."""
    learn(store, *[booked(f"a{number}", f"c{number}") for number in range(3)])
    assert held(store) == {}
    with store.write() as connection:
        slots.remember(connection, Resources({"bays": 2}, {"oil": 45}), noon)
    assert [resource for resource, _ in held(store).values()] == ["bays#1", "bays#2", None]


def test_many_at_once_are_seated_as_one_by_one(bays, booked, learn):
    """A file of two hundred appointments in a row fills both places, cell after cell, and nobody is overbooked."""
    first = datetime.fromisoformat("2026-07-01T00:00:00Z")
    starts = [(first + number // 2 * timedelta(minutes=45)).isoformat() for number in range(200)]
    learn(bays, *[booked(f"a{n:03}", f"c{n:03}", start=start) for n, start in enumerate(starts)])
    found = held(bays)
    assert len(found) == 200
    assert [resource for resource, _ in found.values()].count("bays#1") == 100
    assert None not in {resource for resource, _ in found.values()}
