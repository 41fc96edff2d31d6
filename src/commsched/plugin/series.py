"""Laying out the series of an iCalendar document, in a number of steps that is bounded for the document as a whole.

What belongs to a series (moved and cancelled instances, RDATE, EXDATE) is the library's business. What its rule means
is ours (:mod:`commsched.timing.recurrence`), because the library walks every rule from its beginning, and one that
never matches to the year 9999.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, get_args

import icalendar
import recurring_ical_events
from recurring_ical_events import Occurrence, Series

from commsched.timing.recurrence import Frequency, Rule, Steps, TooLong

# A few seconds' work. A year of an appointment every week takes 800, so some hundred such series fit many times.
MOST_STEPS = 2_000_000
# What an instance costs besides, in steps.
INSTANCE = 10
MOST_INTERVAL = 1_000_000
CLOCK_CHANGE = timedelta(hours=3)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# Which numbers a part may have (RFC 5545, 3.3.10), and whether they may count from the end.
RANGES: Mapping[str, tuple[str, int, int, bool]] = {
    "BYMONTH": ("months", 1, 12, False),
    "BYWEEKNO": ("weeks", 1, 53, True),
    "BYYEARDAY": ("year_days", 1, 366, True),
    "BYMONTHDAY": ("month_days", 1, 31, True),
    "BYHOUR": ("hours", 0, 23, False),
    "BYMINUTE": ("minutes", 0, 59, False),
    "BYSECOND": ("seconds", 0, 60, False),
    "BYSETPOS": ("positions", 1, 366, True),
}
OTHERS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY"})
# Zones change their clocks by rules that hold once a year; how long one may take until it does.
ZONE_PATIENCE = timedelta(days=41 * 366)
# What the library takes for one change of a clock, in steps.
CLOCK_STEPS = 25


class Budget:
    """The steps of a document, and which of its events took them."""

    def __init__(self, limit: int = MOST_STEPS) -> None:
        self.steps, self.taken = Steps(limit), Counter[str]()

    @contextmanager
    def spent_on(self, uid: str) -> Iterator[Steps]:
        """The steps, for one event; raises :class:`ValueError` with the event that took most when they are used up."""
        before = self.steps.left
        try:
            yield self.steps
        except TooLong as error:
            self.taken[uid] += before
            message = f"the event {self.taken.most_common(1)[0][0]} comes again too often, or has for too long"
            raise ValueError(message) from error
        self.taken[uid] += before - self.steps.left


@dataclass(frozen=True, slots=True)
class Instance:
    """One time of an event, by the clock of its own zone; ``moved``: it was put there by itself."""

    uid: str
    start: date | datetime
    end: date | datetime
    status: str
    transparent: bool
    moved: bool = False


def laid_out(calendar: icalendar.Calendar, begin: datetime, end: datetime, budget: Budget) -> list[Instance]:
    """Every instance of every event between two times; raises :class:`ValueError` where that is too much."""
    events: Any = recurring_ical_events.ComponentsWithName("VEVENT", series=_series(budget), occurrence=_Found)
    found: list[Instance] = recurring_ical_events.of(calendar, components=[events]).between(begin, end)
    return found


class _Found(Occurrence):  # type: ignore[misc] # the library has no types
    """An instance, without a copy of its event."""

    def as_component(self, keep_recurrence_attributes: bool) -> Any:  # noqa: ANN401, FBT001 - as in the library
        del keep_recurrence_attributes
        event = self._adapter._component  # noqa: SLF001 - the library would copy it for each instance
        transparent = event.get("TRANSP") == "TRANSPARENT"
        status, moved = str(event.get("STATUS", "")), "RECURRENCE-ID" in event
        return Instance(str(event.get("UID", "")), self.start, self.end, status, transparent, moved)


def _series(budget: Budget) -> type[Series]:
    class Rules(Series.RecurrenceRules):  # type: ignore[misc] # the library has no types
        def create_rule_with_start(self, rule_string: str) -> Any:  # noqa: ANN401 - the library expects dateutil's
            parts = icalendar.vRecur.from_ical(rule_string)
            return _Recurring(rule_of(parts), self.start, _one(parts, "UNTIL"), self.core.uid, budget)

    class Bounded(Series):  # type: ignore[misc] # the library has no types
        RecurrenceRules = Rules

    return Bounded


@dataclass(frozen=True, slots=True)
class _Recurring:
    """A rule as the library asks it: with zones, and ``until``, which the library heeds itself."""

    rule: Rule
    start: datetime
    until: date | datetime | None
    uid: str
    budget: Budget

    def between(self, begin: datetime, end: datetime, *, inc: bool) -> Iterator[datetime]:
        del inc  # both ends belong to it
        # The other side of a clock change is one or two hours off; whoever asks cuts to size.
        first, last = _wall(begin, self.start) - CLOCK_CHANGE, _wall(end, self.start) + CLOCK_CHANGE
        with self.budget.spent_on(self.uid) as steps:
            for at in self.rule.between(_wall(self.start, self.start), first, last, steps):
                steps.take(INSTANCE)
                yield at.replace(tzinfo=self.start.tzinfo)


def _wall(at: datetime, like: datetime) -> datetime:
    return at.astimezone(like.tzinfo).replace(tzinfo=None) if like.tzinfo and at.tzinfo else at.replace(tzinfo=None)


def rule_of(parts: Mapping[str, Any]) -> Rule:
    """A rule from its parts as the library reads them; raises :class:`ValueError` with what is wrong."""
    if unknown := sorted(set(parts) - OTHERS - set(RANGES)):
        message = f"a rule has no part {unknown[0]}"
        raise ValueError(message)
    frequency, interval, count = (_one(parts, name) for name in ("FREQ", "INTERVAL", "COUNT"))
    if frequency not in get_args(Frequency):
        message = f"a rule has a FREQ such as DAILY, not {frequency}"
        raise ValueError(message)
    numbers = {field: _numbers(name, parts.get(name, ())) for name, (field, *_) in RANGES.items()}
    if interval is not None and not 1 <= interval <= MOST_INTERVAL:
        message = f"INTERVAL={interval} is no interval"
        raise ValueError(message)
    return Rule(
        frequency,
        interval or 1,
        # A count below zero is how some programs say that there is none.
        count if count is None or count >= 0 else None,
        WEEKDAYS.index(str(_one(parts, "WKST") or "MO")),
        weekdays=frozenset((WEEKDAYS.index(day.weekday), day.relative or 0) for day in _list(parts.get("BYDAY", ()))),
        **numbers,
    )


def knows(rule: Any, first: date | datetime, steps: Steps) -> bool:  # noqa: ANN401 - the library has no types
    """Whether a rule has a time as one of its own."""
    at = first.replace(tzinfo=None) if isinstance(first, datetime) else datetime.combine(first, time())
    endless = {part: value for part, value in rule.items() if part not in {"UNTIL", "COUNT"}}
    return next(rule_of(endless).between(at, at, at, steps), None) == at


def check_zones(calendar: icalendar.Calendar, until: int, steps: Steps) -> None:
    """Refuse zones that the library could not lay out: it walks their rules itself, to the last ``until`` (a year).

    A clock changes at one moment of a year. Raises :class:`ValueError` where a rule says otherwise, or where there are
    more of them, or older ones, than there are steps for.
    """
    for zone in calendar.walk("VTIMEZONE"):
        try:
            for part in zone.subcomponents:
                steps.take(INSTANCE)
                for parts in _list(part.get("RRULE", ())):
                    first = part["DTSTART"].dt
                    steps.take(CLOCK_STEPS * max(0, until - first.year))
                    if not _is_yearly(rule_of(parts), first, steps):
                        words = "changes its clock by a rule that does not hold once a year"
                        message = f"the zone {zone.get('TZID')} {words}"
                        raise ValueError(message)
        except TooLong as error:
            message = f"the zone {zone.get('TZID')} changes its clock too often, or has for too long"
            raise ValueError(message) from error


def _is_yearly(rule: Rule, first: date | datetime, steps: Steps) -> bool:
    at = first.replace(tzinfo=None) if isinstance(first, datetime) else datetime.combine(first, time())
    fine = rule.hours or rule.minutes or rule.seconds or rule.positions
    if rule.frequency != "YEARLY" or rule.interval != 1 or len(rule.months) > 1 or fine:
        return False
    times = list(rule.between(at, at, at + ZONE_PATIENCE, steps))
    return bool(times) and len({one.year for one in times}) == len(times)


def _numbers(name: str, given: Any) -> frozenset[int]:  # noqa: ANN401 - one number, or a list of them
    _, least, most, signed = RANGES[name]
    found = frozenset(int(one) for one in _list(given))
    for one in found:
        if not least <= (abs(one) if signed else one) <= most:
            message = f"{name}={one} is out of range"
            raise ValueError(message)
    return found


def _list(found: Any) -> Any:  # noqa: ANN401 - parts of a rule are of several types
    return found if isinstance(found, list | tuple) else [found]


def _one(parts: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - parts of a rule are of several types
    found = _list(parts.get(name, ()))
    return found[0] if found else None
