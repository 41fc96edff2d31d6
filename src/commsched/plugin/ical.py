"""Reading iCalendar (RFC 5545): every occurrence of every event, by the clock of its own zone.

Expansion is ours, and never a server's free-busy: an event at nine stays at nine when the clocks change. Moved, left
out and cancelled instances, RDATE and EXDATE count. Zones are those of the tz database, Windows's names for them, or
what a VTIMEZONE of the same document defines; an event in any other zone makes the document unreadable.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
from icalendar.timezone import tzp

from commsched.plugin.base import Entry
from commsched.plugin.series import Budget, Instance, check_zones, knows, laid_out, rule_of
from commsched.timing.civil import instant, start_of_day
from commsched.timing.windows import Span

# Floating times and whole days are laid out by the library without a zone: no zone is further than a day from UTC.
SLACK = timedelta(days=2)
# What comes more often than this for ever is a mistake, or meant to keep us busy.
LEAST_STEP = timedelta(minutes=5)
MANY = 10_000
WEEK = timedelta(days=7)
_UNITS = {"SECONDLY": timedelta(seconds=1), "MINUTELY": timedelta(minutes=1)}
_TIMES = ("DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE")


def entries_of(
    document: bytes, place: ZoneInfo, within: Span, token: str = "", budget: Budget | None = None
) -> Iterator[Entry]:
    """Every occurrence in an iCalendar document that touches the span, cancelled ones too.

    Whole days and times without a zone are those of ``place``. What it takes to lay it out is limited, by ``budget``
    for several documents together. Raises :class:`ValueError` with what is wrong.
    """
    budget = budget or Budget()
    try:
        calendar = _parsed(document, within[1].year, budget)
    except (LookupError, TypeError, AttributeError, OverflowError) as error:
        message = f"it is not iCalendar: {error}"
        raise ValueError(message) from error
    try:
        strays = {(_uid(event), event.start) for event in calendar.walk("VEVENT") if _astray(event, budget)}
        found = laid_out(calendar, within[0] - SLACK, within[1] + SLACK, budget)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        message = f"its events cannot be laid out: {error}"
        raise ValueError(message) from error
    exact = {(_uid(event), event["DURATION"].dt) for event in calendar.walk("VEVENT") if "DURATION" in event}
    for one in found:
        if not one.moved and (one.uid, one.start) in strays:
            continue
        entry = _entry(one, place, token, exact)
        if entry.start < within[1] and (entry.end > within[0] or entry.start >= within[0]):
            yield entry


def _parsed(document: bytes, until: int, budget: Budget) -> icalendar.Calendar:
    """The document, checked. A zone that it defines is its own, whatever other documents mean by the name."""
    # The library remembers definitions of zones for all documents; each of ours starts without any.
    tzp.use_default()
    calendar = _decoded(document, until, budget)
    if calendar.walk("VTIMEZONE") and any(_strangers(event) for event in calendar.walk("VEVENT")):
        # A definition may stand behind the events that need it; it is known now.
        calendar = _decoded(document, until, budget)
    for event in calendar.walk("VEVENT"):
        name = event.get("UID", "?")
        for field, problem in event.errors:
            message = f"{field} of the event {name}: {problem}"
            raise ValueError(message)
        if unknown := _strangers(event):
            message = f"the zone {unknown[0]!r} of the event {name} is not known"
            raise ValueError(message)
        _check_pace(event, name)
    return calendar


def _decoded(document: bytes, until: int, budget: Budget) -> icalendar.Calendar:
    try:
        calendar = icalendar.Calendar.from_ical(document)
    except ValueError as error:
        message = f"it is not iCalendar: {error}"
        raise ValueError(message) from error
    if calendar.name != "VCALENDAR":
        message = "it is not an iCalendar file"
        raise ValueError(message)
    years = [at.year for event in calendar.walk("VEVENT") for _, at in _moments(event) if isinstance(at, datetime)]
    check_zones(calendar, max([until, *years]), budget.steps)
    return calendar


def _strangers(event: icalendar.Event) -> list[str]:
    """Zones that nobody knows; the library would silently take such a time as one without a zone."""
    return [
        str(name)
        for prop, at in _moments(event)
        if (name := prop.params.get("TZID")) and isinstance(at, datetime) and at.tzinfo is None
    ]


def _moments(event: icalendar.Event, fields: tuple[str, ...] = _TIMES) -> Iterator[tuple[Any, object]]:
    for field in fields:
        found = event.get(field)
        for prop in found if isinstance(found, list) else [found] if found is not None else []:
            for one in getattr(prop, "dts", [prop]):
                at = one.dt
                yield prop, at[0] if isinstance(at, tuple) else at


def _uid(event: icalendar.Event) -> str:
    return str(event.get("UID", ""))


def _check_pace(event: icalendar.Event, name: str) -> None:
    for rule in _rules(event):
        try:
            rule_of(rule)
        except ValueError as error:
            message = f"RRULE of the event {name}: {error}"
            raise ValueError(message) from error
        step = _UNITS.get(_first(rule, "FREQ", ""), LEAST_STEP) * _first(rule, "INTERVAL", 1)
        crowded = max(len(rule.get("BYSECOND", ())), len(rule.get("BYMINUTE", ()))) > timedelta(hours=1) / LEAST_STEP
        if (step < LEAST_STEP or crowded) and not _brief(rule, event):
            message = f"the event {name} comes again in less than five minutes, without end"
            raise ValueError(message)


def _brief(rule: Any, event: icalendar.Event) -> bool:  # noqa: ANN401 - the library has no types
    until = _first(rule, "UNTIL", None)
    if until is None:
        return bool(_first(rule, "COUNT", MANY) < MANY)
    return bool(_date(until) - _date(event["DTSTART"].dt) <= WEEK)


def _astray(event: icalendar.Event, budget: Budget) -> bool:
    """Whether the rule by which the event comes again does not know its first time.

    RFC 5545, 3.8.5.3, leaves open what that means; libical and ical4j go by the rule, and so does this.
    """
    rules = [rule for rule in _rules(event) if any(part.startswith("BY") for part in rule)]
    if not rules or "RECURRENCE-ID" in event or len(rules) < len(_rules(event)):
        return False
    first = event["DTSTART"].dt
    if any(at == first for _, at in _moments(event, ("RDATE",))):
        return False
    with budget.spent_on(_uid(event)) as steps:
        return not any(knows(rule, first, steps) for rule in rules)


def _rules(event: icalendar.Event) -> list[Any]:
    found = event.get("RRULE", [])
    return found if isinstance(found, list) else [found]


def _date(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


def _first(rule: Any, part: str, default: Any) -> Any:  # noqa: ANN401 - parts of a rule are of several types
    found = rule.get(part, default)
    return found[0] if isinstance(found, list) else found


def _entry(one: Instance, place: ZoneInfo, token: str, exact: set[tuple[str, timedelta]]) -> Entry:
    start, cancelled = _instant(one.start, place), one.status == "CANCELLED"
    length = _wall(one.end) - _wall(one.start)
    # A length in hours is exact, also over a clock change; days and ends are by the clock (RFC 5545, 3.3.6).
    by_length = not length.days and (one.uid, length) in exact
    end = start + length if by_length else max(start, _instant(one.end, place))
    return Entry(one.uid, start, end, not (cancelled or one.transparent), cancelled, token)


def _wall(value: date | datetime) -> datetime:
    """What the clock shows."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else datetime.combine(value, time())


def _instant(value: date | datetime, place: ZoneInfo) -> datetime:
    if not isinstance(value, datetime):
        return start_of_day(value, place)
    if value.tzinfo is None or isinstance(value.tzinfo, ZoneInfo):
        return instant(value.replace(tzinfo=None, fold=0), value.tzinfo or place)
    return value.astimezone(UTC)
