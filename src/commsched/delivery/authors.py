"""Who wrote a reply: whoever the message went to that it answers, else whoever alone has the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from commsched.model.facts import Sent
from commsched.model.subjects import address_subject, kind_of_medium
from commsched.planning.fold import fold
from commsched.store.ledgers import load

# A reply that names no message answers the last one that went there, if that was no longer ago than this.
ANSWERED = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote: one customer, or several of whom one did (``people``), or nobody who is known.

    ``key`` is the message that it answers, ``department`` the one that it came from, ``circle`` the address's ledger.
    """

    circle: str
    customer: str = ""
    people: tuple[str, ...] = ()
    key: str = ""
    department: str = ""


def author_of(
    connection: Connection, medium: str, address: str, row: Row[Any] | None, members: Sequence[str], now: datetime
) -> Author:
    """Who wrote from an address; ``row`` is the attempt that it is known to answer, ``members`` all who have it."""
    circle = address_subject(kind_of_medium(medium), address)
    if row is not None:
        return Author(circle, row.customer, (row.customer,), row.key)
    ledgers = {name: one.ledger for name, one in load(connection, members).items()} if members else {}
    states = {name: fold(ledger, now) for name, ledger in ledgers.items()}
    kind = kind_of_medium(medium)
    having = [
        name
        for name, state in states.items()
        if any(c.kind == kind and c.valid and address_subject(kind, c.address) == circle for c in state.contacts)
    ]
    people = tuple(sorted(having or members))
    sent = [one for name in people for one in states[name].sent if one.medium == medium and one.at >= now - ANSWERED]
    there = [one for one in sent if address_subject(kind, one.address) == circle]
    last: Sent | None = max(there, key=lambda one: one.at, default=None)
    department = last.department if last is not None else ""
    if len(people) == 1:
        return Author(circle, people[0], people, last.key if last is not None else "", department)
    return Author(circle, "", people, "", department)
