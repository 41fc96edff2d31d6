"""Hours by weekday, with dates on which they differ and public holidays on which nobody is there.

A date in ``exceptions`` has exactly the hours given there, none for ``[]``, whatever weekday or holiday it is. For
``holidays`` write a country or one of its regions as ISO 3166-2 has them; observed days off count as holidays. Those
named in ``open_on`` are days like any other; those in ``holiday_hours`` have hours of their own::

    [[calendars]]
    name = "service-hours"
    kind = "opening_hours"
    weekly = { "mon-fri" = ["07:30-12:00", "12:30-18:00"], sat = ["08:00-13:00"] }
    exceptions = { "2026-12-24" = ["08:00-12:00"], "2026-12-31" = [] }
    holidays = "US-IL"
    open_on = ["Columbus Day", "Lincoln's Birthday"]
    holiday_hours = { "Veterans Day" = ["08:00-12:00"] }
    zone = "America/Chicago"        # default: the deployment's
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from difflib import get_close_matches
from functools import cache
from typing import TypeVar

import holidays
from pydantic import Field, field_validator, model_validator

from commsched import Calendar, Settings, Snapshot, Span, Week, ZoneName, by_date, hookimpl, parse_hours, parse_week

K = TypeVar("K")
# Some holidays are new, and some do not come every year.
YEARS = range(2015, 2041)


class OpeningHoursSettings(Settings):
    """The hours, and when they do not hold."""

    weekly: Week = Field(description='Hours by weekday: `{ "mon-fri" = ["09:00-17:00"] }`.')
    exceptions: dict[date, list[str]] = Field(default={}, description="The hours of single dates; `[]` is closed.")
    holidays: str = Field(default="", description="Closed on the public holidays of, e.g., `US-IL`, `DE-BY` or `AT`.")
    open_on: tuple[str, ...] = Field(
        default=(), description="Public holidays, by name in the country's language, that are days like any other."
    )
    holiday_hours: dict[str, list[str]] = Field(
        default={}, description="The hours of public holidays that are not wholly closed, by name."
    )
    zone: ZoneName | None = Field(default=None, description="The IANA zone of the hours; default: the deployment's.")

    @field_validator("exceptions", "holiday_hours")
    @classmethod
    def _readable(cls, special: dict[K, list[str]]) -> dict[K, list[str]]:
        for ranges in special.values():
            for text in ranges:
                parse_hours(text)
        return special

    @field_validator("holidays")
    @classmethod
    def _known(cls, region: str) -> str:
        if region:
            days_off(region)
        return region

    @model_validator(mode="after")
    def _named(self) -> OpeningHoursSettings:
        wanted = [*self.open_on, *self.holiday_hours]
        known = names_of(self.holidays) if wanted and self.holidays else ()
        for name in wanted:
            if name not in known:
                close = get_close_matches(name, known, 1)
                there = ", ".join(known) or "none without holidays"
                hint = f"did you mean {close[0]!r}?" if close else f"there is {there}"
                message = f"{self.holidays or 'nowhere'} has no public holiday called {name!r}; {hint}"
                raise ValueError(message)
        return self


class OpeningHours(Calendar[OpeningHoursSettings]):
    """Open by weekday, save exceptions and holidays."""

    kind = "opening_hours"

    def snapshot(self, within: Span, now: datetime) -> Snapshot:
        """The hours inside the span."""
        mine = self.settings
        week, off = parse_week(mine.weekly), days_off(mine.holidays) if mine.holidays else holidays.HolidayBase()
        special = {day: tuple(map(parse_hours, ranges)) for day, ranges in mine.exceptions.items()}
        by_name = {name: tuple(map(parse_hours, ranges)) for name, ranges in mine.holiday_hours.items()}

        def hours(day: date) -> Iterable[tuple[time, time]]:
            if day in special:
                return special[day]
            names = [name for name in map(plain, off.get_list(day)) if name not in mine.open_on]
            if not names:
                return week.get(day.weekday(), ())
            return by_name[names[0]] if len(names) == 1 and names[0] in by_name else ()

        return Snapshot(self.name, by_date(hours, self.place(mine.zone or ""), within), now)


def days_off(region: str) -> holidays.HolidayBase:
    """The public holidays of a country or region; ``ValueError`` if it is not known."""
    country, _, part = region.partition("-")
    try:
        off = holidays.country_holidays(country, subdiv=part or None)
        # The library would call them by names in the language of whoever is logged in.
        own = getattr(off, "default_language", None)
        return holidays.country_holidays(country, subdiv=part or None, language=own) if own else off
    except NotImplementedError as error:
        message = f"{region!r} has no known holidays; write a country or region such as US, US-IL or DE-BY"
        raise ValueError(message) from error


def plain(name: str) -> str:
    """A holiday's name without the remark that it is observed on another day."""
    return name.partition(" (")[0]


@cache
def names_of(region: str) -> tuple[str, ...]:
    """The public holidays of a region, as they are called there."""
    off = days_off(region)
    for year in YEARS:
        off.get(date(year, 1, 1))  # a year's holidays are worked out when one of its days is asked for
    return tuple(sorted({plain(name) for day in list(off) for name in off.get_list(day)}))


@hookimpl
def register_calendars() -> list[type[OpeningHours]]:
    """Announce the kind."""
    return [OpeningHours]
