"""When a step would go, and may: its time expressions over an occurrence's anchors. Planner and proof both ask here."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from commsched.planning.prep import Telling, telling
from commsched.rules.rule import Service, Step
from commsched.rules.timeexpr import Anchors, Business

# How long after a deadline a fallback is still owed, should nobody have looked at the deadline itself.
GRACE = timedelta(days=14)
# What is said instead of a preparation is said before the appointment begins.
LAST_WORD = timedelta(minutes=1)


class Times(msgspec.Struct, frozen=True, gc=False):
    """When a step would like to go, from when and until when it may, and what it tells of preparations."""

    ideal: datetime
    opens: datetime
    deadline: datetime
    telling: Telling | None = None

    def never_owed(self, born: datetime) -> bool:
        """Whether it could never have been said, because its occurrence came to be known after the deadline."""
        return self.deadline < max(self.opens, born)


def times_of(
    step: Step,
    service: Service | None,
    anchors: Anchors,
    zones: tuple[ZoneInfo, ...],
    place: ZoneInfo,
    business: Business,
) -> Times | None:
    """When a step would go, and may; ``None`` where an anchor is missing.

    ``zones`` are the customer's, ``place`` that of the appointment, ``business`` counts the department's business days.
    """
    found, limit = None, None
    if step.prep is not None or step.covers:
        found = telling(step, service, anchors, place, business)
    if step.prep is not None:
        if found is None:
            return None
        anchors, limit = {**anchors, "prep": found.begins[step.prep]}, found.deadline
    ideal = step.at.resolve(anchors, zones, business)
    if ideal is None:
        return None
    opens = step.not_before.resolve(anchors, zones, business) if step.not_before else ideal
    if step.deadline is not None:
        deadline = step.deadline.resolve(anchors, zones, business, end_of_day=True)
        limit = deadline if limit is None or (deadline is not None and deadline < limit) else limit
    elif step.task is not None and limit is None:
        limit = ideal + GRACE
    return Times(ideal, min(opens, ideal), limit, found) if opens is not None and limit is not None else None
