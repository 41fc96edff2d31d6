"""Who waits for a place at a channel: the most urgent first, whichever batch or worker they came with.

A line has no fixed order. Each who finds no place is told when its turn comes by what is more urgent and waits, and
joins. Whoever comes later and is more urgent goes before: the others find, when their turn comes, that there is no
place yet. How urgent a message is does not fade while it waits, though each new plan gives it a later end.

Of a long line only the front is read, as far as places are near. Behind it the database counts, up to some of those
who come, and whoever lies between two of them is told the turn of the first: sooner than theirs, never later.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from commsched.delivery.intent import Ready
from commsched.store import queries
from commsched.store.store import micros

# By what the most urgent comes first: when it is due where that counts, its priority, until when it may go, its key.
Urgency = tuple[datetime, int, datetime, str]
_Rank = tuple[int, int, int, str]
# Up to so many of a batch the units before them are counted behind the front.
MARKS = 32


class Line:
    """The lines of the channels, as they stood when the batch began, and who of the batch joins them (``joined``).

    ``fronts``: for each channel, how many units waiting there are too many for a place that is near. ``coming``: who of
    the batch may go by it, most urgent first. ``since``: whose turn was before, in microseconds, does not count.
    """

    def __init__(
        self, connection: Connection, fronts: Mapping[str, int], coming: Mapping[str, Sequence[Urgency]], since: int
    ) -> None:
        self.joined: list[dict[str, object]] = []
        self._connection, self._fronts, self._coming, self._since = connection, fronts, coming, since
        self._known: dict[str, tuple[list[_Rank], list[int]]] = {}
        self._new: dict[str, int] = {}

    def before(self, channel: str, urgency: Urgency) -> int:
        """How many units wait that are more urgent: exact in the front, and behind it at least so many.

        Those of the batch come in the order of their urgency.
        """
        if channel not in self._fronts:
            return self._new.get(channel, 0)
        known = self._known.get(channel)
        if known is None:
            ranks = [_rank(one) for one in self._coming[channel]]
            known = _known(self._connection, channel, self._fronts[channel], ranks, self._since)
            self._known[channel] = known
        ranks, sums = known
        return sums[bisect_right(ranks, _rank(urgency))] + self._new.get(channel, 0)

    def join(self, channel: str, one: Ready, urgency: Urgency, turn: datetime) -> None:
        """Stand in line until ``turn``."""
        due, priority, until, key = _rank(urgency)
        self._new[channel] = self._new.get(channel, 0) + one.sent.segments
        self.joined.append(
            {
                "channel": channel,
                "customer": one.record.customer,
                "key": key,
                "due": due,
                "priority": priority,
                "until": until,
                "units": one.sent.segments,
                "turn": micros(turn),
            }
        )


def _known(
    connection: Connection, channel: str, size: int, coming: Sequence[_Rank], since: int
) -> tuple[list[_Rank], list[int]]:
    """Places in a line, and how many units wait before the first and up to each."""
    ranks: list[_Rank] = []
    sums = [0]
    # Each who waits takes a unit at least, so that no place is near behind so many of them.
    for row in queries.front(connection, channel, size, since):
        ranks.append((row.due, row.priority, row.until, row.key))
        sums.append(sums[-1] + row.units)
    if len(ranks) < size:
        return ranks, sums
    behind = [one for one in coming if one > ranks[-1]]
    for mark in behind[:: -(-len(behind) // MARKS) or 1]:
        sums.append(sums[-1] + queries.units_between(connection, channel, ranks[-1], mark, since))
        ranks.append(mark)
    return ranks, sums


def _rank(urgency: Urgency) -> _Rank:
    due, priority, until, key = urgency
    return micros(due), priority, micros(until), key
