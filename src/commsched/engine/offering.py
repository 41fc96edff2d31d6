"""Free times for one customer's message: those that it offers, and how many a campaign has room for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from commsched.engine.booking import AHEAD, Desk, Look, free_times, read_ahead, room_ahead
from commsched.errors import UnknownName
from commsched.model.decisions import Decision, Reason, TaskDecision
from commsched.model.state import State
from commsched.planning.ledger import Ledger
from commsched.planning.propose import task
from commsched.planning.world import World
from commsched.plugin.view import Snapshot
from commsched.rules.rule import OFFER_SLOTS, Rule, Service
from commsched.timing.windows import NEVER

OFFERED = 3
NO_SLOTS = Reason("commsched", "no_free_slots", "there is no free time that suits them and leaves time to prepare")
CALL = "{{ customer.name }} needs another time, and none is free that could be offered: {{ reason }}"


def nowhere(world: World) -> Desk:
    """A desk at which nothing can be known to be free."""
    return Desk(world, lambda name, _within, now: Snapshot(name, NEVER, now, stale=True))


def offers(decision: Decision) -> bool:
    """Whether a message offers free times."""
    return decision.template == OFFER_SLOTS


def slots_for(
    desk: Desk, connection: Connection, decision: Decision, ledger: Ledger, now: datetime
) -> tuple[datetime, ...]:
    """When the free times begin that a message offers: at most three, that suit the customer; those to come first."""
    proposal = decision.proposal
    service = desk.world.services.get(str(proposal.variables.get("service", "")))
    rule = desk.world.rule(proposal.rule)
    if service is None or rule is None:
        return ()
    about = rule.trigger.kind == "appointment"
    around = max(now, proposal.anchor.at)
    look = Look(
        service,
        (now, around + AHEAD),
        ledger,
        around,
        proposal.subject if about else None,
        suiting=True,
        asset=proposal.asset,
        limit=OFFERED,
    )
    return tuple(sorted(slot.start for slot in free_times(desk, connection, look, now).slots))


def read_for(desk: Desk, decisions: Iterable[Decision], now: datetime) -> Desk:
    """A desk that has read once what these messages need, so that :func:`slots_for` reads no calendar for each."""
    until: dict[str, datetime] = {}
    for decision in filter(offers, decisions):
        service = desk.world.services.get(str(decision.proposal.variables.get("service", "")))
        if service is not None and service.calendar is not None:
            last = max(now, decision.proposal.anchor.at) + AHEAD
            until[service.calendar] = max(last, until.get(service.calendar, last))
    for calendar, last in sorted(until.items()):
        try:
            desk = read_ahead(desk, calendar, (now, last), now)
        except UnknownName:
            continue  # each message that needs it says so when it is rendered
    return desk


def none_free(decision: Decision, state: State, world: World, now: datetime) -> TaskDecision | None:
    """What somebody must do about a message that had no time to offer."""
    proposal, rule = decision.proposal, world.rule(decision.proposal.rule)
    if rule is None:
        return None
    return task(decision.key, state, world, rule, proposal.step, now, CALL, proposal.variables, (NO_SLOTS,))


def prepared(desk: Desk, rules: Iterable[Rule], now: datetime) -> Desk:
    """A desk that has read the calendars of these rules, so that nothing waits for one in a transaction."""
    for calendar in sorted({one.calendar or "" for rule in rules for one in _services(desk.world, rule)}):
        desk = read_ahead(desk, calendar, (now, now + desk.world.horizon), now)
    return desk


def room_for(desk: Desk, connection: Connection, calendar: str, length: timedelta, now: datetime) -> int:
    """How many appointments of a length a calendar has room for within the horizon."""
    return room_ahead(desk, connection, calendar, length, (now, now + desk.world.horizon), now)


def _services(world: World, rule: Rule) -> list[Service]:
    known = (world.services.get(name) for name in rule.trigger.names)
    return [service for service in known if service is not None and service.calendar is not None]
