"""The waiting list: free times and wishes are brought together, one wish at a time for each place.

A time that is free is offered to the wish that it fits, those who have stated their hours before those who have not,
then the older before the newer. Until the offer expires nobody else on the list is offered that place; it holds none,
so whoever books first has it. What has lapsed is not offered to the same wish again, and who lets offers lapse is left
alone: for some days at first, then for good. Only services that a rule offers
(trigger ``offer``) are looked at, and only to customers to whom that rule could say so in time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b

import msgspec
from sqlalchemy import Connection

from commsched.engine.booking import Desk, Look, free_times, read_ahead, tellings
from commsched.model.facts import Offer, Wish
from commsched.model.state import State
from commsched.model.subjects import digest_of
from commsched.planning.fold import fold
from commsched.planning.ledger import Ledger
from commsched.planning.plan import plan
from commsched.planning.waiting import asked_next, is_wanted
from commsched.rules.rule import Service
from commsched.store import queries
from commsched.store.ledgers import Loaded, append, load
from commsched.store.store import Store, instant, micros
from commsched.timing.civil import DAY, start_of_day
from commsched.timing.durations import parse_exact
from commsched.timing.slots import Slot
from commsched.timing.windows import Span

# How many times are looked at for one wish: whom no message can reach in time is not asked about all of them.
TRIES = 20


@dataclass(frozen=True, slots=True)
class Matched:
    """How many times were offered, how many offers were taken back, and when the next one expires."""

    offered: int = 0
    withdrawn: int = 0
    again: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A wish that is open, with whose it is."""

    ledger: Ledger
    state: State
    id: str
    wish: Wish

    @property
    def turn(self) -> tuple[bool, datetime, str, str]:
        """In which order wishes are looked at."""
        return self.state.profile.visit_hours is None, self.wish.at, self.ledger.customer, self.id


def match(open_desk: Callable[[], Desk], store: Store, now: datetime) -> Matched:
    """Take back the offers that nobody can take any more, and offer what is free; in one transaction."""
    # Mostly nobody waits: that must cost next to nothing.
    with store.read() as connection:
        wishes = queries.open_wishes(connection, micros(now))
        offers = queries.live_offers(connection, micros(now))
    if not wishes and not offers:
        return Matched()
    desk = open_desk()
    services = _offered(desk)
    wishes = [row for row in wishes if row.service in services]
    if not wishes and not offers:
        return Matched()
    # Calendars are read before anything is locked.
    end = max((instant(row.until) for row in wishes), default=now) + DAY
    for calendar in sorted({services[row.service].calendar or "" for row in wishes}):
        desk = read_ahead(desk, calendar, (now, end), now)
    customers = sorted({row.customer for row in (*wishes, *offers)})
    with store.write() as connection:
        queries.lock_ledgers(connection, {f"c:{customer}" for customer in customers})
        queries.lock_calendars(connection, {service.calendar or "" for service in services.values()})
        return _match(_Matching(desk, connection, services, now, load(connection, customers)))


@dataclass(slots=True)
class _Matching:
    """One pass: what it works on."""

    desk: Desk
    connection: Connection
    services: Mapping[str, Service]
    now: datetime
    loaded: Mapping[str, Loaded]


def _match(work: _Matching) -> Matched:
    states = {customer: fold(one.ledger, work.now) for customer, one in work.loaded.items()}
    live, dead = _standing(work, states)
    append(work.connection, [(f"c:{one.customer}", _fact(one, work.now, withdrawn=True)) for one in dead], work.now)
    asked = {(one.customer, one.wish) for one in live}
    waiting = sorted(
        (
            _Waiting(work.loaded[customer].ledger, state, name, wish)
            for customer, state in states.items()
            for name, wish in state.wishes.items()
            if wish.service in work.services
            and (customer, name) not in asked
            and is_wanted(wish, state, work.desk.world.zone, work.now)
            and (turn := asked_next(name, state, work.now)) is not None
            and turn <= work.now
        ),
        key=lambda one: one.turn,
    )
    made: list[Offer] = []
    for one in waiting:
        offer = _offer(work, one, [*live, *made])
        if offer is not None:
            made.append(offer)
            append(work.connection, [(f"c:{offer.customer}", offer)], work.now)
    resting = [turn for turn in _turns(states, work.now) if turn > work.now]
    again = min((*(offer.expires for offer in (*live, *made)), *resting), default=None)
    return Matched(len(made), len(dead), again)


