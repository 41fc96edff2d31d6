"""What goes on between customer and dealer: obligations, complaints, promises, moods, telephone calls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import msgspec

from commsched.model.facts import (
    Case,
    Commitment,
    Event,
    Feedback,
    Hold,
    Interaction,
    Mood,
    Obligation,
)
from commsched.timing.civil import add_months, instant
from sample.diary import CHICAGO, DAY, Diary
from sample.people import Somebody
from sample.vehicles import Vehicle
from sample.words import ANNOYED, CALLS, COMPLAINTS, DELIGHTED, PROMISES, STAFF, TRAPPED


def make_stories(diary: Diary, people: list[Somebody], vehicles: list[Vehicle]) -> None:
    """Write down everything that goes on."""
    used = [v for v in vehicles if v.retired is None and not v.owner.gone]
    _leases(diary, vehicles)
    _inspections(diary, used)
    alive = [person for person in people if not person.gone and not person.prospect]
    _feedback(diary, alive)
    _cases(diary, alive)
    _invoices(diary, used)
    _orders(diary, vehicles)
    _promises(diary, alive)
    _calls(diary, people)


# ---- What is due


def _leases(diary: Diary, vehicles: list[Vehicle]) -> None:
    for v in vehicles:
        if v.how == "lease":
            due = add_months(v.acquired, 36)
            lease = Obligation(
                customer=v.owner.id,
                at=diary.desk(v.acquired),
                id=f"L-{v.id}",
                kind="lease_end",
                due=due,
                asset=v.id,
                status="open",
            )
            diary.note("obligations", lease, "dms")
            if v.retired:
                met = Obligation(customer=v.owner.id, at=diary.desk(v.retired), id=lease.id, status="met")
                diary.note("obligations", met, "dms")


def _inspections(diary: Diary, used: list[Vehicle]) -> None:
    """Illinois tests cars from their fifth year on, every two years: even model years in even years."""
    for v in used:
        if v.owner.home.region != "US-IL" or v.model.fuel in {"electric", "diesel"}:
            continue
        month = diary.rng.randrange(1, 13)
        for year in (diary.today.year, diary.today.year + 1):
            due = add_months(date(year, month, 1), 1) - DAY
            near = -90 <= (due - diary.today).days <= 130
            if not near or (year - v.year) % 2 or year - v.year < 4 or due < v.acquired + 160 * DAY:
                continue
            told = diary.desk(due - diary.rng.randint(135, 150) * DAY)
            test = Obligation(
                customer=v.owner.id,
                at=told,
                id=f"T-{v.id}-{year}",
                kind="inspection",
                due=due,
                asset=v.id,
                status="open",
            )
            diary.note("obligations", test, "dms")
            if due < diary.today + 20 * DAY and diary.chance(0.75):
                passed = min(due - diary.rng.randint(1, 40) * DAY, diary.today - 3 * DAY)
                met = Obligation(customer=v.owner.id, at=diary.desk(passed), id=test.id, status="met")
                diary.note("obligations", met, "dms")


def _invoices(diary: Diary, used: list[Vehicle]) -> None:
    """Bills that are not paid yet; what somebody explained to one of us holds for all of us."""
    reasons = (
        "Her insurer pays this one; we agreed to wait for the claim.",
        "The repair is in dispute; the manager looks at it first.",
        "In hospital until the end of the month; his daughter called.",
        "Pays in two parts, agreed with the office.",
    )
    for number, v in enumerate(diary.some([v for v in used if v.acquired < diary.today - 200 * DAY], 11)):
        at = diary.desk(diary.ago(25, 70))
        invoice = Obligation(
            customer=v.owner.id,
            at=at,
            id=diary.next_id("R"),
            kind="invoice",
            due=at.date() + 30 * DAY,
            amount=round(diary.rng.uniform(89, 1640), 2),
            asset=v.id,
            status="disputed" if number == 1 else "open",
        )
        diary.note("obligations", invoice, "dms")
        if number < len(reasons):
            said = diary.desk(diary.ago(3, 14))
            hold = Hold(
                customer=v.owner.id,
                at=said,
                id=diary.next_id("HOLD", 2),
                purposes=["collections"],
                about=invoice.id,
                reason=reasons[number],
                until=said + timedelta(days=diary.rng.randint(30, 60)),
                by=diary.rng.choice(STAFF),
            )
            diary.note("history", hold, "desk")
            if number == len(reasons) - 1:
                lifted = msgspec.structs.replace(hold, at=said + timedelta(hours=20), released=True)
                diary.note("history", lifted, "desk", late=timedelta(minutes=3))


def _orders(diary: Diary, vehicles: list[Vehicle]) -> None:
    """Some have ordered their next car already, or bought the leased one: the last to be asked about either."""
    old = [v for v in vehicles if v.retired is None and not v.owner.gone and v.acquired < diary.today - 900 * DAY]
    for v in diary.some([v for v in old if not v.owner.fleet], 6):
        item = "lease-buyout" if v.how == "lease" else "vehicle-order"
        order = Event(customer=v.owner.id, at=diary.desk(diary.ago(4, 80)), kind="purchase", item=item, asset=v.id)
        diary.note("events", order, "dms")


# ---- How they are, and what was said


def _feedback(diary: Diary, alive: list[Somebody]) -> None:
    moods: tuple[tuple[Mood, int, tuple[str, ...]], ...] = (
        ("delighted", 24, DELIGHTED),
        ("fine", 22, ("Fine.", "No complaints.", "As expected.")),
        ("annoyed", 9, ANNOYED),
        ("trapped", 5, TRAPPED),
    )
    chosen = iter(diary.rng.sample(alive, len(alive)))
    for mood, count, sentences in moods:
        for number, person in enumerate(_next(chosen, diary.scaled(count))):
            day = diary.ago(2, 5) if number < 2 else diary.ago(6, 420)
            words = diary.rng.choice(sentences) if diary.chance(0.6) else None
            said = Feedback(customer=person.id, at=diary.home(day), mood=mood, department="service", words=words)
            diary.note("history", said, "website")
    for person in _next(chosen, diary.scaled(3)):  # moods change
        before = Feedback(customer=person.id, at=diary.home(diary.ago(90, 200)), mood="annoyed", words=ANNOYED[0])
        diary.note("history", before, "website")
        after = Feedback(customer=person.id, at=diary.home(diary.ago(10, 40)), mood="fine", words="Sorted, thank you.")
        diary.note("history", after, "website")


def _next(people: Iterator[Somebody], count: int) -> Iterator[Somebody]:
    for _, person in zip(range(count), people, strict=False):
        yield person


def _cases(diary: Diary, alive: list[Somebody]) -> None:
    """Complaints: some open, some closed long ago, some closed these days; two are a whole company's."""
    for number, person in enumerate(diary.some([one for one in alive if not one.fleet], 17)):
        kind, severity, summary = COMPLAINTS[number % len(COMPLAINTS)]
        recent = number % 3 == 0
        opened = diary.desk(diary.ago(14, 40) if recent or number % 3 == 1 else diary.ago(60, 400))
        case = Case(
            customer=person.id,
            at=opened,
            id=diary.next_id("K", 3),
            kind=kind,
            status="open",
            severity=severity,
            summary=summary,
        )
        diary.note("history", case, "said")
        if not recent:
            day = diary.ago(2, 4) if number % 3 == 1 else opened.date() + diary.rng.randint(3, 30) * DAY
            closed = Case(customer=person.id, at=diary.desk(day), id=case.id, status="closed")
            diary.note("history", closed, "desk")
    companies = sorted({person.organisation for person in alive if person.organisation})
    for organisation, (kind, severity, summary) in zip(diary.some(companies, 2), COMPLAINTS[2:], strict=False):
        case = Case(
            organisation=organisation,
            at=diary.desk(diary.ago(5, 25)),
            id=diary.next_id("K", 3),
            kind=kind,
            status="open",
            severity=severity,
            summary=summary,
        )
        diary.note("history", case, "desk")


