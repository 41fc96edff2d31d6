"""Whether a time can be had that a customer takes by a reply: by the same measure as on a page.

A reply is taken in within a transaction, and calendars may have to be fetched. So what was not read before is asked for
(:class:`Unread`); then it is read outside, and the whole is begun again.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    """A calendar, or the world (``None``), has to be read before it can be said whether a time is possible."""

    def __init__(self, needed: Needed | None) -> None:
        super().__init__(needed)
        self.needed = needed


def takes_in(world: World | None, known: Mapping[Needed, Snapshot]) -> Takes:
    """What says whether a customer can have a time, by what is known; raises :class:`Unread`.

    The world is asked for like a calendar, since reading it may read calendars, too.
    """

    def snapshot(name: str, within: Span, _: datetime) -> Snapshot:
        if (name, within) not in known:
            raise Unread((name, within))
        return known[name, within]

    def takes(connection: Connection, customer: str, time: Time, now: datetime) -> bool:
        if world is None:
            raise Unread(None)
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
