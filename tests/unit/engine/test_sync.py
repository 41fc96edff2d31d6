"""Appointments in a calendar that others change too, on a real CalDAV server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from caldav_server import PASSWORD, USER
from sqlalchemy import text

from commsched.engine.sync import REST_SECONDS, Sync
from commsched.store import queries
from commsched.store.messages import load_record

BOOKED = {"id": "A1", "service": "oil", "status": "booked", "booked_by": "staff", "calendar": "bay"}
START = datetime(2026, 6, 18, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULE = """\
rule: visit
why: "You made this appointment."
purpose: transactional
topic: visit
department: desk
trigger: {appointment: {status: [booked, confirmed]}}
steps:
  - {step: day, at: start - 24h, deadline: start - 2h, template: thanks, media: [email]}
  - {step: moved, at: changed, deadline: start - 1h, template: thanks, late: send, media: [email]}
  - {step: cancelled, at: changed, deadline: changed + 2d, template: thanks, late: send, media: [email]}
"""
CALENDAR = """
[[calendars]]
name = "{name}"
kind = "caldav"
url = "{url}"
user = "{user}"
password = "file:secret"
allow_private = true
write = true
"""


@pytest.fixture
def shop(caldav_server, garage, configuration, customer):
    """The small deployment with two calendars of its bays, and a customer; its store on each database in turn."""
    bays = "".join(CALENDAR.format(name=name, url=caldav_server.calendar(name), user=USER) for name in ("bay", "other"))
    made = garage(
        {"config/commsched.toml": configuration + bays, "config/rules/visit.yaml": RULE, "secret": PASSWORD + "\n"}
    )
    made.learn(*customer()[:2])
    return made


@pytest.fixture
def book(shop, fact):
    """An appointment is booked, or changed."""

    def booked(start=START, name="A1", **more):
        times = {"start": start.isoformat(), "end": (start + HOUR).isoformat()} if start else {}
        return shop.learn(fact("appointment", at=shop.clock.at.isoformat(), **{**BOOKED, "id": name, **times, **more}))

    return booked


def sync(shop):
    """One pass; what it did, in the order written, removed, moved, cancelled."""
    shop.clock.at += timedelta(minutes=1)
    done = shop.app.sync(shop.clock.at)
    return done.written, done.removed, done.moved, done.cancelled, done.problems


def standing(shop, customer="ann"):
    """The appointments as they stand: start, status, calendar."""
    with shop.store.read() as connection:
        wanted = text('SELECT id, "start", status, calendar FROM appointment WHERE customer = :c ORDER BY id')
        rows = connection.execute(wanted, {"c": customer})
        return {row.id: (datetime.fromtimestamp(row.start / 1e6, UTC), row.status, row.calendar) for row in rows}


NOTHING = (0, 0, 0, 0, [])


def test_a_booking_stands_in_the_calendar(shop, book, caldav_server):
    """With a name that says nothing; a second pass finds nothing to do."""
    book()
    assert sync(shop) == (1, 0, 0, 0, [])
    (name,) = caldav_server.names("bay")
    assert "ann" not in name
    words = caldav_server.text("bay", name)
    assert "SUMMARY:Oil change" in words
    assert "ann" not in words.lower().replace("-//commsched//en", "")
    assert "DTSTART:20260618T150000Z" in words
    assert sync(shop) == NOTHING


def test_what_is_changed_here_is_changed_there(shop, book, caldav_server):
    """Moved, called off, booked again; one that is over is left as a record."""
    book()
    sync(shop)
    (name,) = caldav_server.names("bay")
    book(START + HOUR)
    assert sync(shop)[:2] == (1, 0)
    assert "DTSTART:20260618T160000Z" in caldav_server.text("bay", name)
    book(None, status="cancelled")
    assert sync(shop)[:2] == (0, 1)
    assert caldav_server.names("bay") == []
    book()
    assert sync(shop)[:2] == (1, 0)
    assert caldav_server.names("bay") == [name]
    shop.clock.at = START + HOUR
    assert sync(shop) == NOTHING
    assert caldav_server.names("bay") == [name]


def test_moved_there_the_reminder_follows(shop, book, caldav_server):
    """Somebody drags the event: the appointment has moved, the reminder with it; who was told the old time is told."""
    book()
    sync(shop)
    shop.tick()
    assert planned(shop, "day") == [START - 24 * HOUR]
    (name,) = caldav_server.names("bay")
    caldav_server.change("bay", name, ("20260618T15", "20260620T17"), ("20260618T16", "20260620T18"))
    assert sync(shop) == (0, 0, 1, 0, [])
    later = datetime(2026, 6, 20, 17, tzinfo=UTC)
    assert standing(shop) == {"A1": (later, "booked", "bay")}
    shop.tick()
    assert planned(shop, "day") == [later - 24 * HOUR]
    assert sync(shop) == NOTHING
    assert "20260620T170000Z" in caldav_server.text("bay", name)
    shop.clock.at = later - 24 * HOUR
    shop.tick()
    caldav_server.change("bay", name, ("20260620T17", "20260624T17"), ("20260620T18", "20260624T18"))
    assert sync(shop) == (0, 0, 1, 0, [])
    shop.tick(hours=1)
    assert [call.key.split("/")[2] for call in shop.mail.calls] == ["day", "moved"]


def planned(shop, step):
    """When messages of a step are planned for."""
    with shop.store.read() as connection:
        found = [load_record(row.body) for row in queries.all_messages(connection)]
    return [one.at for one in found if one.step == step and one.state == "planned"]


@pytest.mark.parametrize("how", ["deleted", "struck out"])
def test_removed_there_it_is_cancelled(shop, book, caldav_server, how):
    """And no reminder goes. Booked anew, it stands there again."""
    book()
    sync(shop)
    shop.tick()
    (name,) = caldav_server.names("bay")
    if how == "deleted":
        caldav_server.delete("bay", name)
    else:
        caldav_server.change("bay", name, ("STATUS:CONFIRMED", "STATUS:CANCELLED"))
    assert sync(shop) == (0, 0, 0, 1, [])
    assert standing(shop)["A1"][1] == "cancelled"
    shop.tick(hours=72)
    assert "day" not in {call.key.split("/")[2] for call in shop.mail.calls}
    assert sync(shop) == NOTHING
    shop.clock.at = START - 48 * HOUR
    book(status="booked")
    assert sync(shop) == (1, 0, 0, 0, [])
    assert "STATUS:CONFIRMED" in caldav_server.text("bay", name)


def test_a_calendar_program_writes_it_its_own_way(shop, book, caldav_server):
    """With a zone of its own, across a clock change, and made to come again: the first time counts, by its clock."""
    book(datetime(2026, 10, 30, 15, tzinfo=UTC))
    sync(shop)
    (name,) = caldav_server.names("bay")
    zoned = "DTSTART;TZID=America/Chicago:20261102T100000"
    caldav_server.change(
        "bay",
        name,
        ("DTSTART:20261030T150000Z", f"{zoned}\nRRULE:FREQ=WEEKLY;COUNT=3"),
        ("DTEND:20261030T160000Z", "DTEND;TZID=America/Chicago:20261102T110000"),
    )
    assert sync(shop) == (0, 0, 1, 0, [])
    assert standing(shop)["A1"][0] == datetime(2026, 11, 2, 16, tzinfo=UTC)
    assert sync(shop) == NOTHING


def test_changed_on_both_sides_the_calendar_counts(shop, book, caldav_server):
    """Once, and then both rest."""
    book()
    sync(shop)
    (name,) = caldav_server.names("bay")
    caldav_server.change("bay", name, ("T150000Z", "T190000Z"), ("T160000Z", "T200000Z"))
    book(START + 24 * HOUR)
    assert sync(shop) == (0, 0, 1, 0, [])
    assert standing(shop)["A1"][0] == START + 4 * HOUR
    assert sync(shop) == NOTHING


def test_cancelled_here_and_moved_there_it_is_off(shop, book, caldav_server):
    """Nobody's drag brings back what the customer called off."""
    book()
    sync(shop)
    (name,) = caldav_server.names("bay")
    caldav_server.change("bay", name, ("T150000Z", "T190000Z"), ("T160000Z", "T200000Z"))
    book(None, status="cancelled")
    assert sync(shop) == (0, 1, 0, 0, [])
    assert caldav_server.names("bay") == []


