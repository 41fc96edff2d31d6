"""All that the store knows of one customer, and nothing of anybody else (GDPR art. 15 and 20).

The secrets of links are left out, and what the staff's notes say beside a reason, since they name other people. Where
others share an address or an organisation, only what is the customer's own is given (art. 15(4)).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from commsched.model.facts import AnyFact
from commsched.store import queries, traces
from commsched.store import tables as t
from commsched.store.ledgers import circles, decode
from commsched.store.store import instant

ELSE = "somebody else"
Values = dict[str, Any]
# Columns that are instants, by name; all others are given as they are.
_INSTANTS = frozenset(
    {"at", "due", "start", "end", "until", "expires", "since", "started_at", "send_by", "finished_at", "taken_at",
     "again", "new_start", "new_end", "decided_at"}
)  # fmt: skip
# What has a place of its own in the answer, or tells nothing: fingerprints, fences, the numbers of cells.
_APART = frozenset({"fact", "ledger", "member", "message", "attempt", "decision", "task", "correction"})
_SECRETS = frozenset({"signature", "fence", "world", "code", "first", "last", "cell", "customer"})


def export(connection: Connection, customer: str, public_url: str = "") -> Values:
    """Everything about a customer, in the order of time or of keys; the same store gives the same answer."""
    mine = sorted({*queries.circles_of_member(connection, customer), *circles(connection, [customer])})
    others = _others(connection, customer, mine)
    hidden = _Hidden(_names(connection, others), public_url)
    facts = _facts(connection, [f"c:{customer}"])
    own = {msgspec.json.encode(fact) for fact in facts}
    found: Values = {
        "customer": customer,
        "facts": facts,
        "circles": {
            circle: [one for one in _shared(connection, circle, customer) if msgspec.json.encode(one) not in own]
            for circle in mine
        },
        "messages": _messages(connection, customer, hidden),
        "decisions": [_body(row, hidden) for row in queries.owned(connection, t.decision, customer)],
        "tasks": [{**_plain(row), **_body(row, hidden)} for row in queries.owned(connection, t.task, customer)],
        "corrections": [
            {**_plain(row), "report": json.loads(row.body)} for row in queries.owned(connection, t.correction, customer)
        ],
        "claims": [_plain(row) for row in queries.claims_on(connection, [f"c:{customer}"])],
        "log": [{"at": instant(row.at), "action": row.action} for row in _audited(connection, customer)],
    }
    for table in (*queries.OWNED, t.calendar_entry):
        if table.name not in _APART:
            found[table.name] = [_plain(row) for row in queries.owned(connection, table, customer)]
    return found


def _others(connection: Connection, customer: str, mine: Iterable[str]) -> set[str]:
    found = queries.members(connection, [*mine, f"c:{customer}"])
    return {name for members in found.values() for name in members} - {customer}


def _names(connection: Connection, people: Iterable[str]) -> list[str]:
    return [name for person in sorted(people) for name in traces.names_of(connection, person)]


def _facts(connection: Connection, subjects: Collection[str]) -> list[AnyFact]:
    facts = decode([row.body for row in queries.facts(connection, subjects)])
    return sorted(facts, key=lambda fact: (fact.at, fact.recorded_at or fact.at))


def _shared(connection: Connection, circle: str, customer: str) -> list[AnyFact]:
    """What stands in a circle's ledger that is the customer's; at an address of nobody else's, all that does."""
    alone = circle.startswith("a:") and queries.members(connection, [circle]).get(circle) == [customer]
    return [fact for fact in _facts(connection, [circle]) if fact.customer == customer or (alone and not fact.customer)]


def _messages(connection: Connection, customer: str, hidden: _Hidden) -> list[Values]:
    attempts: dict[str, list[Values]] = {}
    for row in queries.attempts(connection, customers=[customer]):
        link = "a short code" if row.code else "a signed token"
        attempts.setdefault(row.key, []).append({**_plain(row), "link": link})
    return [
        {**_body(row, hidden), "attempts": attempts.get(row.key, [])}
        for row in queries.owned(connection, t.message, customer)
    ]


def _audited(connection: Connection, customer: str) -> list[Row[Any]]:
    return [row for row in queries.audited(connection, customer) if traces.Words([customer]).found(row.detail)]


def _plain(row: Row[Any]) -> Values:
    """The columns of a row, without secrets and what stands inside of others."""
    return {
        name: instant(value) if name in _INSTANTS and value is not None else value
        for name, value in row._asdict().items()
        if name not in _SECRETS and not isinstance(value, bytes | memoryview)
    }


class _Hidden:
    """Takes what is not the customer's out of texts: the names of others, and the secrets of links."""

    def __init__(self, names: Collection[str], public_url: str) -> None:
        self._words = traces.Words(names, ELSE) if names else None
        self._link = re.compile(rf"{re.escape(public_url)}/\S+") if public_url else None
        self._url = public_url

    def text(self, text: str) -> str:
        shown = self._words.one(text) if self._words else text
        return self._link.sub(f"{self._url}/…", shown) if self._link else shown

    def all(self, value: Any) -> Any:  # noqa: ANN401 - stored JSON is any
        """Every text in a value that is not a key or an address of ours."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.all(one) for one in value]
        if isinstance(value, dict):
            return {name: self.all(one) for name, one in value.items()}
        return value


def _body(row: Row[Any], hidden: _Hidden) -> Values:
    """What stands inside a row, without the staff's notes."""
    found: Values = hidden.all(
        {name: one for name, one in json.loads(row.body).items() if name not in {"notes", "review_notes"}}
    )
    return {**found, "key": row.key}


def flat(value: object, path: str = "") -> list[tuple[str, str]]:
    """An export as pairs of a place and what stands there, for a table."""
    data = json.loads(msgspec.json.encode(value)) if not path else value
    if isinstance(data, dict):
        return [pair for name, one in data.items() for pair in flat(one, f"{path}.{name}" if path else name)]
    if isinstance(data, list):
        return [pair for place, one in enumerate(data, 1) for pair in flat(one, f"{path}[{place}]")]
    return [(path, "" if data is None else str(data))]
