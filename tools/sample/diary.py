"""The book that facts are written in: times that fit opening hours, and who entered what, when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Literal, TypeVar

import holidays
import msgspec

from commsched.model.facts import Fact, StatedBy
from commsched.timing.civil import instant, zone

CHICAGO = zone("America/Chicago")
DAY = timedelta(days=1)
Teller = Literal["dms", "workshop", "crm", "desk", "said", "website"]
T = TypeVar("T")

# Who tells: the system that a fact is entered in, and who stated it.
TELLERS: dict[Teller, tuple[str, StatedBy]] = {
    "dms": ("dms", "import"),  # the nightly export of the dealer management system
    "workshop": ("dms", "staff"),  # measured or done by our own people
    "crm": ("crm", "import"),
    "desk": ("desk", "staff"),
    "said": ("desk", "customer"),  # what a customer said, written down by staff
    "website": ("website", "customer"),
}


class Diary:
    """Collects facts by file. ``today`` is the day that the sample ends on; nothing in it was learnt on that day."""

    def __init__(self, today: date, seed: int, customers: int) -> None:
        self.today = today
        self.customers = customers
        self.rng = Random(seed)
        self.end = instant(datetime.combine(today, time()), CHICAGO)
        self.facts: dict[str, list[Fact]] = {}
        self._closed = holidays.country_holidays("US", subdiv="IL")
        self._numbers: dict[str, int] = {}

    def note(self, file: str, fact: Fact, teller: Teller, *, late: timedelta | None = None) -> None:
        """Write a fact down as that teller tells it, ``late`` after it was true (default: as that teller does)."""
        source, stated_by = TELLERS[teller]
        recorded = self._recorded(fact.at, teller) if late is None else fact.at + late
        if recorded >= self.end:
            message = f"a fact of {fact.at} would be learnt at {recorded}, after the sample ends"
            raise ValueError(message)
        told = msgspec.structs.replace(fact, recorded_at=recorded, source=source, stated_by=stated_by)
        self.facts.setdefault(file, []).append(told)

    def _recorded(self, at: datetime, teller: Teller) -> datetime:
        if teller in {"dms", "workshop"}:
            evening = instant(datetime.combine(at.astimezone(CHICAGO).date(), time(21, 40)), CHICAGO)
            return max(evening, at) + timedelta(seconds=self.rng.randrange(900))
        return at + timedelta(seconds=self.rng.randrange(2, 5) if teller == "website" else self.rng.randrange(60, 900))

    def next_id(self, letter: str, width: int = 4) -> str:
        """The next id of its kind: ``C0001``, ``C0002`` and so on."""
        self._numbers[letter] = self._numbers.get(letter, 0) + 1
        return f"{letter}{self._numbers[letter]:0{width}}"

    def scaled(self, count: int) -> int:
        """As many of something as ``count`` among 320 customers, at least one."""
        return max(1, round(count * self.customers / 320))

    def chance(self, share: float) -> bool:
        """Whether something that happens so often happens now."""
        return self.rng.random() < share

    def some(self, things: Sequence[T], count: int) -> list[T]:
        """As many of these as ``count`` among 320 customers, or all, in no particular order."""
        return self.rng.sample(things, min(self.scaled(count), len(things)))

    def ago(self, least: int, most: int) -> date:
        """A day between so many days ago."""
        return self.today - self.rng.randint(least, most) * DAY

    def is_open(self, day: date) -> bool:
        """Whether the workshop works on that weekday."""
        return day.weekday() < 5 and day not in self._closed and (day - DAY) not in self._thanksgiving(day)

    def _thanksgiving(self, day: date) -> set[date]:
        november = date(day.year, 11, 1)
        return {november + ((3 - november.weekday()) % 7 + 21) * DAY}

    def open_day(self, day: date) -> date:
        """That day, or the last one before it on which somebody is at the desk."""
        day = min(day, self.today - DAY)
        while day.weekday() == 6 or day in self._closed:
            day -= DAY
        return day

    def desk(self, day: date) -> datetime:
        """Some time in opening hours on that day, or on the last open day before it."""
        day = self.open_day(day)
        last = 12 * 60 if day.weekday() == 5 else 17 * 60
        minutes = self.rng.randrange(8 * 60, last)
        return instant(datetime.combine(day, time(minutes // 60, minutes % 60)), CHICAGO)

    def home(self, day: date) -> datetime:
        """Some time of that day at which people sit down at a screen."""
        minutes = self.rng.choice((self.rng.randrange(6 * 60, 23 * 60), self.rng.randrange(18 * 60, 23 * 60)))
        local = datetime.combine(min(day, self.today - DAY), time(minutes // 60, minutes % 60, self.rng.randrange(60)))
        return instant(local, CHICAGO)
