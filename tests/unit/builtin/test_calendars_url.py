"""A calendar on the web, read from a real server: what has not changed, what fails, what must not be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from calendar_site import CALENDAR, say
from pydantic import ValidationError

from commsched import Unreadable, Windows, zone
from commsched.builtin.calendars.ics_url import IcsUrl, IcsUrlSettings

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
WITHIN = (NOW, NOW + DAY)
OPEN = Windows([(NOW, NOW.replace(hour=14)), (NOW.replace(hour=15), NOW + DAY)])


@pytest.fixture
def calendar(site, tmp_path):
    """The calendar on that server, with settings of its own."""

    def made(**settings: Any) -> IcsUrl:
        values = {"url": site.url, "allow_private": True, "timeout": 5} | settings
        return IcsUrl(IcsUrlSettings.model_validate(values), name="team", folder=tmp_path, zone=zone("America/Chicago"))

    return made


def test_events_on_the_web_close_what_is_open(calendar):
    """As those of a file do."""
    snapshot = calendar().snapshot(WITHIN, NOW)
    assert (snapshot.open, snapshot.taken_at, snapshot.stale) == (OPEN, NOW, False)


def test_what_has_not_changed_is_not_sent_again(site, calendar):
    """The server's own words for the version go back to it; a 304 makes the copy as good as new."""
    site.answer = lambda h: say(h, 200, CALENDAR, ETag='"v1"', Last_Modified="Mon, 15 Jun 2026 10:00:00 GMT")
    calendar().snapshot(WITHIN, NOW)
    site.answer = lambda h: say(h, 304)
    later = calendar().snapshot(WITHIN, NOW + 2 * DAY)
    assert (later.open, later.taken_at, later.stale) == (OPEN, NOW + 2 * DAY, False)
    assert "if-none-match" not in site.asked[0]
    assert site.asked[1]["if-none-match"] == '"v1"'
    assert site.asked[1]["if-modified-since"] == "Mon, 15 Jun 2026 10:00:00 GMT"
    site.answer = lambda h: say(h, 500)
    copy = calendar().snapshot(WITHIN, NOW + 4 * DAY)
    assert (copy.open, copy.taken_at, copy.stale) == (OPEN, NOW + 2 * DAY, True)


