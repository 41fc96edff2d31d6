"""Seeking a time for a wish: what could be offered now, whether it still is free, and what need not be asked again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from commsched.engine.booking import Desk, Look, free_times, tellings
from commsched.model.decisions import Decision
from commsched.model.facts import Offer, Wish
from commsched.model.state import State
from commsched.model.subjects import digest_of
from commsched.planning.ledger import Ledger
from commsched.planning.plan import plan
from commsched.planning.review import UNREACHABLE
from commsched.planning.waiting import is_wanted
from commsched.planning.world import World
from commsched.rules.rule import Rule, Service
from commsched.store import queries, slots
from commsched.store.ledgers import Loaded
from commsched.timing.civil import DAY, start_of_day
from commsched.timing.durations import parse_exact
from commsched.timing.slots import Slot, cells
from commsched.timing.windows import Span

# How many times are looked at for one wish: whom no message can reach in time is not asked about all of them.
TRIES = 20
# How long a wish for which nothing was found is left alone while nothing has changed. Time alone can open a window:
# what cannot be said at night can be in the morning.
REST = timedelta(minutes=15)
# Further ahead than anybody books.
EVER = timedelta(days=36500)
# How many fruitless searches are remembered.
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wish that is open, with whose it is."""

    loaded: Loaded
    state: State
    id: str
    wish: Wish

    @property
    def name(self) -> tuple[str, str]:
        """Whose wish it is, and which."""
        return self.loaded.ledger.customer, self.id

    @property
    def turn(self) -> tuple[bool, datetime, str, str]:
        """In which order wishes are looked at."""
        return self.state.profile.visit_hours is None, self.wish.at, *self.name


@dataclass(slots=True)
class Fruitless:
    """Searches that found nothing: when, and in which circumstances; in memory, and no more than there are wishes."""

    known: dict[tuple[str, str], tuple[datetime, int]] = field(default_factory=dict)

    def rests(self, name: tuple[str, str], circumstances: int, now: datetime) -> bool:
        """Whether nothing has changed since a search that is not long ago."""
        at, before = self.known.get(name, (now, None))
        return before == circumstances and at <= now < at + REST

    def keep(self, found: Mapping[tuple[str, str], tuple[datetime, int]], wishes: Collection[tuple[str, str]]) -> None:
        """Remember these searches, and those before them of wishes that are open still."""
        kept = {name: one for name, one in {**self.known, **found}.items() if name in wishes}
        self.known = dict(list(kept.items())[-REMEMBERED:])


