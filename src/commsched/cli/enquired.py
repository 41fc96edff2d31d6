"""Whom somebody means, as they typed it: a customer's id, a phone number or a mail address; and what they ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rich.console import Console
from sqlalchemy import Connection

from commsched.app import App
from commsched.cli import lookup
from commsched.cli.lookup import unknown
from commsched.cli.output import line
from commsched.cli.session import Session
from commsched.cli.times import local, short
from commsched.engine.enquiries import Person, Reply, claim, claim_of_others, claimed_subjects, enquire, sharing
from commsched.errors import FactRejected, Misuse, UnknownName
from commsched.model.decisions import Reason
from commsched.model.subjects import kind_of_medium
from commsched.planning.enquiry import Question, topic_of
from commsched.planning.world import World
from commsched.store import checks, phones, queries
from commsched.timing.windows import Windows

MEDIA = ("voice", "email", "sms", "letter")


@dataclass(frozen=True, slots=True)
class Meant:
    """Who is meant: the customers, and the address by which they were named, if they were."""

    customers: tuple[str, ...]
    kind: str = ""
    address: str = ""


def meant(app: App, connection: Connection, text: str) -> Meant:
    """Whoever has this id, or can be reached at this address. Raises :class:`UnknownName` for what is none of these."""
    if queries.versions(connection, [f"c:{text}"]):
        return Meant((text,))
    kind, address = _address(app, connection, text)
    return Meant(tuple(sharing(connection, kind, address, app.clock.now())), kind, address)


def _address(app: App, connection: Connection, text: str) -> tuple[str, str]:
    try:
        if "@" in text:
            return "email", checks.email(text)
        return "phone", phones.phone(text, app.configuration.deployment.region.partition("-")[0] or None)
    except FactRejected:
        hint = lookup.meant(app, connection, text)
        message = f"{text!r} is no customer's id, no phone number and no mail address. {hint}"
        raise UnknownName(message) from None


def question_of(
    world: World,
    purpose: str,
    *,
    topic: str | None = None,
    medium: str | None = None,
    department: str | None = None,
    meant: Meant | None = None,
    about: str = "",
    offers: tuple[str, ...] = (),
    days: int = 7,
) -> Question:
    """The question in the words of the deployment; what is not declared is refused with what is near it."""
    words = world.vocabulary
    _known("purpose", purpose, list(words.purposes))
    if topic is not None:
        _known("topic", topic, list(words.topics))
    if department is not None:
        _known("department", department, list(world.departments))
    for item in offers:
        _known("item", item, list(words.equivalents))
    kind = meant.kind if meant else ""
    medium = medium or ("email" if kind == "email" else "voice")
    if kind and kind_of_medium(medium) != kind:
        raise Misuse(f"That address is no use for {medium}; leave --medium out, or name the customer's id.")
    return Question(
        purpose,
        topic if topic is not None else topic_of(world, purpose),
        department or department_of(world, purpose),
        medium,
        meant.address or None if meant else None,
        about,
        offers,
        timedelta(days=days),
    )


def department_of(world: World, purpose: str) -> str:
    """The department that speaks of this: that of the first rule with the purpose, else the first one declared."""
    speaking = (rule.department for rule in world.rules if rule.purpose == purpose)
    return next(speaking, next(iter(world.departments)))


def _known(what: str, name: str, known: list[str]) -> None:
    if name not in known:
        raise unknown(what, name, known)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, who was meant, and the answer; ``holder`` has a claim on them, ``until`` then."""

    meant: Meant
    question: Question
    reply: Reply
    holder: str | None = None
    until: datetime | None = None


def asked(
    app: App,
    who: str,
    purpose: str,
    topic: str | None,
    medium: str | None,
    department: str | None,
    by: str,
    *,
    about: str = "",
    offers: tuple[str, ...] = (),
    days: int = 7,
) -> Asked:
    """Put the question; a colleague's claim is a reason against it like any other."""
    now = app.clock.now()
    with app.store.read() as connection:
        world = app.world(connection)
        found = meant(app, connection, who)
        question = question_of(
            world, purpose, topic=topic, medium=medium, department=department, meant=found, about=about,
            offers=offers, days=days,
        )  # fmt: skip
        reply = enquire(connection, world, now, found.customers, question)
        other = claim_of_others(connection, claimed_subjects(reply.people, question.medium), by, now)
    one = Asked(found, question, reply)
    return one if other is None else _taken(one, other, world.zone)


