"""Whether a person may get in touch with somebody whom they know by id, phone or mail; and whose turn it is.

Who shares an address answers together. A claim keeps two colleagues from dialling the same person: it is on the
customer and on the address, and ends by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from commsched.model.decisions import Reason
from commsched.model.state import State
from commsched.model.subjects import address_subject, kind_of_medium
from commsched.planning.enquiry import Answer, Enquirer, Question
from commsched.planning.fold import fold
from commsched.planning.world import World
from commsched.store import queries
from commsched.store.ledgers import load
from commsched.store.store import instant, micros
from commsched.timing.windows import NEVER, Windows

# What somebody else at the same organisation may be free of. Any other veto must not turn into a call to a colleague.
ROLE = "role"
COLLEAGUES = 50


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was asked about, and the answer for them."""

    id: str
    name: str
    roles: tuple[str, ...]
    answer: Answer


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer for everybody who was meant: ``allowed`` is about now, ``when`` about the days ahead."""

    allowed: bool
    when: Windows
    reasons: tuple[Reason, ...]
    people: tuple[Person, ...]
    instead: tuple[Person, ...] = ()


def sharing(connection: Connection, kind: str, address: str, now: datetime) -> list[str]:
    """The customers who can be reached at an address; where there are none, those who once could."""
    circle = address_subject(kind, address)
    known = queries.members(connection, [circle]).get(circle, [])
    loaded = load(connection, known)
    states = {customer: fold(loaded[customer].ledger, now) for customer in known}
    current = [customer for customer, state in states.items() if _has(state, kind, address)]
    return current or known


def _has(state: State, kind: str, address: str) -> bool:
    wanted = address_subject(kind, address)
    return any(one.valid and address_subject(one.kind, one.address) == wanted for one in state.contacts)


def enquire(connection: Connection, world: World, now: datetime, customers: Sequence[str], question: Question) -> Reply:
    """Ask for all of these customers: what is not allowed to one of them is not allowed."""
    people = [_person(one, question) for one in _enquirers(connection, world, now, customers)]
    if not people:
        nobody = Reason("commsched", "unknown", "nobody whom we know can be reached there", "must_not")
        return Reply(False, NEVER, (nobody,), ())
    when = people[0].answer.when
    for person in people[1:]:
        when &= person.answer.when
    against = tuple(dict.fromkeys(reason for person in people for reason in person.answer.reasons))
    instead = () if when else tuple(_instead(connection, world, now, people, question))
    return Reply(now in when, when, against, tuple(people), instead)


def _enquirers(connection: Connection, world: World, now: datetime, customers: Iterable[str]) -> list[Enquirer]:
    return [Enquirer(one.ledger, world, now) for one in load(connection, list(customers)).values()]


def _person(enquirer: Enquirer, question: Question) -> Person:
    profile = enquirer.state.profile
    return Person(profile.id, profile.name or profile.id, profile.roles, enquirer.ask(question))


def _instead(
    connection: Connection, world: World, now: datetime, people: Sequence[Person], question: Question
) -> list[Person]:
    """Who of the same organisation may be asked: only where the one who was meant lacks the role, or the address."""
    vetoes = {reason.code for one in people for reason in one.answer.reasons if reason.force == "must_not"}
    if vetoes - {ROLE}:
        return []
    loaded = load(connection, [one.id for one in people])
    states = [fold(one.ledger, now) for one in loaded.values()]
    circles = [f"o:{state.profile.organisation}" for state in states if state.profile.organisation]
    near = {one for members in queries.members(connection, circles).values() for one in members}
    near |= {state.profile.guardian for state in states if state.profile.guardian}
    others = sorted(near - {one.id for one in people})[:COLLEAGUES]
    theirs = replace(question, address=None)
    found = (_person(one, theirs) for one in _enquirers(connection, world, now, others))
    return [one for one in found if one.answer.when]


def claimed_subjects(people: Iterable[Person], medium: str) -> set[str]:
    """What a claim is on: each customer, and the address at which they are about to be reached."""
    subjects = set()
    for one in people:
        subjects.add(f"c:{one.id}")
        if one.answer.address:
            subjects.add(address_subject(kind_of_medium(medium), one.answer.address))
    return subjects


def claim_of_others(connection: Connection, subjects: set[str], by: str, now: datetime) -> tuple[str, datetime] | None:
    """Who else has a claim that runs, and until when."""
    others = [row for row in queries.claims(connection, subjects, micros(now)) if row.by != by]
    if not others:
        return None
    last = max(others, key=lambda row: (row.until, row.by))
    return str(last.by), instant(last.until)


def claim(
    connection: Connection, subjects: set[str], by: str, purpose: str, span: tuple[datetime, datetime]
) -> tuple[str, datetime] | None:
    """Claim these; if somebody else was faster, nothing is claimed, and the answer is who and until when."""
    since, until = span
    queries.drop_old_claims(connection, micros(since))
    found = claim_of_others(connection, subjects, by, since)
    if found is not None:
        return found
    # Always in the same order, so that two who claim at once wait for each other and do not deadlock.
    taken = [queries.put_claim(connection, one, by, purpose, micros(since), micros(until)) for one in sorted(subjects)]
    if all(taken):
        return None
    found = claim_of_others(connection, subjects, by, since)
    queries.drop_claims(connection, [one for one, ok in zip(sorted(subjects), taken, strict=True) if ok], by)
    return found
