"""Who takes what of the calendars that are booked: places are given with the fact that needs them, or not at all.

A calendar with a capacity of three has the resources ``NAME#1`` to ``NAME#3``. An appointment that is booked or
confirmed takes cells of five minutes of one of them, from its start to its end; offers and proposals take none. A fact
says what is, so one for which there is no room is overbooked, not refused, and gets the first place that is given back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from commsched.errors import SlotTaken
from commsched.store import queries
from commsched.store.queries.slots import HOLDING
from commsched.store.store import instant, micros
from commsched.timing.slots import cells, span_of
from commsched.timing.windows import NEVER, Span, Windows

# The setting that says what resources there are, for whoever appends facts without knowing the configuration.
RESOURCES = "resources"
_HOUR = 60
# How many appointments are seated with one look at what is taken.
TOGETHER = 50
# No appointment under way began longer ago than this.
_LONGEST = timedelta(days=1)


class Resources(msgspec.Struct, frozen=True):
    """How many places each calendar has; of each service, how many minutes it takes and at which calendar it is done.

    The latter count where a fact names no end, or no calendar.
    """

    capacity: dict[str, int] = msgspec.field(default_factory=dict)
    minutes: dict[str, int] = msgspec.field(default_factory=dict)
    calendars: dict[str, str] = msgspec.field(default_factory=dict)

    def of(self, calendar: str) -> list[str]:
        """The resources of a calendar, in order."""
        return [f"{calendar}#{number}" for number in range(1, self.capacity.get(calendar, 0) + 1)]


@dataclass(frozen=True, slots=True)
class Closed:
    """When a whole calendar is closed besides its hours, and when each resource of it is."""

    all: Windows = NEVER
    one: Mapping[str, Windows] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Want:
    """The cells that an appointment needs of some resource of a calendar."""

    customer: str
    appointment: str
    calendar: str
    first: int
    last: int


def known(connection: Connection) -> Resources:
    """The resources that there are."""
    stored = queries.setting(connection, RESOURCES)
    return msgspec.json.decode(stored, type=Resources) if stored else Resources()


def remember(connection: Connection, resources: Resources, now: datetime) -> None:
    """Write down what resources there are; where that is new, the appointments to come take their places afresh.

    Those of which no calendar, or no end, was said follow their service when that is done elsewhere, or takes longer.
    """
    before = known(connection)
    if before == resources:
        return
    queries.put_setting(connection, RESOURCES, msgspec.json.encode(resources).decode())
    changed = _changed(before.capacity, resources.capacity)
    moved = _changed(before.calendars, resources.calendars)
    services = moved | _changed(before.minutes, resources.minutes)
    both = (before.calendars, resources.calendars)
    queries.lock_calendars(connection, changed | {one[name] for one in both for name in services if name in one})
    here, ever = cells(now, now)[0], cells(now + timedelta(days=36500), now)[0]
    since = micros(now - _LONGEST)
    held = [row for name in changed for row in queries.slots_between(connection, name, here, ever)]
    queries.drop_slots(connection, held)
    # What has moved elsewhere may hold a place where it was, and is brought in step below.
    done_there = {name for name, calendar in resources.calendars.items() if calendar in changed} - moved
    rows = queries.upcoming_appointments(connection, changed, done_there, since)
    wants = _wants(rows, resources, now)
    # Some may hold a place that is over by now, or that was theirs before they moved.
    wanted = {(want.customer, want.appointment) for want in wants}
    held = queries.held_slots(connection, {want.customer for want in wants})
    queries.drop_slots(connection, [row for row in held if (row.customer, row.appointment) in wanted])
    _seat(connection, wants, resources)
    following = queries.customers_following(connection, services, since)
    for some in queries.chunks(following):
        keep_in_step(connection, queries.appointments_of(connection, some), now)


def _changed(before: Mapping[str, object], after: Mapping[str, object]) -> set[str]:
    """The names whose values are not the same."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def keep_in_step(connection: Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Give and take places so that they fit these appointments, which are all of their customers'."""
    resources = known(connection)
    if not resources.capacity or not rows:
        return
    wanted = {(want.customer, want.appointment): want for want in _wants(rows, resources, now)}
    customers = {str(row["customer"]) for row in rows}
    here = cells(now, now)[0]
    held = queries.held_slots(connection, customers)
    touched = {row.calendar for row in _gone(held, wanted, here)} | {w.calendar for w in _new(held, wanted)}
    if not touched:
        return
    queries.lock_calendars(connection, touched)
    held = queries.held_slots(connection, customers)
    gone = _gone(held, wanted, here)
    queries.drop_slots(connection, gone)
    _seat(connection, _new(held, wanted), resources)
    freed = {row.calendar for row in gone if row.resource is not None}
    if freed:
        _seat_overbooked(connection, freed, here, resources)


def calendars_of(connection: Connection, customers: Iterable[str]) -> set[str]:
    """Every calendar at which something of these customers can take a place, or give one back."""
    services = known(connection).calendars
    rows = queries.calendars_named(connection, customers)
    return {found for row in rows if (found := row.calendar or services.get(row.service, ""))}


def require_free(connection: Connection, calendar: str, span: Span, *, leaving: tuple[str, str] | None = None) -> None:
    """Make sure that a span is free on one resource, and stays so until the commit; else :class:`SlotTaken`.

    ``leaving`` (customer, appointment) counts as gone: it is the one that moves.
    """
    queries.lock_calendars(connection, [calendar])
    resources, closed = known(connection), closures(connection, calendar)
    if calendar not in resources.capacity:
        return
    taken = taken_of(connection, calendar, span, leaving=leaving)
    shut = [closed.all | closed.one.get(name, NEVER) for name in resources.of(calendar)]
    if all((one | out).clip(*span) for one, out in zip(taken, shut, strict=True)):
        raise SlotTaken


