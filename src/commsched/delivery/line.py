"""Who waits for a place at a channel: the most urgent first, whichever batch or worker they came with.

A line has no fixed order. Each who finds no place is told when its turn comes by what is more urgent and waits, and
joins. Whoever comes later and is more urgent goes before: the others find, when their turn comes, that there is no
place yet. How urgent a message is does not fade while it waits, though each new plan gives it a later end.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import Row

from commsched.delivery.intent import Ready
from commsched.store.store import micros

# By what the most urgent comes first: when it is due where that counts, its priority, until when it may go, its key.
Urgency = tuple[datetime, int, datetime, str]
_Rank = tuple[int, int, int, str]


class Line:
    """The lines of the channels, as they stood when the batch began, and who of the batch joins them (``joined``)."""

    def __init__(self, rows: Iterable[Row[Any]]) -> None:
        self.joined: list[dict[str, object]] = []
        self._ranks: dict[str, list[_Rank]] = {}
        units: dict[str, list[int]] = {}
        for row in rows:  # most urgent first
            self._ranks.setdefault(row.channel, []).append((row.due, row.priority, row.until, row.key))
            units.setdefault(row.channel, []).append(row.units)
        self._sums = {name: [0, *accumulate(found)] for name, found in units.items()}
        self._new: dict[str, int] = {}

    def before(self, channel: str, urgency: Urgency) -> int:
        """How many units wait that are more urgent. Those of the batch come in the order of their urgency."""
        place = bisect_left(self._ranks.get(channel, []), _rank(urgency))
        return self._sums.get(channel, [0])[place] + self._new.get(channel, 0)

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


def _rank(urgency: Urgency) -> _Rank:
    due, priority, until, key = urgency
    return micros(due), priority, micros(until), key