def test_moved_to_another_calendar(shop, book, caldav_server):
    """Dragged from one bay to the other, in place and time: it is not cancelled, and belongs there from now on."""
    book()
    sync(shop)
    (name,) = caldav_server.names("bay")
    words = caldav_server.text("bay", name).replace("T150000Z", "T151000Z")
    caldav_server.delete("bay", name)
    assert caldav_server.ask("PUT", f"{caldav_server.root}other/{name}.ics", words.encode())[0] == 201
    assert sync(shop) == (0, 0, 1, 0, [])
    assert standing(shop) == {"A1": (START + timedelta(minutes=10), "booked", "other")}
    assert sync(shop) == NOTHING
    assert (caldav_server.names("bay"), caldav_server.names("other")) == ([], [name])


def test_assigned_to_another_calendar_here(shop, book, caldav_server):
    """It leaves the one and stands in the other."""
    book()
    sync(shop)
    book(calendar="other")
    assert sync(shop)[:2] == (1, 1)
    assert sync(shop) == NOTHING
    assert (len(caldav_server.names("bay")), len(caldav_server.names("other"))) == (0, 1)


def test_an_unreadable_calendar_says_nothing(shop, book, caldav_server):
    """While the server is down nothing is cancelled, and it is said; back again, everything goes on."""
    book()
    sync(shop)
    caldav_server.stop()
    book(START + HOUR)
    *done, problems = sync(shop)
    assert done == [0, 0, 0, 0]
    assert len(problems) == 2
    assert "the calendar bay: it cannot be read, so nothing is concluded from it" in problems[0]
    assert standing(shop)["A1"][1] == "booked"
    caldav_server.start()
    assert sync(shop) == NOTHING  # it rests for a while
    shop.app._sync.seconds = lambda: shop.clock.at.timestamp() + 1e9
    assert sync(shop) == (1, 0, 0, 0, [])


