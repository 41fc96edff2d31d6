"""Reading calendars: frozen, read again after a while, and stale rather than empty when they cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from commsched.engine.calendars import AGAIN_SECONDS, REFRESH_SECONDS, Calendars
from commsched.errors import CommschedError, UnknownName
from commsched.plugin.base import Calendar, NoSettings, Unreadable
from commsched.plugin.view import Snapshot
from commsched.timing.windows import ALWAYS, NEVER, Windows

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Desk(Calendar[NoSettings]):
    """A calendar that answers as it is told."""

    kind = "desk"

    def __init__(self, name="desk"):
        super().__init__(NoSettings(), name=name)
        self.answer = ALWAYS
        self.asked = []

    def snapshot(self, within, now):
        self.asked.append(within)
        if isinstance(self.answer, Exception):
            raise self.answer
        return Snapshot(self.name, self.answer.clip(*within), now)


class Seconds:
    """A clock that runs when it is told to."""

    def __init__(self):
        self.at = 5.0

    def __call__(self):
        return self.at


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def calendars(desk, seconds):
    return Calendars({"desk": desk, "other": Desk("other")}, seconds)


def test_any_calendar_is_read_afresh(calendars, desk):
    """Whoever looks for free times sees the calendar as it is, in the span they ask for."""
    within = (NOW, NOW + HOUR)
    assert calendars.snapshot("desk", within, NOW).open == Windows([within])
    desk.answer = NEVER
    assert not calendars.snapshot("desk", within, NOW).open
    with pytest.raises(UnknownName):
        calendars.snapshot("nobody", within, NOW)


def test_what_plans_are_made_by_stands_until_it_is_read_again(calendars, desk, seconds):
    """The same object within a quarter of an hour, read for whole years, of the calendars that are named."""
    first = calendars.standing(["desk"], NOW)
    assert set(first) == {"desk"}
    assert desk.asked == [(datetime(2025, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC))]
    seconds.at += REFRESH_SECONDS - 1
    assert calendars.standing(["desk"], NOW + HOUR) is first
    seconds.at += 1
    assert calendars.standing(["desk"], NOW + HOUR) is not first
    assert calendars.standing(["desk"], NOW.replace(year=2027))["desk"].open != first["desk"].open


@pytest.mark.parametrize(
    ("error", "since", "problem"),
    [
        (Unreadable("desk", "the server answered 500", since=NOW - HOUR), NOW - HOUR, "the server answered 500"),
        (ZeroDivisionError("secret"), None, "ZeroDivisionError"),
    ],
)
def test_what_cannot_be_read_is_stale_and_soon_tried_again(calendars, desk, seconds, error, since, problem):
    """Whatever a plugin raises; the snapshot says why, and since when where that is known."""
    desk.answer = error
    found = calendars.standing(["desk"], NOW)["desk"]
    assert (found.open, found.stale, found.usable) == (NEVER, True, False)
    assert (found.since, found.problem) == (since, problem)
    desk.answer = ALWAYS
    seconds.at += AGAIN_SECONDS
    assert calendars.standing(["desk"], NOW)["desk"].usable


def test_reading_again_makes_no_other_world():
    """When a calendar was read, or that it is a copy, is nothing that a plan depends on; what is open in it is."""
    fresh = Snapshot("desk", ALWAYS, NOW)
    copy = Snapshot("desk", ALWAYS, NOW - HOUR, stale=True, since=NOW - HOUR)
    assert fresh.known == copy.known == Snapshot("desk", ALWAYS, NOW + HOUR).known
    assert Snapshot("desk", Windows.onward(NOW), NOW).known != fresh.known
    gone = Snapshot("desk", NEVER, NOW, stale=True, since=NOW)
    assert gone.known == Snapshot("desk", NEVER, NOW + HOUR, stale=True, since=NOW).known != fresh.known
    assert gone.known != Snapshot("desk", NEVER, NOW).known


def test_that_a_calendar_cannot_be_read_is_logged_once_with_the_reason(calendars, desk):
    """Again only when it is another reason, or when it could be read meanwhile."""

    def said(answer):
        desk.answer = answer
        with capture_logs() as logs:
            calendars.snapshot("desk", (NOW, NOW + HOUR), NOW)
        return [(one["event"], one["calendar"], one["reason"]) for one in logs]

    gone, away = CommschedError("the file is gone"), CommschedError("the server is away")
    assert said(gone) == [("calendar_unreadable", "desk", "the file is gone")]
    assert said(gone) == []
    assert said(away) == [("calendar_unreadable", "desk", "the server is away")]
    assert said(ALWAYS) == []
    assert said(away) == [("calendar_unreadable", "desk", "the server is away")]


def test_what_is_forgotten_while_it_is_read_is_read_again(calendars, desk):
    """A page's thread forgets while the engine's reads: the engine has an answer, and nobody has it afterwards."""

    class Booked(Desk):
        def snapshot(self, within, now):
            found = super().snapshot(within, now)
            calendars.forget()
            return found

    calendars.calendars["desk"] = Booked()
    first = calendars.standing(["desk"], NOW)
    calendars.calendars["desk"] = desk
    assert first["desk"].usable
    assert calendars.standing(["desk"], NOW) is not first


def test_what_is_forgotten_while_it_is_looked_for_is_no_error(calendars, desk):
    """Another thread may forget at any moment, such as while this one looks for the year."""

    class Moment(datetime):
        @property
        def year(self):
            if desk.asked:
                calendars.forget()
            return super().year

    standing = calendars.standing(["desk"], NOW)
    now = Moment(2026, 6, 15, 12, tzinfo=UTC)
    assert calendars.standing(["desk"], now).keys() == standing.keys()