def _turns(states: Mapping[str, State], now: datetime) -> list[datetime]:
    """From when each wish may be offered another time, of those that may be."""
    found = (asked_next(name, state, now) for state in states.values() for name in state.wishes)
    return [turn for turn in found if turn is not None]


def _standing(work: _Matching, states: Mapping[str, State]) -> tuple[list[Offer], list[Offer]]:
    """The offers that have not expired: those that still can be taken, and those that cannot."""
    live: list[Offer] = []
    dead: list[Offer] = []
    offers = [(offer, state) for state in states.values() for offer in state.offers.values()]
    for offer, state in sorted(offers, key=lambda one: (one[0].at, one[0].id)):
        if offer.expires <= work.now:
            continue
        wish, service = state.wishes.get(offer.wish), work.services.get(offer.service)
        wanted = wish is not None and is_wanted(wish, state, work.desk.world.zone, work.now)
        good = wanted and service is not None and _is_free(work, service, offer, live)
        (live if good else dead).append(offer)
    return live, dead


def _is_free(work: _Matching, service: Service, offer: Offer, others: list[Offer]) -> bool:
    look = Look(service, (offer.start, offer.end), assumed=_spans(others, offer.calendar), limit=1)
    times = free_times(work.desk, work.connection, look, work.now)
    # A calendar that cannot be read says nothing against what was offered.
    return bool(times.slots) or any(code == "stale" for code, _ in times.reasons)


def _spans(offers: list[Offer], calendar: str | None) -> tuple[Span, ...]:
    return tuple((one.start, one.end) for one in offers if one.calendar == calendar)


def _offer(work: _Matching, one: _Waiting, standing: list[Offer]) -> Offer | None:
    """The best of the free times for a wish that a message can still speak of, and that it was not offered before."""
    service, place, now = work.services[one.wish.service], work.desk.world.zone, work.now
    first = max(start_of_day(one.wish.between[0], place), now + parse_exact(one.wish.notice))
    last = start_of_day(one.wish.between[1] + DAY, place)
    if first >= last:
        return None
    before = {offer.start for offer in one.state.offers.values() if offer.wish == one.id}
    assumed, limit = _spans(standing, service.calendar), len(before) + TRIES
    look = Look(service, (first, last), one.ledger, assumed=assumed, suiting=True, spread=False, limit=limit)
    for slot in free_times(work.desk, work.connection, look, now).slots:
        if slot.start not in before:
            offer = _made(work, one, service, slot)
            if offer.expires > now and _can_be_said(work, one.ledger, offer):
                return offer
    return None


def _made(work: _Matching, one: _Waiting, service: Service, slot: Slot) -> Offer:
    told = tellings(work.desk, service, slot.start)
    ends = [work.now + service.answer_within, slot.start - service.min_notice, *(telling.by for telling in told)]
    name = blake2b(f"{one.ledger.customer}|{one.id}|{slot.start.isoformat()}".encode(), digest_size=6).hexdigest()
    return Offer(
        at=work.now,
        recorded_at=work.now,
        customer=one.ledger.customer,
        source="commsched",
        stated_by="import",
        id=f"O-{name}",
        wish=one.id,
        service=service.id,
        start=slot.start,
        end=slot.end,
        calendar=service.calendar or "",
        expires=min(ends),
    )


def _can_be_said(work: _Matching, ledger: Ledger, offer: Offer) -> bool:
    """Whether the plan of the customer finds an instant to speak of the offer before it expires."""
    entries = tuple(sorted((*ledger.entries, (digest_of(offer).hex(), offer)), key=lambda entry: entry[0]))
    return any(
        decision.state == "planned"
        and decision.proposal.occurrence == offer.id
        and decision.at is not None
        and decision.at < offer.expires
        for decision in plan(replace(ledger, entries=entries), work.desk.world, work.now).decisions
    )


def _fact(offer: Offer, now: datetime, *, withdrawn: bool) -> Offer:
    return msgspec.structs.replace(offer, at=now, recorded_at=now, withdrawn=withdrawn)


def _offered(desk: Desk) -> dict[str, Service]:
    """The services whose free times a rule offers."""
    names = {name for rule in desk.world.rules if rule.trigger.kind == "offer" for name in rule.trigger.names}
    known = desk.world.services
    return {name: known[name] for name in sorted(names) if name in known and known[name].calendar is not None}
