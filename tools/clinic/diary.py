"""The book that facts are written in, the hours of the clinic, and the procedure rooms with what is taken in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Literal, TypeVar

import holidays
import icalendar
import msgspec
import recurring_ical_events

from commsched.model.facts import Fact, StatedBy
from commsched.timing.civil import instant, zone

MUNICH = zone("Europe/Berlin")
DAY = timedelta(days=1)
CLOSURES = Path(__file__).resolve().parents[2] / "examples" / "clinic" / "config" / "calendars" / "endoscopy.ics"
FRIDAY = 4
Teller = Literal["practice", "desk", "said", "website", "doctor"]
T = TypeVar("T")

# Who tells: the system that a fact is entered in, and who stated it.
TELLERS: dict[Teller, tuple[str, StatedBy]] = {
    "practice": ("practice", "import"),  # the nightly export of the practice system
    "desk": ("desk", "staff"),
    "said": ("desk", "customer"),  # what a patient said, written down by staff
    "website": ("website", "customer"),
    "doctor": ("practice", "staff"),
}
# What is done in a procedure room, and how many minutes each takes; the rest takes SHORT.
PROCEDURES = frozenset({"colonoscopy", "capsule_endoscopy", "gastroscopy"})
LENGTHS = {"colonoscopy": 45, "capsule_endoscopy": 30, "gastroscopy": 30, "check_up": 30}
SHORT = 20


class Diary:
    """Collects facts by file, from ``first`` to ``last``; nothing in it is learnt after that."""

    def __init__(self, first: date, last: date, seed: int, patients: int) -> None:
        self.first, self.last, self.patients = first, last, patients
        self.rng = Random(seed)
        self.end = instant(datetime.combine(last, time()), MUNICH)
        self.facts: dict[str, list[Fact]] = {}
        self.taken: set[tuple[str, int, datetime]] = set()
        self._numbers: dict[str, int] = {}
        self._holidays = holidays.country_holidays("DE", subdiv="BY")
        calendar = icalendar.Calendar.from_ical(CLOSURES.read_bytes())
        events = recurring_ical_events.of(calendar).between(first, last + 120 * DAY)
        self._closed = [_span(event) for event in events if event.get("TRANSP") != "TRANSPARENT"]

    def note(self, file: str, fact: Fact, teller: Teller, *, late: timedelta | None = None) -> None:
        """Write a fact down as that teller tells it, ``late`` after it was true; not if that is after the end."""
        source, stated_by = TELLERS[teller]
        delay = timedelta(seconds=self.rng.randrange(20, 400)) if late is None else late
        if teller == "practice" and late is None:
            evening = instant(datetime.combine(fact.at.astimezone(MUNICH).date(), time(19, 30)), MUNICH)
            delay = max(evening - fact.at, timedelta()) + timedelta(seconds=self.rng.randrange(900))
        if fact.at + delay < self.end:
            told = msgspec.structs.replace(fact, recorded_at=fact.at + delay, source=source, stated_by=stated_by)
            self.facts.setdefault(file, []).append(told)

    def next_id(self, letter: str) -> str:
        """The next id of its kind: ``P001``, ``P002`` and so on."""
        self._numbers[letter] = self._numbers.get(letter, 0) + 1
        return f"{letter}{self._numbers[letter]:03}"

    def chance(self, share: float) -> bool:
        """Whether something that happens so often happens now."""
        return self.rng.random() < share

    def some(self, things: Sequence[T], count: int) -> list[T]:
        """So many of these, as if there were 120 patients, or all; in no particular order."""
        return self.rng.sample(things, min(max(1, round(count * self.patients / 120)), len(things)))

    def between(self, first: date, last: date) -> date:
        """A day from the first to the last."""
        return first + self.rng.randint(0, max(0, (last - first).days)) * DAY

    def desk(self, day: date) -> datetime:
        """Some time at which the desk is open, on that day or on the next open one."""
        while day.weekday() > FRIDAY or day in self._holidays:
            day += DAY
        minutes = self.rng.randrange(8 * 60, (13 if day.weekday() == FRIDAY else 17) * 60 + 40)
        return instant(datetime.combine(day, time(minutes // 60, minutes % 60)), MUNICH)

    def home(self, day: date) -> datetime:
        """Some time of that day at which people sit down at a screen, at night too."""
        minutes = self.rng.choice((self.rng.randrange(6 * 60, 23 * 60), self.rng.randrange(18 * 60, 24 * 60)))
        return instant(datetime.combine(day, time(minutes // 60, minutes % 60)), MUNICH)

    def free(self, service: str, day: date, *, after: datetime) -> tuple[datetime, datetime]:
        """The first free time for a service on that day or later, at least an hour ``after``."""
        length = timedelta(minutes=LENGTHS.get(service, SHORT))
        while True:
            minutes = range(450, 930, 30) if service in PROCEDURES else range(480, 1080, 20)
            for minute in self.rng.sample(minutes, len(minutes)):
                start = instant(datetime.combine(day, time(minute // 60, minute % 60)), MUNICH)
                if start - after > timedelta(hours=1) and self._suits(service, start, start + length):
                    return start, start + length
            day += DAY

    def _suits(self, service: str, start: datetime, end: datetime) -> bool:
        if not self._open(service, start.astimezone(MUNICH), end.astimezone(MUNICH)):
            return False
        place, rooms = ("room", 2) if service in PROCEDURES else ("doctor", 3)
        cells = [start + timedelta(minutes=n) for n in range(0, int((end - start).total_seconds()) // 60, 10)]
        for number in range(rooms):
            wanted = {(place, number, cell) for cell in cells}
            if not wanted & self.taken:
                self.taken |= wanted
                return True
        return False

    def _open(self, service: str, start: datetime, end: datetime) -> bool:
        day = start.date()
        if day.weekday() > FRIDAY:
            return False
        early = day.weekday() == FRIDAY
        if service in PROCEDURES:
            closed = any(begins < end and start < ends for begins, ends in self._closed)
            return not closed and end.time() <= (time(12, 30) if early else time(15, 30))
        shut = day in self._holidays or (day.month, day.day) in {(12, 24), (12, 31)}
        return not shut and end.time() <= (time(14) if early else time(18))


def _span(event: icalendar.cal.Component) -> tuple[datetime, datetime]:
    start = event["DTSTART"].dt
    end = event["DTEND"].dt if "DTEND" in event else start + DAY
    return _moment(start), _moment(end)


def _moment(at: date | datetime) -> datetime:
    return at if isinstance(at, datetime) else instant(datetime.combine(at, time()), MUNICH)