def taken_of(
    connection: Connection, calendar: str, within: Span, *, leaving: tuple[str, str] | None = None
) -> list[Windows]:
    """What is taken on each resource of a calendar, in their order."""
    names = known(connection).of(calendar)
    rows = [
        row
        for row in queries.slots_between(connection, calendar, *cells(*within))
        if (row.customer, row.appointment) != leaving
    ]
    return [Windows(span_of(row.first, row.last) for row in rows if row.resource == name) for name in names]


def closures(connection: Connection, calendar: str) -> Closed:
    """When a calendar is closed besides its hours."""
    whole: list[Span] = []
    single: dict[str, list[Span]] = {}
    for row in queries.closures(connection, calendar):
        (whole if row.resource is None else single.setdefault(row.resource, [])).append(
            (instant(row.start), instant(row.end))
        )
    return Closed(Windows(whole), {name: Windows(spans) for name, spans in single.items()})


def move_within(connection: Connection, rows: Iterable[Row[Any]]) -> list[Row[Any]]:
    """Put appointments on another resource at the same time; returns those for which there is none."""
    resources, staying = known(connection), []
    for row in rows:
        want = Want(row.customer, row.appointment, row.calendar, row.first, row.last)
        other = _free(connection, want, resources, closures(connection, row.calendar))
        if other is None:
            staying.append(row)
        else:
            queries.drop_slots(connection, [row])
            queries.put_slots(connection, [_row(want, other)])
    return staying


def _wants(rows: Iterable[Mapping[str, Any]], resources: Resources, now: datetime) -> list[Want]:
    """What those of these appointments need that hold, and have not ended."""
    wants = []
    for row in rows:
        calendar = str(row["calendar"] or resources.calendars.get(str(row["service"]), ""))
        if row["status"] in HOLDING and calendar in resources.capacity:
            start, end = instant(int(row["start"])), instant(int(row["end"]))
            if end <= start:
                end = start + timedelta(minutes=resources.minutes.get(str(row["service"]), _HOUR))
            if end > now:
                wants.append(Want(str(row["customer"]), str(row["id"]), calendar, *cells(start, end)))
    return sorted(wants, key=lambda want: (want.first, want.customer, want.appointment))


def _gone(held: Iterable[Row[Any]], wanted: Mapping[tuple[str, str], Want], here: int) -> list[Row[Any]]:
    """What is given back; what has passed is left as it was."""
    found = ((row, wanted.get((row.customer, row.appointment))) for row in held)
    return [row for row, want in found if not _same(row, want) and (row.last > here or want is not None)]


def _new(held: Iterable[Row[Any]], wanted: Mapping[tuple[str, str], Want]) -> list[Want]:
    kept = {(row.customer, row.appointment) for row in held if _same(row, wanted.get((row.customer, row.appointment)))}
    return [want for name, want in wanted.items() if name not in kept]


def _same(row: Row[Any], want: Want | None) -> bool:
    return want is not None and (row.calendar, row.first, row.last) == (want.calendar, want.first, want.last)


def _seat(connection: Connection, wants: Iterable[Want], resources: Resources) -> None:
    """Take places, the earliest first; what is taken already is read for many at a time."""
    by_calendar: dict[str, list[Want]] = {}
    for want in wants:
        by_calendar.setdefault(want.calendar, []).append(want)
    for calendar, wanted in by_calendar.items():
        closed = closures(connection, calendar)
        for some in queries.chunks(sorted(wanted, key=lambda want: want.first), TOGETHER):
            last = max(want.last for want in some)
            taken = [
                (row.resource, row.first, row.last)
                for row in queries.slots_between(connection, calendar, some[0].first, last)
            ]
            rows = []
            for want in some:
                busy = {name for name, first, end in taken if first < want.last and end > want.first}
                found = _choice(want, resources, closed, busy, anyway=True)
                taken.append((found, want.first, want.last))
                rows.append(_row(want, found))
            queries.put_slots(connection, rows)


def _seat_overbooked(connection: Connection, calendars: Iterable[str], here: int, resources: Resources) -> None:
    for row in queries.overbooked(connection, calendars, here):
        want = Want(row.customer, row.appointment, row.calendar, row.first, row.last)
        found = _free(connection, want, resources, closures(connection, row.calendar))
        if found is not None:
            queries.drop_slots(connection, [row])
            queries.put_slots(connection, [_row(want, found)])


def _free(connection: Connection, want: Want, resources: Resources, closed: Closed) -> str | None:
    """A resource on which the cells are free, and that is not closed."""
    busy = queries.busy_resources(connection, resources.of(want.calendar), want.first, want.last)
    return _choice(want, resources, closed, busy)


def _choice(
    want: Want, resources: Resources, closed: Closed, busy: Collection[str | None], *, anyway: bool = False
) -> str | None:
    """A resource that is not busy, one that is not closed first; ``anyway``: else one that is closed."""
    free = [name for name in resources.of(want.calendar) if name not in busy]
    span = span_of(want.first, want.last)
    working = [name for name in free if not (closed.all | closed.one.get(name, NEVER)).clip(*span)]
    return next(iter([*working, *(free if anyway else [])]), None)


def _row(want: Want, resource: str | None) -> dict[str, object]:
    return {
        "customer": want.customer,
        "appointment": want.appointment,
        "calendar": want.calendar,
        "resource": resource,
        "first": want.first,
        "last": want.last,
    }
