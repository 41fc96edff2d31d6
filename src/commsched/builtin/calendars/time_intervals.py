"""Open, or closed, in intervals of weekdays, days of the month, months and years, as Prometheus Alertmanager has them.

An interval holds where all that it states holds; of several, any. What it does not state may be anything. ``location``
is the zone of an interval, ``zone`` that of those without. A week begins on Sunday; days below zero count from the
month's end, and what a month has not is left out::

    [[calendars]]
    name = "stocktaking"            # the last three working days of a quarter, until noon
    kind = "time_intervals"
    mode = "closed"
    intervals = [
        { months = ["march", "june", "september", "december"], days_of_month = ["-3:-1"],
          weekdays = ["monday:friday"], times = [{ start_time = "00:00", end_time = "12:00" }] },
    ]

The same stands in YAML in a file that ``path`` names: a list of intervals.
Source: https://prometheus.io/docs/alerting/latest/configuration/#time_interval
"""

from __future__ import annotations

import calendar as months
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, model_validator

from commsched import (
    ALWAYS,
    Calendar,
    CommschedError,
    Settings,
    Snapshot,
    Span,
    Windows,
    ZoneName,
    by_date,
    hookimpl,
    zone,
)

WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = tuple(name.lower() for name in months.month_name[1:])
LONGEST_MONTH = 31
CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")
Range = tuple[int, int]


def _ranges(word: str, number: Callable[[str], int], order: Callable[[int, int], str | None]) -> object:
    """A validator of ranges such as ``monday:friday``; ``order`` says what is wrong with two ends."""

    def read(value: object) -> Range:
        if isinstance(value, tuple):
            return value
        first, _, last = str(value).strip().lower().partition(":")
        begin = number(first)
        end = number(last) if last else begin
        if wrong := order(begin, end):
            message = f"{value} is no range of {word}: {wrong}"
            raise ValueError(message)
        return begin, end

    return BeforeValidator(read)


def _named(names: tuple[str, ...], first: int, word: str, *, numbers: bool) -> Callable[[str], int]:
    def read(text: str) -> int:
        if text in names:
            return names.index(text) + first
        if numbers and text.isdecimal() and first <= int(text) < first + len(names):
            return int(text)
        message = f"{text} is not a {word}; write e.g. {names[0]} or {names[0]}:{names[2]}"
        raise ValueError(message)

    return read


def _day(text: str) -> int:
    if re.fullmatch(r"-?\d+", text) and 1 <= abs(int(text)) <= LONGEST_MONTH:
        return int(text)
    message = f"{text} is not a day of the month; write 1 to 31, or -1 to -31 from its end, or a range such as 20:-1"
    raise ValueError(message)


def _year(text: str) -> int:
    if re.fullmatch(r"\d{4}", text):
        return int(text)
    message = f"{text} is not a year; write e.g. 2026 or 2026:2028"
    raise ValueError(message)


def _forward(begin: int, end: int) -> str | None:
    return "its end is before its begin" if end < begin else None


def _week_forward(begin: int, end: int) -> str | None:
    return "its end is before its begin, since a week begins on Sunday here" if end < begin else None


def _days_forward(begin: int, end: int) -> str | None:
    if begin < 0 < end:
        return "an end that counts from the month's begin may be before a begin that counts from its end"
    # No month is longer, so what is wrong in it is wrong in all.
    latest = [day if day > 0 else LONGEST_MONTH + day for day in (begin, end)]
    return "its end is always before its begin" if latest[1] < latest[0] else None


class TimeRange(Settings):
    """Hours of a day, from ``start_time`` up to ``end_time``."""

    start_time: str = Field(description="Such as `09:00`.")
    end_time: str = Field(description="Such as `17:00`; `24:00` is the day's end.")

    @model_validator(mode="after")
    def _in_order(self) -> TimeRange:
        for text in (self.start_time, self.end_time):
            if not CLOCK.fullmatch(text):
                message = f"{text} is not a time of day such as 09:00 or 24:00"
                raise ValueError(message)
        if self.start_time >= self.end_time:
            message = f"{self.start_time} is not before {self.end_time}; write a time over midnight as two"
            raise ValueError(message)
        return self

    @property
    def hours(self) -> tuple[time, time]:
        """The hours, with midnight for the day's end."""
        return time.fromisoformat(self.start_time), time.fromisoformat(self.end_time.replace("24:00", "00:00"))


