"""Counts visits: ``facts.visits`` says on how many days a customer's vehicles were in the workshop.

Rules see facts one at a time; what only shows when all are looked at together is derived here. ``extra_facts`` is
handed a customer's own facts each time their ledger is folded, and answers with facts that follow from them. It must be
pure: the same facts, in any order, give the same answer. What it answers with is declared in ``config/vocabulary.yaml``
like any other fact, is never stored, and is weighed by rules as if somebody had entered it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from commsched import AnyFact, Custom, ServiceRecord, hookimpl


@hookimpl
def extra_facts(facts: Sequence[AnyFact]) -> Iterable[AnyFact]:
    """One fact, true since the last visit: how many there were."""
    done = [fact for fact in facts if isinstance(fact, ServiceRecord) and fact.outcome == "done"]
    if not done:
        return []
    last = max(done, key=lambda fact: fact.at)
    visits = len({fact.at.date() for fact in done})
    return [Custom(customer=last.customer, at=last.at, recorded_at=last.at, facts={"visits": visits})]
