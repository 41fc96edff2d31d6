"""Ledgers in the store: appending facts with everything that follows from them, and loading a batch of customers.

Appending is one transaction: the facts, the versions, who belongs to which circle, appointments by time and what they
take of their calendars, an opt-out at every address it binds, cases and promises at the organisation, and whom to wake.
Nothing is appended about a customer who was erased.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET
from sqlalchemy import Connection

from commsched.model.facts import AnyFact, Appointment, Consent, ContactPoint, Customer, Fact, Offer, Sent, Wish
from commsched.model.subjects import address_subject, kept, kind_of_medium
from commsched.planning.fold import PERSONAL, fold
from commsched.planning.ledger import Entry, Ledger, UnderWay
from commsched.store import queries, slots, suppression
from commsched.store.store import micros
from commsched.store.tables import FLAG_COLLEAGUE, FLAG_CORRECTED, FLAG_REFUSED

_many = msgspec.json.Decoder(list[AnyFact])
_sent = msgspec.json.Decoder(Sent)

K = TypeVar("K", bound=Fact)
Versions = dict[str, int]
# Facts with the ledgers they are appended to, by type.
New = dict[type[Fact], list[tuple[str, Any]]]
# When a date is over everywhere on earth, counted from its beginning in UTC.
ANYWHERE = timedelta(days=1, hours=14)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A customer's ledger with the versions it was read at: of its own and of every circle."""

    ledger: Ledger
    versions: Versions


def append(
    connection: Connection, facts: Iterable[tuple[str, AnyFact]], now: datetime, *, waking: bool = True
) -> list[AnyFact]:
    """Append facts, each to the ledger named beside it; returns those that were new."""
    rows: dict[tuple[str, bytes], AnyFact] = {}
    bodies: dict[tuple[str, bytes], bytes] = {}
    for subject, fact in facts:
        digest, body = kept(fact)
        rows[subject, digest], bodies[subject, digest] = fact, body
    fresh = suppression.kept(connection, _fresh(connection, rows))
    queries.add_facts(connection, [(*key, bodies[key]) for key in fresh])
    new = _by_kind((subject, fact) for (subject, _), fact in fresh.items())
    counts = Counter([subject for subject, _ in fresh])
    queries.bump(connection, _raised(counts, new))
    queries.add_members(connection, _memberships(new))
    _project(connection, new, now)
    if recalled := suppression.recalled(connection, new.get(ContactPoint, ())):
        append(connection, recalled, now, waking=waking)
    if waking:
        wake_for(connection, counts, now)
    return list(fresh.values())


def wake_for(connection: Connection, subjects: Iterable[str], now: datetime) -> None:
    """Wake the customers whom a change of these ledgers concerns: themselves, and every member of a circle."""
    wanted = set(subjects)
    concerned = {subject[2:] for subject in wanted if subject.startswith("c:")}
    for customers in queries.members(connection, wanted).values():
        concerned.update(customers)
    queries.wake(connection, concerned, micros(now))


def load(connection: Connection, customers: Sequence[str]) -> dict[str, Loaded]:
    """The ledgers of a batch of customers, with their circles and what is under way, and the versions of all of them.

    Whoever writes nothing needs no versions: see :func:`ledgers`.
    """
    own = [f"c:{customer}" for customer in customers]
    # Versions are read first: a fact that comes in between makes the version too old, never too new.
    versions = queries.versions(connection, own)
    facts = _read(connection, own)
    circles = {subject: circles_of(facts.get(subject, ())) for subject in own}
    versions |= queries.versions(connection, {circle for found in circles.values() for circle in found})
    return {
        ledger.customer: Loaded(ledger, {one: versions.get(one, (0, 0))[0] for one in (subject, *circles[subject])})
        for subject, ledger in zip(own, _ledgers(connection, customers, facts, circles), strict=True)
    }


def ledgers(connection: Connection, customers: Sequence[str]) -> Iterator[Ledger]:
    """The same without versions, for those who only look."""
    own = [f"c:{customer}" for customer in customers]
    facts = _read(connection, own)
    return _ledgers(connection, customers, facts, {subject: circles_of(facts.get(subject, ())) for subject in own})


def _ledgers(
    connection: Connection,
    customers: Sequence[str],
    facts: Mapping[str, tuple[Entry, ...]],
    circles: Mapping[str, tuple[str, ...]],
) -> Iterator[Ledger]:
    """The ledgers of customers whose own facts and circles are known, in their order."""
    members = _read(connection, {circle for found in circles.values() for circle in found})
    ways, nearby = _under_way(connection)
    for customer in customers:
        subject = f"c:{customer}"
        mine = circles[subject]
        yield Ledger(
            customer,
            facts.get(subject, ()),
            {circle: members[circle] for circle in mine if circle in members} if members else {},
            ways.get(customer, ()),
            tuple([s for circle in mine for s in nearby.get(circle, ()) if s.customer != customer]) if nearby else (),
        )


