"""Whether the tasks of customers still have a reason; what is needed to tell is made for whoever is asked about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from commsched.planning.fold import fold
from commsched.planning.ledger import Ledger
from commsched.planning.plan import with_extra
from commsched.planning.propose import Proposer
from commsched.planning.world import World


class Grounds:
    """Answers for these customers at one instant."""

    def __init__(self, ledgers: Mapping[str, Ledger], world: World, now: datetime) -> None:
        self._ledgers, self._world, self._now = ledgers, world, now
        self._proposers: dict[str, Proposer] = {}

    def hold(self, customer: str, key: str) -> bool:
        """Whether what a task of this key is about still is so."""
        if customer not in self._proposers:
            ledger = with_extra(self._ledgers[customer], self._world)
            self._proposers[customer] = Proposer(ledger, fold(ledger, self._now), self._world, self._now)
        return self._proposers[customer].has_reason(key)
