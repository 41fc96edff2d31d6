"""A calendar file (.ics) of the deployment: its events are when something is closed, or when it is open.

Recurring events follow the clock of their own zone, with exceptions and with instances that were moved or called off.
Events that are cancelled, or marked as taking no time, do not count. Whole days, and times without a zone, are those of
the calendar's zone. With ``hours``, only what lies inside them is open, whatever the events say::

    [[calendars]]
    name = "service-bays"
    kind = "ics_file"
    path = "config/calendars/service-bays.ics"
    mode = "closed"                 # the events are when no vehicle can be taken in
    hours = { "mon-fri" = ["07:30-18:00"] }
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from pydantic import Field

from commsched import (
    ALWAYS,
    Calendar,
    CommschedError,
    Settings,
    Snapshot,
    Span,
    Week,
    Windows,
    ZoneName,
    hookimpl,
    instant,
    parse_week,
    start_of_day,
    weekly,
)

# Floating times and whole days are laid out by the library without a zone: no zone is further than a day from UTC.
SLACK = timedelta(days=2)


class IcsFileSettings(Settings):
    """The file, and how to read it."""

    path: str = Field(description="The file, from the deployment's folder.")
    mode: Literal["closed", "open"] = Field(default="closed", description="What an event means.")
    hours: Week | None = Field(default=None, description="Open only inside these hours by weekday; default: always.")
    zone: ZoneName | None = Field(default=None, description="For whole days and hours; default: the deployment's zone.")


class IcsFile(Calendar[IcsFileSettings]):
    """Closed, or open, at the events of a file."""

    kind = "ics_file"

    def snapshot(self, within: Span, now: datetime) -> Snapshot:
        """The open times inside the span. Raises :class:`CommschedError` if the file cannot be read."""
        place = self.place(self.settings.zone or "")
        path = self.folder / self.settings.path
        try:
            events = Windows(_events(_read(path), place, within))
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise CommschedError(
                f"The calendar {self.name} cannot be read from {self.settings.path}: {error}"
            ) from error
        hours = self.settings.hours
        base = ALWAYS.clip(*within) if hours is None else weekly(parse_week(hours), (place,), within)
        return Snapshot(self.name, base - events if self.settings.mode == "closed" else base & events, now)


def _read(path: Path) -> icalendar.Calendar:
    calendar = icalendar.Calendar.from_ical(path.read_bytes())
    if calendar.name != "VCALENDAR":
        raise ValueError("it is not an iCalendar file")
    for event in calendar.walk("VEVENT"):
        for field, problem in event.errors:
            raise ValueError(f"{field} of the event {event.get('UID', '?')}: {problem}")
        _check_zones(event)
    return calendar


def _events(calendar: icalendar.Calendar, place: ZoneInfo, within: Span) -> Iterator[Span]:
    for event in recurring_ical_events.of(calendar).between(within[0] - SLACK, within[1] + SLACK):
        if event.get("TRANSP") != "TRANSPARENT" and event.get("STATUS") != "CANCELLED":
            yield _instant(event.start, place), _instant(event.end, place)


def _check_zones(event: icalendar.Event) -> None:
    """A zone that nobody knows would silently become the calendar's own."""
    for field in (one for one in ("DTSTART", "DTEND", "RECURRENCE-ID") if one in event):
        name, at = event[field].params.get("TZID"), event[field].dt
        if name and isinstance(at, datetime) and at.tzinfo is None:
            raise ValueError(f"the zone {name!r} of the event {event.get('UID', '?')} is not known")


def _instant(value: date | datetime, place: ZoneInfo) -> datetime:
    if not isinstance(value, datetime):
        return start_of_day(value, place)
    if value.tzinfo is None or isinstance(value.tzinfo, ZoneInfo):
        return instant(value.replace(tzinfo=None), value.tzinfo or place)
    return value.astimezone(UTC)


@hookimpl
def register_calendars() -> list[type[IcsFile]]:
    """Announce the kind."""
    return [IcsFile]
