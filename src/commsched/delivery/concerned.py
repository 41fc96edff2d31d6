"""Whom a batch of events concerns: found and locked before anything is written, so that batches wait and never cross.

Everybody locks attempts, then ledgers (customers before circles), then calendars, each in one order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from commsched.delivery.intent import circles_touched
from commsched.model.facts import Sent
from commsched.model.subjects import address_subject, kind_of_medium
from commsched.plugin.channel import ChannelEvent
from commsched.store import queries, slots
from commsched.store.ledgers import circles

# What says something of people, not only of a message.
ABOUT_PEOPLE = frozenset({"bounced", "unsuited", "opt_out", "opt_in", "complaint", "reply", "digit"})
# By what people can change their appointments.
ANSWERS = frozenset({"opt_in", "reply", "digit"})
Attempts = Mapping[str, Row[Any]]
_sent = msgspec.json.Decoder(Sent)


@dataclass(frozen=True, slots=True)
class Concerned:
    """Who has each of the addresses that events name, and the ledgers that were locked for them."""

    having: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ledgers: frozenset[str] = frozenset()


def lock_concerned(
    connection: Connection, medium: str, events: Sequence[ChannelEvent], attempts: Attempts
) -> Concerned:
    """Lock the ledgers and calendars that these events may change.

    Whoever comes to have one of the addresses in the meantime is bound by what its own ledger says; whoever was erased
    in the meantime has none of them. Of ledgers that nobody has the caller leaves no trace.
    """
    addresses = {
        address_subject(kind_of_medium(medium), address)
        for one in events
        if one.kind in ABOUT_PEOPLE and (address := address_of(one, attempts))
    }
    having = queries.members(connection, addresses)
    writers = {attempts[one.attempt].customer for one in events if one.attempt in attempts}
    people = {person for found in having.values() for person in found}
    spoken = people | {attempts[o.attempt].customer for o in events if o.kind in ABOUT_PEOPLE and o.attempt in attempts}
    touched = {circle for row in attempts.values() for circle in _touched(row)}
    ledgers = {f"c:{customer}" for customer in writers | people} | addresses | touched | circles(connection, spoken)
    queries.lock_ledgers(connection, ledgers)
    if any(one.kind in ANSWERS for one in events):
        queries.lock_calendars(connection, slots.calendars_of(connection, spoken))
    still = queries.members(connection, addresses)
    current = {circle: tuple(p for p in found if p in still.get(circle, ())) for circle, found in having.items()}
    return Concerned(current, frozenset(ledgers))


def address_of(event: ChannelEvent, attempts: Attempts) -> str:
    """The address that an event is about: the one that it names, else the one that its attempt went to."""
    row = attempts.get(event.attempt)
    return event.address or (row.address if row is not None else "")


def _touched(row: Row[Any]) -> list[str]:
    return circles_touched(_sent.decode(row.sent)) if row.state != "accepted" else []
