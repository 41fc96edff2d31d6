"""Refused overwrites: what a source said later, and did not get through, because somebody of higher rank had spoken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from msgspec import UNSET

from commsched.model import facts as f
from commsched.model.facts import AnyFact
from commsched.model.subjects import address_subject
from commsched.planning.fold import order
from commsched.planning.ledger import Entry, Ledger

# What names a fact's thing or its history is no field that could be overwritten.
_COMMON = frozenset(
    {"at", "recorded_at", "customer", "organisation", "household", "source", "stated_by", "id", "same_as"}
)
_NAMES: dict[type, frozenset[str]] = {f.ContactPoint: frozenset({"kind", "address"})}
_INSIDE = frozenset({"facts", "attributes"})

Thing = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that a later fact of lower rank could not overwrite; ``fact`` is that fact's identity.

    ``refused`` and ``standing`` are for people; ``values`` are the same two as the facts have them.
    """

    customer: str
    field: str
    refused: str
    standing: str
    standing_by: str
    source: str
    recorded_at: datetime
    fact: str
    values: tuple[object, object] = (None, None)

    def __str__(self) -> str:
        return (
            f"{self.customer}: {self.field} stays {self.standing}, as the {self.standing_by} said; "
            f"{self.source} says {self.refused}"
        )


def conflicts(ledger: Ledger) -> list[Conflict]:
    """The refused overwrites of one customer's own ledger, oldest first. Pure."""
    entries = sorted((entry for entry in ledger.entries if entry[1].ranked), key=order)
    standing: dict[tuple[Thing, str], Entry] = {}
    said: list[tuple[Thing, str, object, Entry]] = []
    for entry in entries:
        thing = _thing(entry[1])
        for name, value in _fields(entry[1]):
            standing[thing, name] = entry
            said.append((thing, name, value, entry))
    found = [
        _conflict(ledger.customer, thing, name, value, entry, standing[thing, name])
        for thing, name, value, entry in said
        if _was_refused(name, value, entry[1], standing[thing, name][1])
    ]
    return sorted(found, key=lambda one: (one.recorded_at, one.field, one.refused))


def _thing(fact: AnyFact) -> Thing:
    if isinstance(fact, f.ContactPoint):
        return fact.kind, address_subject(fact.kind, fact.address)
    # Custom facts stand in a fact of their own and in preferences; both are the customer's.
    return (fact.type, fact.id or "") if isinstance(fact, f.Asset) else ("customer",)


def _fields(fact: AnyFact) -> Iterator[tuple[str, object]]:
    left_out = _COMMON | _NAMES.get(type(fact), frozenset())
    for name in fact.__struct_fields__:
        value = getattr(fact, name)
        if name in left_out or value is UNSET:
            continue
        if name in _INSIDE:
            yield from ((f"{name}.{inner}", one) for inner, one in value.items())
        else:
            yield name, value


def _was_refused(name: str, value: object, fact: AnyFact, winner: AnyFact) -> bool:
    """Whether this was learnt after what stands, of which it says otherwise, and lost to it by rank alone."""
    if winner is fact or _value(winner, name) == value:
        return False
    return _learnt(fact) > _learnt(winner) and fact.at > winner.at


def _conflict(customer: str, thing: Thing, name: str, value: object, entry: Entry, winner: Entry) -> Conflict:
    about = " ".join(part for part in thing if part and part != "customer")
    return Conflict(
        customer=customer,
        field=f"{about}: {name}" if about else name,
        refused=_shown(value),
        standing=_shown(_value(winner[1], name)),
        standing_by=winner[1].stated_by or "import",
        source=entry[1].source or "?",
        recorded_at=_learnt(entry[1]),
        fact=entry[0],
        values=(value, _value(winner[1], name)),
    )


def _value(fact: AnyFact, name: str) -> object:
    head, _, inner = name.partition(".")
    value = getattr(fact, head)
    return value[inner] if inner else value


def _learnt(fact: AnyFact) -> datetime:
    return fact.recorded_at or fact.at


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)