def test_a_calendar_that_is_suddenly_empty_says_nothing(shop, book, caldav_server):
    """All of three at once is a server that lost its data, or somebody at the wrong button: nobody is cancelled."""
    for number in range(3):
        book(START + number * 2 * HOUR, f"A{number}")
    sync(shop)
    names = caldav_server.names("bay")
    for name in names[:2]:
        caldav_server.delete("bay", name)
    assert sync(shop) == (0, 0, 0, 2, [])
    for number in (3, 4):
        book(START + number * 2 * HOUR, f"A{number}")
    assert sync(shop)[0] == 2
    for name in caldav_server.names("bay"):
        caldav_server.delete("bay", name)
    book(START + 10 * HOUR, "A5")
    *done, problems = sync(shop)
    assert done == [1, 0, 0, 0]
    assert "3 of the 3 appointments that stood in it have vanished at once" in problems[0]
    assert sum(status == "booked" for _, status, _ in standing(shop).values()) == 4
    with shop.store.read() as connection:
        noted = connection.execute(text("SELECT value FROM setting WHERE name = 'calendar_problem:bay'")).scalar_one()
    assert "vanished" in noted


def test_while_they_are_gone_time_cancels_nobody(shop, book, caldav_server):
    """Of three that vanished the first begins: the two that are left are no decision of anybody's either."""
    for number in range(3):
        book(START + number * 2 * HOUR, f"A{number}")
    sync(shop)
    for name in caldav_server.names("bay"):
        caldav_server.delete("bay", name)
    sync(shop)
    shop.clock.at = START + HOUR
    shop.app._sync.seconds = lambda: shop.clock.at.timestamp() + 1e9
    *done, problems = sync(shop)
    assert done == [0, 0, 0, 0]
    assert "2 of the 2 appointments" in problems[0]
    assert {status for _, status, _ in standing(shop).values()} == {"booked"}


def test_an_outage_in_between_cancels_nobody_either(shop, book, caldav_server):
    """What vanished is remembered for itself, not by the problem that is told, which an outage replaces."""
    for number in range(3):
        book(START + number * 2 * HOUR, f"A{number}")
    sync(shop)
    for name in caldav_server.names("bay"):
        caldav_server.delete("bay", name)
    shop.app._sync.seconds = lambda: shop.clock.at.timestamp() * 1e3
    sync(shop)
    caldav_server.stop()
    sync(shop)
    caldav_server.start()
    shop.clock.at = START + HOUR
    assert sync(shop)[3] == 0
    assert {status for _, status, _ in standing(shop).values()} == {"booked"}


def test_a_pass_that_takes_long_goes_on_in_the_next(shop, book, caldav_server):
    """Each look at the clock finds it a minute on: one event a pass is written, and in the end all of them."""
    for number in range(3):
        book(START + number * 2 * HOUR, f"A{number}")
    clock = iter(range(0, 100_000, 60))
    shop.app._sync.seconds = lambda: float(next(clock))
    assert [sync(shop)[0] for _ in range(4)] == [1, 1, 1, 0]
    assert len(caldav_server.names("bay")) == 3


def test_one_that_is_left_makes_it_no_likelier(shop, book, caldav_server):
    """A server that was put back to an older state still has one of six: the other five are not off."""
    for number in range(6):
        book(START + number * 2 * HOUR, f"A{number}")
    sync(shop)
    for name in caldav_server.names("bay")[1:]:
        caldav_server.delete("bay", name)
    *done, problems = sync(shop)
    assert done == [0, 0, 0, 0]
    assert "5 of the 6 appointments that stood in it have vanished at once" in problems[0]


