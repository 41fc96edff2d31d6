"""Who on a list is a customer: the customers are streamed past an index of the list, so that memory follows the list.

What counts: the same id, mail address or phone number; the mail domain of an organisation; an organisation's name; a
person's name together with a postcode. A person's name alone proves nothing, and is only noted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Literal

import msgspec
from sqlalchemy import Connection

from commsched.screening.domains import organisation_of
from commsched.screening.lists import Entry, People
from commsched.screening.names import alike, blocks, likeness, normal, postcodes
from commsched.store import queries

By = Literal["id", "email", "phone", "domain", "company", "name"]
# The evidence that means this very customer; the others mean the same organisation, or the same name and place.
THEMSELVES = frozenset({"id", "email", "phone"})
# So many matches of one entry are kept: they are evidence, not an inventory.
SHOWN = 5
# A beginning of words that so many entries of the list share tells them apart no more.
COMMON = 200
TELL = 20000


@dataclass(frozen=True, slots=True)
class Match:
    """That an entry is a customer, by what, in words; ``customer`` is their id."""

    by: By
    customer: str
    evidence: str


@dataclass(slots=True)
class Found:
    """What was found of one entry; ``namesakes`` are customers of whom only the name is the same."""

    matches: list[Match] = field(default_factory=list)
    namesakes: list[str] = field(default_factory=list)


class Known(msgspec.Struct, frozen=True):
    """What of a ``customer`` fact matters here."""

    name: str | None = None
    kind: str | None = None
    postal: str | None = None


_known = msgspec.json.Decoder(Known)


class Index:
    """The list by everything that its entries can be known by."""

    def __init__(self, people: People) -> None:
        self.found: dict[int, Found] = defaultdict(Found)
        self.entries = people.entries
        self.ids = _by(people.entries, lambda entry: entry.id)
        self.addresses = _by(people.entries, lambda entry: f"a:email:{entry.email}" if entry.email else "")
        self.phones = _by(people.entries, lambda entry: f"a:phone:{entry.phone}" if entry.phone else "")
        self.addresses |= self.phones
        self.domains = _by(people.entries, lambda entry: organisation_of(entry.email))
        self.companies = _by(people.entries, lambda entry: normal(entry.company))
        self.names = _by(people.entries, lambda entry: normal(entry.name))
        self._company_blocks = _blocked(self.companies)
        self._places = _by_place(people.entries)

    def address(self, circle: str, customer: str) -> None:
        """A customer has this address: who on the list has it too, or one at the same organisation."""
        for number in self.addresses.get(circle, ()):
            _, kind, address = circle.split(":", 2)
            self._note(number, Match("email" if kind == "email" else "phone", customer, f"{kind} {address}"))
        if circle.startswith("a:email:"):
            domain = circle.rpartition("@")[2]
            for number in self.domains.get(domain, ()):
                self._note(number, Match("domain", customer, f"mail domain {domain}"))

    def customer(self, customer: str, known: Known) -> None:
        """There is a customer of this id and name: who on the list is called so."""
        for number in self.ids.get(customer, ()):
            self._note(number, Match("id", customer, f"id {customer}"))
        name = normal(known.name or "")
        if not name:
            return
        if known.kind == "organisation":
            self._company(customer, known.name or "", name)
        else:
            self._person(customer, known, name)

    def _company(self, customer: str, shown: str, name: str) -> None:
        if name in self.companies:
            for number in self.companies[name]:
                self._note(number, Match("company", customer, f"company name {shown!r} (100)"))
            return
        near = set[str]().union(*(self._company_blocks.get(block, ()) for block in blocks(name)))
        for other, how_much in alike(name, near):
            for number in self.companies[other]:
                said = self.entries[number].company
                self._note(number, Match("company", customer, f"company name {said!r} ~ {shown!r} ({how_much:.0f})"))

    def _person(self, customer: str, known: Known, name: str) -> None:
        for number in self.names.get(name, ()):
            namesakes = self.found[number].namesakes
            if customer not in namesakes and len(namesakes) < SHOWN:
                namesakes.append(customer)
        if not self._places or not known.postal:
            return
        here = [self._places[code] for code in postcodes(known.postal) if code in self._places]
        if not here:
            return
        keys = list(blocks(name))
        near = {number for place in here for key in keys for number in place.get(key, ())}
        for number in sorted(near):
            said = self.entries[number].name
            if how_much := likeness(name, normal(said)):
                words = f"name {said!r} ~ {known.name!r} ({how_much:.0f}), same postcode"
                self._note(number, Match("name", customer, words))

    def _note(self, number: int, match: Match) -> None:
        matches = self.found[number].matches
        known = any(one.by == match.by and one.customer == match.customer for one in matches)
        if not known and sum(one.by == match.by for one in matches) < SHOWN:
            matches.append(match)


def match(connection: Connection, people: People, step: Callable[[int], None] = lambda _: None) -> dict[int, Found]:
    """What is known of each entry of the list, by its number; those of whom nothing is known are left out."""
    index = Index(people)
    # Numbers can be looked up; mail addresses pass by, all of them, since the domains of the list's people matter, too.
    for circle, customers in queries.members(connection, index.phones).items():
        for customer in customers:
            index.address(circle, customer)
    done = 0
    for done, (circle, customer) in enumerate(queries.address_members(connection, "email"), 1):
        index.address(circle, customer)
        if done % TELL == 0:
            step(done)
    for number, (customer, known) in enumerate(_customers(connection), done):
        index.customer(customer, known)
        if number % TELL == 0:
            step(number)
    return {
        number: Found(sorted(found.matches, key=_strength), sorted(found.namesakes))
        for number, found in sorted(index.found.items())
    }


def _strength(match: Match) -> tuple[int, str, str]:
    return ("id", "email", "phone", "company", "domain", "name").index(match.by), match.customer, match.evidence


def _customers(connection: Connection) -> Iterator[tuple[str, Known]]:
    """Each customer once for each name that they were ever recorded under; a kind or address holds for all of them."""
    for subject, rows in groupby(queries.customer_facts(connection), itemgetter(0)):
        facts = [_known.decode(body) for _, body in rows]
        if len(facts) == 1:
            yield subject[2:], facts[0]
        else:
            yield from _names(subject, facts)


def _names(subject: str, facts: list[Known]) -> Iterator[tuple[str, Known]]:
    kind = next((one.kind for one in facts if one.kind == "organisation"), "person")
    postal = " ".join(one.postal for one in facts if one.postal)
    for name in sorted({one.name or "" for one in facts}):
        yield subject[2:], Known(name, kind, postal)


def _by(entries: Iterable[Entry], key: Callable[[Entry], str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, entry in enumerate(entries):
        if name := key(entry):
            found.setdefault(name, []).append(number)
    return found


def _blocked(names: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        for block in blocks(name):
            found.setdefault(block, []).append(name)
    return {block: several for block, several in found.items() if len(several) <= COMMON}


def _by_place(entries: Iterable[Entry]) -> dict[str, dict[str, list[int]]]:
    """By postcode, then by block: of most customers nobody on the list has the postcode, and their name is not read."""
    found: dict[str, dict[str, list[int]]] = {}
    for number, entry in enumerate(entries):
        if entry.name and entry.postal:
            for code in postcodes(entry.postal):
                place = found.setdefault(code, {})
                for block in blocks(normal(entry.name)):
                    place.setdefault(block, []).append(number)
    return found
