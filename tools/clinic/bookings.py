"""What happens to patients: bookings and what became of them, records, plans, results, calls, answers, wishes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal

from clinic.diary import DAY, MUNICH, PROCEDURES, Diary, Teller
from clinic.people import Patient
from clinic.words import CALLS, DESK, DOCTORS, FEEDBACK
from commsched.model.facts import (
    Appointment,
    Commitment,
    Event,
    Feedback,
    Interaction,
    Interval,
    ServicePlan,
    ServiceRecord,
    Wish,
)

HOUR = timedelta(hours=1)
# How far ahead procedures are booked: how often, and between how many days. The last ones are inside every notice.
LEADS = ((50, 12, 50), (22, 6, 12), (18, 2, 5), (10, 0, 1))
FATES = ("done", "moved", "cancelled", "missed")


class Story:
    """One patient's way through the clinic, as it is written down."""

    def __init__(self, diary: Diary, patient: Patient) -> None:
        self.diary, self.patient = diary, patient

    def episode(self, day: date) -> None:
        """A consultation, what follows from it, and what the doctor plans for later."""
        diary = self.diary
        seen = self.visit("consultation", day, diary.rng.randint(3, 21))
        if seen is None:
            return
        procedure = "gastroscopy" if self.patient.minor else _procedure(diary)
        done = self.visit(procedure, seen.date() + diary.rng.randint(0, 9) * DAY, self.lead())
        if done is not None:
            self.aftermath(done)

    def lead(self) -> int:
        """How many days ahead a procedure is booked."""
        _, least, most = self.diary.rng.choices(LEADS, [row[0] for row in LEADS])[0]
        return self.diary.rng.randint(least, most)

    def visit(self, service: str, day: date, lead: int, *, tries: int = 2) -> datetime | None:
        """Book it on that day, so many days ahead; when it was done, or ``None`` if it never was."""
        diary = self.diary
        by: Literal["customer", "staff"] = "customer" if diary.chance(0.5) else "staff"
        at = diary.home(day) if by == "customer" else diary.desk(day)
        booked = self.booking(service, at, lead, by)
        fate = diary.rng.choices(FATES, (72, 12, 9, 7))[0]
        if fate == "moved" and (moved := self.move(booked, service)) is not None:
            booked = moved
        if fate == "cancelled" and self.cancel(booked):
            return None
        if fate == "missed":
            end = _end(booked)
            self.note(Appointment(customer=self.id, at=end + HOUR, id=booked.id, status="no_show"), "desk")
            if tries and diary.chance(0.6):
                again = end.astimezone(MUNICH).date() + diary.rng.randint(2, 12) * DAY
                return self.visit(service, again, diary.rng.randint(5, 25), tries=tries - 1)
            return None
        return self.done(booked, service)

    def booking(self, service: str, at: datetime, lead: int, by: Literal["customer", "staff"]) -> Appointment:
        """A booked appointment, written down; some are confirmed later on."""
        day = at.astimezone(MUNICH).date() + lead * DAY
        start, end = self.diary.free(service, day, after=at)
        made = Appointment(
            customer=self.id,
            at=at,
            id=self.diary.next_id("A"),
            service=service,
            start=start,
            end=end,
            status="booked",
            booked_by=by,
            calendar="endoscopy" if service in PROCEDURES else "clinic-hours",
            place_zone="Europe/Berlin",
        )
        self.note(made, "website" if by == "customer" else "said")
        return made

    def move(self, booked: Appointment, service: str) -> Appointment | None:
        """To another time, some days before or on the very evening before; ``None`` if there is no time to."""
        at = self.before(booked)
        if at is None:
            return None
        later = self.diary.rng.choice((0, 1, 3, 7, 14))
        day = max(at, _start(booked)).astimezone(MUNICH).date() + later * DAY
        start, end = self.diary.free(service, day, after=at)
        self.note(Appointment(customer=self.id, at=at, id=booked.id, start=start, end=end), "desk")
        return Appointment(customer=self.id, at=at, id=booked.id, start=start, end=end)

    def cancel(self, booked: Appointment) -> bool:
        """Whether there was time to."""
        at = self.before(booked)
        if at is None:
            return False
        teller: Teller = "said" if self.diary.chance(0.5) else "website"
        self.note(Appointment(customer=self.id, at=at, id=booked.id, status="cancelled"), teller)
        return True

    def before(self, booked: Appointment) -> datetime | None:
        """Some time at the desk between the booking and an hour before the start."""
        first, last = booked.at.astimezone(MUNICH).date(), _start(booked).astimezone(MUNICH).date()
        at = self.diary.desk(self.diary.between(first, last - DAY))
        return at if booked.at + HOUR < at < _start(booked) - HOUR else None

    def done(self, booked: Appointment, service: str) -> datetime:
        """They came, some after saying that they would: the desk sets it to completed, the doctor writes the record."""
        end, said = _end(booked), _start(booked).astimezone(MUNICH).date() - 2 * DAY
        if said > booked.at.astimezone(MUNICH).date() and self.diary.chance(0.25):
            yes = Appointment(customer=self.id, at=self.diary.home(said), id=booked.id, status="confirmed")
            self.note(yes, "website")
        late = timedelta(minutes=self.diary.rng.randrange(5, 60))
        self.note(Appointment(customer=self.id, at=end, id=booked.id, status="completed"), "desk", late=late)
        record = ServiceRecord(customer=self.id, at=end, service=service, outcome="done")
        self.diary.note("records", record, "doctor", late=late)
        return end

    def aftermath(self, done: datetime) -> None:
        """Results that are promised and come, a plan for later, an answer, a call."""
        diary, day = self.diary, done.astimezone(MUNICH).date()
        if diary.chance(0.5):
            self.results(done, day)
        if diary.chance(0.45):
            self.plan(done, day)
        if diary.chance(0.12) and not self.patient.minor:
            mood, words = diary.rng.choice(FEEDBACK)
            answer = Feedback(customer=self.id, at=diary.home(day + 4 * DAY), mood=mood, words=words)
            diary.note("history", answer, "website")

    def results(self, done: datetime, day: date) -> None:
        """A promise with a doctor's name on it, kept most of the time, and the day on which the results come in."""
        diary, promise = self.diary, self.diary.next_id("R")
        due = diary.desk(day + 10 * DAY)
        made = Commitment(
            customer=self.id,
            at=done,
            id=promise,
            what="results of the samples, and what they mean",
            owner=diary.rng.choice(DOCTORS),
            due=due,
            kept=False,
        )
        diary.note("records", made, "doctor")
        ready = diary.desk(day + diary.rng.randint(3, 7) * DAY)
        diary.note("records", Event(customer=self.id, at=ready, kind="results_ready"), "doctor")
        kept = diary.desk(ready.astimezone(MUNICH).date() + diary.rng.choice((0, 0, 1, 1, 2, 5)) * DAY)
        diary.note("records", Commitment(customer=self.id, at=kept, id=promise, kept=True), "doctor")

    def plan(self, done: datetime, day: date) -> None:
        """The doctor wants to see them again, once or every few months; most do come."""
        diary = self.diary
        months = diary.rng.choice((3, 6, 6, 12))
        due = day + round(months * 30.4) * DAY
        every, by = Interval(months=months) if diary.chance(0.3) else None, diary.rng.choice(DOCTORS)
        plan = ServicePlan(customer=self.id, at=done, service="follow_up", next_due=due, every=every, by=by)
        diary.note("records", plan, "doctor")
        if diary.chance(0.65):
            self.visit("follow_up", due - diary.rng.randint(2, 18) * DAY, diary.rng.randint(2, 20))

    def note(self, fact: Appointment, teller: Teller, *, late: timedelta | None = None) -> None:
        """Into the file of appointments."""
        self.diary.note("appointments", fact, teller, late=late)

    @property
    def id(self) -> str:
        """The patient's."""
        return self.patient.id


