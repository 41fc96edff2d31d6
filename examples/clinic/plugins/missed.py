"""Counts missed appointments: ``facts.missed`` says how many a patient did not come to.

What counts is the last word on each appointment: one that was marked as missed by mistake, and set to completed since,
does not count. The hook must be pure: the same facts, in any order, give the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from commsched import AnyFact, Appointment, Custom, hookimpl


@hookimpl
def extra_facts(facts: Sequence[AnyFact]) -> Iterable[AnyFact]:
    """One fact, true since the last missed appointment: how many there were."""
    told = [fact for fact in facts if isinstance(fact, Appointment) and isinstance(fact.status, str)]
    last = {fact.id: fact for fact in sorted(told, key=lambda fact: (fact.at, fact.recorded_at or fact.at, fact.id))}
    missed = [fact for fact in last.values() if fact.status == "no_show"]
    if not missed:
        return []
    latest = max(missed, key=lambda fact: fact.at)
    found = {"missed": len(missed)}
    return [Custom(customer=latest.customer, at=latest.at, recorded_at=latest.at, facts=found)]
