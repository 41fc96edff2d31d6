"""A calendar on a real CalDAV server: what its events leave open, what is written to it, and when it is down."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from caldav_server import PASSWORD, USER
from calendar_site import Site, say

from commsched import Booking, CommschedError, OutOfStep, Unreachable, Unreadable, Windows, zone
from commsched.builtin.calendars.caldav import CalDav, CalDavSettings

CHICAGO = zone("America/Chicago")
NOW = datetime(2026, 10, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MEETING = """BEGIN:VEVENT
UID:meeting
DTSTAMP:20260101T000000Z
DTSTART;TZID=America/Chicago:20261020T120000
DTEND;TZID=America/Chicago:20261020T130000
RRULE:FREQ=WEEKLY;BYDAY=TU
EXDATE;TZID=America/Chicago:20261110T120000
END:VEVENT
BEGIN:VEVENT
UID:meeting
DTSTAMP:20260101T000000Z
RECURRENCE-ID;TZID=America/Chicago:20261117T120000
DTSTART;TZID=America/Chicago:20261118T080000
DTEND;TZID=America/Chicago:20261118T090000
END:VEVENT
BEGIN:VEVENT
UID:meeting
DTSTAMP:20260101T000000Z
RECURRENCE-ID;TZID=America/Chicago:20261124T120000
DTSTART;TZID=America/Chicago:20261124T120000
DTEND;TZID=America/Chicago:20261124T130000
STATUS:CANCELLED
END:VEVENT
"""
BOOKING = Booking("a1b2@commsched", NOW + 30 * HOUR, NOW + 31 * HOUR, "Oil change")
WITHIN = (NOW, NOW + 40 * 24 * HOUR)


def local(windows: Windows) -> list[str]:
    return [f"{a.astimezone(CHICAGO):%m-%d %H:%M}/{b.astimezone(CHICAGO):%m-%d %H:%M}" for a, b in windows]


def event(uid: str, start: str, end: str, *more: str) -> str:
    head = ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"DTSTART{start}", f"DTEND{end}"]
    return "\n".join([*head, *more, "END:VEVENT", ""])


@pytest.fixture
def calendar(caldav_server, tmp_path):
    """The calendar "bay" on that server."""
    url = caldav_server.calendar("bay")

    def made(**settings: Any) -> CalDav:
        values = {"url": url, "user": USER, "password": PASSWORD, "allow_private": True, "mode": "open"} | settings
        return CalDav(CalDavSettings.model_validate(values), name="bay", folder=tmp_path, zone=CHICAGO)

    return made


def test_recurring_events_follow_the_clock_of_their_zone(caldav_server, calendar):
    """Noon stays noon over a clock change; left-out, moved and cancelled instances are respected."""
    caldav_server.put("bay", "meeting", MEETING)
    assert local(calendar().snapshot(WITHIN, NOW).open) == [
        "10-20 12:00/10-20 13:00",
        "10-27 12:00/10-27 13:00",
        "11-03 12:00/11-03 13:00",
        "11-18 08:00/11-18 09:00",
    ]


def test_every_kind_of_time(caldav_server, calendar):
    """Whole days, floating times, times in other zones, those that take no time, one that began long ago."""
    caldav_server.put("bay", "day", event("day", ";VALUE=DATE:20261101", ";VALUE=DATE:20261102"))
    caldav_server.put("bay", "floating", event("floating", ":20261102T090000", ":20261102T100000"))
    zoned = (";TZID=Europe/Berlin:20261103T120000", ";TZID=Europe/Berlin:20261103T130000")
    caldav_server.put("bay", "berlin", event("berlin", *zoned))
    caldav_server.put("bay", "free", event("free", ":20261104T150000Z", ":20261104T160000Z", "TRANSP:TRANSPARENT"))
    caldav_server.put("bay", "long", event("long", ":20250101T000000Z", ":20261021T050000Z"))
    assert local(calendar().snapshot(WITHIN, NOW).open) == [
        "10-20 07:00/10-21 00:00",
        "11-01 00:00/11-02 00:00",
        "11-02 09:00/11-02 10:00",
        "11-03 05:00/11-03 06:00",
    ]


def test_it_is_only_read_again_when_it_has_changed(caldav_server, calendar, tmp_path):
    """The server's word for its state spares a large answer; any change is seen at once."""
    caldav_server.put("bay", "one", event("one", ":20261104T150000Z", ":20261104T160000Z"))
    first, again = calendar().snapshot(WITHIN, NOW), calendar().snapshot(WITHIN, NOW + HOUR)
    assert (again.open, again.taken_at) == (first.open, NOW + HOUR)
    (copy,) = (tmp_path / "var" / "calendars").iterdir()
    copy.write_bytes(copy.read_bytes().replace(b'"documents":[[', b'"documents":[],"x":[['))
    assert not calendar().snapshot(WITHIN, NOW).open  # nothing but the copy was read
    assert len(calendar().snapshot((NOW, NOW + 900 * 24 * HOUR), NOW).open) == 1  # it does not reach that far
    caldav_server.delete("bay", "one")
    assert not calendar().snapshot(WITHIN, NOW).open


