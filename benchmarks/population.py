"""Made-up customers of the shipped deployment: as many as one likes, always the same, written as a stream of facts.

Each has 15 facts and one or two cars. What customer number *i* is like depends on *i* alone, and ids are scattered, so
that a small base is a sample of a large one, and the first thousand customers lie all over either.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path

import msgspec
import yaml

ROOT = Path(__file__).resolve().parents[1]
# The day on which everybody is looked at, and the instant at which the storm's messages are all due: 10:00 in New York.
TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
STORM = datetime(2026, 12, 1, 15, tzinfo=UTC)
# How long before an appointment the reminder goes of which 200 a second are due.
AHEAD = timedelta(hours=3)
# Of a hundred customers, how many are about to hear from us within two months, and about what.
OIL, TRADE_IN, BOOKED = 5, 1, 2
SCATTER = 7_368_787  # a prime; times a number, modulo the next power of ten, it makes the ids jump about
IDS = 100_000_000
MILES_A_DAY = (14.0, 38.0)
# Nothing may fall due in here for those who are to stay quiet: the horizon, and what rules look at on either side.
QUIET = (TODAY - timedelta(days=125), TODAY + timedelta(days=135))
NO_OFFER = (TODAY - timedelta(days=43 * 31), TODAY - timedelta(days=33 * 30))
NAMES = ("Ana Ortiz", "James Carter", "Mei Lin", "Omar Haddad", "Grace Novak", "Luis Peña", "Ruth Adler", "Sam Price")
MODELS = (("Ford", "Escape"), ("Ford", "F-150"), ("Honda", "CR-V"), ("Toyota", "Camry"), ("Subaru", "Outback"))
DONE = ("oil_change", "tire_rotation", "brake_inspection", "seasonal_check", "air_filter")

Record = dict[str, object]


@dataclass(frozen=True, slots=True)
class Car:
    """A car with its history: a constant mileage, and the dates on which some services were last done."""

    id: str
    acquired: date
    daily: float
    odometer: float
    done: tuple[tuple[str, date], ...]

    def miles(self, day: date) -> float:
        """What the odometer shows on a date."""
        return round(self.odometer + self.daily * (day - self.acquired).days)

    def dues(self) -> Iterator[date]:
        """When each of the shipped services falls due."""
        last = dict(self.done)
        for name, (months, miles, first) in intervals().items():
            since = last.get(name, self.acquired)
            ways = [timedelta(days=months * 30.44)] if months else []
            distance = miles if name in last else first
            ways += [timedelta(days=distance / self.daily)] if distance else []
            if ways:
                yield since + min(ways)

    def is_quiet(self) -> bool:
        """Whether nobody has a reason to write about it in the coming months."""
        return not any(QUIET[0] < due < QUIET[1] for due in self.dues()) and not (
            NO_OFFER[0] < self.acquired < NO_OFFER[1]
        )


@cache
def intervals() -> dict[str, tuple[int, float, float]]:
    """Of each shipped service that comes round: months, miles, and the miles at which it is due for the first time."""
    services = yaml.safe_load((ROOT / "config/services.yaml").read_text("utf-8"))["services"]
    return {
        name: (
            one["every"].get("months", 0),
            _miles(one["every"]),
            _miles({"distance": one["once"][0]} if "once" in one else one.get("first", one["every"])),
        )
        for name, one in services.items()
        if "every" in one
    }


def _miles(interval: dict[str, str]) -> float:
    return float(str(interval.get("distance", "0 mi")).split()[0])


def customer_id(number: int, prefix: str = "C") -> str:
    """The id of a customer by number; neighbours by number are far from each other by id."""
    return f"{prefix}{number * SCATTER % IDS:08d}"


def base(size: int) -> Iterator[bytes]:
    """The facts of an ordinary base: about 8 % hear from us within 60 days, as the lines of a file."""
    for number in range(size):
        dice = random.Random(number)
        share = number % 100
        if share < OIL:
            kind = "oil"
        elif share < OIL + TRADE_IN:
            kind = "trade_in"
        else:
            kind = "booked" if share < OIL + TRADE_IN + BOOKED else "quiet"
        yield from _lines(_Customer(number, "C", dice, kind).facts())


def storm(size: int, prefix: str = "S", medium: str = "email") -> Iterator[bytes]:
    """The facts of customers whose oil-change invitations are all due at ``STORM``, in the same second."""
    for number in range(size):
        yield from _lines(_Customer(number, prefix, random.Random(-1 - number), "storm", medium).facts())


def steady(size: int, rate: int) -> Iterator[bytes]:
    """The facts of customers with an appointment each: from ``STORM`` plus ``AHEAD`` on, so many begin in a second."""
    for number in range(size):
        one = _Customer(number, "A", random.Random(-1 - number), "quiet")
        yield from _lines([*one.facts(), one.appointment(STORM + AHEAD + timedelta(seconds=number / rate))])


def write(path: Path, lines: Iterator[bytes]) -> None:
    """Write a file of facts without holding it in memory."""
    with path.open("wb") as file:
        file.writelines(lines)


def _lines(facts: list[Record]) -> Iterator[bytes]:
    encode = msgspec.json.encode
    for fact in facts:
        yield encode(fact) + b"\n"


def _at(day: date, hour: int = 16) -> str:
    return datetime.combine(day, time(hour), UTC).isoformat()


class _Customer:
    """One customer in the making."""

    def __init__(self, number: int, prefix: str, dice: random.Random, kind: str, medium: str = "email") -> None:
        self.number, self.prefix, self.dice, self.kind, self.medium = number, prefix, dice, kind, medium
        self.id = customer_id(number, prefix)
        self.cars = [self._car(part) for part in range(1 + number % 2)]

    def facts(self) -> list[Record]:
        """Fifteen facts: who they are, what they drive, what was done to it and when."""
        joined = min(car.acquired for car in self.cars) - timedelta(days=1)
        who = {"id": self.id, "name": NAMES[self.number % len(NAMES)], "kind": "person", "region": "US-IL"}
        zone = {"timezone": "America/New_York"} if self.kind == "storm" else {}
        found = [
            self._fact("customer", joined, **who, **zone),
            self._fact("contact_point", joined, kind="email", address=f"{self.id.lower()}@example.com"),
            self._fact(
                "contact_point",
                joined,
                kind="phone",
                address=f"+1{'847' if self.prefix == 'C' else '224'}{2_000_000 + self.number:07d}",
                media=["sms", "voice"],
            ),
            self._word(joined),
        ]
        for car in self.cars:
            found += self._driven(car)
        if self.kind == "booked":
            start = NOW + timedelta(days=self.dice.randrange(3, 55), hours=self.dice.randrange(4))
            found.append(self.appointment(start))
        for number in range(15 - len(found)):
            found.append(self._history(self.cars[number % len(self.cars)], number // len(self.cars)))
        return found

    def _fact(self, what: str, day: date, /, **fields: object) -> Record:
        return {"type": what, "at": _at(day), "recorded_at": _at(day, 20), "customer": self.id, **fields}

    def _word(self, day: date) -> Record:
        """What they have said: most like mail, some never want to hear of another car."""
        if self.kind == "quiet" and self.number % 7 == 0:
            return self._fact("intent", day, topic="trade_in", stance="never", stated_by="customer")
        return self._fact("preference", day, media=[self.medium], stated_by="customer")

    def _car(self, part: int) -> Car:
        name = f"V{self.id}{part}"
        leads = part == 0
        while True:
            car = self._drawn(name)
            if leads and self.kind in {"oil", "storm"}:
                return self._due_for_oil(car)
            if leads and self.kind == "trade_in":
                days = self.dice.randrange(2, 50)
                acquired = date(TODAY.year - 3, TODAY.month, TODAY.day) + timedelta(days=days)
                return Car(name, acquired, car.daily, 0, ())
            if car.is_quiet():
                return car

    def _drawn(self, name: str) -> Car:
        dice = self.dice
        acquired = TODAY - timedelta(days=dice.randrange(400, 4000))
        daily = dice.uniform(*MILES_A_DAY)
        done = tuple((service, self._day(acquired)) for service in DONE if dice.random() < 0.6)
        return Car(name, acquired, daily, dice.choice((0, 0, 31_000, 64_000)), done)

    def _day(self, acquired: date) -> date:
        """A day on which work was done: lately, or long ago."""
        days = (TODAY - acquired).days
        return TODAY - timedelta(days=min(self.dice.choice((20, 35, 50, 300, 700, 1500, 2500)), days - 1))

    def _due_for_oil(self, car: Car) -> Car:
        """A car whose oil is due a year after its last change, since it is driven little."""
        due = STORM.date() + timedelta(days=21)
        if self.kind == "oil":
            due = TODAY + timedelta(days=22 + self.dice.randrange(58))
        last = date(due.year - 1, due.month, min(due.day, 28) if due.month == 2 else due.day)
        acquired = min(car.acquired, last - timedelta(days=300))
        return Car(car.id, acquired, self.dice.uniform(6, 9), 0, (("oil_change", last),))

    def _driven(self, car: Car) -> list[Record]:
        make, model = MODELS[self.number % len(MODELS)]
        attributes = {
            "make": make,
            "year": car.acquired.year,
            "fuel": "gasoline",
            "drive": "fwd",
            "transmission": "automatic",
            "coolant": "orange",
        }
        asset = self._fact(
            "asset",
            car.acquired,
            id=car.id,
            kind="car",
            model=f"{make} {model}",
            acquired_on=car.acquired.isoformat(),
            in_use=True,
            attributes=attributes,
        )
        bought = self._fact("event", car.acquired, kind="purchase", item="used-vehicle", asset=car.id, amount=21_500)
        done = [
            self._fact(
                "service_record",
                day,
                service=service,
                asset=car.id,
                reading=car.miles(day),
                unit="mi",
                outcome="done",
                stated_by="staff",
            )
            for service, day in car.done[: 5 - len(self.cars)]
        ]
        return [asset, bought, *done]

    def _history(self, car: Car, number: int) -> Record:
        """An odometer reading; the last is some days old for a third of the base, and half a year for the rest."""
        days = (TODAY - car.acquired).days
        last = 12 if self.number % 3 == 0 else 170
        day = TODAY - timedelta(days=last + min(97, (days - last) // 12) * number)
        fields = {"asset": car.id, "value": car.miles(day), "unit": "mi", "stated_by": "staff"}
        return self._fact("reading", day, **fields)

    def appointment(self, start: datetime) -> Record:
        """An hour that they have booked."""
        fields = {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat(), "status": "booked"}
        return self._fact(
            "appointment",
            TODAY - timedelta(days=self.dice.randrange(1, 20)),
            id=f"A{self.id}",
            service="oil_change",
            asset=self.cars[0].id,
            booked_by="customer",
            stated_by="customer",
            **fields,
        )