def circles_of(entries: Iterable[Entry]) -> tuple[str, ...]:
    """The circles that a customer's facts put them into, now or formerly."""
    found: dict[str, None] = {}
    for _, fact in entries:
        if isinstance(fact, ContactPoint):
            found[address_subject(fact.kind, fact.address)] = None
        elif isinstance(fact, Customer):
            found.update(dict.fromkeys(_circles(fact)))
    return tuple(found)


def circles(connection: Connection, customers: Iterable[str]) -> set[str]:
    """The circles that these customers are in, or were."""
    found = _read(connection, {f"c:{customer}" for customer in customers})
    return {circle for entries in found.values() for circle in circles_of(entries)}


def decode(bodies: Sequence[bytes]) -> list[AnyFact]:
    """Facts from their stored bytes."""
    return _many.decode(b"[" + b",".join(bodies) + b"]")


def _fresh(connection: Connection, rows: dict[tuple[str, bytes], AnyFact]) -> dict[tuple[str, bytes], AnyFact]:
    addresses = joined((subject, fact) for (subject, _), fact in rows.items())
    known = queries.lock_ledgers(connection, {subject for subject, _ in rows} | addresses)
    present = queries.digests(connection, known)
    return {key: row for key, row in rows.items() if key not in present} if present else rows


def joined(facts: Iterable[tuple[str, AnyFact]]) -> set[str]:
    """The addresses that these facts give to customers: locked, so that no erasure meanwhile finds one without them."""
    return {
        address_subject(fact.kind, fact.address)
        for subject, fact in facts
        if isinstance(fact, ContactPoint) and subject.startswith("c:")
    }


def _by_kind(facts: Iterable[tuple[str, AnyFact]]) -> New:
    """The facts and their ledgers by the facts' type: of most types, nothing follows but the fact."""
    found: New = defaultdict(list)
    for pair in facts:
        found[type(pair[1])].append(pair)
    return found


def _of(new: New, *kinds: type[K]) -> Iterator[tuple[str, K]]:
    """The facts of these types in customers' ledgers."""
    return ((subject, fact) for kind in kinds for subject, fact in new.get(kind, ()) if subject.startswith("c:"))


def _raised(counts: Mapping[str, int], new: New) -> dict[str, tuple[int, int]]:
    """By how much each ledger's version grows, and the flags that it is given."""
    flags: dict[str, int] = {}
    for kind, pairs in new.items():
        for subject, fact in pairs if kind.ranked else ():
            if fact.stated_by in {"customer", "staff"} and not _borrowed(subject, fact):
                flags[subject] = flags.get(subject, 0) | FLAG_CORRECTED
    for subject, _ in new.get(Consent, ()):
        flags[subject] = flags.get(subject, 0) | FLAG_REFUSED
    for subject, fact in _of(new, Customer):
        if _organisation(fact):
            flags[subject] = flags.get(subject, 0) | FLAG_COLLEAGUE
    return {subject: (count, flags.get(subject, 0)) for subject, count in counts.items()}


def _borrowed(subject: str, fact: AnyFact) -> bool:
    """Whether a customer's fact stands in a circle's ledger, where nobody corrects it."""
    return isinstance(fact, Customer) and not subject.startswith("c:")


def _organisation(fact: Customer) -> str | None:
    return fact.organisation if isinstance(fact.organisation, str) else None


def _circles(fact: Customer) -> list[str]:
    return [
        f"{letter}:{name}"
        for letter, name in (("o", fact.organisation), ("h", fact.household), ("c", fact.guardian))
        if name is not None and name is not UNSET
    ]


def _memberships(new: New) -> list[tuple[str, str]]:
    """The circles that these facts put customers into."""
    found = [(address_subject(fact.kind, fact.address), subject[2:]) for subject, fact in _of(new, ContactPoint)]
    return found + [(circle, subject[2:]) for subject, fact in _of(new, Customer) for circle in _circles(fact)]