def test_while_the_server_is_down_the_copy_serves(caldav_server, calendar):
    """And says since when; back again, it is read as ever. What it says nothing of is not open."""
    caldav_server.put("bay", "one", event("one", ":20261104T150000Z", ":20261104T160000Z"))
    closed = calendar(mode="closed")
    good = closed.snapshot(WITHIN, NOW)
    caldav_server.stop()
    far = (NOW, NOW + 2000 * 24 * HOUR)
    down = closed.snapshot(far, NOW + HOUR)
    assert down.stale
    assert down.taken_at == NOW
    assert down.open.clip(*WITHIN) == good.open
    assert down.open.spans[-1][1] == datetime(2027, 1, 1, tzinfo=UTC)
    assert "cannot be read (ConnectionRefusedError)" in down.problem
    with pytest.raises(Unreadable) as caught:
        closed.snapshot(WITHIN, NOW + 73 * HOUR)
    assert caught.value.since == NOW
    with pytest.raises(Unreachable):
        closed.entries(WITHIN, NOW)
    caldav_server.start()
    assert not closed.snapshot(WITHIN, NOW + 73 * HOUR).stale


@pytest.mark.parametrize(
    ("settings", "part", "why"),
    [
        ({"password": "wrong"}, ("", ""), "does not let us in"),
        ({}, ("/bay/", "/other/"), "It answered 404"),
        ({"allow_private": False}, ("http:", "https:"), "private network"),
    ],
)
def test_what_is_refused_is_said(calendar, settings, part, why):
    """No copy was ever taken, so the calendar cannot be read."""
    url = calendar().source.replace(*part)
    with pytest.raises(Unreadable, match=why):
        calendar(url=url, **settings).snapshot(WITHIN, NOW)


def test_a_booking_is_written_and_read_back(caldav_server, calendar):
    """With the service's name and its time, and nothing of who comes; it does not count as taken, which we know."""
    ours = calendar(write=True, mode="closed")
    token = ours.put(BOOKING, "")
    text = caldav_server.text("bay", "a1b2@commsched")
    assert "SUMMARY:Oil change\n" in text
    assert "DTSTART:20261021T180000Z\n" in text
    assert "DTEND:20261021T190000Z\n" in text
    (entry,) = ours.entries(WITHIN, NOW)
    assert (entry.uid, entry.start, entry.end, entry.token) == (BOOKING.uid, BOOKING.start, BOOKING.end, token)
    assert ours.snapshot(WITHIN, NOW).open == Windows([WITHIN])
    assert len(calendar(mode="closed").snapshot(WITHIN, NOW).open) == 2


def test_a_change_keeps_what_people_added(caldav_server, calendar):
    """Their notes and their title stay when we move the event."""
    ours = calendar(write=True)
    ours.put(BOOKING, "")
    notes = "SUMMARY:Oil change (loud)\nDESCRIPTION:lift 2"
    caldav_server.change("bay", "a1b2@commsched", ("SUMMARY:Oil change", notes))
    (entry,) = ours.entries(WITHIN, NOW)
    token = ours.put(Booking(BOOKING.uid, BOOKING.start + HOUR, BOOKING.end + HOUR, "Oil change"), entry.token)
    text = caldav_server.text("bay", "a1b2@commsched")
    assert "DTSTART:20261021T190000Z" in text
    assert "SUMMARY:Oil change (loud)" in text
    assert "DESCRIPTION:lift 2" in text
    ours.remove(BOOKING.uid, token)
    assert caldav_server.names("bay") == []
    ours.remove(BOOKING.uid, token)