def make_stories(diary: Diary, people: list[Patient]) -> None:
    """Everybody's way through the clinic, and what only some of them do."""
    for patient in people:
        story = Story(diary, patient)
        for _ in range(diary.rng.choices((1, 2, 3), (45, 40, 15))[0]):
            since = max(patient.since + 2 * DAY, diary.first)
            story.episode(diary.between(since, max(since, diary.last - 25 * DAY)))
    adults = [patient for patient in people if not patient.minor]
    _check_ups(diary, [one for one in adults if one.since < diary.first])
    _proposals(diary, adults)
    _waiting(diary, adults)
    _calls(diary, people)


def _procedure(diary: Diary) -> str:
    return diary.rng.choices(("colonoscopy", "gastroscopy", "capsule_endoscopy"), (50, 32, 18))[0]


def _check_ups(diary: Diary, people: list[Patient]) -> None:
    """A check-up two years before some day of the sample, and for most of them the next one."""
    for patient in diary.some(people, 30):
        due = diary.between(diary.first + 60 * DAY, diary.last)
        at = diary.desk(due.replace(year=due.year - 2, day=min(due.day, 28)))
        diary.note("records", ServiceRecord(customer=patient.id, at=at, service="check_up", outcome="done"), "doctor")
        if diary.chance(0.6):
            Story(diary, patient).visit("check_up", due - diary.rng.randint(1, 26) * DAY, diary.rng.randint(4, 30))


