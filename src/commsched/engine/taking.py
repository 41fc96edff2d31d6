"""Whether a time can be had that a customer takes by a reply: by the same measure as on a page.

A reply is taken in within a transaction, and calendars may have to be fetched. So what was not read before is asked for
(:class:`Unread`); then it is read outside, and the whole is begun again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import Connection

from commsched.delivery.replying import Takes, Time
from commsched.engine.atdesk import require_free
from commsched.engine.booking import Desk, Look, possible
from commsched.errors import SlotTaken
from commsched.planning.world import World
from commsched.plugin.view import Snapshot
from commsched.store.ledgers import ledgers
from commsched.timing.windows import Span

# A calendar, and the span in which it must be known.
Needed = tuple[str, Span]


class Unread(Exception):
    """A calendar has to be read before it can be said whether a time is possible."""

    def __init__(self, needed: Needed) -> None:
        super().__init__(needed)
        self.needed = needed


def takes_in(world_in: Callable[[Connection], World], known: Mapping[Needed, Snapshot]) -> Takes:
    """What says whether a customer can have a time, by the calendars that are known; raises :class:`Unread`."""

    def snapshot(name: str, within: Span, _: datetime) -> Snapshot:
        if (name, within) not in known:
            raise Unread((name, within))
        return known[name, within]

    def takes(connection: Connection, customer: str, time: Time, now: datetime) -> bool:
        world = world_in(connection)
        service = world.services.get(time.service)
        if service is None:
            return False
        (ledger,) = ledgers(connection, [customer])
        end = time.end or time.start + service.duration
        look = Look(service, (time.start, end), ledger, leaving=time.leaving, asset=time.asset)
        if not possible(Desk(world, snapshot), connection, look, time.start, now):
            return False
        try:
            require_free(connection, world, customer, time.appointment, service, time.asset, look.within)
        except SlotTaken:
            return False
        return True

    return takes
