"""Looking for free times at a service's calendar, and what stands against one that somebody would like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import Connection

from commsched.engine.atdesk import engaged
from commsched.model.facts import Appointment
from commsched.model.subjects import digest_of
from commsched.planning.fold import fold
from commsched.planning.ledger import Ledger
from commsched.planning.plan import plan
from commsched.planning.prep import tellers, times_of
from commsched.planning.world import World
from commsched.plugin.view import Snapshot
from commsched.rules.rule import Service
from commsched.rules.timeexpr import weekdays_only
from commsched.store import queries, slots
from commsched.store.slots import Resources
from commsched.store.store import micros
from commsched.timing.civil import parse_week, weekly
from commsched.timing.slots import Ask, Found, Slot, find, on_grid, room
from commsched.timing.windows import NEVER, Span, Windows

AHEAD = timedelta(days=14)
# How far beyond the times themselves a calendar is read, so that an appointment at the edge is seen whole.
MARGIN = timedelta(days=1)
# Nobody books further ahead: it is a mistyped year.
FAR = timedelta(days=5 * 366)
# How many times are tried, at most, for one that leaves time to tell what must be prepared.
TRIES = 200


@dataclass(frozen=True, slots=True)
class Desk:
    """Where times are looked for: the world, and a way to read a calendar (name, span, now)."""

    world: World
    snapshot: Callable[[str, Span, datetime], Snapshot]


@dataclass(frozen=True, slots=True)
class Telling:
    """A preparation for an appointment at a certain time: when it begins, until when the customer must be told."""

    id: str
    begins: datetime
    by: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """For whom, and where to look. ``leaving`` is the appointment that moves, whose own time counts as free.

    ``near``: a wanted time; ``spread``: the best of every half-day first. ``assumed``: times that count as taken, too.
    ``suiting``: only times that suit the customer. ``asset``: what is to be served. ``told``: whoever books tells them
    what to prepare, so that no message need reach them in time.
    """

    service: Service
    within: Span
    ledger: Ledger | None = None
    near: datetime | None = None
    leaving: str | None = None
    assumed: Sequence[Span] = ()
    suiting: bool = False
    asset: str | None = None
    told: bool = False
    spread: bool = True
    limit: int = 10


@dataclass(frozen=True, slots=True)
class Times:
    """What was found: the best times, and sentences that say what kept others from being free, with their code."""

    slots: tuple[Slot, ...]
    reasons: tuple[tuple[str, str], ...] = ()


def resources_of(capacity: Mapping[str, int], services: Mapping[str, Service]) -> Resources:
    """What there is to book, as the store keeps it."""
    minutes = {name: service.duration // timedelta(minutes=1) for name, service in services.items()}
    calendars = {name: service.calendar for name, service in services.items() if service.calendar is not None}
    return Resources(dict(capacity), minutes, calendars)


def free_times(desk: Desk, connection: Connection, look: Look, now: datetime) -> Times:
    """The free times for a service, best first, each with time left to tell what must be prepared."""
    calendar = look.service.calendar
    if calendar is None:
        return Times(
            (), (("calendar", f"{look.service.id} has no calendar, so that there are no times to choose from"),)
        )
    snapshot = desk.snapshot(calendar, _around(look.within), now)
    if snapshot.stale:
        return Times((), (("stale", f"the calendar {calendar} cannot be read, so that nobody knows what is free"),))
    opened, taken = _opened(connection, calendar, snapshot.open, look)
    opened -= _elsewhere(desk, look, now)
    found = find(opened, taken, _ask(desk, look, now))
    wanted = (slot for slot in found.slots if not look.suiting or slot.suits is not False)
    late, chosen = 0, list[Slot]()
    for slot in islice(wanted, TRIES):
        if len(chosen) == look.limit:
            break
        if tellable(desk, look, slot.start, now):
            chosen.append(slot)
        else:
            late += 1
    reasons = [*_reasons(replace(found, prep=found.prep + late), look, chosen)]
    if not chosen:
        reasons += [("closed", detail) for detail in closings(connection, calendar, look.within)]
    return Times(tuple(chosen), tuple(reasons))


def room_ahead(
    desk: Desk, connection: Connection, calendar: str, duration: timedelta, within: Span, now: datetime
) -> int:
    """How many appointments of a length still fit into a calendar; none, if it cannot be read."""
    snapshot = desk.snapshot(calendar, _around(within), now)
    if snapshot.stale:
        return 0
    closed = slots.closures(connection, calendar)
    names = slots.known(connection).of(calendar)
    taken = slots.taken_of(connection, calendar, within)
    shut = (one | closed.one.get(name, NEVER) for name, one in zip(names, taken, strict=True))
    return room(snapshot.open.clip(*within) - closed.all, shut, duration)


def read_ahead(desk: Desk, calendar: str, within: Span, now: datetime) -> Desk:
    """A desk that has read a calendar for this span: for what must not wait for one in a transaction."""
    known = desk.snapshot(calendar, _around(within), now)
    return Desk(desk.world, lambda name, span, at: known if name == calendar else desk.snapshot(name, span, at))


def tellings(desk: Desk, service: Service, start: datetime, end: datetime | None = None) -> list[Telling]:
    """What must be prepared for an appointment at a time, the earliest first."""
    anchors = {"start": start, "end": end or start + service.duration}
    found = []
    for prep in service.prep:
        rule = next((rule for rule, _ in tellers(desk.world.rules, service, prep.id)), None)
        business = desk.world.business(rule.department) if rule is not None else weekdays_only
        times = times_of(prep, anchors, desk.world.zone, business)
        if times is not None:
            found.append(Telling(prep.id, *times))
    return sorted(found, key=lambda one: (one.by, one.id))


def tellable(desk: Desk, look: Look, start: datetime, now: datetime) -> bool:
    """Whether the plan of a customer who books this time finds an instant to tell each preparation.

    Who has no address for that is called, whatever the time; what must not be said is no question of time either.
    """
    if look.ledger is None or not look.service.prep or look.told:
        return True
    booked = _booking(look, look.ledger.customer, start, now, str(desk.world.zone))
    entries = (*look.ledger.entries, (digest_of(booked).hex(), booked))
    preps = {prep.id for prep in look.service.prep}
    decisions = plan(
        replace(look.ledger, entries=tuple(sorted(entries, key=lambda one: one[0]))), desk.world, now
    ).decisions
    return not any(
        one.state in {"refused", "expired"}
        and one.proposal.subject == booked.id
        and one.proposal.addresses
        and _prep_of(desk.world, one.proposal.rule, one.proposal.step) in preps
        and all(reason.force == "could_not" for reason in one.reasons)
        for one in decisions
    )


def against(desk: Desk, connection: Connection, look: Look, start: datetime, now: datetime) -> str:
    """Why an appointment cannot begin then, in a sentence without its end; empty if it can.

    Whether the time is taken is asked again when it is booked.
    """
    service, calendar, end = look.service, look.service.calendar, start + look.service.duration
    if start > now + FAR:
        return "it is more than five years ahead"
    if calendar is not None:
        snapshot = desk.snapshot(calendar, _around((start, end)), now)
        if snapshot.stale:
            return f"the calendar {calendar} cannot be read, so that nobody knows whether it is free"
        if snapshot.open.clip(start, end).spans != ((start, end),):
            return f"it is outside the hours of {calendar}"
        if slots.closures(connection, calendar).all.clip(start, end):
            return "; ".join(closings(connection, calendar, (start, end)))
        if not on_grid(start):
            return "appointments begin on full quarters of an hour"
    if start < now + service.min_notice:
        return f"{service.id} must be booked {_length(service.min_notice)} before it begins"
    return ""


def possible(desk: Desk, connection: Connection, look: Look, start: datetime, now: datetime) -> bool:
    """Whether a customer could have a time, as far as hours, notice and preparations go; whether it is free is another.

    By this a page and a reply measure alike.
    """
    return not against(desk, connection, look, start, now) and too_late_for(desk, look, start, now) is None


def closings(connection: Connection, calendar: str, span: Span) -> list[str]:
    """What of a calendar is closed in a span besides its hours, and why, each in a few words."""
    first, last = map(micros, span)
    return [
        f"{row.resource or calendar} is closed then{f': {row.reason}' if row.reason else ''} ({row.id})"
        for row in queries.closures(connection, calendar)
        if row.start < last and row.end > first
    ]


def too_late_for(desk: Desk, look: Look, start: datetime, now: datetime) -> Telling | None:
    """The first preparation that can no longer be told for an appointment at that time."""
    needed = tellings(desk, look.service, start)
    late = [one for one in needed if one.by < now]
    if not late and needed and not tellable(desk, look, start, now):
        late = needed
    return late[0] if late else None


def visit_hours(desk: Desk, ledger: Ledger | None, within: Span, now: datetime) -> Windows | None:
    """When it suits the customer, by the clock of the place; ``None`` if they have not said."""
    if ledger is None:
        return None
    stated = fold(ledger, now).profile.visit_hours
    return weekly(parse_week(stated), (desk.world.zone,), _around(within)) if stated else None


def _ask(desk: Desk, look: Look, now: datetime) -> Ask:
    def tell_by(start: datetime) -> datetime | None:
        needed = tellings(desk, look.service, start)
        return needed[0].by if needed else None

    service = look.service
    return Ask(
        service.duration,
        look.within,
        # Nobody can arrive at the very moment at which they book.
        now + max(service.min_notice, timedelta(seconds=1)),
        desk.world.zone,
        visit_hours(desk, look.ledger, look.within, now),
        look.near,
        look.spread,
        tell_by if service.prep else lambda _: None,
        now,
    )


def _opened(connection: Connection, calendar: str, hours: Windows, look: Look) -> tuple[Windows, list[Windows]]:
    closed = slots.closures(connection, calendar)
    leaving = (look.ledger.customer, look.leaving) if look.ledger is not None and look.leaving is not None else None
    names = slots.known(connection).of(calendar)
    taken = slots.taken_of(connection, calendar, _around(look.within), leaving=leaving)
    taken = [one | closed.one.get(name, NEVER) for name, one in zip(names, taken, strict=True)]
    for span in look.assumed:
        free = next((number for number, one in enumerate(taken) if not one.clip(*span)), None)
        if free is not None:
            taken[free] |= Windows.between(*span)
    return hours - closed.all, taken


def _elsewhere(desk: Desk, look: Look, now: datetime) -> Windows:
    """When the customer, or what is to be served, is somewhere else."""
    if look.ledger is None:
        return NEVER
    others = engaged(fold(look.ledger, now), desk.world.services, look.asset, look.leaving)
    return Windows(one.span for one in others)


def _booking(look: Look, customer: str, start: datetime, now: datetime, place: str) -> Appointment:
    """The appointment as it would stand in the ledger."""
    return Appointment(
        at=now,
        recorded_at=now,
        customer=customer,
        source="commsched",
        stated_by="staff",
        id=look.leaving or "slot",
        service=look.service.id,
        start=start,
        end=start + look.service.duration,
        status="booked",
        booked_by="staff",
        calendar=look.service.calendar,
        place_zone=place,
    )


def _prep_of(world: World, rule: str, step: str) -> str | None:
    found = world.rule(rule)
    return next((one.prep for one in found.steps if one.name == step), None) if found is not None else None


def _around(within: Span) -> Span:
    return within[0] - MARGIN, within[1] + MARGIN


def _reasons(found: Found, look: Look, chosen: Sequence[Slot]) -> Iterable[tuple[str, str]]:
    service = look.service
    if not found.opened:
        yield "closed", f"{service.calendar} is not open long enough for {service.id} then"
    if found.full:
        yield "full", f"{found.full} of {found.opened} times are taken"
    if found.notice:
        yield "notice", f"{found.notice} are less than {_length(service.min_notice)} away or past"
    if found.prep:
        needed = " and ".join(prep.id for prep in service.prep)
        yield "prep", f"{found.prep} leave no time to tell what must be prepared ({needed})"
    if found.unsuited and not any(slot.suits for slot in chosen):
        yield (
            "hours",
            f"none of the free times lies within the hours that suit the customer; {found.unsuited} lie outside",
        )


def _length(length: timedelta) -> str:
    hours = length / timedelta(hours=1)
    return f"{hours:g} h" if hours >= 1 else f"{length // timedelta(minutes=1)} min"
