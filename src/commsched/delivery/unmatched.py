"""Events that name a message by the provider's own id only: matched to its attempt, or kept until it is known.

An event may come before the answer that tells the id has been written down. What is kept says nothing of a person, and
is looked at again with everything that the channel tells, and each time that channels are asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b

from sqlalchemy import Connection

from commsched.delivery.concerned import ABOUT_PEOPLE
from commsched.delivery.receipts import REFERENCE
from commsched.model.subjects import address_subject, kind_of_medium
from commsched.plugin.channel import ChannelEvent
from commsched.store import queries
from commsched.store.store import instant, micros

Named = Sequence[tuple[ChannelEvent, str]]
# What a person said is theirs by the address, whatever it answers.
SAID = frozenset({"reply", "digit"})


def matched(connection: Connection, origin: tuple[str, str], events: Named) -> Named:
    """The events, each with its attempt where its reference tells; ``origin`` is the channel and its medium.

    One request may have had many messages, which then share a reference: of these it is the one to that address.
    """
    channel, medium = origin
    asked = {one.reference[:REFERENCE] for one, _ in events if one.reference and not one.attempt}
    having: dict[str, list[tuple[str, str]]] = {}
    for row in queries.attempts_by_reference(connection, channel, asked) if asked else ():
        having.setdefault(row.detail, []).append((row.id, whose(medium, row.address)))
    return [(_with_attempt(one, medium, having), name) for one, name in events]


def _with_attempt(event: ChannelEvent, medium: str, having: dict[str, list[tuple[str, str]]]) -> ChannelEvent:
    if event.attempt:
        return event
    mine = event.data.get(WHOSE) or (whose(medium, event.address) if event.address else "")
    fitting = [name for name, theirs in having.get(event.reference[:REFERENCE], ()) if mine in {"", theirs}]
    return replace(event, attempt=fitting[0]) if len(fitting) == 1 else event


def keep(connection: Connection, origin: tuple[str, str], events: Named, now: datetime) -> frozenset[str]:
    """Keep what is about a message that nobody knows yet; which.

    What says something of an address has been taken for that already; what is kept is what became of the message.
    """
    channel, medium = origin
    rows = [
        {
            "channel": channel,
            "id": name,
            "reference": one.reference[:REFERENCE],
            "kind": one.kind,
            "at": micros(one.at),
            "whose": whose(medium, one.address) if one.address else "",
            "kept_at": micros(now),
        }
        for one, name in events
        if one.reference and not one.attempt and one.kind not in SAID
        if one.kind not in ABOUT_PEOPLE or one.kind in {"bounced", "unsuited"} or not one.address
    ]
    queries.keep_unmatched(connection, rows)
    return frozenset(str(row["id"]) for row in rows)


def kept(connection: Connection, origin: tuple[str, str]) -> Named:
    """The events that were kept and whose message is known by now; they are kept no longer."""
    channel, medium = origin
    rows = queries.now_known(connection, channel)
    events = [
        (
            ChannelEvent(row.kind, instant(row.at), id=row.id, reference=row.reference, data={WHOSE: row.whose}),
            row.id,
        )
        for row in rows
    ]
    found = [(one, name) for one, name in matched(connection, (channel, medium), events) if one.attempt]
    queries.drop_unmatched(connection, channel, [name for _, name in found])
    return found


# An answer that names the provider's id comes minutes late at most. Providers tell of other programs' messages as well,
# where these share the account: of those nobody here will ever know.
KEPT = timedelta(hours=1)
# Under which an event that was kept says to whom its message went.
WHOSE = "commsched-whose"


def whose(medium: str, address: str) -> str:
    """A digest of an address, however it is written."""
    return blake2b(address_subject(kind_of_medium(medium), address).encode(), digest_size=16).hexdigest()
