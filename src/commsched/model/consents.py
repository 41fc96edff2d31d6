"""What a list of consents comes to for one message: the same fold for policies and for the pages of customers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from commsched.model.facts import RANK, Consent
from commsched.model.vocabulary import Vocabulary


def standing(said: Iterable[Consent]) -> tuple[Consent, ...]:
    """What was said without what was taken back: a ``withdrawn`` word undoes those before it with its id and person."""
    known = tuple(said)
    if not any(one.withdrawn for one in known):
        return known
    undone: dict[tuple[str | None, str | None], datetime] = {}
    for one in known:
        if one.withdrawn and one.id is not None:
            name = one.customer, one.id
            undone[name] = max(one.at, undone.get(name, one.at))
    kept = (one for one in known if not one.withdrawn)
    return tuple(one for one in kept if one.at >= undone.get((one.customer, one.id), one.at))


def permission(
    said: Iterable[Consent], *, medium: str, purpose: str, topic: str, vocabulary: Vocabulary
) -> bool | None:
    """Whether such a message is permitted: ``True`` granted, ``False`` refused, ``None`` if nothing was said about it.

    A refusal stands until a later grant by somebody of at least the same rank (customer, staff, import in that order):
    no import lifts what a customer has refused. Of a refusal and a grant at the same instant the refusal counts.
    """
    about = [
        one
        for one in said
        if one.medium in {medium, "*"} and one.purpose in {purpose, "*"} and vocabulary.covers(one.topic, topic)
    ]
    answer: bool | None = None
    refused_by = -1
    for one in sorted(about, key=lambda one: (one.at, not one.granted)):
        rank = RANK.get(one.stated_by or "import", 0)
        if not one.granted:
            answer, refused_by = False, max(refused_by, rank)
        elif rank >= refused_by:
            answer, refused_by = True, -1
    return answer