@dataclass(frozen=True, slots=True)
class Search:
    """Where one pass looks: calendars that were read already, the services that are offered, and the store."""

    desk: Desk
    connection: Connection
    services: Mapping[str, Service]
    now: datetime
    taken: dict[str, list[Row[Any]]] = field(default_factory=dict)

    def is_free(self, offer: Offer, others: Sequence[Offer]) -> bool:
        """Whether a time that was offered is free still, if each of the others takes its place."""
        look = Look(
            self.services[offer.service], (offer.start, offer.end), assumed=spans(others, offer.calendar), limit=1
        )
        times = free_times(self.desk, self.connection, look, self.now)
        # A calendar that cannot be read says nothing against what was offered.
        return bool(times.slots) or any(code == "stale" for code, _ in times.reasons)

    def best(self, one: Waiting, standing: Sequence[Offer]) -> Offer | None:
        """The best of the free times for a wish that a message can still speak of, and that is new to them."""
        service, now = self.services[one.wish.service], self.now
        first, last = days_of(one.wish, self.desk.world)
        first = max(first, now + parse_exact(one.wish.notice))
        if first >= last:
            return None
        before = {offer.start for offer in one.state.offers.values() if offer.wish == one.id}
        assumed, limit = spans(standing, service.calendar), len(before) + TRIES
        ledger = one.loaded.ledger
        look = Look(service, (first, last), ledger, assumed=assumed, suiting=True, spread=False, limit=limit)
        for slot in free_times(self.desk, self.connection, look, now).slots:
            if slot.start not in before:
                offer = self._made(one, service, slot)
                answer = _answer(self.desk.world, ledger, offer, now) if offer.expires > now else "not_then"
                if answer == "yes":
                    return offer
                if answer == "never":
                    return None
        return None

    def circumstances(self, one: Waiting, standing: Sequence[Offer]) -> int:
        """All that a search for a wish depends on besides the hour, as one number."""
        world, service = self.desk.world, self.services[one.wish.service]
        calendar = service.calendar or ""
        within = days_of(one.wish, world)
        snapshot = self.desk.snapshot(calendar, within, self.now)
        first, last = cells(*within)
        taken = [tuple(row) for row in self._taken(calendar) if row.last > first and row.first < last]
        closed = [tuple(row) for row in queries.closures(self.connection, calendar)]
        return hash((
            tuple(sorted(one.loaded.versions.items())),
            (world.hash, world.pauses, tuple(sorted(world.breakers.items()))),
            (snapshot.stale, snapshot.open.clip(*within), tuple(slots.known(self.connection).of(calendar))),
            (tuple(taken), tuple(closed), spans(standing, calendar)),
        ))  # fmt: skip

    def _taken(self, calendar: str) -> list[Row[Any]]:
        """What is taken of a calendar from today on; read once for all wishes."""
        rows = self.taken.get(calendar)
        if rows is None:
            here, ever = cells(self.now - DAY, self.now + EVER)
            rows = queries.slots_between(self.connection, calendar, here, ever)
            self.taken[calendar] = rows
        return rows

    def _made(self, one: Waiting, service: Service, slot: Slot) -> Offer:
        told = tellings(self.desk, service, slot.start)
        ends = [self.now + service.answer_within, slot.start - service.min_notice, *(telling.by for telling in told)]
        customer = one.loaded.ledger.customer
        name = blake2b(f"{customer}|{one.id}|{slot.start.isoformat()}".encode(), digest_size=6).hexdigest()
        return Offer(
            at=self.now,
            recorded_at=self.now,
            customer=customer,
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


def offered(rules: Iterable[Rule], known: Mapping[str, Service]) -> dict[str, Service]:
    """The services whose free times a rule offers, of those that have a calendar."""
    names = {name for rule in rules if rule.trigger.kind == "offer" for name in rule.trigger.names}
    return {name: known[name] for name in sorted(names) if name in known and known[name].calendar is not None}


def vain(
    wish: Wish, state: State, rules: Iterable[Rule], services: Mapping[str, Service], place: ZoneInfo, now: datetime
) -> str:
    """Why no free time could ever be offered for a wish that somebody wants to make, as a sentence; empty if one could.

    ``state`` is what is known of the customer before it.
    """
    if wish.service not in offered(rules, services):
        known = ", ".join(offered(rules, services)) or "none"
        return f"no rule offers free times for {wish.service} (trigger `offer`); there is {known}."
    last = wish.between[1]
    if parse_exact(wish.notice) >= start_of_day(last + DAY, place) - now:
        return f"with a notice of {wish.notice} no time until {last} is left; give a later --to, or less --notice."
    for name, other in sorted(state.wishes.items()):
        both = max(wish.between[0], other.between[0]) <= min(wish.between[1], other.between[1])
        if name != wish.id and other.service == wish.service and both and is_wanted(other, state, place, now):
            days = f"between {other.between[0]} and {other.between[1]}"
            return f"they wait for {wish.service} {days} already, as {name}; --id {name} changes that."
    if not is_wanted(wish, state, place, now):
        return f"they have an appointment for {wish.service} within these days already; `timeline` shows it."
    return ""


def spans(offers: Sequence[Offer], calendar: str | None) -> tuple[Span, ...]:
    """When the offers at a calendar are."""
    return tuple((one.start, one.end) for one in offers if one.calendar == calendar)


def days_of(wish: Wish, world: World) -> Span:
    """The days of a wish, by the clock of the place."""
    return start_of_day(wish.between[0], world.zone), start_of_day(wish.between[1] + DAY, world.zone)


def _answer(world: World, ledger: Ledger, offer: Offer, now: datetime) -> Literal["yes", "not_then", "never"]:
    """Whether the plan of the customer finds an instant to speak of the offer before it expires; ``never``: of any."""
    entries = tuple(sorted((*ledger.entries, (digest_of(offer).hex(), offer)), key=lambda entry: entry[0]))
    decisions = [
        one
        for one in plan(replace(ledger, entries=entries), world, now).decisions
        if one.proposal.occurrence == offer.id
    ]
    if any(one.state == "planned" and one.at is not None and one.at < offer.expires for one in decisions):
        return "yes"
    return "never" if decisions and all(_is_final(one) for one in decisions) else "not_then"


def _is_final(decision: Decision) -> bool:
    """Whether it is denied on every medium, whatever the time: by a veto, or since there is no address."""
    closed = [
        review.verdict
        for review in decision.reviews
        if review.verdict.windows is not None
        and not review.verdict.windows
        and (review.code.force == "must_not" or review.code == UNREACHABLE)
    ]
    return decision.state == "refused" and all(
        any(verdict.on(medium) is not None for verdict in closed) for medium in decision.proposal.media
    )
