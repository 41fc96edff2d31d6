"""What binds colleagues, for stores from before it was shared: who somebody is, their cases and promises.

Since then each such fact is appended to every organisation that the person was ever at, as it comes in. Here that is
done once for those that came in before, and everybody at these organisations is looked at again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KINDS = ("customer", "case", "commitment")
FLAG_COLLEAGUE = 4
PAGE = 5000
CHUNK = 400

fact = sa.table("fact", sa.column("subject"), sa.column("digest", sa.LargeBinary), sa.column("body", sa.LargeBinary))
ledger = sa.table("ledger", sa.column("subject"), sa.column("version"), sa.column("flags"))
member = sa.table("member", sa.column("circle"), sa.column("customer"))
wake = sa.table("wake", sa.column("customer"), sa.column("due"))

Row = tuple[str, bytes, bytes]


def upgrade() -> None:
    """Fill the ledgers of organisations; what stands in one already is left as it is."""
    connection = op.get_bind()
    places = _places(connection)
    people = sorted(places)
    for first in range(0, len(people), CHUNK):
        some = people[first : first + CHUNK]
        query = sa.select(fact).where(fact.c.subject.in_(some), sa.or_(*map(_is, KINDS)))
        found = [(row.subject, bytes(row.digest), bytes(row.body)) for row in connection.execute(query)]
        _append(connection, [(place, digest, body) for who, digest, body in found for place in places[who]])
        flagged = ledger.c.flags.op("|")(FLAG_COLLEAGUE)
        connection.execute(sa.update(ledger).where(ledger.c.subject.in_(some)).values(flags=flagged))
    for place in sorted({place for found in places.values() for place in found}):
        colleagues = sa.select(member.c.customer).where(member.c.circle == place)
        connection.execute(sa.update(wake).where(wake.c.customer.in_(colleagues)).values(due=0))


def _is(kind: str) -> sa.ColumnElement[bool]:
    begins = f'{{"type":"{kind}"'.encode()
    return sa.func.substr(fact.c.body, 1, len(begins)) == begins


def _places(connection: sa.Connection) -> dict[str, list[str]]:
    """The organisations' ledgers that each person was ever at; whoever was at none is left out."""
    found: dict[str, set[str]] = {}
    last = ("c:", b"")
    while True:
        # In pages by key, so that a million customers are never in memory at once.
        after = sa.or_(fact.c.subject > last[0], sa.and_(fact.c.subject == last[0], fact.c.digest > last[1]))
        query = sa.select(fact).where(after, fact.c.subject < "c;", _is("customer"))
        rows = connection.execute(query.order_by(fact.c.subject, fact.c.digest).limit(PAGE)).all()
        for row in rows:
            name = json.loads(bytes(row.body)).get("organisation")
            if isinstance(name, str):
                found.setdefault(row.subject, set()).add(f"o:{name}")
        if len(rows) < PAGE:
            return {who: sorted(places) for who, places in found.items()}
        last = (rows[-1].subject, bytes(rows[-1].digest))


def _append(connection: sa.Connection, rows: Sequence[Row]) -> None:
    there = sa.select(fact.c.subject, fact.c.digest).where(fact.c.subject.in_({place for place, _, _ in rows}))
    known = {(row.subject, bytes(row.digest)) for row in connection.execute(there)}
    new = {(place, digest): body for place, digest, body in rows if (place, digest) not in known}
    if not new:
        return
    values = [{"subject": place, "digest": digest, "body": body} for (place, digest), body in new.items()]
    connection.execute(sa.insert(fact), values)
    for place, count in sorted(Counter(place for place, _ in new).items()):
        grown = sa.update(ledger).where(ledger.c.subject == place).values(version=ledger.c.version + count)
        if not connection.execute(grown).rowcount:
            connection.execute(sa.insert(ledger).values(subject=place, version=count, flags=0))
