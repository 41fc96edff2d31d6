"""An address that is good, but not for one medium: a landline cannot be sent texts, and can still be called."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import Connection

from commsched.model.facts import AnyFact, ContactPoint
from commsched.model.subjects import address_subject, kind_of_medium
from commsched.planning.fold import fold
from commsched.store.ledgers import load

# What a phone can be used for where nothing was said of it.
PHONE = ("sms", "voice")


def unsuited(
    connection: Connection, medium: str, address: str, people: Iterable[str], times: tuple[datetime, datetime]
) -> list[tuple[str, AnyFact]]:
    """The phone of these people takes this medium no more; where it was good for nothing else, it is not valid.

    ``times``: when it was said, and when it was learnt.
    """
    if kind_of_medium(medium) != "phone":
        return []
    circle = address_subject("phone", address)
    facts: list[tuple[str, AnyFact]] = []
    for person, loaded in load(connection, sorted(set(people))).items():
        points = fold(loaded.ledger, times[1]).contacts
        media = next((one.media for one in points if address_subject(one.kind, one.address) == circle), ())
        left = [one for one in media or PHONE if one != medium]
        point = ContactPoint(
            at=times[0],
            recorded_at=times[1],
            customer=person,
            source="commsched",
            stated_by="staff",
            kind="phone",
            address=address,
        )
        facts.append((f"c:{person}", _without(point, left)))
    return facts


def _without(point: ContactPoint, left: list[str]) -> ContactPoint:
    return replace(point, media=left) if left else replace(point, valid=False)