def test_nothing_is_written_over_what_we_have_not_seen(caldav_server, calendar):
    """An event that is there already, or was changed since, stays as it is."""
    ours = calendar(write=True)
    token = ours.put(BOOKING, "")
    with pytest.raises(OutOfStep):
        ours.put(BOOKING, "")
    caldav_server.change("bay", "a1b2@commsched", ("T180000Z", "T183000Z"))
    for attempt in (lambda: ours.put(BOOKING, token), lambda: ours.remove(BOOKING.uid, token)):
        with pytest.raises(OutOfStep):
            attempt()
    assert "DTSTART:20261021T183000Z" in caldav_server.text("bay", "a1b2@commsched")


def test_without_the_library_it_says_what_to_install(calendar, monkeypatch):
    """Only who uses the kind needs it; the configuration is refused, and not the first reading."""
    monkeypatch.setitem(sys.modules, "caldav", None)
    with pytest.raises(CommschedError, match=r"pip install 'commsched\[caldav\]'"):
        calendar()


STATE = b"""<?xml version="1.0"?><multistatus xmlns="DAV:"><response><href>/dav/bay/</href><propstat><prop>
<sync-token>v1</sync-token></prop></propstat></response></multistatus>"""
MANY = """<?xml version="1.0"?><multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">{}</multistatus>"""
ONE = """<response><href>{}</href><propstat><prop><getetag>"1"</getetag><C:calendar-data>BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//hand//EN
{}END:VCALENDAR
</C:calendar-data></prop></propstat></response>"""
GOOD = ONE.format("/dav/bay/one.ics", event("one", ":20261104T150000Z", ":20261104T160000Z"))


@pytest.fixture
def elsewhere(site, tmp_path):
    """A server that answers the question for events as a test wants it to."""

    def made(answer: Callable[[BaseHTTPRequestHandler], None], **settings: Any) -> CalDav:
        def answered(handler: BaseHTTPRequestHandler) -> None:
            if handler.headers.get("Authorization") is None:
                say(handler, 401, WWW_Authenticate="Basic realm=calendars")
            elif handler.command == "PROPFIND":
                say(handler, 207, STATE, Content_Type="text/xml")
            else:
                answer(handler)

        site.answer = answered
        url = site.url.replace("team.ics", "dav/bay/")
        values = {"url": url, "user": USER, "password": PASSWORD, "allow_private": True, "mode": "open"} | settings
        return CalDav(CalDavSettings.model_validate(values), name="bay", folder=tmp_path, zone=CHICAGO)

    return made


def events_of(*responses: str) -> Callable[[BaseHTTPRequestHandler], None]:
    body = MANY.format("".join(responses)).encode()
    return lambda handler: say(handler, 207, body, Content_Type="text/xml")


def endless(handler: BaseHTTPRequestHandler) -> None:
    """An answer without end."""
    handler.send_response(207)
    handler.send_header("Content-Type", "text/xml")
    handler.end_headers()
    handler.wfile.write(MANY.partition("{}")[0].encode())
    with suppress(OSError):  # whoever listens hangs up
        while True:
            handler.wfile.write(GOOD.encode() * 50)


