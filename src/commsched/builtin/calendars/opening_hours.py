"""Hours by weekday, with dates on which they differ and public holidays on which nobody is there.

A date in ``exceptions`` has exactly the hours given there, none for ``[]``, whatever weekday or holiday it is. For
``holidays`` write a country or one of its regions as ISO 3166-2 has them; observed days off count as holidays::

    [[calendars]]
    name = "service-hours"
    kind = "opening_hours"
    weekly = { "mon-fri" = ["07:30-12:00", "12:30-18:00"], sat = ["08:00-13:00"] }
    exceptions = { "2026-12-24" = ["08:00-12:00"], "2026-12-31" = [] }
    holidays = "US-IL"
    zone = "America/Chicago"        # default: the deployment's
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time

import holidays
from pydantic import Field, field_validator

from commsched import Calendar, Settings, Snapshot, Span, Week, ZoneName, by_date, hookimpl, parse_hours, parse_week


class OpeningHoursSettings(Settings):
    """The hours, and when they do not hold."""

    weekly: Week = Field(description='Hours by weekday: `{ "mon-fri" = ["09:00-17:00"] }`.')
    exceptions: dict[date, list[str]] = Field(default={}, description="The hours of single dates; `[]` is closed.")
    holidays: str = Field(default="", description="Closed on the public holidays of, e.g., `US-IL`, `DE-BY` or `AT`.")
    zone: ZoneName | None = Field(default=None, description="The IANA zone of the hours; default: the deployment's.")

    @field_validator("exceptions")
    @classmethod
    def _readable(cls, exceptions: dict[date, list[str]]) -> dict[date, list[str]]:
        for ranges in exceptions.values():
            for text in ranges:
                parse_hours(text)
        return exceptions

    @field_validator("holidays")
    @classmethod
    def _known(cls, region: str) -> str:
        if region:
            days_off(region)
        return region


class OpeningHours(Calendar[OpeningHoursSettings]):
    """Open by weekday, save exceptions and holidays."""

    kind = "opening_hours"

    def snapshot(self, within: Span, now: datetime) -> Snapshot:
        """The hours inside the span."""
        week, region = parse_week(self.settings.weekly), self.settings.holidays
        closed = days_off(region) if region else holidays.HolidayBase()
        special = {day: tuple(map(parse_hours, ranges)) for day, ranges in self.settings.exceptions.items()}

        def hours(day: date) -> Iterable[tuple[time, time]]:
            return special[day] if day in special else () if day in closed else week.get(day.weekday(), ())

        return Snapshot(self.name, by_date(hours, self.place(self.settings.zone or ""), within), now)


def days_off(region: str) -> holidays.HolidayBase:
    """The public holidays of a country or region; ``ValueError`` if it is not known."""
    country, _, part = region.partition("-")
    try:
        return holidays.country_holidays(country, subdiv=part or None)
    except NotImplementedError as error:
        message = f"{region!r} has no known holidays; write a country or region such as US, US-IL or DE-BY"
        raise ValueError(message) from error


@hookimpl
def register_calendars() -> list[type[OpeningHours]]:
    """Announce the kind."""
    return [OpeningHours]