def _project(connection: Connection, new: New, now: datetime) -> None:
    """What stays in step with the facts: appointments and what they take, and what binds addresses and colleagues."""
    moved = {subject for subject, _ in _of(new, Appointment)}
    said = {subject for subject, _ in _of(new, Consent)}
    new_points = {subject for subject, _ in _of(new, ContactPoint)} - said
    personal = {subject for subject, _ in _of(new, *PERSONAL)}
    flags = queries.versions(connection, new_points | personal) if new_points | personal else {}
    said |= {subject for subject in new_points if flags[subject][1] & FLAG_REFUSED}
    told = {subject for subject in personal if flags[subject][1] & FLAG_COLLEAGUE}
    _wait(connection, {subject for subject, _ in _of(new, Wish, Offer)})
    if not moved and not said and not told:
        return
    facts = _read(connection, moved | said | told)
    rows = [row for subject in sorted(moved) for row in _appointments(subject, facts[subject])]
    queries.put_appointments(connection, rows)
    bound = [pair for subject in sorted(said) for pair in _bound(facts[subject])]
    bound += [pair for subject in sorted(told) for pair in _told(facts[subject])]
    if bound:
        append(connection, bound, now)
    # Last, since ledgers are locked before calendars.
    slots.keep_in_step(connection, rows, now)


def _wait(connection: Connection, subjects: set[str]) -> None:
    """The waiting list in step with the wishes and offers of these ledgers."""
    if not subjects:
        return
    wishes: list[dict[str, object]] = []
    offers: list[dict[str, object]] = []
    for subject, entries in _read(connection, subjects).items():
        customer = subject[2:]
        mine = tuple(entry for entry in entries if isinstance(entry[1], Wish | Offer))
        state = fold(Ledger(customer, mine), max(fact.at for _, fact in mine))
        for name, wish in state.wishes.items():
            until = micros(datetime.combine(wish.between[1], time(), UTC) + ANYWHERE)
            wishes.append({"customer": customer, "id": name, "service": wish.service, "until": until})
        for name, offer in state.offers.items():
            span = {"start": micros(offer.start), "end": micros(offer.end), "expires": micros(offer.expires)}
            offers.append({"customer": customer, "id": name, "calendar": offer.calendar, **span})
    queries.put_waiting(connection, {subject[2:] for subject in subjects}, wishes, offers)


def _appointments(subject: str, entries: tuple[Entry, ...]) -> list[dict[str, object]]:
    latest = max(fact.at for _, fact in entries)
    state = fold(Ledger(subject[2:], tuple(e for e in entries if isinstance(e[1], Appointment))), latest)
    return [
        {
            "customer": subject[2:],
            "id": a.id,
            "start": micros(a.start),
            "end": micros(a.end or a.start),
            "service": a.service,
            "status": a.status,
            "calendar": a.calendar,
        }
        for a in state.appointments.values()
    ]


def _bound(entries: tuple[Entry, ...]) -> list[tuple[str, AnyFact]]:
    """A customer's consents, each at every address of theirs that it is about."""
    points = {(fact.kind, fact.address) for _, fact in entries if isinstance(fact, ContactPoint)}
    return [
        (address_subject(kind, address), fact)
        for _, fact in entries
        if isinstance(fact, Consent)
        for kind, address in points
        if fact.medium == "*" or kind_of_medium(fact.medium) == kind
    ]


def _told(entries: tuple[Entry, ...]) -> list[tuple[str, AnyFact]]:
    """Who a customer is, their cases and what was promised to them: each at every organisation they were ever at.

    Who is still there is for the fold to say, so that the order of import makes no difference.
    """
    people = [fact for _, fact in entries if isinstance(fact, Customer)]
    places = sorted({name for fact in people if (name := _organisation(fact))})
    return [(f"o:{name}", fact) for name in places for _, fact in entries if isinstance(fact, PERSONAL)]


def _read(connection: Connection, subjects: Iterable[str]) -> dict[str, tuple[Entry, ...]]:
    rows = list(queries.facts(connection, subjects))
    if not rows:
        return {}
    found: dict[str, list[Entry]] = {}
    owners, digests, bodies = zip(*rows, strict=True)
    for subject, digest, fact in zip(owners, digests, decode(bodies), strict=True):
        found.setdefault(subject, []).append((digest.hex(), fact))
    return {subject: tuple(entries) for subject, entries in found.items()}


def _under_way(connection: Connection) -> tuple[dict[str, tuple[UnderWay, ...]], dict[str, tuple[Sent, ...]]]:
    """All that is being sent or in doubt: by customer, and by the circle of the address it goes to."""
    ways: dict[str, tuple[UnderWay, ...]] = {}
    nearby: dict[str, tuple[Sent, ...]] = {}
    for row in queries.attempts(connection, states=("sending", "in_doubt")):
        sent = _sent.decode(row.sent)
        ways[row.customer] = (*ways.get(row.customer, ()), UnderWay(sent, row.state))
        circle = address_subject(kind_of_medium(sent.medium), sent.address)
        nearby[circle] = (*nearby.get(circle, ()), sent)
    return ways, nearby