def _promises(diary: Diary, alive: list[Somebody]) -> None:
    """Kept ones, ones that are still to come, and two that nobody has thought of since."""
    for number, person in enumerate(diary.some([one for one in alive if not one.roles], 13)):
        made = diary.desk(diary.ago(9, 20) if number > 4 else diary.ago(40, 200))
        days = -diary.rng.randint(1, 4) if number in {5, 6} else diary.rng.randint(1, 14)
        due = instant(datetime.combine(diary.today + days * DAY, time(17)), CHICAGO)
        if number <= 4:
            due = made + timedelta(days=7)
        promise = Commitment(
            customer=person.id,
            at=made,
            id=diary.next_id("P", 3),
            what=PROMISES[number % len(PROMISES)],
            owner=diary.rng.choice(STAFF),
            due=due,
            kept=False,
        )
        diary.note("history", promise, "desk")
        if number <= 4:
            kept = Commitment(customer=person.id, at=diary.desk(due.date() - DAY), id=promise.id, kept=True)
            diary.note("history", kept, "desk")


def _calls(diary: Diary, people: list[Somebody]) -> None:
    for person in diary.some(people, 110):
        direction, medium, purpose, topic, summary = diary.rng.choice(CALLS)
        known = max(4, min(420, (diary.today - person.since).days - 1))
        call = Interaction(
            customer=person.id,
            at=diary.desk(diary.ago(3, known)),
            direction=direction,
            medium=medium,
            purpose=purpose,
            topic=topic,
            by=diary.rng.choice(STAFF),
            summary=summary,
        )
        diary.note("history", call, "desk")
    for person in (one for one in people if one.prospect):
        look = Event(
            customer=person.id, at=diary.desk(person.since), kind="visit", data={"reason": "looked at cars on the lot"}
        )
        diary.note("events", look, "crm")
