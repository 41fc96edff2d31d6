"""Folding: a ledger's facts to the state that holds at an instant.

State facts fold per field: absent says nothing, null clears. Where a type is ranked, who said it decides before when
it was said, so that a customer's correction outlasts every later import.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, cast

from msgspec import UNSET

from commsched.model import facts as f
from commsched.model.consents import standing
from commsched.model.facts import RANK, AnyFact
from commsched.model.state import Asset, Profile, Promise, State
from commsched.model.subjects import address_subject
from commsched.planning.ledger import Entry, Ledger
from commsched.planning.standing import appointment_of, case_of, commitment_of, contact_of, obligation_of, plan_of
from commsched.timing.civil import start_of_day, zone

# A start that moves by less than this is the same appointment as far as reminders are concerned (DESIGN §7).
MOVE = timedelta(minutes=30)
_UTC_ZONE = zone("UTC")
# What of an organisation's ledger its people are concerned with.
SHARED = (f.Asset, f.Reading, f.ServiceRecord, f.Appointment, f.Obligation, f.Event, f.Case, f.Commitment)
# What binds everybody in an organisation or a household.
BINDING = (f.Consent, f.Hold, f.Intent)
# What of a person their colleagues' plans ask for; the store keeps it in the organisation's ledger, too.
PERSONAL = (f.Customer, f.Case, f.Commitment)
_PROFILE = (
    "name", "kind", "status", "organisation", "household", "guardian", "born", "timezone", "locale", "region", "postal",
)  # fmt: skip


ASSET = ("kind", "model", "acquired_on", "in_use")


def fold(ledger: Ledger, now: datetime) -> State:
    """The state at ``now``. Facts whose ``at`` is still to come are not true yet; ``next_change`` is the first."""
    builder = _Builder()
    organisation, household = _circles(ledger, now)
    theirs = builder.share(organisation, now)
    binding = [entry for entry in (*organisation, *household) if isinstance(entry[1], BINDING)]
    builder.take((*ledger.entries, *theirs, *binding), now)
    for circle in ledger.circles.values():
        builder.await_all(circle, now)
    return builder.state(ledger, now)


def counts(fact: AnyFact, now: datetime) -> bool:
    """Whether a fact is true by now.

    What we said was said, and who has refused has refused, even if one of the clocks was wrong about when.
    """
    return fact.at <= now or isinstance(fact, f.Sent) or (isinstance(fact, f.Consent) and not fact.granted)


def _shared(fact: AnyFact) -> bool:
    """Whether something in an organisation's ledger is the organisation's own, and not that of one of its people."""
    return isinstance(fact, SHARED) and not (isinstance(fact, PERSONAL) and fact.customer is not None)


def order(entry: Entry) -> tuple[int, datetime, datetime]:
    """In which order facts are applied: the last one wins. Equal ones stay in order of their digest."""
    fact = entry[1]
    rank = RANK.get(fact.stated_by or "import", 0) if fact.ranked else 0
    return rank, fact.at, fact.recorded_at or fact.at


class _Builder:
    """The state in the making: one method a fact type."""

    def __init__(self) -> None:
        self.profile: dict[str, Any] = {}
        self.media: tuple[str, ...] = ()
        self.custom: dict[str, f.Scalar] = {}
        self.contacts: dict[str, dict[str, Any]] = {}
        self.assets: dict[str, dict[str, Any]] = {}
        self.readings: dict[str, list[f.Reading]] = {}
        self.obligations: dict[str, dict[str, Any]] = {}
        self.appointments: dict[str, dict[str, Any]] = {}
        self.cases: dict[str, dict[str, Any]] = {}
        self.commitments: dict[str, dict[str, Any]] = {}
        self.plans: dict[tuple[str, str | None], f.ServicePlan] = {}
        self.holds: dict[str, f.Hold] = {}
        self.wishes: dict[str, f.Wish] = {}
        self.offers: dict[str, f.Offer] = {}
        self.lists: dict[type[AnyFact], list[Entry]] = {}
        self.next_change: datetime | None = None
        self.shared: frozenset[str] = frozenset()
        self.said_by: dict[str, str] = {}
        self.told_others: Counter[str] = Counter()

    def take(self, entries: Iterable[Entry], now: datetime) -> None:
        true_now = []
        for entry in entries:
            if counts(entry[1], now):
                true_now.append(entry)
            else:
                self.later(entry[1].at, now)
        true_now.sort(key=order)
        for entry in true_now:
            TAKE[type(entry[1])](self, *entry)

    def share(self, entries: Iterable[Entry], now: datetime) -> list[Entry]:
        """What belongs to the organisation; it is remembered, and what its people were told of it."""
        theirs = [entry for entry in entries if _shared(entry[1])]
        self.shared = frozenset(name for digest, fact in theirs for name in (fact.id or digest, digest))
        told = (fact for _, fact in entries if isinstance(fact, f.Sent) and counts(fact, now))
        self.told_others = Counter(part.partition("/")[2] for sent in told for part in sent.parts)
        return theirs

    def await_all(self, entries: Iterable[Entry], now: datetime) -> None:
        """Look again when what is known of a circle comes true."""
        for _, fact in entries:
            self.later(fact.at, now)

    def later(self, at: datetime, now: datetime) -> None:
        if at > now and (self.next_change is None or at < self.next_change):
            self.next_change = at

    def customer(self, _: str, fact: f.Customer) -> None:
        self._said("customer", fact, _update(self.profile, fact, _PROFILE))
        if fact.roles is not UNSET:
            self.profile["roles"] = tuple(fact.roles or ())

    def contact_point(self, _: str, fact: f.ContactPoint) -> None:
        # One address however it is spelt; what says that it is no good (a bounce) has no say in its spelling.
        point = self.contacts.setdefault(address_subject(fact.kind, fact.address), {"address": fact.address})
        point["kind"] = fact.kind
        if fact.valid is not False:
            point["address"] = fact.address
        _update(point, fact, ("media", "valid", "primary"))
        point["stated_by"], point["at"] = fact.stated_by or "import", fact.at

    def preference(self, _: str, fact: f.Preference) -> None:
        _update(self.profile, fact, ("contact_hours", "visit_hours"))
        if fact.media is not UNSET:
            self.media = tuple(fact.media or ())
        if fact.language is not UNSET:
            self.profile["locale"] = fact.language
        if fact.facts is not UNSET:
            self.custom.update(fact.facts)
            self._said("facts", fact, fact.facts)

    def own_facts(self, _: str, fact: f.Custom) -> None:
        self.custom.update(fact.facts)
        self._said("facts", fact, fact.facts)

    def _said(self, of: str, fact: AnyFact, names: Iterable[str]) -> None:
        who, said_by = fact.stated_by or "import", self.said_by
        for name in names:
            said_by[f"{of}.{name}"] = who

    def asset(self, _: str, fact: f.Asset) -> None:
        asset = self.assets.setdefault(fact.id, {})
        self._said(fact.id, fact, _update(asset, fact, ASSET))
        if fact.attributes is not UNSET:
            self._said(fact.id, fact, fact.attributes)
            asset["attributes"] = {**asset.get("attributes", {}), **fact.attributes}

    def reading(self, _: str, fact: f.Reading) -> None:
        self.readings.setdefault(fact.asset, []).append(fact)

    def service_plan(self, _: str, fact: f.ServicePlan) -> None:
        self.plans[fact.service, fact.asset] = fact

    def obligation(self, _: str, fact: f.Obligation) -> None:
        standing = self.obligations.setdefault(fact.id, {})
        if fact.due is not UNSET and fact.due != standing.get("due"):
            standing["since"], standing["recorded_at"] = fact.at, fact.recorded_at or fact.at
        _update(standing, fact, ("kind", "due", "amount", "asset", "status"))
        standing["source"], standing["learnt"] = fact.source or "", fact.recorded_at or fact.at

    def appointment(self, digest: str, fact: f.Appointment) -> None:
        standing = self.appointments.setdefault(fact.id, {})
        learnt, who = fact.recorded_at or fact.at, fact.stated_by or "import"
        if fact.start is not UNSET and _moved(standing.get("counted_start"), fact.start):
            standing.update(occurrence=digest, counted_start=fact.start, moved_at=learnt, moved_by=who)
        if fact.status is not UNSET and fact.status != standing.get("status"):
            standing.update(status_at=learnt, status_by=who)
            if fact.status in {"booked", "confirmed"}:
                standing.setdefault("booked_at", fact.at)
        start, end = standing.get("start"), standing.get("end")
        if fact.start is not UNSET and fact.end is UNSET and start is not None and end is not None:
            standing["end"] = end + (fact.start - start)  # what moves takes as long as before
        _update(standing, fact, f.APPOINTMENT)
        standing.setdefault("first_at", fact.at)
        standing["source"], standing["learnt"] = fact.source or "", learnt

    def case(self, digest: str, fact: f.Case) -> None:
        standing = self.cases.setdefault(fact.id, {})
        if fact.status is not UNSET and fact.status != standing.get("status"):
            standing.update(change=digest, changed=fact.at, recorded_at=fact.recorded_at or fact.at)
        _update(standing, fact, ("kind", "status", "severity", "summary"))

    def commitment(self, digest: str, fact: f.Commitment) -> None:
        standing = self.commitments.setdefault(fact.id, {"first": (digest, fact)})
        if fact.kept is not UNSET and fact.kept != standing.get("kept", False):
            standing["kept_by"] = fact if fact.kept else None
        if fact.due is not UNSET and fact.due > standing.get("due", fact.due):
            standing["moved_by"] = fact
        _update(standing, fact, ("what", "owner", "due", "kept"))

    def hold(self, digest: str, fact: f.Hold) -> None:
        self.holds[fact.id or digest] = fact

    def wish(self, digest: str, fact: f.Wish) -> None:
        self.wishes[fact.id or digest] = fact

    def offer(self, _: str, fact: f.Offer) -> None:
        self.offers[fact.id] = fact

    def listed(self, digest: str, fact: AnyFact) -> None:
        self.lists.setdefault(type(fact), []).append((digest, fact))

    def of(self, kind: type[AnyFact]) -> tuple[Any, ...]:
        return tuple(fact for _, fact in self.lists.get(kind, ()))

    def identified(self, kind: type[AnyFact]) -> tuple[Any, ...]:
        return tuple((fact.id or digest, fact) for digest, fact in self.lists.get(kind, ()))

    def state(self, ledger: Ledger, now: datetime) -> State:
        sent = self.of(f.Sent)
        history, consents = _of_addresses(ledger, sent, now)
        for fact in self.of(f.Intent):
            if fact.until is not None:
                self.later(start_of_day(fact.until, _UTC_ZONE), now)
        for fact in self.holds.values():
            self.later(fact.until, now)
        for offer in self.offers.values():
            self.later(offer.expires, now)
        return State(
            profile=self._profile(ledger.customer),
            contacts=tuple(map(contact_of, self.contacts.values())),
            consents=standing(self.of(f.Consent)),
            intents=self.of(f.Intent),
            assets={name: Asset(name, **fields) for name, fields in self.assets.items()},
            readings=self.readings,
            records=self.identified(f.ServiceRecord),
            plans=tuple(plan_of(fact) for fact in self.plans.values()),
            obligations={name: obligation_of(name, o) for name, o in self.obligations.items() if "due" in o},
            appointments={name: appointment_of(name, a) for name, a in self.appointments.items() if "start" in a},
            events=self.identified(f.Event),
            cases={name: case_of(name, case) for name, case in self.cases.items()},
            holds=tuple(hold for hold in self.holds.values() if not hold.released),
            commitments=tuple(commitment_of(name, c) for name, c in self.commitments.items()),
            promises={n: Promise(c.get("kept_by"), c.get("moved_by")) for n, c in self.commitments.items()},
            wishes={name: wish for name, wish in self.wishes.items() if not wish.withdrawn},
            offers={name: offer for name, offer in self.offers.items() if not offer.withdrawn},
            interactions=self.of(f.Interaction),
            feedback=self.identified(f.Feedback),
            tasks_done=self.of(f.TaskDone),
            sent=sent,
            replies=self.of(f.Reply),
            undelivered=tuple(fact for fact in self.of(f.Delivered) if not fact.delivered),
            address_history=history,
            address_consents=consents,
            shared=self.shared,
            told_others=self.told_others,
            said_by=self.said_by,
            guardian=_guardian(ledger, self.profile.get("guardian"), now),
            colleagues=_colleagues(ledger, self.profile.get("organisation"), now),
            next_change=self.next_change,
        )

    def _profile(self, customer: str) -> Profile:
        known = {name: value for name, value in self.profile.items() if value is not None}
        return Profile(customer, media=self.media, facts=self.custom, **known)


def _update(fields: dict[str, Any], fact: AnyFact, names: tuple[str, ...]) -> list[str]:
    """Take over what a fact says of these fields; which ones that are."""
    said = []
    for name in names:
        value = getattr(fact, name)
        if value is not UNSET:
            fields[name] = value
            said.append(name)
    return said


def _moved(before: datetime | None, after: datetime) -> bool:
    return before is None or abs(after - before) >= MOVE


def _of_addresses(
    ledger: Ledger, own: tuple[f.Sent, ...], now: datetime
) -> tuple[tuple[f.Sent, ...], dict[str, tuple[f.Consent, ...]]]:
    """What others who share an address were sent there, and what everybody who shares it said about that."""
    if not ledger.circles:
        return ledger.nearby, {}
    mine = {sent.key for sent in own}
    history: list[f.Sent] = list(ledger.nearby)
    consents: dict[str, tuple[f.Consent, ...]] = {}
    for subject, entries in ledger.circles.items():
        if not subject.startswith("a:"):
            continue
        facts = [fact for _, fact in sorted(entries, key=order) if counts(fact, now)]
        history += [fact for fact in facts if isinstance(fact, f.Sent) and fact.key not in mine]
        said = standing(fact for fact in facts if isinstance(fact, f.Consent))
        if said:
            consents[subject.split(":", 2)[2]] = said
    return tuple(history), consents


def _circles(ledger: Ledger, now: datetime) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """The ledgers of the organisation and the household that the customer belongs to now."""
    if not ledger.circles:
        return (), ()
    belongs: dict[str, Any] = {}
    said = [entry for entry in ledger.entries if isinstance(entry[1], f.Customer) and entry[1].at <= now]
    for _, fact in sorted(said, key=order):
        _update(belongs, fact, ("organisation", "household"))
    circles = ledger.circles
    return circles.get(f"o:{belongs.get('organisation')}", ()), circles.get(f"h:{belongs.get('household')}", ())


def _guardian(ledger: Ledger, name: str | None, now: datetime) -> State | None:
    entries = ledger.circles.get(f"c:{name}") if name else None
    return fold(Ledger(name or "", entries), now) if entries else None


def _colleagues(ledger: Ledger, organisation: str | None, now: datetime) -> dict[str, State]:
    """Who else is at the organisation now, each as far as its ledger tells of them."""
    people: dict[str, list[Entry]] = {}
    for entry in ledger.circles.get(f"o:{organisation}", ()) if organisation else ():
        if isinstance(entry[1], PERSONAL) and entry[1].customer not in {None, ledger.customer}:
            people.setdefault(entry[1].customer or "", []).append(entry)
    states = ((who, fold(Ledger(who, tuple(entries)), now)) for who, entries in sorted(people.items()))
    return {who: state for who, state in states if state.profile.organisation == organisation}


# What is kept fact by fact, in order of time.
LISTED: tuple[type, ...] = (
    f.Consent, f.Intent, f.ServiceRecord, f.Event, f.Interaction, f.Feedback, f.TaskDone, f.Sent, f.Delivered, f.Reply,
)  # fmt: skip
Taker = Callable[[_Builder, str, Any], None]
TAKE: dict[type, Taker] = {
    f.Customer: _Builder.customer,
    f.ContactPoint: _Builder.contact_point,
    f.Preference: _Builder.preference,
    f.Custom: _Builder.own_facts,
    f.Asset: _Builder.asset,
    f.Reading: _Builder.reading,
    f.ServicePlan: _Builder.service_plan,
    f.Obligation: _Builder.obligation,
    f.Appointment: _Builder.appointment,
    f.Case: _Builder.case,
    f.Commitment: _Builder.commitment,
    f.Hold: _Builder.hold,
    f.Wish: _Builder.wish,
    f.Offer: _Builder.offer,
    **dict.fromkeys(LISTED, cast("Taker", _Builder.listed)),
}
