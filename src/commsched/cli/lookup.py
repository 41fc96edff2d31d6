"""Finding a customer or a message by what was typed, or saying what is near it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from commsched.app import App
from commsched.cli.finding import candidates
from commsched.errors import UnknownName
from commsched.model.facts import AnyFact
from commsched.model.subjects import customer_of
from commsched.planning.contact import zones
from commsched.planning.fold import fold
from commsched.planning.ledger import Entry
from commsched.store import queries
from commsched.store.ledgers import Loaded, load

# More names than this are no help in an error; then the nearest few are named.
LISTED, NEAREST = 12, 4


def require_customer(app: App, customer: str) -> Loaded:
    """The customer's ledger. Raises :class:`UnknownName` if no fact is about them."""
    with app.store.read() as connection:
        if not queries.versions(connection, [f"c:{customer}"]):
            raise UnknownName(f"No fact is about a customer {customer!r}. {meant(app, connection, customer)}")
        return load(connection, [customer])[customer]


def meant(app: App, connection: Connection, text: str) -> str:
    """Whom somebody may have meant who typed this for a customer's id, in a sentence."""
    found = candidates(connection, text, app.clock.now())
    near = [] if found else get_close_matches(text, queries.customers(connection), 3)
    hint = f"Did you mean {' or '.join(near)}?" if near else "`commsched find` looks for a name, a number or a plate."
    return found or hint


def facts_of(entries: tuple[Entry, ...]) -> list[AnyFact]:
    """The facts of a ledger, as they became true."""
    return [fact for _, fact in sorted(entries, key=lambda e: (e[1].at, e[1].recorded_at or e[1].at, e[0]))]


def name_of(app: App, loaded: Loaded) -> str:
    """What the customer is called; their id where no name is known."""
    return fold(loaded.ledger, app.clock.now()).profile.name or loaded.ledger.customer


def zone_of(app: App, loaded: Loaded) -> ZoneInfo:
    """By whose clock the customer lives."""
    with app.store.read() as connection:
        world = app.world(connection)
    return zones(fold(loaded.ledger, app.clock.now()), world)[0]


def require_message(connection: Connection, key: str) -> Row[Any]:
    """A message by its key. Raises :class:`UnknownName` with the keys that are near it."""
    customer = customer_of(key)
    found = queries.message(connection, customer, key)
    if found is not None:
        return found
    known = [row.key for row in queries.messages(connection, [customer]).get(customer, [])]
    begun = [one for one in known if one.startswith(key)]
    if len(begun) == 1:
        return require_message(connection, begun[0])
    near = begun[:5] or get_close_matches(key, known, 3, cutoff=0.4)
    hint = (
        "Did you mean\n  " + "\n  ".join(near) if near else "`commsched explain --customer ID` lists those there are."
    )
    raise UnknownName(f"No message has the key {key!r}. {hint}")


def unknown(what: str, name: str, known: list[str]) -> UnknownName:
    """The error for a name that does not exist, with the nearest that does."""
    near = get_close_matches(name, known, 1)
    if near:
        hint = f"Did you mean {near[0]!r}?"
    elif len(known) <= LISTED:
        hint = f"There is {', '.join(sorted(known)) or 'none'}."
    else:
        nearest = get_close_matches(name, known, NEAREST, cutoff=0)
        hint = f"There are {len(known)}; nearest are {', '.join(nearest)}."
    return UnknownName(f"No {what} is called {name!r}. {hint}")
