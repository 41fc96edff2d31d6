"""Preparations: when each begins, by when the customer must know, and what they have been told already (DESIGN §7).

What was told is the beginning. A preparation that begins at another time than the customer was told, because the
appointment moved or because the service was changed, is owed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from commsched.model.facts import Sent
from commsched.planning.fold import MOVE
from commsched.rules.rule import Prep, Rule, Service, Step
from commsched.rules.timeexpr import Anchors, Business

# The end of the name of a step that stands in for another, and of the key of its message or task.
FALLBACK = "!otherwise"
ALL_ALONG = datetime.min.replace(tzinfo=UTC)


class Telling(msgspec.Struct, frozen=True, gc=False):
    """What a step tells of preparations: when each begins, and by when each must be told."""

    begins: Mapping[str, datetime]
    limits: Mapping[str, datetime]

    @property
    def deadline(self) -> datetime:
        """By when all of them must be told."""
        return min(self.limits.values())


class Told(msgspec.Struct, frozen=True, gc=False):
    """The beginning that was last told of a preparation, and when that was first told."""

    begins: datetime
    at: datetime

    def holds(self, begins: datetime, by: datetime) -> bool:
        """Whether it is still so, and was told in time. A move of less than half an hour is none."""
        return abs(self.begins - begins) < MOVE and self.at <= by


def telling(
    step: Step, service: Service | None, anchors: Anchors, place: ZoneInfo, business: Business
) -> Telling | None:
    """What a step with ``prep`` or ``covers`` tells; ``None`` where the service has no such preparation.

    ``place`` is the zone of the appointment's place, by whose clock preparations begin.
    """
    begins, limits = {}, {}
    for prep in service.prep if service is not None else ():
        found = times_of(prep, anchors, place, business) if prep.id in {step.prep, *step.covers} else None
        if found is not None:
            begins[prep.id], limits[prep.id] = found
    return Telling(begins, limits) if limits and (step.prep is None or step.prep in begins) else None


def times_of(prep: Prep, anchors: Anchors, place: ZoneInfo, business: Business) -> tuple[datetime, datetime] | None:
    """When a preparation begins, and by when it must be told; ``None`` where an anchor of it is not known."""
    at = prep.begins.resolve(anchors, (place,), business)
    return (at, at - prep.notice) if at is not None else None


def tellers(rules: Iterable[Rule], service: Service, prep: str) -> list[tuple[Rule, Step]]:
    """The steps that tell a preparation of booked appointments for a service."""
    return [
        (rule, step)
        for rule in rules
        if rule.trigger.kind == "appointment"
        and (not rule.trigger.names or service.id in rule.trigger.names)
        and (not rule.trigger.values or "booked" in rule.trigger.values)
        for step in rule.steps
        if prep in {step.prep, *step.covers}
    ]


def last_told(sent: Iterable[Sent]) -> dict[str, Told]:
    """What was last told of each preparation, by its :func:`name_in` a message.

    What was said in the place of a step, because it was too late for it, is taken for told.
    """
    known: dict[str, Told] = {}
    for one in sorted(sent, key=_at):
        for name, begins in one.tells.items():
            before = known.get(name)
            if before is None or not before.holds(begins, one.at) or one.step.endswith(FALLBACK):
                known[name] = Told(begins, ALL_ALONG if one.step.endswith(FALLBACK) else one.at)
    return known


def name_in(subject: str, prep: str) -> str:
    """How a message that may speak of several appointments names a preparation: by the appointment's id and its own."""
    return f"{subject}/{prep}"


def shown(step: Step, found: Telling) -> dict[str, datetime]:
    """What texts see: ``prep``, and each preparation by its id, ``prep.low_fibre``."""
    each = {variable(prep): at for prep, at in found.begins.items()}
    return {**each, "prep": found.begins[step.prep]} if step.prep is not None else each


def variable(prep: str) -> str:
    """The name of a preparation's beginning in texts, where a hyphen would be a minus."""
    return f"prep.{prep.replace('-', '_')}"


def _at(sent: Sent) -> datetime:
    return sent.at
