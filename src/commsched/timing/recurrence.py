"""Recurrence rules (RFC 5545, 3.3.10): what recurs between two times, in a number of steps that is bounded.

A rule in somebody else's calendar may never match, or recur every second since 1800. So nothing is walked that can be
skipped: without a COUNT a rule begins near the span, and it ends with it. What is walked all the same is counted.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import MAXYEAR, date, datetime, time, timedelta
from itertools import product
from typing import Literal

Frequency = Literal["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"]
UNITS: dict[str, timedelta] = {
    "WEEKLY": timedelta(weeks=1),
    "DAILY": timedelta(days=1),
    "HOURLY": timedelta(hours=1),
    "MINUTELY": timedelta(minutes=1),
    "SECONDLY": timedelta(seconds=1),
}
# What each of them says, is said of the finer ones: BYMINUTE and BYSECOND of an hour.
FINE = ("", "HOURLY", "MINUTELY", "SECONDLY")
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
MONTHS = 12
# A leap second is taken as the second before it, as the RFC says of clocks that have none.
LAST_SECOND = 59


class TooLong(ValueError):
    """It takes more steps than are left."""


@dataclass
class Steps:
    """How many steps may still be taken: periods looked at, days in them, and times found."""

    left: int

    def take(self, number: int = 1) -> None:
        """Take so many. Raises :class:`TooLong` where there are not so many left."""
        self.left -= number
        if self.left < 0:
            raise TooLong


@dataclass(frozen=True, slots=True)
class Rule:
    """The parts of a rule, save UNTIL; ``weekdays`` are pairs of weekday (Monday is 0) and which one (0: each)."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    week_start: int = 0
    months: frozenset[int] = frozenset()
    weeks: frozenset[int] = frozenset()
    year_days: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    weekdays: frozenset[tuple[int, int]] = frozenset()
    hours: frozenset[int] = frozenset()
    minutes: frozenset[int] = frozenset()
    seconds: frozenset[int] = frozenset()
    positions: frozenset[int] = frozenset()

    def between(self, first: datetime, begin: datetime, end: datetime, steps: Steps) -> Iterator[datetime]:
        """The times of the rule from ``begin`` up to and with ``end``, in order, if the event is first at ``first``.

        All are what the clock shows (naive). Raises :class:`TooLong`.
        """
        mine = _completed(self, first)
        walk = _Walk(mine, first, steps)
        left = mine.count
        for at in walk.times(first if left is not None else max(first, begin), end):
            if at > end or (left is not None and left <= 0):
                return
            if at < first:
                continue
            steps.take()
            left = None if left is None else left - 1
            if at >= begin:
                yield at


