"""Who on a list must not be approached: customers on a list of prospects, and whoever a policy protects.

A list without ids is one of prospects: whoever is a customer, or at an organisation that is one, comes off it. A list
with ids is one of customers: each is asked about as before a call; an id that nobody has (any more) comes off it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from commsched.model.consents import permission
from commsched.model.facts import Consent
from commsched.model.state import known_as_customer
from commsched.model.subjects import address_subject
from commsched.planning.enquiry import Enquirer, Question
from commsched.planning.world import World
from commsched.screening.lists import Entry, People
from commsched.screening.matching import SHOWN, THEMSELVES, Found, Match
from commsched.store import queries
from commsched.store.ledgers import load
from commsched.store.suppression import refusals_at

EXISTING = "existing_customer"
UNKNOWN = "unknown_customer"
ERASED = "refused_by_erased"
BATCH = 500


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of one entry: without a ``reason`` it is kept; ``note`` is for whoever looks at those by hand."""

    entry: Entry
    reason: str = ""
    evidence: str = ""
    customers: tuple[str, ...] = ()
    note: str = ""


def judge(
    connection: Connection,
    world: World,
    now: datetime,
    people: People,
    found: Mapping[int, Found],
    question: Question,
    medium: str | None,
) -> Iterator[Judgement]:
    """Each entry in its order, with what becomes of it. ``medium``: on what they are approached, if that was said."""
    numbers = list(range(len(people.entries)))
    for batch in (numbers[start : start + BATCH] for start in range(0, len(numbers), BATCH)):
        wanted = sorted({one.customer for number in batch if number in found for one in found[number].matches})
        known = {
            customer: Enquirer(one.ledger, world, now)
            for chunk in queries.chunks(wanted)
            for customer, one in load(connection, chunk).items()
        }
        gone = refusals_at(connection, {circle for number in batch for circle in _circles(people.entries[number])})
        for number in batch:
            entry, one = people.entries[number], found.get(number, Found())
            asked = _about(question, entry, medium)
            judged = _customer(entry, one, known, asked) if people.by_id else _prospect(entry, one, known, asked)
            # Whoever is known by the address has said themselves what holds there.
            known_there = any(match.by in THEMSELVES for match in one.matches)
            yield judged if judged.reason or known_there else _of_erased(judged, gone, asked, world)


def _circles(entry: Entry) -> list[str]:
    pairs = (("email", entry.email), ("phone", entry.phone))
    return [address_subject(kind, address) for kind, address in pairs if address]


def _of_erased(kept: Judgement, gone: Mapping[str, Sequence[Consent]], asked: Question, world: World) -> Judgement:
    """An entry that is kept, unless somebody who was erased refused this at an address that it has."""
    said = [one for circle in _circles(kept.entry) for one in gone.get(circle, ())]
    about = {"medium": asked.medium, "purpose": asked.purpose, "topic": asked.topic}
    if permission(said, **about, vocabulary=world.vocabulary) is not False:
        return kept
    return Judgement(kept.entry, ERASED, "whoever had this address refused it, and was erased")


def _prospect(entry: Entry, found: Found, known: Mapping[str, Enquirer], question: Question) -> Judgement:
    existing = [one for one in found.matches if known_as_customer(known[one.customer].state)]
    if existing:
        return _removed(entry, EXISTING, existing)
    return _refused(entry, found, known, question) or _kept(entry, found)


def _customer(entry: Entry, found: Found, known: Mapping[str, Enquirer], question: Question) -> Judgement:
    if not any(one.by in THEMSELVES for one in found.matches):
        return Judgement(entry, UNKNOWN, "nobody whom we know has this id or address; they may have been forgotten")
    return _refused(entry, found, known, question) or _kept(entry, found)


def _refused(entry: Entry, found: Found, known: Mapping[str, Enquirer], question: Question) -> Judgement | None:
    """Why a policy protects them, if one does: asked for everybody who this very entry is."""
    for one in found.matches:
        if one.by in THEMSELVES:
            answer = known[one.customer].may(question)
            if not answer.when:
                words = (
                    f"{reason.policy}: {reason.told}" if reason.told else reason.policy for reason in answer.reasons
                )
                return _removed(entry, "; ".join(dict.fromkeys(words)), [one])
    return None


def _kept(entry: Entry, found: Found) -> Judgement:
    names = ", ".join(found.namesakes)
    return Judgement(entry, note=f"called like {names}, and nothing else speaks for it" if names else "")


def _removed(entry: Entry, reason: str, matches: list[Match]) -> Judgement:
    """The strongest evidence, and whom it points to."""
    by = matches[0].by
    same = [one for one in matches if one.by == by][:SHOWN]
    evidence = "; ".join(dict.fromkeys(one.evidence for one in same))
    return Judgement(entry, reason, evidence, tuple(one.customer for one in same))


def _about(question: Question, entry: Entry, medium: str | None) -> Question:
    """The question for this entry: on the medium that was said, else on what the list has of them."""
    chosen = medium or ("email" if entry.email else "voice" if entry.phone else "letter")
    address = {"email": entry.email, "voice": entry.phone, "sms": entry.phone}.get(chosen, entry.postal or "the list")
    return replace(question, medium=chosen, address=address or None)
