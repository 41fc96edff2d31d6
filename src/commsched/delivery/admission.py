"""Admission: which of the messages that are due go now, most urgent first, and what the others wait for.

A message needs a channel with a place for it, and where its rule has a pace, a place of the rule's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec
from sqlalchemy import Connection

from commsched.delivery.carriers import Carriers, Held, tomorrow
from commsched.delivery.intent import Ready
from commsched.delivery.line import Urgency
from commsched.planning.world import World
from commsched.rules.rule import Rule
from commsched.store import queries
from commsched.store.messages import message_row, signature_of
from commsched.store.store import instant, micros
from commsched.timing.rates import Rate
from commsched.timing.windows import FIRST

# How long an invitation counts as open if nothing is booked.
INVITED = timedelta(days=14)
# How many appointments of a length a calendar has room for.
Room = Callable[[Connection, str, timedelta], int]


@dataclass(frozen=True, slots=True)
class Admitted:
    """What goes now, and what waits."""

    taken: list[Ready] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)


def admit(
    connection: Connection,
    ready: Sequence[Ready],
    world: World,
    rates: Mapping[str, Rate],
    now: tuple[datetime, datetime],
    room: Room = lambda *_: 0,
    stood: Mapping[str, int] = MappingProxyType({}),
) -> Admitted:
    """Give out places at channels and rules; what waits has its reason written beside it.

    ``now``: the instant of the plans, and the one that it is by now. ``room`` says how many appointments of a length
    fit into a calendar: whom that is too few for waits, nearest due first. ``stood``: of those
    who stood in line, until when they might have gone when they joined it, by key: waiting makes nobody less urgent.
    Calendars are locked here, and after them channels, so ledgers must be locked before.
    """
    found = Admitted()
    if not ready:
        return found
    paces = _Paces(connection, ready, world, now[0], room)
    ranked = [(paces.urgency(one, stood.get(one.record.key)), one) for one in ready]
    ranked.sort(key=lambda each: each[0])
    carriers = Carriers(connection, world, rates, ranked, now[1])
    for urgency, one in ranked:
        carried = carriers.find(one, urgency)
        if isinstance(carried, Held):
            found.held.append(carried)
        elif why := paces.refuse(carried):
            found.held.append(Held(one, tomorrow(one.record.ideal, now[0], world), "pace", f"{why}; nearest due first"))
        else:
            found.taken.append(carriers.take(carried))
    carriers.close()
    _explain(connection, found.held)
    return found


def _explain(connection: Connection, waiting: Sequence[Held]) -> None:
    """Write beside the messages that found no place why they wait."""
    rows = []
    for held in waiting:
        one = held.ready
        reasons = (*one.record.reasons, ("commsched", held.code, held.why))
        waits = {"state": "planned", "at": held.until, "subject_line": "", "body": "", "reasons": reasons}
        record = msgspec.structs.replace(one.record, **waits)
        rows.append(message_row(record, signature=signature_of(one.decision)))
    queries.put_messages(connection, rows)


class _Paces:
    """The places that rules with a pace have left."""

    def __init__(self, connection: Connection, ready: Sequence[Ready], world: World, now: datetime, room: Room) -> None:
        self.connection, self.world = connection, world
        self.rules = {rule.name: rule for rule in world.rules}
        self.day = now.astimezone(world.zone).date().isoformat()
        mine = [self.rules[name] for name in sorted({one.record.rule for one in ready}) if name in self.rules]
        self.invitations = _Invitations(connection, world, room, now)
        self.invitations.look(mine)
        queries.lock_paces(connection, {name for rule in mine for name, limit in _limits(rule) if limit}, self.day)

    def urgency(self, one: Ready, stood: int | None) -> Urgency:
        """By what the most urgent comes first: where people are invited, the nearest due; else as plans are placed."""
        proposal = one.decision.proposal
        rule = self.rules.get(proposal.rule)
        due = proposal.anchor.at if rule is not None and rule.free_slots else FIRST
        until = one.outgoing.send_by
        return due, proposal.priority, until if stood is None else min(until, instant(stood)), one.record.key

    def refuse(self, one: Ready) -> str:
        """Why the rule has no place for a message; if it has, that is taken."""
        proposal = one.decision.proposal
        rule = self.rules.get(proposal.rule)
        if rule is None:
            return ""
        if rule.free_slots and not self.invitations.has_place(one, rule):
            return "as many people are invited as there are free times"
        old = proposal.ideal < self.world.since.get(rule.name, proposal.ideal)
        for name, limit in _limits(rule)[0 if old else 1 :]:
            if limit is not None and not queries.take_pace(self.connection, name, self.day, limit):
                return "the rule's messages of today have gone"
        if rule.free_slots:
            self.invitations.take(one, rule)
        return ""


def _limits(rule: Rule) -> list[tuple[str, int | None]]:
    """A rule's places: for catching up first, so that the many old ones do not use up those of the day."""
    return [(f"{rule.name}#catch_up", rule.catch_up), (rule.name, rule.pace)]


class _Invitations:
    """How many more people there is room to invite to each calendar, whichever rule with ``pace: free_slots`` does."""

    def __init__(self, connection: Connection, world: World, room: Room, now: datetime) -> None:
        self.connection, self.world, self.room, self.now = connection, world, room, now
        self.left: dict[str, int] = {}

    def look(self, rules: Sequence[Rule]) -> None:
        """See what is left of the calendars of these rules, and keep others from inviting to them until the commit."""
        wanted = {name for rule in rules if rule.free_slots for name in self._lengths(rule)}
        if not wanted:
            return
        queries.lock_calendars(self.connection, wanted)
        paced = [rule for rule in self.world.rules if rule.free_slots]
        for calendar in sorted(wanted):
            length = max(self._lengths(rule).get(calendar, timedelta()) for rule in paced)
            self.left[calendar] = self.room(self.connection, calendar, length)
        since = micros(self.now - INVITED)
        for rule in paced:
            mine = wanted & self._lengths(rule).keys()
            invited = queries.open_invitations(self.connection, rule.name, since, rule.trigger.names) if mine else {}
            for calendar in mine:
                self.left[calendar] -= invited.get(calendar, 0) + invited.get("", 0)

    def has_place(self, one: Ready, rule: Rule) -> bool:
        """Whether this is somebody who is invited already, or one more for whom there is room."""
        calendar = self._calendar(one)
        return (
            calendar is None or self.left[calendar] > 0 or queries.invited(self.connection, rule.name, _invitation(one))
        )

    def take(self, one: Ready, rule: Rule) -> None:
        """Remember the invitation; a later step about the same is none of its own."""
        calendar = self._calendar(one)
        if calendar is not None and not queries.invited(self.connection, rule.name, _invitation(one)):
            self.left[calendar] -= 1
            queries.add_invitation(
                self.connection,
                rule=rule.name,
                key=_invitation(one),
                customer=one.decision.proposal.customer,
                at=micros(self.now),
                calendar=calendar,
            )

    def _calendar(self, one: Ready) -> str | None:
        service = self.world.services.get(str(one.decision.proposal.variables.get("service", "")))
        return service.calendar if service is not None else None

    def _lengths(self, rule: Rule) -> dict[str, timedelta]:
        """How long the longest of a rule's services takes, by calendar."""
        found: dict[str, timedelta] = {}
        for service in filter(None, map(self.world.services.get, rule.trigger.names)):
            if service.calendar is not None:
                found[service.calendar] = max(found.get(service.calendar, timedelta()), service.duration)
        return found


def _invitation(one: Ready) -> str:
    p = one.decision.proposal
    return f"{p.customer}/{p.subject}/{p.occurrence}"
