"""Every kind of calendar, built-in or of the shipped deployment, keeps the laws of calendars."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from caldav_server import PASSWORD, USER

from commsched import zone
from commsched.loading import load_plugins
from commsched.testing.laws import calendar_laws

ROOT = Path(__file__).parents[2]
KINDS = {name: kind.plugin for (what, name), kind in load_plugins(ROOT).kinds.items() if what == "calendar"}
NOW = datetime(2026, 6, 14, 12, tzinfo=UTC)
HOURS = {"mon-fri": ["09:00-12:30", "13:00-18:00"], "sat": ["22:00-03:00"]}
SETTINGS: dict[str, dict[str, Any]] = {
    "ics_file": {"path": str(ROOT / "config/calendars/service-bays.ics"), "hours": HOURS},
    "ics_url": {"allow_private": True, "hours": HOURS},
    "caldav": {"allow_private": True, "user": USER, "password": PASSWORD, "hours": HOURS, "write": True},
    "opening_hours": {"weekly": HOURS, "holidays": "US-IL", "exceptions": {"2026-12-24": ["08:00-12:00"]}},
    "time_intervals": {"intervals": [{"weekdays": ["monday:friday"]}, {"days_of_month": ["-2:-1"]}]},
}
MEETING = """BEGIN:VEVENT
UID:meeting
DTSTAMP:20260101T000000Z
DTSTART;TZID=America/Chicago:20260105T100000
DTEND;TZID=America/Chicago:20260105T113000
RRULE:FREQ=WEEKLY;BYDAY=MO,WE
END:VEVENT
"""


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_calendar_keeps_the_laws(kind, request, tmp_path):
    """Those on a server, with a server; a kind without settings here has no test."""
    settings = dict(SETTINGS[kind])
    if kind == "ics_url":
        settings["url"] = request.getfixturevalue("site").url
    elif kind == "caldav":
        server = request.getfixturevalue("caldav_server")
        settings["url"] = server.calendar("bay")
        server.put("bay", "meeting", MEETING)
    made = KINDS[kind](
        KINDS[kind].settings_type().model_validate(settings), name=kind, folder=tmp_path, zone=zone("America/Chicago")
    )
    calendar_laws(made, NOW, examples=25)