def test_while_some_are_held_the_rest_goes_on(shop, book, caldav_server):
    """What is booked is written, what is moved there is learnt, what is called off is taken away: each minute."""
    for number in range(5):
        book(START + number * 2 * HOUR, f"A{number}")
    sync(shop)
    by_start = {caldav_server.text("bay", name).partition("DTSTART:")[2][:11]: name for name in names(caldav_server)}
    for start in ("20260618T15", "20260618T17", "20260618T19"):
        caldav_server.delete("bay", by_start[start])
    assert sync(shop)[:4] == (0, 0, 0, 0)
    book(START + 10 * HOUR, "A5")
    book(None, "A4", status="cancelled")
    caldav_server.change("bay", by_start["20260618T21"], ("T210000Z", "T213000Z"), ("T220000Z", "T223000Z"))
    *done, problems = sync(shop)
    assert done == [1, 1, 1, 0]
    assert "3 of the 4 appointments that stood in it have vanished at once" in problems[0]
    assert standing(shop)["A3"][0] == START + 6 * HOUR + HOUR / 2
    assert [status for _, status, _ in standing(shop).values()] == ["booked"] * 4 + ["cancelled", "booked"]


def test_who_is_held_is_let_go_one_by_one(shop, book, caldav_server):
    """There again, or cancelled here; another that somebody removes when most are there again is off."""
    for number in range(6):
        book(START + number * 2 * HOUR, f"A{number}")
    sync(shop)
    kept = {name: caldav_server.text("bay", name) for name in names(caldav_server)[:4]}
    for name in kept:
        caldav_server.delete("bay", name)
    assert "4 of the 6" in sync(shop)[4][0]
    for name in list(kept)[:2]:
        caldav_server.ask("PUT", f"{caldav_server.root}bay/{name}.ics", kept[name].encode())
    assert "2 of the 6" in sync(shop)[4][0]
    for number in range(6, 12):
        book(START + number * 2 * HOUR, f"A{number}")
    assert sync(shop)[0] == 6
    caldav_server.delete("bay", next(name for name in names(caldav_server) if name in kept))
    *done, problems = sync(shop)
    assert done == [0, 0, 0, 1]
    assert "2 of the 12" in problems[0] or "2 of the 11" in problems[0]
    for name in list(kept)[2:]:
        caldav_server.ask("PUT", f"{caldav_server.root}bay/{name}.ics", kept[name].encode())
    assert sync(shop)[3:] == (0, [])


def test_a_calendar_that_goes_bit_by_bit_cancels_nobody_more(shop, book, caldav_server):
    """Most have vanished; when the last ones follow, one at a time, they are held like the others."""
    for number in range(6):
        book(START + number * 2 * HOUR, f"A{number}")
    sync(shop)
    for name in names(caldav_server)[:4]:
        caldav_server.delete("bay", name)
    assert sync(shop)[3] == 0
    for name in names(caldav_server):
        caldav_server.delete("bay", name)
        assert sync(shop)[3] == 0
    assert {status for _, status, _ in standing(shop).values()} == {"booked"}


def names(server):
    """The events in the first calendar."""
    return server.names("bay")


def test_an_event_that_is_in_the_way_is_not_written_over(shop, book, caldav_server):
    """Somebody changes the event between our look and our word: the next pass sees what they did."""
    book()
    sync(shop)
    (name,) = caldav_server.names("bay")
    calendar = shop.app.calendars["bay"]
    (before,) = calendar.entries((START - HOUR, START + HOUR), shop.clock.at)
    caldav_server.change("bay", name, ("T150000Z", "T153000Z"))
    book(START + HOUR)
    real, calendar.entries = calendar.entries, lambda *_: [before]
    assert sync(shop) == NOTHING
    calendar.entries = real
    assert sync(shop) == (0, 0, 1, 0, [])
    assert standing(shop)["A1"][0] == START + HOUR / 2


def test_what_is_not_ours_is_left_alone(shop, book, caldav_server):
    """Other events, and ours of another deployment, are nobody's appointments."""
    for name in ("staff-meeting", "f00d@commsched"):
        times = "DTSTAMP:20260101T000000Z\nDTSTART:20260618T100000Z\nDURATION:PT1H\n"
        caldav_server.put("bay", name, f"BEGIN:VEVENT\nUID:{name}\n{times}END:VEVENT\n")
    book(calendar=None)
    assert sync(shop) == NOTHING
    assert caldav_server.names("bay") == ["f00d@commsched", "staff-meeting"]


def test_a_calendar_that_fails_rests_and_keeps_nobody_from_theirs(shop, book, caldav_server):
    """The other calendar is written to meanwhile."""
    book(calendar="other")
    clock = [0.0]
    one = Sync(shop.store, shop.app.calendars, shop.app.services, lambda *_, **__: None, lambda: clock[0])
    shop.app.calendars["bay"].entries = failing = Failing()
    assert one.run(shop.clock.at).written == 1
    clock[0] = REST_SECONDS - 1
    one.run(shop.clock.at)
    assert failing.asked == 1
    clock[0] = REST_SECONDS
    one.run(shop.clock.at)
    assert failing.asked == 2


class Failing:
    """A reading that raises what nobody expects, and counts."""

    def __init__(self):
        self.asked = 0

    def __call__(self, *_):
        self.asked += 1
        raise ZeroDivisionError
