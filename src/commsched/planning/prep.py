"""Preparations: when each begins, by when the customer must know, and what they have been told already (DESIGN §7).

What was told is the beginning. A preparation that begins at another time than the customer was told, because the
appointment moved or because the service was changed, is owed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from commsched.model.facts import Sent
from commsched.planning.fold import MOVE
from commsched.rules.rule import Service, Step
from commsched.rules.timeexpr import Anchors, Business


class Telling(msgspec.Struct, frozen=True, gc=False):
    """What a step tells of preparations: when each begins, and by when the earliest of them must be told."""

    begins: Mapping[str, datetime]
    deadline: datetime


def telling(
    step: Step, service: Service | None, anchors: Anchors, place: ZoneInfo, business: Business
) -> Telling | None:
    """What a step with ``prep`` or ``covers`` tells; ``None`` where the service has no such preparation.

    ``place`` is the zone of the appointment's place, by whose clock preparations begin.
    """
    wanted = {step.prep, *step.covers}
    begins, limits = {}, []
    for prep in service.prep if service is not None else ():
        at = prep.begins.resolve(anchors, (place,), business) if prep.id in wanted else None
        if at is not None:
            begins[prep.id] = at
            limits.append(at - prep.notice)
    return Telling(begins, min(limits)) if limits and (step.prep is None or step.prep in begins) else None


def told(sent: Iterable[Sent]) -> dict[str, datetime]:
    """The beginning that was last told of each preparation, by its :func:`name_in` a message."""
    return {name: begins for one in sorted(sent, key=_at) for name, begins in one.tells.items()}


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


def same(known: datetime | None, begins: datetime) -> bool:
    """Whether what was told still holds: a beginning that moved by less than half an hour counts as the same."""
    return known is not None and abs(known - begins) < MOVE


def _at(sent: Sent) -> datetime:
    return sent.at