def _proposals(diary: Diary, people: list[Patient]) -> None:
    """Times that the desk holds for somebody. Some say yes; the others have no appointment."""
    for patient in diary.some(people, 14):
        at = diary.desk(diary.between(max(patient.since, diary.first + 170 * DAY) + DAY, diary.last - 30 * DAY))
        start, end = diary.free("follow_up", at.astimezone(MUNICH).date() + diary.rng.randint(14, 40) * DAY, after=at)
        held = Appointment(
            customer=patient.id, at=at, id=diary.next_id("A"), service="follow_up", start=start, end=end,
            status="proposed", booked_by="system", calendar="clinic-hours", place_zone="Europe/Berlin",
        )  # fmt: skip
        diary.note("appointments", held, "desk")
        if diary.chance(0.5):
            yes = diary.home(at.astimezone(MUNICH).date() + diary.rng.randint(1, 5) * DAY)
            said = Appointment(customer=patient.id, at=yes, id=held.id, status="booked", booked_by="customer")
            diary.note("appointments", said, "website")


def _waiting(diary: Diary, people: list[Patient]) -> None:
    """Those who would come sooner: for what, from when to when, and how much notice they need."""
    for patient in diary.some(people, 16):
        at = diary.home(diary.between(max(patient.since, diary.first + 180 * DAY) + DAY, diary.last - 20 * DAY))
        day = at.astimezone(MUNICH).date()
        service = _procedure(diary)
        until = day + diary.rng.randint(20, 60) * DAY
        notice = diary.rng.choice(("24h", "48h", "5d"))
        wish = Wish(customer=patient.id, at=at, service=service, between=(day + DAY, until), notice=notice)
        diary.note("wishes", wish, "website" if diary.chance(0.5) else "said")


def _calls(diary: Diary, people: list[Patient]) -> None:
    for patient in diary.some(people, 40):
        at = diary.desk(diary.between(max(patient.since, diary.first), diary.last - 5 * DAY))
        call = Interaction(
            customer=patient.id, at=at, direction="in", medium="voice", by=diary.rng.choice(DESK),
            summary=diary.rng.choice(CALLS),
        )  # fmt: skip
        diary.note("history", call, "desk")


def _start(booked: Appointment) -> datetime:
    assert isinstance(booked.start, datetime)
    return booked.start


def _end(booked: Appointment) -> datetime:
    assert isinstance(booked.end, datetime)
    return booked.end