def _completed(rule: Rule, first: datetime) -> Rule:
    """With what a rule does not say, and its first time does."""
    months, month_days, weekdays = rule.months, rule.month_days, rule.weekdays
    if not (rule.weeks or rule.year_days or month_days or weekdays):
        if rule.frequency == "YEARLY":
            months, month_days = months or frozenset({first.month}), frozenset({first.day})
        elif rule.frequency == "MONTHLY":
            month_days = frozenset({first.day})
        elif rule.frequency == "WEEKLY":
            weekdays = frozenset({(first.weekday(), 0)})
    coarse = rule.frequency in {"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}
    return replace(
        rule,
        months=months,
        month_days=month_days,
        weekdays=weekdays,
        hours=rule.hours or (frozenset({first.hour}) if coarse else frozenset()),
        minutes=rule.minutes or (frozenset({first.minute}) if coarse or rule.frequency == "HOURLY" else frozenset()),
        seconds=rule.seconds or (frozenset({first.second}) if rule.frequency != "SECONDLY" else frozenset()),
    )


@dataclass
class _Walk:
    """A walk through the periods of a rule that says all."""

    rule: Rule
    first: datetime
    steps: Steps
    _clock: list[time] = field(init=False)

    def __post_init__(self) -> None:
        rule = self.rule
        # Units that are as coarse as the rule's own say which periods there are, not what is in them.
        coarse = FINE.index(rule.frequency) if rule.frequency in FINE else 0
        given = (rule.hours, rule.minutes, rule.seconds)
        parts = [sorted(found) if found and place >= coarse else [0] for place, found in enumerate(given)]
        self.steps.take(len(parts[0]) * len(parts[1]) * len(parts[2]))
        self._clock = sorted({time(hour, minute, min(second, LAST_SECOND)) for hour, minute, second in product(*parts)})

    def times(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        """The times of the periods from that of ``begin`` to that of ``end``, in order."""
        if self.rule.frequency in {"YEARLY", "MONTHLY"}:
            periods = self._months(begin, end)
        elif self.rule.frequency in {"WEEKLY", "DAILY"}:
            periods = self._days(begin, end)
        else:
            periods = self._moments(begin, end)
        for found in periods:
            self.steps.take()
            yield from self._at_positions(found) if self.rule.positions else found

    def _at_positions(self, found: list[datetime]) -> list[datetime]:
        many = len(found)
        places = {place - 1 if place > 0 else many + place for place in self.rule.positions}
        return [found[place] for place in sorted(places) if 0 <= place < many]

    def _months(self, begin: datetime, end: datetime) -> Iterator[list[datetime]]:
        """Years, and months: the days that are asked for, of the months that are asked for."""
        rule, first, yearly = self.rule, self.first, self.rule.frequency == "YEARLY"
        length = rule.interval * (MONTHS if yearly else 1)
        origin = first.year * MONTHS + (0 if yearly else first.month - 1)
        month = origin + max(0, (begin.year * MONTHS + begin.month - 1 - origin) // length) * length
        last = min(end.year * MONTHS + end.month - 1, MAXYEAR * MONTHS - 1)  # up to the last year but one
        while month <= last:
            year = month // MONTHS
            wanted = sorted(rule.months or range(1, MONTHS + 1)) if yearly else [month % MONTHS + 1]
            days = [day for one in wanted if yearly or one in (rule.months or {one}) for day in self._of(year, one)]
            yield self._on(days)
            month += length

    def _of(self, year: int, month: int) -> Iterator[date]:
        if not 1 <= month <= MONTHS:
            return
        length = monthrange(year, month)[1]
        wanted = {day if day > 0 else length + 1 + day for day in self.rule.month_days} or range(1, length + 1)
        self.steps.take(len(wanted))
        yield from (date(year, month, day) for day in sorted(wanted) if 1 <= day <= length)

    def _days(self, begin: datetime, end: datetime) -> Iterator[list[datetime]]:
        """Weeks, and days."""
        rule, origin, length, places = self.rule, self.first.date().toordinal(), self.rule.interval, [0]
        if rule.frequency == "WEEKLY":
            origin, length = origin - (self.first.weekday() - rule.week_start) % 7, length * 7
            places = sorted({(weekday - rule.week_start) % 7 for weekday, _ in rule.weekdays} or set(range(7)))
        day = origin + max(0, (begin.date().toordinal() - origin) // length) * length
        while day <= min(end.date().toordinal(), date.max.toordinal() - 7):
            self.steps.take(len(places))
            yield self._on([date.fromordinal(day + place) for place in places if day + place > 0])
            day += length

    def _on(self, days: list[date]) -> list[datetime]:
        fitting = [day for day in days if self._fits(day)]
        self.steps.take(len(fitting) * len(self._clock))
        return [datetime.combine(day, at) for day in fitting for at in self._clock]

    def _moments(self, begin: datetime, end: datetime) -> Iterator[list[datetime]]:
        """Hours, minutes, and seconds: over days, hours and minutes that do not fit in one stride."""
        step = UNITS[self.rule.frequency] * self.rule.interval
        number = max(0, (begin - self.first) // step - 1)
        within = [_since_midnight(at) for at in self._clock]
        while number <= (end - self.first) // step:
            at = self.first + number * step
            if (beyond := self._beyond(at)) is not None:
                self.steps.take()
                number += max(1, -((at - beyond) // step))
                continue
            number += 1
            self.steps.take(len(within))
            yield [self._whole(at) + more for more in within]

    def _whole(self, at: datetime) -> datetime:
        minute = 0 if self.rule.frequency == "HOURLY" else at.minute
        return at.replace(minute=minute, second=at.second if self.rule.frequency == "SECONDLY" else 0)

    def _beyond(self, at: datetime) -> datetime | None:
        """Where the next time could be at the earliest; ``None`` if it is here."""
        rule = self.rule
        if not self._fits(at.date()):
            return datetime.combine(at.date(), time()) + DAY
        if rule.hours and at.hour not in rule.hours:
            return at.replace(minute=0, second=0) + HOUR
        fine = rule.frequency != "HOURLY"
        if fine and rule.minutes and at.minute not in rule.minutes:
            return at.replace(second=0) + MINUTE
        if rule.frequency == "SECONDLY" and rule.seconds and at.second not in rule.seconds:
            return at + UNITS["SECONDLY"]
        return None

    def _fits(self, day: date) -> bool:
        rule = self.rule
        return (
            (not rule.months or day.month in rule.months)
            and (not rule.weekdays or self._is_weekday(day))
            and (not rule.month_days or _is_day(rule.month_days, day.day, monthrange(day.year, day.month)[1]))
            and (not rule.year_days or _is_day(rule.year_days, *_of_year(day)))
            and (not rule.weeks or _is_day(rule.weeks, *_week(day, rule.week_start)))
        )

    def _is_weekday(self, day: date) -> bool:
        rule, weekday = self.rule, day.weekday()
        if (weekday, 0) in rule.weekdays:
            return True
        if rule.frequency not in {"YEARLY", "MONTHLY"}:
            return any(one == weekday for one, _ in rule.weekdays)  # a number means nothing here
        within_year = rule.frequency == "YEARLY" and not rule.months
        number, length = _of_year(day) if within_year else (day.day, monthrange(day.year, day.month)[1])
        places = {(number - 1) // 7 + 1, -((length - number) // 7 + 1)}
        return any(one == weekday and place in places for one, place in rule.weekdays)


def _since_midnight(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)


def _is_day(wanted: frozenset[int], number: int, length: int) -> bool:
    return number in wanted or number - length - 1 in wanted


def _of_year(day: date) -> tuple[int, int]:
    return day.timetuple().tm_yday, date(day.year, 12, 31).timetuple().tm_yday


def _week(day: date, week_start: int) -> tuple[int, int]:
    """The number of a day's week, and how many its year has; the first has four days of its year at least."""
    at = day.toordinal()
    year = day.year
    if at < _first_week(year, week_start):
        year -= 1
    elif year < MAXYEAR and at >= _first_week(year + 1, week_start):
        year += 1
    begin = _first_week(year, week_start)
    length = (_first_week(year + 1, week_start) - begin) // 7 if year < MAXYEAR else 52
    return (at - begin) // 7 + 1, length


def _first_week(year: int, week_start: int) -> int:
    """The ordinal of its first day; that of the year before the first is no date."""
    fourth = date(max(year, 1), 1, 4).toordinal() - (0 if year > 0 else 366)
    return fourth - (fourth - 1 - week_start) % 7
