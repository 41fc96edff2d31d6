"""The waiting list: free times and wishes are brought together, one wish at a time for each place.

A time that is free is offered to the wish that it fits, those who have stated their hours before those who have not,
then the older before the newer. Until the offer expires nobody else on the list is offered that place; it holds none,
so whoever books first has it. What has lapsed is not offered to the same wish again, and who lets offers lapse is left
alone: for some days at first, then for good. Only services that a rule offers (trigger ``offer``) are looked at, and
only to customers to whom that rule could say so in time.

What to offer is found while others write; what has changed by the time it is written down is left to the next pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row

from commsched.engine.atdesk import engaged
from commsched.engine.booking import Desk, read_ahead
from commsched.engine.seeking import Fruitless, Search, Waiting, days_of, offered
from commsched.model.facts import Offer
from commsched.model.state import State
from commsched.planning.fold import fold
from commsched.planning.waiting import asked_next, is_wanted
from commsched.rules.rule import Service
from commsched.store import queries
from commsched.store.ledgers import Loaded, append, load
from commsched.store.store import Store, micros


@dataclass(frozen=True, slots=True)
class Matched:
    """How many times were offered, how many offers were taken back, and when the next one expires."""

    offered: int = 0
    withdrawn: int = 0
    again: datetime | None = None


@dataclass(frozen=True, slots=True)
class _List:
    """The waiting list as one pass reads it: whose ledgers, and the offers that had not expired."""

    loaded: Mapping[str, Loaded]
    states: Mapping[str, State]
    rows: Sequence[Row[Any]]
    services: Mapping[str, Service]
    now: datetime

    def offers(self) -> list[Offer]:
        """The offers that have not expired, the oldest first."""
        found = (offer for state in self.states.values() for offer in state.offers.values())
        return sorted((one for one in found if one.expires > self.now), key=lambda one: (one.at, one.id))

    def wants(self, desk: Desk, offer: Offer) -> bool:
        """Whether the wish that an offer answers is open still, and its customer not somewhere else by now."""
        state = self.states[str(offer.customer)]
        wish = state.wishes.get(offer.wish)
        known = offer.service in self.services
        if not known or wish is None or not is_wanted(wish, state, desk.world.zone, self.now):
            return False
        span = (offer.start, offer.end)
        return not any(one.overlaps(span) for one in engaged(state, desk.world.services, None, None))

    def waiting(self, desk: Desk) -> list[Waiting]:
        """The wishes that may be offered a time now, in their order."""
        found = (
            Waiting(self.loaded[customer], state, name, wish)
            for customer, state in self.states.items()
            for name, wish in state.wishes.items()
            if wish.service in self.services
            and is_wanted(wish, state, desk.world.zone, self.now)
            and (turn := asked_next(name, state, self.now)) is not None
            and turn <= self.now
        )
        return sorted(found, key=lambda one: one.turn)

    def turns(self) -> list[datetime]:
        """From when each wish may be offered another time, of those that rest."""
        found = (asked_next(name, state, self.now) for state in self.states.values() for name in state.wishes)
        return [turn for turn in found if turn is not None and turn > self.now]


@dataclass(frozen=True, slots=True)
class _Found:
    """What is to be written: the offers that stand, those that nobody can take any more, and new ones."""

    live: Sequence[Offer]
    dead: Sequence[Offer]
    made: Sequence[Offer]


def match(open_desk: Callable[[], Desk], store: Store, now: datetime, fruitless: Fruitless | None = None) -> Matched:
    """Take back the offers that nobody can take any more, and offer what is free.

    ``fruitless`` remembers from pass to pass for which wishes there was nothing.
    """
    # Mostly nobody waits: that must cost next to nothing.
    with store.read() as connection:
        wishes = queries.open_wishes(connection, micros(now))
        offers = queries.live_offers(connection, micros(now))
    if not wishes and not offers:
        return Matched()
    desk = open_desk()
    services = offered(desk.world.rules, desk.world.services)
    customers = sorted({row.customer for row in wishes if row.service in services} | {row.customer for row in offers})
    if not customers:
        return Matched()
    with store.read() as connection:
        loaded = load(connection, customers)
        rows = queries.live_offers(connection, micros(now))
    states = {customer: fold(one.ledger, now) for customer, one in loaded.items()}
    known = _List(loaded, states, rows, services, now)
    desk = _prepared(desk, known)
    with store.read() as connection:
        found = _seek(Search(desk, connection, services, now), known, fruitless or Fruitless())
    written, withdrawn = list[Offer](), 0
    if found.dead or found.made:
        with store.write() as connection:
            written, withdrawn = _write(Search(desk, connection, services, now), known, found)
    again = [*(offer.expires for offer in (*found.live, *written)), *known.turns()]
    return Matched(len(written), withdrawn, min(again, default=None))


def _prepared(desk: Desk, known: _List) -> Desk:
    """A desk that has read the calendars that are looked at, before there is any transaction to wait for them."""
    ends: dict[str, list[datetime]] = {}
    for one in known.waiting(desk):
        ends.setdefault(known.services[one.wish.service].calendar or "", []).append(days_of(one.wish, desk.world)[1])
    for offer in known.offers():
        if known.wants(desk, offer):
            ends.setdefault(known.services[offer.service].calendar or "", []).append(offer.end)
    for calendar, until in sorted(ends.items()):
        desk = read_ahead(desk, calendar, (known.now, max(*until, known.now)), known.now)
    return desk


def _seek(search: Search, known: _List, fruitless: Fruitless) -> _Found:
    """What there is to write, as things stand; writes nothing."""
    live: list[Offer] = []
    dead: list[Offer] = []
    for offer in known.offers():
        good = known.wants(search.desk, offer) and search.is_free(offer, live)
        (live if good else dead).append(offer)
    asked = {(str(one.customer), one.wish) for one in live}
    waiting = [one for one in known.waiting(search.desk) if one.name not in asked]
    made: list[Offer] = []
    vain: dict[tuple[str, str], tuple[datetime, int]] = {}
    for one in waiting:
        standing = (*live, *made)
        circumstances = search.circumstances(one, standing)
        if fruitless.rests(one.name, circumstances, search.now):
            continue
        best = search.best(one, standing)
        if best is not None:
            made.append(best)
        else:
            vain[one.name] = (search.now, circumstances)
    fruitless.keep(vain, {one.name for one in waiting})
    return _Found(live, dead, made)


def _write(search: Search, known: _List, found: _Found) -> tuple[list[Offer], int]:
    """Write what still holds: the new offers that were written, and how many were taken back."""
    connection, now = search.connection, search.now
    touched = {str(one.customer) for one in (*found.dead, *found.made)}
    versions = queries.lock_ledgers(connection, {name for one in touched for name in known.loaded[one].versions})
    queries.lock_calendars(connection, {one.calendar for one in found.made})
    if _named(queries.live_offers(connection, micros(now))) != _named(known.rows):
        return [], 0  # somebody else goes through the list
    same = {
        one
        for one in touched
        if all(versions.get(name, (0, 0))[0] == version for name, version in known.loaded[one].versions.items())
    }
    dead = [one for one in found.dead if one.customer in same]
    append(connection, [(f"c:{one.customer}", _withdrawn(one, now)) for one in dead], now)
    written: list[Offer] = []
    for one in found.made:
        if one.customer in same and search.is_free(one, (*found.live, *written)):
            append(connection, [(f"c:{one.customer}", one)], now)
            written.append(one)
    return written, len(dead)


def _named(rows: Sequence[Row[Any]]) -> set[tuple[str, str]]:
    return {(row.customer, row.id) for row in rows}


def _withdrawn(offer: Offer, now: datetime) -> Offer:
    return msgspec.structs.replace(offer, at=now, recorded_at=now, withdrawn=True)