def _taken(one: Asked, other: tuple[str, datetime], zone: ZoneInfo) -> Asked:
    """The answer, with a colleague's claim against it."""
    holder, until = other
    reason = Reason("commsched", "claimed", f"{holder} is getting in touch with them until {short(until, zone)}")
    later = one.reply.when & Windows.onward(until)
    reply = replace(one.reply, allowed=False, when=later, reasons=(reason, *one.reply.reasons))
    return replace(one, reply=reply, holder=holder, until=until)


def claim_for(app: App, one: Asked, by: str, length: timedelta) -> Asked:
    """Claim whoever was asked about; if a colleague was faster, that is the answer."""
    now = app.clock.now()
    with app.store.write() as connection:
        subjects = claimed_subjects(one.reply.people, one.question.medium)
        other = claim(connection, subjects, by, one.question.purpose, (now, now + length))
    if other is not None:
        return _taken(one, other, app.configuration.deployment.zone)
    return replace(one, holder=by, until=now + length)


def release_for(app: App, one: Asked, by: str) -> int:
    """Give the claims back; how many there were."""
    with app.store.write() as connection:
        return queries.drop_claims(connection, claimed_subjects(one.reply.people, one.question.medium), by)


def as_json(one: Asked) -> dict[str, object]:
    """The answer for tools (DESIGN §11)."""
    reply = one.reply
    return {
        "allowed": reply.allowed,
        "when": list(reply.when),
        "reasons": reasons_json(reply.reasons),
        "instead": [{"customer": p.id, "name": p.name, "roles": p.roles} for p in reply.instead],
        "purpose": one.question.purpose,
        "topic": one.question.topic,
        "medium": one.question.medium,
        "department": one.question.department,
        "customers": [
            {
                "customer": p.id,
                "name": p.name,
                "when": list(p.answer.when),
                "reasons": reasons_json(p.answer.reasons),
                "not_about": [
                    {"kind": c.kind, "name": c.name, "reasons": reasons_json(c.reasons)} for c in p.answer.cautions
                ],
            }
            for p in reply.people
        ],
        "claim": {"by": one.holder, "until": one.until} if one.holder else None,
    }


def reasons_json(reasons: Iterable[Reason]) -> list[dict[str, str]]:
    """Reasons as tools see them; with the staff's sentence, where that is another than the customer's."""
    return [
        {"policy": one.policy, "code": one.code, "detail": one.detail} | ({"note": one.note} if one.note else {})
        for one in reasons
    ]


def show(session: Session, one: Asked, zone: ZoneInfo) -> None:
    """Print the answer: yes or no first, then what somebody about to dial needs to know."""
    session.show(as_json(one), lambda console: _print(console, one, zone))


def _print(console: Console, one: Asked, zone: ZoneInfo) -> None:
    reply = one.reply
    line(console, _headline(one, zone))
    for reason in dict.fromkeys(said(reason) for reason in reply.reasons):
        line(console, f"  {reason}")
    if not reply.allowed and reply.when:
        line(
            console,
            f"  You may from {local(reply.when.spans[0][0], zone)} until {short(reply.when.spans[0][1], zone)}.",
        )
    for caution in dict.fromkeys(words for person in reply.people for words in cautions(person)):
        line(console, f"  {caution}")
    for person in reply.instead:
        line(console, f"  Ask {person.name} ({person.id}){_roles(person)} instead.")
    if one.holder and reply.allowed and one.until:
        line(console, f"  Claimed by {one.holder} until {short(one.until, zone)}; a colleague who asks is told.")
        line(console, f'  Afterwards: commsched note {reply.people[0].id} "…" --purpose {one.question.purpose}')


def _headline(one: Asked, zone: ZoneInfo) -> str:
    reply, question = one.reply, one.question
    who = " and ".join(f"{p.name} ({p.id})" for p in reply.people) or one.meant.address
    topic = f" ({question.topic})" if question.topic not in {"", question.purpose} else ""
    what = f"{_VERBS[question.medium].format(who)} about {question.purpose}{topic}"
    if reply.allowed:
        return f"Yes, you may {what}, until {short(reply.when.spans[0][1], zone)}."
    return f"No, not now: {what}." if reply.when else f"No, you may not {what}."


def said(reason: Reason) -> str:
    """A reason in a line: the policy, and what it says to the staff."""
    return f"{reason.policy}: {reason.told}" if reason.told else reason.policy


def cautions(person: Person) -> list[str]:
    """What must be left out, each with its reason."""
    return [f"But not {c.name}. {'; '.join(dict.fromkeys(map(said, c.reasons)))}" for c in person.answer.cautions]


def _roles(person: Person) -> str:
    return f", {', '.join(person.roles)}," if person.roles else ""


_VERBS = {
    "voice": "call {}",
    "email": "write an e-mail to {}",
    "sms": "text {}",
    "letter": "write a letter to {}",
}