FAILURES = {
    "an error": (lambda h: say(h, 500), "answered 500"),
    "not there": (lambda h: say(h, 404, b"gone"), "answered 404"),
    "nothing new, unasked": (lambda h: say(h, 304), "answered 304"),
    "garbage": (lambda h: say(h, 200, b"<html>log in</html>"), "not iCalendar"),
    "nothing": (lambda h: say(h, 200), "not iCalendar"),
    "half": (lambda h: say(h, 200, CALENDAR, Content_Length="9999"), "breaks off"),
    "cut short": (lambda h: say(h, 200, CALENDAR[:120]), "not iCalendar"),
    "too much": (lambda h: say(h, 200, b"x" * 3000), "longer than 2,000 bytes"),
    "elsewhere": (lambda h: say(h, 302, Location="https://other.example/team.ics"), "sends us on to other.example"),
    "other port": (lambda h: say(h, 301, Location="http://127.0.0.1:1/team.ics"), "sends us on"),
    "round and round": (lambda h: say(h, 302, Location=h.path + "x"), "on and on"),
    "no http": (lambda h: h.wfile.write(b"220 smtp.example ESMTP\r\n"), "cannot be read"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_whatever_fails_leaves_the_last_good_copy(site, calendar, failure):
    """The copy serves and says when it was taken; it is not overwritten, and without one the calendar is unreadable."""
    answer, why = FAILURES[failure]
    limited = calendar(max_bytes=2000)
    site.answer, good = answer, site.answer
    with pytest.raises(Unreadable, match=why) as caught:
        limited.snapshot(WITHIN, NOW)
    assert caught.value.since is None
    site.answer = good
    limited.snapshot(WITHIN, NOW)
    site.answer = answer
    for hours in (1, 2):
        snapshot = limited.snapshot(WITHIN, NOW + hours * DAY / 24)
        if failure == "nothing new, unasked":
            assert not snapshot.stale
            continue
        assert (snapshot.open, snapshot.stale, snapshot.taken_at, snapshot.since) == (OPEN, True, NOW, NOW)
        assert site.url not in snapshot.problem


def test_a_copy_is_of_use_for_so_long(site, calendar):
    """After max_age nobody knows any more; the error says when it was last known."""
    calendar(max_age="2d").snapshot(WITHIN, NOW)
    site.answer = lambda h: say(h, 503)
    assert calendar(max_age="2d").snapshot(WITHIN, NOW + 2 * DAY).stale
    with pytest.raises(Unreadable, match="team: The server answered 503") as caught:
        calendar(max_age="2d").snapshot(WITHIN, NOW + 2 * DAY + timedelta(seconds=1))
    assert caught.value.since == NOW


def test_a_copy_of_another_address_is_none(site, calendar):
    """Who changes the address must not be served what stood at the old one."""
    calendar().snapshot(WITHIN, NOW)
    site.answer = lambda h: say(h, 500)
    with pytest.raises(Unreadable):
        calendar(url=site.url.replace("team", "other")).snapshot(WITHIN, NOW)


@pytest.mark.parametrize("content", [b"", b"{", b'{"source": 1}'])
def test_a_damaged_copy_is_none(site, calendar, tmp_path, content):
    """It is read again, and not sent on as if it were a calendar."""
    calendar().snapshot(WITHIN, NOW)
    (kept,) = (tmp_path / "var" / "calendars").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    assert site.url.encode() not in kept.read_bytes()
    kept.write_bytes(content)
    assert calendar().snapshot(WITHIN, NOW).open == OPEN
    assert "if-none-match" not in site.asked[-1]


def test_without_room_for_a_copy_the_calendar_is_still_read(calendar, tmp_path):
    """It only is not there when the server is not."""
    (tmp_path / "var").write_text("in the way")
    assert calendar().snapshot(WITHIN, NOW).open == OPEN


@pytest.mark.parametrize("dribble", [False, True])
def test_a_slow_server_is_given_up(site, calendar, dribble):
    """One that says nothing, and one that says a little at a time, take no longer than they may."""

    def slowly(handler):
        while not site.over.wait(0.02):
            if dribble:
                handler.wfile.write(b"H" if not site.over.is_set() else b"")
                handler.wfile.flush()

    site.answer = slowly
    with pytest.raises(Unreadable, match="did not answer in time"):
        calendar(timeout=0.3).snapshot(WITHIN, NOW)


def test_redirects_share_the_time(site, calendar):
    """A server that sends us on, each time just in time, has no longer than any other."""

    def on_and_on(handler):
        site.over.wait(0.25)
        say(handler, 302, Location=handler.path + "x")

    site.answer = on_and_on
    with pytest.raises(Unreadable, match="did not answer in time"):
        calendar(timeout=0.6).snapshot(WITHIN, NOW)


def test_a_server_that_is_not_there(site, calendar):
    """A closed port, and a name that nobody knows."""
    here = calendar()
    site.close()
    with pytest.raises(Unreadable, match="cannot be read"):
        here.snapshot(WITHIN, NOW)
    with pytest.raises(Unreadable, match="is not known"):
        calendar(url="https://calendar.invalid/x.ics").snapshot(WITHIN, NOW)


def test_redirects_on_the_same_host_are_followed(site, calendar):
    """A calendar that has moved within its server is still the same."""
    site.answer = lambda h: say(h, 200, CALENDAR) if h.path == "/new?a=b" else say(h, 301, Location="/new?a=b")
    assert calendar().snapshot(WITHIN, NOW).open == OPEN


def test_who_asks_says_who_they_are(site, calendar):
    """User and password go with the question, and only then."""
    calendar().snapshot(WITHIN, NOW)
    calendar(user="ann", password="sésame").snapshot(WITHIN, NOW)
    assert "authorization" not in site.asked[0]
    assert site.asked[1]["authorization"] == "Basic YW5uOnPDqXNhbWU="


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.1.2.3",
        "169.254.169.254",
        "[::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::a00:1]",
        "[2002:a00:1::1]",
        "[::a00:1]",
        "[::ffff:10.0.0.1]",
    ],
)
def test_private_networks_are_not_read_unasked(site, calendar, host):
    """Nobody reaches what stands behind the wall by writing a calendar's address."""
    calendar = calendar(url=f"https://{host}/latest/meta-data", allow_private=False)
    with pytest.raises(Unreadable, match="private network; if that is right, set allow_private = true"):
        calendar.snapshot(WITHIN, NOW)
    assert site.asked == []


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("http://calendar.example/x.ics", "write https://"),
        ("ftp://calendar.example/x.ics", "https://calendar.example"),
        ("file:///etc/passwd", "https://calendar.example"),
        ("calendar", "https://calendar.example"),
        ("https://ann:secret@calendar.example/x.ics", "settings of their own"),
    ],
)
def test_addresses_that_are_none_are_refused_with_an_example(url, hint):
    """When the configuration is read."""
    with pytest.raises(ValidationError, match=hint):
        IcsUrlSettings(url=url)
    assert IcsUrlSettings(url="webcal://calendar.example/x.ics")
