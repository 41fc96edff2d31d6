"""Appointments: what was booked, moved, confirmed, cancelled, missed, and what the system has only proposed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Literal

import icalendar
import msgspec
import recurring_ical_events

from commsched.model.facts import Appointment, Feedback, Wish
from commsched.timing.civil import instant
from sample.diary import CHICAGO, DAY, Diary, Teller
from sample.vehicles import Vehicle

BAYS = 4
BAYS_CALENDAR = Path(__file__).resolve().parents[2] / "config" / "calendars" / "service-bays.ics"
SLOTS = tuple(time(hour, minute) for hour in (8, 9, 10, 11, 13, 14, 15, 16) for minute in (0, 30))
LENGTHS = {
    "oil_change": 45,
    "brake_inspection": 45,
    "tire_change": 45,
    "repair": 180,
    "diagnosis": 90,
    "recall_repair": 120,
}


def make_appointments(diary: Diary, vehicles: list[Vehicle]) -> None:
    """Write down all appointments, past and to come."""
    _past_appointments(diary, vehicles)
    _coming_appointments(diary, [v for v in vehicles if v.retired is None and not v.owner.gone])


class Bays:
    """The free places in the workshop, by its own calendar."""

    def __init__(self, diary: Diary) -> None:
        calendar = icalendar.Calendar.from_ical(BAYS_CALENDAR.read_bytes())
        events = recurring_ical_events.of(calendar).between(diary.today, diary.today + 70 * DAY)
        self.diary = diary
        self.closed = [_span(event) for event in events if _takes_time(event)]
        self.taken: dict[datetime, int] = {}

    def free(self, first: int, last: int, minutes: int) -> datetime:
        """A start between so many days from now at which a bay is free for that long."""
        while True:
            day = self.diary.today + self.diary.rng.randint(first, last) * DAY
            start = instant(datetime.combine(day, self.diary.rng.choice(SLOTS)), CHICAGO)
            end = start + timedelta(minutes=minutes)
            busy = any(begins < end and start < ends for begins, ends in self.closed)
            if self.diary.is_open(day) and not busy and self.taken.get(start, 0) < BAYS:
                self.taken[start] = self.taken.get(start, 0) + 1
                return start


def _takes_time(event: icalendar.cal.Component) -> bool:
    return bool(event.get("STATUS") != "CANCELLED" and event.get("TRANSP") != "TRANSPARENT")


def _span(event: icalendar.cal.Component) -> tuple[datetime, datetime]:
    start = event["DTSTART"].dt
    end = event["DTEND"].dt if "DTEND" in event else start + DAY
    return _moment(start), _moment(end)


def _moment(at: date | datetime) -> datetime:
    return at if isinstance(at, datetime) else instant(datetime.combine(at, time()), CHICAGO)


def _past_appointments(diary: Diary, vehicles: list[Vehicle]) -> None:
    """About a third of last year's visits were booked beforehand; now and then nobody came."""
    for v in vehicles:
        for visit in v.visits:
            if visit.at < diary.end - 330 * DAY or visit.at.date() <= v.acquired or not diary.chance(0.42):
                continue
            start = visit.at.replace(minute=visit.at.minute // 30 * 30)
            made = _booking(diary, v, visit.services[0], start)
            if made.at.date() > v.known():
                _tell(diary, made, "website" if made.booked_by == "customer" else "said")
                done = Appointment(customer=v.owner.id, at=visit.at, id=made.id, status="completed")
                diary.note("appointments", done, "workshop")
    for v in diary.some([v for v in vehicles if v.retired is None], 6):
        start = diary.desk(diary.ago(10, 200)).replace(minute=30)
        made = _booking(diary, v, "oil_change", start)
        _tell(diary, made, "said")
        missed = Appointment(customer=v.owner.id, at=start + timedelta(hours=2), id=made.id, status="no_show")
        diary.note("appointments", missed, "desk")


def _booking(diary: Diary, v: Vehicle, service: str, start: datetime, *, least: int = 2, most: int = 21) -> Appointment:
    day = start.astimezone(CHICAGO).date() - diary.rng.randint(least, most) * DAY
    day = min(day, diary.today - DAY)
    by: Literal["customer", "staff"] = "customer" if diary.chance(0.55) else "staff"
    length = timedelta(minutes=LENGTHS.get(service, 45))
    return Appointment(
        customer=v.owner.id,
        at=diary.home(day) if by == "customer" else diary.desk(day),
        id=diary.next_id("A"),
        service=service,
        asset=v.id,
        start=start,
        end=start + length,
        status="booked",
        booked_by=by,
        calendar="service-bays",
        place_zone="America/Chicago" if v.owner.home.zone else None,
    )


def _tell(diary: Diary, fact: Appointment, teller: Teller) -> None:
    if fact.place_zone is None:
        fact = msgspec.structs.replace(fact, place_zone=msgspec.UNSET)
    diary.note("appointments", fact, teller)


def _coming_appointments(diary: Diary, used: list[Vehicle]) -> None:
    """The next weeks: booked, confirmed, moved, cancelled; and a few that the system has only proposed."""
    bays = Bays(diary)
    known = [v for v in used if v.acquired < diary.today - 60 * DAY]
    chosen = iter(diary.rng.sample(known, len(known)))
    for fate, count in (
        ("booked", 22),
        ("confirmed", 10),
        ("moved", 7),
        ("cancelled", 5),
        ("proposed", 9),
        ("unasked", 2),
    ):
        for v in _first(chosen, diary.scaled(count)):
            service = diary.rng.choice(
                ("oil_change", "oil_change", "brake_inspection", "tire_change", "repair", "diagnosis")
            )
            if service == "oil_change" and v.model.fuel == "electric":
                service = "tire_rotation"
            start = bays.free(10 if fate in {"proposed", "unasked"} else 1, 38, LENGTHS.get(service, 45))
            made = _booking(diary, v, service, start, least=3, most=45)
            if fate in {"proposed", "unasked"}:
                _propose(diary, made, withdrawn=fate == "unasked")
            else:
                _tell(diary, made, "website" if made.booked_by == "customer" else "said")
                _later(diary, bays, made, fate)
    for v in _first(chosen, diary.scaled(5)):
        until = diary.today + diary.rng.randint(14, 30) * DAY
        wish = Wish(
            customer=v.owner.id,
            at=diary.home(diary.ago(1, 12)),
            service="tire_change",
            between=(diary.today, until),
            notice="24h",
        )
        diary.note("appointments", wish, "website")


def _first(things: Iterator[Vehicle], count: int) -> Iterator[Vehicle]:
    for _, thing in zip(range(count), things, strict=False):
        yield thing


def _propose(diary: Diary, made: Appointment, *, withdrawn: bool) -> None:
    """The old system's habit: an appointment that nobody made. It is a proposal, and stays one until they say so."""
    at = diary.desk(diary.ago(2, 3) if not withdrawn else diary.ago(6, 9))
    _tell(diary, msgspec.structs.replace(made, at=at, status="proposed", booked_by="system"), "crm")
    if withdrawn:
        said = Appointment(customer=made.customer, at=diary.home(diary.ago(2, 4)), id=made.id, status="cancelled")
        diary.note("appointments", said, "website")
        words = "I never made this appointment."
        diary.note(
            "history",
            Feedback(customer=made.customer, at=said.at, mood="annoyed", about=made.id, words=words),
            "website",
        )


def _later(diary: Diary, bays: Bays, made: Appointment, fate: str) -> None:
    """What became of a booking since; ``at`` is after the booking and before the end of the sample."""
    left = max(2, (diary.end - made.at) // DAY - 1)
    at = diary.desk(diary.ago(1, left))
    if at <= made.at + timedelta(minutes=30):
        at = made.at + timedelta(minutes=40)
    teller: Teller = "desk" if diary.chance(0.5) else "website"
    if fate == "confirmed":
        said = Appointment(customer=made.customer, at=at, id=made.id, status="confirmed")
        diary.note("appointments", said, "website", late=timedelta(seconds=3))
    elif fate == "cancelled":
        gone = Appointment(customer=made.customer, at=at, id=made.id, status="cancelled")
        diary.note("appointments", gone, teller, late=timedelta(minutes=2))
    elif fate == "moved":
        start = bays.free(3, 40, LENGTHS.get(str(made.service), 45))
        moved = Appointment(
            customer=made.customer,
            at=at,
            id=made.id,
            start=start,
            end=start + timedelta(minutes=LENGTHS.get(str(made.service), 45)),
        )
        diary.note("appointments", moved, teller, late=timedelta(minutes=4))
