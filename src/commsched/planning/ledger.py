"""The ledger as the planner is handed it: a customer's facts, their circles' facts, and what is under way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from commsched.model.decisions import MessageState
from commsched.model.facts import AnyFact, Sent
from commsched.model.subjects import digest_of

# A fact with its identity: the digest of its source, id and content. In order of digest, so that the order of import
# leaves no trace.
Entry = tuple[str, AnyFact]


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A message that is being sent, or whose fate is in doubt: an input of the plan, never replanned."""

    sent: Sent
    state: MessageState


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that is known about a customer.

    ``under_way``: messages to them; ``nearby``: those being sent to somebody who shares an address of theirs.
    """

    customer: str
    entries: tuple[Entry, ...]
    circles: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    under_way: tuple[UnderWay, ...] = ()
    nearby: tuple[Sent, ...] = ()

    def known_by(self, then: datetime) -> Ledger:
        """The ledger as it was known at an instant."""
        return Ledger(
            self.customer,
            _known(self.entries, then),
            {subject: _known(entries, then) for subject, entries in self.circles.items()},
        )


def ledger_of(
    customer: str, facts: Iterable[AnyFact], circles: Mapping[str, Iterable[AnyFact]] | None = None
) -> Ledger:
    """A ledger from bare facts in any order, for tests and plugin authors; the store builds its own from rows."""
    return Ledger(
        customer,
        _entries(facts),
        {subject: _entries(members) for subject, members in (circles or {}).items()},
    )


def _entries(facts: Iterable[AnyFact]) -> tuple[Entry, ...]:
    return tuple(sorted({digest_of(fact).hex(): fact for fact in facts}.items()))


def _known(entries: tuple[Entry, ...], then: datetime) -> tuple[Entry, ...]:
    return tuple(entry for entry in entries if (entry[1].recorded_at or entry[1].at) <= then)
