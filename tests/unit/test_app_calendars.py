"""Calendars of a deployment: whose make the world, when it is another one, and what waits while one cannot be read."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from calendar_site import CALENDAR, say

from commsched.app import App
from commsched.check.steps import calendar_problems
from commsched.cli.health import examine
from commsched.engine.clock import SetClock
from commsched.errors import SlotTaken
from commsched.store import queries, slots
from commsched.store.ledgers import load

DAY = timedelta(days=1)
MORE = """
[[calendars]]
name = "hours"
kind = "ics_url"
url = "{url}"
allow_private = true
timeout = 5
max_age = "2d"

[[calendars]]
name = "bays"
kind = "ics_file"
path = "bays.ics"

[[policies]]
kind = "business_hours"
"""
FOUR = CALENDAR.replace(b"T140000Z", b"T160000Z").replace(b"T150000Z", b"T170000Z")


@pytest.fixture
def shop(garage, configuration, site):
    """The small deployment with two calendars, of which its department has one."""
    text = configuration.replace('title = "Desk"', 'title = "Desk"\ncalendar = "hours"') + MORE.format(url=site.url)
    return garage({"config/commsched.toml": text, "bays.ics": CALENDAR.decode().replace("\r\n", "\n")})


def world(shop):
    """The world as it stands, its calendars read again."""
    shop.app.reader.forget()
    with shop.store.read() as connection:
        return shop.app.world(connection)


def test_the_world_has_the_calendars_that_departments_name(shop, site):
    """A change in a resource's calendar is no change of the world; one in a department's is; reading again is none."""
    first = world(shop)
    assert set(first.calendars) == {"hours"}
    shop.clock.at += timedelta(minutes=20)
    (shop.app.folder / "bays.ics").write_text(FOUR.decode())
    again = world(shop)
    assert again.hash == first.hash
    assert again.calendars["hours"].taken_at > first.calendars["hours"].taken_at
    site.answer = lambda handler: say(handler, 500)
    assert world(shop).hash == first.hash
    site.answer = lambda handler: say(handler, 200, FOUR)
    assert world(shop).hash != first.hash


def test_any_calendar_can_be_asked(shop, site):
    """Also one that no department names; one that cannot be read says so and is not open."""
    at = datetime.fromisoformat("2026-06-15T14:00:00+00:00")
    within = (at - timedelta(hours=1), at + timedelta(hours=2))
    assert shop.app.snapshot("bays", within, shop.clock.at).open.spans[0] == (within[0], at)
    (shop.app.folder / "bays.ics").write_text("hello")
    lost = shop.app.snapshot("bays", within, shop.clock.at)
    assert lost.stale
    assert not lost.usable
    assert "bays.ics" in lost.problem


def test_what_depends_on_a_calendar_waits_and_goes_when_it_can(shop, site, customer):
    """The last good copy serves for two days; then the message waits, says since when, and goes after all."""
    world(shop)
    read = shop.clock.at
    site.answer = lambda handler: say(handler, 503)
    shop.clock.at += DAY
    shop.app.reader.forget()
    shop.learn(*customer("bob", at=shop.clock.at))
    assert shop.tick(minutes=5).sent == 1
    shop.clock.at = read + 2 * DAY + timedelta(minutes=5)
    shop.app.reader.forget()
    shop.learn(*customer("cal", at=shop.clock.at))
    assert shop.tick(minutes=5).sent == 0
    waiting = shop.messages["cal/say"]
    assert (waiting.state, waiting.final) == ("refused", False)
    assert waiting.reasons == (
        ("business_hours", "business_hours", "the calendar hours of Desk could not be read since 2026-06-15 12:00"),
    )
    finding = next(one for one in examine(shop.app) if one.what == "calendar" and "hours" in one.says)
    assert not finding.ok
    assert finding.says == "hours cannot be read: The server answered 503."
    assert "It was read last on" in finding.do
    (problem,) = calendar_problems(shop.app)
    assert problem.message == "the calendar hours cannot be read: The server answered 503."
    site.answer = lambda handler: say(handler, 200, CALENDAR)
    shop.app.reader.forget()
    shop.clock.at += DAY
    shop.loop.sweep(shop.clock.at, 100)
    assert shop.tick().sent == 1


def test_a_new_process_has_the_copy_of_the_last(shop, site, store):
    """The copy outlives whoever took it."""
    opened = world(shop).calendars["hours"].open
    site.answer = lambda handler: say(handler, 500)
    other = App(shop.app.folder, clock=SetClock(shop.clock.at + DAY), store=store)
    with store.read() as connection:
        copy = other.world(connection).calendars["hours"]
    assert (copy.stale, copy.open, copy.since) == (True, opened, shop.clock.at)


def test_what_there_is_to_book_is_written_down_before_the_facts(shop, fact):
    """In a transaction of its own, since it locks calendars and facts lock ledgers first: it outlasts a refusal."""

    def refuse(_connection):
        raise SlotTaken

    with shop.store.write() as connection:
        queries.put_setting(connection, slots.RESOURCES, "{}")
    assert shop.app._resources != slots.Resources()
    with pytest.raises(SlotTaken):
        shop.app.record([("c:ann", fact("customer", name="Ann"))], refuse)
    with shop.store.read() as connection:
        assert slots.known(connection) == shop.app._resources
        assert load(connection, ["ann"])["ann"].ledger.entries == ()
