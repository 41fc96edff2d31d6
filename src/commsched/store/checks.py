"""Whether a fact may come in: what is not declared in the vocabulary is refused, addresses get their one form."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import lru_cache
from math import isfinite
from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import force_setattr

from commsched.errors import FactRejected
from commsched.model import facts as f
from commsched.model.facts import AnyFact, Scalar
from commsched.model.subjects import customer_of
from commsched.model.vocabulary import MEDIA, Vocabulary
from commsched.store.phones import phone
from commsched.timing.civil import parse_week, zone
from commsched.timing.durations import parse_distance, parse_duration, parse_exact

# RFC 5321 limits a local part to 64 and a domain to 255 octets; the form is the one that mail systems accept.
_EMAIL = re.compile(
    r"[^\s@<>\"(),:;\\\[\]\x00-\x1f\x7f]{1,64}@"
    r"([A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}"
)
_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
}


_DATED = frozenset({"acquired_on", "born", "due", "end", "next_due", "recheck_on", "start", "until"})
# Other systems write 9999-12-31 for "never"; as a date it would put off every reckoning with it.
YEARS = FIRST_YEAR, LAST_YEAR = 1850, 2200
_IDS = ("id", "customer", "organisation", "household")
_TIMES: Mapping[type, tuple[str, ...]] = {
    kind: ("at", "recorded_at", *(name for name in kind.__struct_fields__ if name in _DATED))
    for kind in f.FACT_TYPES.values()
}


class Checker:
    """Checks facts against a vocabulary, and completes them. The facts it is handed are its own to change.

    ``gone`` is asked of each customer; it raises :class:`FactRejected` where they were erased.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        *,
        region: str = "",
        services: Collection[str] = (),
        gone: Callable[[str | None, datetime], object] = lambda _customer, _at: None,
    ) -> None:
        self.words, self.gone = vocabulary, gone
        self.country = region.partition("-")[0] or None
        self.services = frozenset(services) or vocabulary.services

    def check(self, fact: AnyFact) -> None:
        """Refuse the fact with :class:`FactRejected`, or bring its times to UTC and its addresses to one form."""
        for name in _TIMES[type(fact)]:
            value = getattr(fact, name)
            if value is not None and value is not UNSET and not FIRST_YEAR <= value.year <= LAST_YEAR:
                raise FactRejected(
                    name, f"the year {value.year} cannot be meant; times lie between {FIRST_YEAR} and {LAST_YEAR}"
                )
        if fact.at.tzinfo is not UTC:
            force_setattr(fact, "at", fact.at.astimezone(UTC))
        if fact.recorded_at is not None and fact.recorded_at.tzinfo is not UTC:
            force_setattr(fact, "recorded_at", fact.recorded_at.astimezone(UTC))
        for name in _IDS:
            value = getattr(fact, name)
            # What can be printed has no control characters, and is told faster.
            if value is not None and value is not UNSET and not value.isprintable():
                _plain(name, value)
        self.gone(fact.customer, fact.at)
        special = _SPECIAL.get(type(fact))
        if special is not None:
            special(self, fact)

    def read_cells(self, fact: AnyFact) -> None:
        """Bring what stands as text in the cells of a CSV file to its declared types, where it fits them."""
        for values, declared in self._declared(fact):
            for name, text in values.items():
                if isinstance(text, str) and declared.get(name, "string") != "string":
                    values[name] = _cell(text, declared[name])

    def _declared(self, fact: AnyFact) -> Iterator[tuple[dict[str, Scalar], Mapping[str, str]]]:
        if isinstance(fact, f.Asset) and fact.attributes is not UNSET:
            yield fact.attributes, self._attributes(fact)
        elif isinstance(fact, f.Event):
            yield fact.data, self.words.events.get(fact.kind, {})
        elif isinstance(fact, f.Preference | f.Custom) and fact.facts is not UNSET:
            yield fact.facts, self.words.facts

    def _attributes(self, asset: f.Asset) -> Mapping[str, str]:
        """The attributes of its kind; of any kind, where the fact does not say which."""
        if asset.kind is not UNSET:
            return self.words.assets.get(asset.kind, {})
        return {name: one for kind in self.words.assets.values() for name, one in kind.items()}

    def customer(self, fact: f.Customer) -> None:
        for role in fact.roles or ():
            self._known("roles", role, self.words.roles)
        if fact.timezone:
            _attempt("timezone", zone, fact.timezone, "is no IANA zone; write e.g. America/Chicago")
        if fact.region and not _REGION.fullmatch(fact.region):
            raise FactRejected("region", f"{fact.region!r} is no ISO 3166-2 region; write e.g. US-IL or DE-BY")
        _plain("guardian", fact.guardian)
        _no_nul("postal", fact.postal)

    def contact_point(self, fact: f.ContactPoint) -> None:
        for medium in fact.media or ():
            self._known("media", medium, MEDIA)
        if fact.kind == "email":
            force_setattr(fact, "address", email(fact.address))
        elif fact.kind == "phone":
            force_setattr(fact, "address", phone(fact.address, self.country))
        _no_nul("address", fact.address)

    def consent(self, fact: f.Consent) -> None:
        self._known("medium", fact.medium, (*MEDIA, "*"))
        self._known("purpose", fact.purpose, (*self.words.purposes, "*"))
        self._topic(fact.topic)
        if fact.withdrawn and (fact.id is None or not fact.granted):
            raise FactRejected("withdrawn", "what is taken back is named by its id, with granted set to true")

    def intent(self, fact: f.Intent) -> None:
        self._topic(fact.topic)
        if fact.for_ is not None:
            _attempt("for", parse_duration, fact.for_, "is no duration; write e.g. 10y")

    def preference(self, fact: f.Preference) -> None:
        for medium in fact.media or ():
            self._known("media", medium, MEDIA)
        for name in ("contact_hours", "visit_hours"):
            hours = getattr(fact, name)
            if hours:
                _attempt(name, parse_week, hours, 'is no week of hours; write e.g. {"mon-fri": ["17:00-20:00"]}')
        if fact.facts is not UNSET:
            self._typed("facts", fact.facts, self.words.facts)

    def own_facts(self, fact: f.Custom) -> None:
        self._typed("facts", fact.facts, self.words.facts)

    def asset(self, fact: f.Asset) -> None:
        if fact.kind is not UNSET:
            self._known("kind", fact.kind, self.words.assets)
        if fact.attributes is not UNSET:
            self._typed("attributes", fact.attributes, self._attributes(fact))

    def event(self, fact: f.Event) -> None:
        self._known("kind", fact.kind, self.words.events)
        self._typed("data", fact.data, self.words.events[fact.kind])
        if fact.item is not None and self.words.equivalents:
            self._known("item", fact.item, self.words.equivalents)

    def reply(self, fact: f.Reply) -> None:
        # Whoever holds the telephone: what was asked of one person is not answered for another.
        if fact.key is not None and fact.customer is not None and customer_of(fact.key) != fact.customer:
            whose = customer_of(fact.key)
            raise FactRejected("key", f"it answers a message that is about {whose}; record it as a reply of {whose}")

    def wish(self, fact: f.Wish) -> None:
        self.service(fact)
        _attempt("notice", parse_exact, fact.notice, "is no length of time; write e.g. 24h or 2d")
        if fact.between[0] > fact.between[1]:
            raise FactRejected("between", f"{fact.between[0]} is after {fact.between[1]}; the earlier date comes first")

    def service(self, fact: f.ServiceRecord | f.Wish) -> None:
        self._known("service", fact.service, self.services)

    def service_plan(self, fact: f.ServicePlan) -> None:
        self._known("service", fact.service, self.services)
        if fact.every is not None and fact.every.distance is not None:
            _attempt("every.distance", parse_distance, fact.every.distance, "is no distance; write e.g. 10000 mi")
        if fact.every is None and fact.next_due is None:
            raise FactRejected("every", "a service plan says every how often, or when next (next_due)")

    def appointment(self, fact: f.Appointment) -> None:
        if all(getattr(fact, name) is UNSET for name in f.APPOINTMENT):
            raise FactRejected("", f"this says nothing of the appointment {fact.id}; write what is so, e.g. its start")
        if fact.service is not UNSET:
            self._known("service", fact.service, self.services)
        for name in ("start", "end"):
            at = getattr(fact, name)
            if at is not UNSET and at is not None and at.tzinfo is not UTC:
                force_setattr(fact, name, at.astimezone(UTC))
        if fact.place_zone:
            _attempt("place_zone", zone, fact.place_zone, "is no IANA zone; write e.g. America/Chicago")
        start, end = fact.start, fact.end
        if start is not UNSET and end is not UNSET and end is not None and end <= start:
            raise FactRejected("end", "the end is not after the start")

    def hold(self, fact: f.Hold) -> None:
        for purpose in fact.purposes:
            self._known("purposes", purpose, (*self.words.purposes, "*"))

    def feedback(self, fact: f.Feedback) -> None:
        if fact.department is not None and self.words.departments:
            self._known("department", fact.department, self.words.departments)

    def interaction(self, fact: f.Interaction) -> None:
        if fact.purpose is not None:
            self._known("purpose", fact.purpose, self.words.purposes)
        self._topic(fact.topic)

    def _topic(self, topic: str | None) -> None:
        if topic is not None and topic != "*":
            self._known("topic", topic, self.words.topics)

    def _known(self, field: str, value: str, known: Collection[str]) -> None:
        if value not in known:
            close = get_close_matches(value, known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"declared are: {', '.join(sorted(known)) or 'none'}"
            raise FactRejected(field, f"{value!r} is not declared; {hint}")

    def _typed(self, field: str, values: Mapping[str, Scalar], declared: Mapping[str, str]) -> None:
        for name, value in values.items():
            self._known(field, name, declared)
            kind = declared[name]
            fits = isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
            if value is not None and not fits:
                raise FactRejected(f"{field}.{name}", f"{value!r} is not a {kind}")


def _plain(field: str, value: object) -> None:
    if isinstance(value, str) and _CONTROL.search(value):
        raise FactRejected(field, "an id has no control characters")


def _no_nul(field: str, value: object) -> None:
    # PostgreSQL stores no text that has one.
    if isinstance(value, str) and "\0" in value:
        raise FactRejected(field, "text has no NUL characters")


@lru_cache(maxsize=4096)
def email(address: str) -> str:
    """An e-mail address with its domain in lower case; refused if it is none."""
    if not _EMAIL.fullmatch(address.strip()):
        raise FactRejected("address", f"{address!r} is no e-mail address; write e.g. ana@example.com")
    local, _, domain = address.strip().rpartition("@")
    return f"{local}@{domain.lower()}"


def _cell(text: str, kind: str) -> Scalar:
    try:
        value: Scalar = msgspec.convert(text, _TYPES[kind][-1], strict=False)
    except msgspec.ValidationError:
        return text
    return value if not isinstance(value, float) or isfinite(value) else text


def _attempt(field: str, parse: Callable[[Any], object], value: object, hint: str) -> None:
    try:
        parse(value)
    except (ValueError, KeyError) as error:
        raise FactRejected(field, f"{value!r} {hint}") from error


_SPECIAL: dict[type, Callable[[Checker, Any], None]] = {
    f.Customer: Checker.customer,
    f.ContactPoint: Checker.contact_point,
    f.Consent: Checker.consent,
    f.Intent: Checker.intent,
    f.Preference: Checker.preference,
    f.Custom: Checker.own_facts,
    f.Asset: Checker.asset,
    f.Event: Checker.event,
    f.ServiceRecord: Checker.service,
    f.Wish: Checker.wish,
    f.Reply: Checker.reply,
    f.ServicePlan: Checker.service_plan,
    f.Appointment: Checker.appointment,
    f.Hold: Checker.hold,
    f.Feedback: Checker.feedback,
    f.Interaction: Checker.interaction,
}