def dripping(site: Site, *, headers: bool) -> Callable[[BaseHTTPRequestHandler], None]:
    """A server that always has one byte more, and never nothing for long."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if not headers:
            handler.send_response(207)
            handler.end_headers()
        with suppress(OSError):
            while not site.over.wait(0.02):
                handler.wfile.write(b"H")
                handler.wfile.flush()

    return answer


def test_a_server_has_so_long_and_so_much(site, elsewhere):
    """One that drips, in its head or its body, and one that never ends, are given up; a good answer is read."""
    for headers in (True, False):
        with pytest.raises(Unreadable, match="did not answer in time"):
            elsewhere(dripping(site, headers=headers), timeout=0.5).snapshot(WITHIN, NOW)
    with pytest.raises(Unreadable, match="longer than 200,000 bytes"):
        elsewhere(endless, max_bytes=200_000).snapshot(WITHIN, NOW)
    assert local(elsewhere(events_of(GOOD)).snapshot(WITHIN, NOW).open) == ["11-04 09:00/11-04 10:00"]


@pytest.mark.parametrize(
    "address",
    [
        "https://other.example/dav/bay/one.ics",
        "//other.example/dav/bay/one.ics",
        "http://127.0.0.1:1/dav/bay/one.ics",
        "/dav/lift/one.ics",
        "/dav/bay/../lift/one.ics",
        "/dav/bay/%2e%2e/lift/one.ics",
        "/dav/bay/",
        "/dav/bay/one.ics?as=admin",
        "",
    ],
)
def test_events_stand_in_this_calendar_or_nowhere(elsewhere, address):
    """What a server says where an event stands is where our password goes when we change it."""
    foreign = ONE.format(address, event("two", ":20261104T170000Z", ":20261104T180000Z"))
    with pytest.raises(Unreadable, match="do not stand in this calendar"):
        elsewhere(events_of(GOOD, foreign)).snapshot(WITHIN, NOW)


def test_the_same_path_may_be_written_in_several_ways(elsewhere):
    """Whole addresses, and letters that need no percent sign."""
    for address in ("one.ics", "/d%61v/bay/one.ics", "/dav/bay/a%20b.ics", "/dav/bay/ann@home.ics"):
        answer = events_of(ONE.format(address, event("one", ":20261104T150000Z", ":20261104T160000Z")))
        assert local(elsewhere(answer).snapshot(WITHIN, NOW).open) == ["11-04 09:00/11-04 10:00"]


def test_a_token_of_another_place_is_not_followed(site, elsewhere):
    """Nothing is asked of any server, ours or another."""
    ours = elsewhere(events_of(GOOD), write=True)
    site.asked.clear()
    for token in ('https://other.example/dav/bay/one.ics "1"', '/dav/lift/one.ics "1"'):
        with pytest.raises(Unreachable, match="do not stand in this calendar"):
            ours.put(BOOKING, token)
        with pytest.raises(Unreachable, match="do not stand in this calendar"):
            ours.remove(BOOKING.uid, token)
    assert site.asked == []


def test_the_password_goes_nowhere_else(site, elsewhere):
    """Not even where the server itself sends us, however we say who we are."""
    other = Site()
    try:
        sent_on = elsewhere(lambda handler: say(handler, 307, Location=other.url))
        with pytest.raises(Unreadable, match="answered 307"):
            sent_on.snapshot(WITHIN, NOW)
        sent_on = elsewhere(lambda handler: say(handler, 307, Location=other.url))
        answered = site.answer
        site.answer = lambda handler: (
            say(handler, 401, WWW_Authenticate='Digest realm="calendars", nonce="n", qop="auth"')
            if handler.headers.get("Authorization") is None
            else answered(handler)
        )
        with pytest.raises(Unreadable, match="answered 307"):
            sent_on.snapshot(WITHIN, NOW)
        assert site.asked[-1]["authorization"].startswith("Digest username=")
    finally:
        other.close()
    assert other.asked == []


def test_what_has_not_changed_is_laid_out_once(elsewhere, monkeypatch):
    """Appointments are kept in step every minute; that must not cost what reading a calendar costs."""
    laid_out: list[object] = []
    lay_out = CalDav._lay_out
    monkeypatch.setattr(CalDav, "_lay_out", lambda *given: laid_out.append(given[2]) or lay_out(*given))
    ours = event("a1@commsched", ":20261105T150000Z", ":20261105T160000Z")
    calendar = elsewhere(events_of(GOOD, ONE.format("two.ics", ours)), write=True)
    for minute in range(3):
        later = NOW + timedelta(minutes=minute)
        (entry,) = calendar.entries((later - 300 * 24 * HOUR, later + 900 * 24 * HOUR), later)
        assert entry.uid == "a1@commsched"
    assert len(laid_out) == 1