Weekday = Annotated[Range, _ranges("weekdays", _named(WEEKDAYS, 0, "weekday", numbers=False), _week_forward)]
Month = Annotated[Range, _ranges("months", _named(MONTHS, 1, "month", numbers=True), _forward)]
Day = Annotated[Range, _ranges("days", _day, _days_forward)]
Year = Annotated[Range, _ranges("years", _year, _forward)]


class TimeInterval(Settings):
    """An interval: what is left out may be anything."""

    times: tuple[TimeRange, ...] | None = None
    weekdays: tuple[Weekday, ...] | None = None
    days_of_month: tuple[Day, ...] | None = None
    months: tuple[Month, ...] | None = None
    years: tuple[Year, ...] | None = None
    location: ZoneName | None = None

    def on(self, day: date) -> Iterator[tuple[time, time]]:
        """The hours of a date."""
        length = months.monthrange(day.year, day.month)[1]
        days = None if self.days_of_month is None else [_real(one, length) for one in self.days_of_month]
        fields = (
            (self.weekdays, day.isoweekday() % 7),
            (days, day.day),
            (self.months, day.month),
            (self.years, day.year),
        )
        if all(ranges is None or any(a <= value <= b for a, b in ranges) for ranges, value in fields):
            yield from [(time(), time())] if self.times is None else [one.hours for one in self.times]


def _real(days: Range, length: int) -> Range:
    """Days of a month that is so long."""
    begin, end = (day if day > 0 else length + day + 1 for day in days)
    return begin, end


_MANY: TypeAdapter[list[TimeInterval]] = TypeAdapter(list[TimeInterval])


class TimeIntervalsSettings(Settings):
    """The intervals, here or in a file, and what they mean."""

    intervals: tuple[TimeInterval, ...] = Field(
        default=(), description="Each with `times`, `weekdays`, `days_of_month`, `months`, `years`, `location`."
    )
    path: str = Field(default="", description="A YAML file of intervals, from the deployment's folder.")
    mode: Literal["closed", "open"] = Field(default="open", description="What an interval means.")
    zone: ZoneName | None = Field(default=None, description="For intervals without one; default: the deployment's.")

    @model_validator(mode="after")
    def _one_of_them(self) -> TimeIntervalsSettings:
        if bool(self.intervals) == bool(self.path):
            message = "write either intervals or the path of a file of them"
            raise ValueError(message)
        return self


class TimeIntervals(Calendar[TimeIntervalsSettings]):
    """Open, or closed, in intervals of weekdays, days, months and years."""

    kind = "time_intervals"

    def snapshot(self, within: Span, now: datetime) -> Snapshot:
        """The open times. Raises :class:`CommschedError` if the file cannot be read."""
        here = self.place(self.settings.zone or "")
        found = Windows(
            span
            for one in self.settings.intervals or self._from_file()
            for span in by_date(one.on, zone(one.location) if one.location else here, within)
        )
        return Snapshot(self.name, found if self.settings.mode == "open" else ALWAYS.clip(*within) - found, now)

    def _from_file(self) -> list[TimeInterval]:
        path = self.settings.path
        try:
            return intervals_of((self.folder / path).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise CommschedError(f"The calendar {self.name} cannot be read from {path}: {error}") from error


def intervals_of(text: str) -> list[TimeInterval]:
    """The intervals in a YAML text, a list of them or a single one. Raises :class:`ValueError` with what is wrong."""
    try:
        found: Any = yaml.safe_load(text)
        return _MANY.validate_python(found if isinstance(found, list) else [found])
    except yaml.YAMLError as error:
        message = f"it is not YAML: {error}"
        raise ValueError(message) from error
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors()
        ]
        raise ValueError("; ".join(lines)) from error


@hookimpl
def register_calendars() -> list[type[TimeIntervals]]:
    """Announce the kind."""
    return [TimeIntervals]
