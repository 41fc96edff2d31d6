"""The vehicles: how they were bought, how they are driven, what was done to them, what their odometers said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import pi, sin
from typing import Literal, NamedTuple

import msgspec

from commsched.model.facts import Asset, Event, Interaction, Interval, Reading, ServicePlan, ServiceRecord
from commsched.timing.durations import KM_PER_MILE
from sample.diary import DAY, Diary, Teller
from sample.people import Somebody
from sample.words import COLORS, FLEET_MODELS, NEW_MODELS, RECALLS, STAFF, USED_MODELS, Model

# Work older than this is in the books only as the last of its kind: the old system was not carried over whole.
KEPT = timedelta(days=540)


class Work(NamedTuple):
    """A service, after how many miles it is wanted, how often it is sold when it is due, and who needs it at all."""

    service: str
    miles: int
    taken: float
    engine: bool = False
    automatic: bool = False
    rear: bool = False
    coolant: str = ""
    spark: bool = False
    first: int = 0


WORK = (
    Work("tire_rotation", 5000, 0.78),
    Work("brake_inspection", 15000, 0.9),
    Work("chassis_inspection", 15000, 0.88),
    Work("transmission_check", 15000, 0.85, automatic=True),
    Work("air_filter", 30000, 0.8, engine=True),
    Work("fuel_filter", 30000, 0.7, engine=True),
    Work("exhaust_inspection", 30000, 0.85, engine=True),
    Work("transmission_fluid", 30000, 0.72, automatic=True),
    Work("coolant", 30000, 0.8, coolant="green", first=45000),
    Work("wheel_bearings", 60000, 0.7),
    Work("spark_plugs", 100000, 0.7, engine=True, spark=True),
    Work("coolant_long_life", 150000, 0.8, coolant="orange"),
    Work("rear_differential", 150000, 0.7, engine=True, rear=True),
)

# A record, who tells it, and how much later it is learnt if that is not as usual.
Entry = tuple[ServiceRecord, Teller, timedelta | None]


@dataclass
class Visit:
    """A day on which the vehicle was in the workshop, and for what."""

    at: datetime
    services: list[str]


@dataclass
class Vehicle:
    """A vehicle in the making: ``miles`` on its meter when it was ``acquired``, ``yearly`` miles since."""

    id: str
    owner: Somebody
    model: Model
    year: int
    acquired: date
    miles: int
    yearly: float
    how: Literal["new-vehicle", "used-vehicle", "lease", "elsewhere"]
    loyalty: float
    phase: float
    label: str
    retired: date | None = None
    replaced: tuple[date, int] | None = None
    visits: list[Visit] = field(default_factory=list)

    def driven(self, day: date) -> int:
        """The miles it has really done by then; people drive more in summer."""
        years = max((day - self.acquired).days, 0) / 365.25
        wave = 0.03 * (sin(2 * pi * years + self.phase) - sin(self.phase))
        return self.miles + max(0, round(self.yearly * (years + wave)))

    def meter(self, day: date) -> int:
        """What the meter shows: a new instrument cluster starts again from nothing."""
        if self.replaced and day >= self.replaced[0]:
            return self.driven(day) - self.replaced[1]
        return self.driven(day)

    def known(self) -> date:
        """Since when there is anything to say about it and its owner."""
        return max(self.acquired, self.owner.since)

    def needs(self, work: Work) -> bool:
        """Whether a service is for vehicles such as this."""
        engine = self.model.fuel != "electric"
        return (
            (engine or not work.engine)
            and (self.model.transmission == "automatic" or not work.automatic)
            and (self.model.fuel != "diesel" or not work.spark)
            and (self.model.drive != ("fwd",) or not work.rear)
            and work.coolant in {"", self.model.coolant}
        )


def make_vehicles(diary: Diary, people: list[Somebody]) -> list[Vehicle]:
    """All vehicles, written down with their purchases, readings and service records."""
    vehicles: list[Vehicle] = []
    for owner in people:
        vehicles += _owned(diary, owner)
    for vehicle in diary.some([v for v in vehicles if v.retired is None], 7):
        at = diary.ago(100, 700)
        if at > vehicle.acquired + 200 * DAY:
            vehicle.replaced = (diary.open_day(at), vehicle.driven(diary.open_day(at)))
    for vehicle in vehicles:
        _bought(diary, vehicle)
        _drive(diary, vehicle)
        _read(diary, vehicle)
    _recalls(diary, vehicles)
    _plans(diary, vehicles)
    return vehicles


def _owned(diary: Diary, owner: Somebody) -> Iterator[Vehicle]:
    if owner.prospect or owner.roles:
        return
    if owner.fleet:
        for number in range(owner.fleet):
            yield _vehicle(diary, owner, diary.rng.choice(FLEET_MODELS), fleet=number + 1)
        return
    count = diary.rng.choices((0, 1, 2, 3), (8, 54, 29, 9) if owner.household else (0, 50, 38, 12))[0]
    for number in range(count):
        model = diary.rng.choice(NEW_MODELS if diary.chance(0.72) else USED_MODELS)
        vehicle = _vehicle(diary, owner, model)
        if (number and diary.chance(0.3)) or owner.gone:
            vehicle.retired = diary.open_day(max(vehicle.acquired + 300 * DAY, diary.ago(40, 900)))
        yield vehicle


def _vehicle(diary: Diary, owner: Somebody, model: Model, fleet: int = 0) -> Vehicle:
    rng = diary.rng
    first, last = model.years
    since = max(owner.since, date(first, 3, 1))
    days = max(0, (diary.today - since).days - 30)
    acquired = diary.open_day(since + rng.randrange(days + 1) * DAY)
    new = first <= acquired.year <= last and model not in USED_MODELS and diary.chance(0.7)
    age = 0 if new else rng.randint(2, 6)
    year = min(last, acquired.year + int(acquired.month > 8)) if new else max(first, min(last, acquired.year - age))
    yearly = rng.uniform(11000, 24000) if fleet else min(24000.0, max(2400.0, rng.lognormvariate(9.22, 0.42)))
    miles = rng.randrange(6, 70) if new else round(max(1, acquired.year - year) * rng.uniform(8000, 14000))
    how: Literal["new-vehicle", "used-vehicle", "lease", "elsewhere"] = "new-vehicle" if new else "used-vehicle"
    if new and not fleet and acquired > diary.today - 1085 * DAY and diary.chance(0.35):
        how = "lease"
    elif not new and diary.chance(0.4):
        how = "elsewhere"
    loyalty = rng.choices((0.97, 0.6, 0.25), (55, 30, 15))[0]
    label = f"{model.make} {model.model}" + (f" (unit {fleet})" if fleet else "")
    return Vehicle(
        diary.next_id("V"), owner, model, year, acquired, miles, yearly, how, loyalty, rng.uniform(0, 2 * pi), label
    )


def _bought(diary: Diary, v: Vehicle) -> None:
    at = diary.desk(v.acquired)
    attributes: dict[str, str | float | int | bool | None] = {
        "make": v.model.make,
        "year": v.year,
        "fuel": v.model.fuel,
        "drive": diary.rng.choice(v.model.drive),
        "transmission": v.model.transmission,
        "coolant": v.model.coolant,
        "color": diary.rng.choice(COLORS),
    }
    if v.how == "lease":
        attributes["leased"] = True
    asset = Asset(
        customer=v.owner.id,
        at=at,
        id=v.id,
        kind="car",
        model=v.label,
        acquired_on=v.acquired,
        in_use=True,
        attributes=attributes,
    )
    diary.note("vehicles", asset, "dms")
    if v.how != "elsewhere":
        price = v.model.price * (0.93 ** max(0, v.acquired.year - v.year)) * diary.rng.uniform(0.92, 1.15)
        bought = Event(customer=v.owner.id, at=at, kind="purchase", item=v.how, asset=v.id, amount=round(price, -2))
        diary.note("events", bought, "dms")
    if v.retired:
        gone = Asset(customer=v.owner.id, at=diary.desk(v.retired), id=v.id, in_use=False)
        diary.note("vehicles", gone, "desk")
        if diary.chance(0.4):
            swap = Event(customer=v.owner.id, at=gone.at, kind="trade_in", asset=v.id)
            diary.note("events", swap, "dms")
    if v.how in {"new-vehicle", "used-vehicle"} and diary.chance(0.12):
        item = diary.rng.choice(
            ("winter-tires", "blizzak-set", "extended-warranty", "floor-mats", "roof-rack", "dashcam")
        )
        day = min(v.acquired + diary.rng.randrange(0, 500) * DAY, diary.today - 3 * DAY)
        extra = Event(
            customer=v.owner.id,
            at=diary.desk(day),
            kind="purchase",
            item=item,
            asset=v.id,
            amount=float(diary.rng.randrange(149, 1890, 10)),
        )
        diary.note("events", extra, "dms")


def _drive(diary: Diary, v: Vehicle) -> None:
    """Live through the years: every few thousand miles it goes to a workshop, mostly to ours."""
    rng = diary.rng
    last: dict[str, int] = {work.service: (v.miles if v.miles > 1000 else 0) for work in WORK}
    records: list[Entry] = []
    end = (v.retired or diary.today) - 3 * DAY
    if v.how == "used-vehicle":
        records += _gone_through(diary, v)
    habit, day = rng.uniform(4600, 7400), v.acquired
    checked = v.acquired
    while True:
        miles = habit * rng.uniform(0.85, 1.2)
        day += timedelta(days=round(min(miles / v.yearly * 365.25, rng.uniform(330, 430))))
        if day >= end:
            break
        if not diary.chance(v.loyalty):
            if v.model.fuel != "electric" and diary.chance(0.12):
                elsewhere = ServiceRecord(
                    customer=v.owner.id, at=diary.home(day), service="oil_change", asset=v.id, outcome="done_elsewhere"
                )
                records.append((elsewhere, "website", None))
            continue
        day = diary.open_day(day)
        at = diary.desk(day)
        wanted = [] if v.model.fuel == "electric" else ["oil_change"]
        wanted += [work.service for work in WORK if _wanted(diary, v, work, last, day)]
        if (day - checked).days > 150 and diary.chance(0.75):
            wanted.append("seasonal_check")
            checked = day
        if wanted:
            records += _visit(diary, v, at, wanted)
    _keep(diary, records)


def _wanted(diary: Diary, v: Vehicle, work: Work, last: dict[str, int], day: date) -> bool:
    interval = work.first if work.first and last[work.service] == 0 else work.miles
    if not v.needs(work) or v.driven(day) - last[work.service] < 0.92 * interval or not diary.chance(work.taken):
        return False
    last[work.service] = v.driven(day)
    return True


def _visit(diary: Diary, v: Vehicle, at: datetime, services: list[str]) -> list[Entry]:
    """The records of one visit: most of the work is done, some declined, some advised for another day."""
    v.visits.append(Visit(at, services))
    meter = v.meter(diary.open_day(at.date()))
    made: list[Entry] = []
    for service in services:
        declined = service not in {"oil_change", "seasonal_check"} and diary.chance(0.06)
        record = ServiceRecord(
            customer=v.owner.id,
            at=at,
            service=service,
            asset=v.id,
            reading=float(meter),
            unit="mi",
            outcome="declined" if declined else "done",
        )
        made.append((record, "workshop", None))
        if service in {"brake_inspection", "chassis_inspection", "tire_rotation"} and diary.chance(0.07):
            severity = "safety" if service == "brake_inspection" else "wear"
            advised = msgspec.structs.replace(
                record, outcome="advised", severity=severity, recheck_on=at.date() + 60 * DAY
            )
            made.append((advised, "workshop", None))
    return made


def _gone_through(diary: Diary, v: Vehicle) -> Iterator[Entry]:
    """A used car is gone through before it is sold; the records become the buyer's with the sale."""
    at = diary.desk(v.acquired - diary.rng.randint(14, 20) * DAY)
    for service in ("oil_change", "brake_inspection", "tire_rotation", "seasonal_check"):
        if service == "oil_change" and v.model.fuel == "electric":
            continue
        record = ServiceRecord(
            customer=v.owner.id,
            at=at,
            service=service,
            asset=v.id,
            reading=float(v.driven(v.acquired)),
            unit="mi",
            outcome="done",
        )
        yield record, "workshop", v.acquired - at.date()


def _keep(diary: Diary, records: list[Entry]) -> None:
    latest = {record.service: record.at for record, _, _ in records if record.outcome != "advised"}
    for record, teller, late in records:
        if record.at > diary.end - KEPT or (record.outcome != "advised" and latest[record.service] == record.at):
            diary.note("service_records", record, teller, late=late)


def _read(diary: Diary, v: Vehicle) -> None:
    """Odometer readings: at the purchase, at visits, from the owner; some of them wrong in the ways that people are."""
    since = (diary.end - KEPT).date()
    _reading(diary, v, v.acquired, v.miles if v.miles > 100 else v.driven(v.acquired), "workshop")
    silent = diary.chance(0.06)  # visits without a reading: somebody at the desk never fills the field in
    for visit in v.visits:
        day = visit.at.date()
        if day > since and day > v.acquired and not silent:
            _reading(diary, v, day, v.meter(day), "workshop", at=visit.at)
    if diary.chance(0.16) and not v.retired and v.acquired < diary.today - 400 * DAY:
        for _ in range(diary.rng.randint(1, 3)):
            day = diary.ago(8, 380)
            _reading(diary, v, day, round(v.meter(day), -2), "website", at=diary.home(day))
    if v.replaced and not v.retired:
        day, done = v.replaced
        _reading(diary, v, day, done, "workshop", at=diary.desk(day))
        _reading(diary, v, day + DAY, v.meter(day + DAY), "workshop", at=diary.desk(day) + timedelta(hours=20))
        summary = f"New instrument cluster in the {v.label}; the old one stood at {done:,} miles, the new one at 0."
        note = Interaction(
            customer=v.owner.id, at=diary.desk(day), direction="in", medium="voice", by=STAFF[1], summary=summary
        )
        diary.note("history", note, "desk")


def _reading(diary: Diary, v: Vehicle, day: date, miles: int, teller: Teller, *, at: datetime | None = None) -> None:
    rng, value, unit = diary.rng, float(miles), "mi"
    slip = rng.random()
    text = str(miles)
    if len(text) > 3 and slip < 0.012:  # two digits changed places
        spot = rng.randrange(len(text) - 1)
        value = float(text[:spot] + text[spot + 1] + text[spot] + text[spot + 2 :])
    elif len(text) > 3 and slip < 0.018:  # a digit lost
        value = float(text[:-1])
    elif len(text) > 3 and slip < 0.021:  # a digit too many
        value = float(f"{text}{rng.randrange(10)}")
    elif slip < 0.027:  # a display set to kilometres, copied down as miles
        value = float(round(miles * KM_PER_MILE))
    elif slip < 0.032:  # the same, noted rightly
        value, unit = float(round(miles * KM_PER_MILE)), "km"
    reading = Reading(customer=v.owner.id, at=at or diary.desk(day), asset=v.id, value=value, unit="mi")
    if unit == "km":
        reading = msgspec.structs.replace(reading, unit="km")
    diary.note("readings", reading, teller)
    if value != miles and unit == "mi" and diary.chance(0.4):
        late = min(timedelta(days=rng.randrange(1, 20)), diary.end - reading.at - timedelta(hours=8))
        diary.note("readings", msgspec.structs.replace(reading, void=True), teller, late=late)
        right = msgspec.structs.replace(reading, value=float(miles))
        diary.note("readings", right, teller, late=late + timedelta(minutes=1))


def _recalls(diary: Diary, vehicles: list[Vehicle]) -> None:
    for campaign, title, model, (first, last) in RECALLS:
        day = diary.open_day(diary.ago(4, 90))
        for v in vehicles:
            if v.model.model == model and first <= v.year <= last and v.retired is None:
                data: dict[str, str | float | int | bool | None] = {"campaign": campaign, "title": title}
                recall = Event(customer=v.owner.id, at=diary.desk(day), kind="recall", asset=v.id, data=data)
                diary.note("events", recall, "dms")


def _plans(diary: Diary, vehicles: list[Vehicle]) -> None:
    """Some plans were made for one customer by a person: the oil of a car that pulls a trailer, a long-life oil."""
    engines = [v for v in vehicles if v.model.fuel != "electric" and v.retired is None]
    for v in diary.some(engines, 14):
        every = diary.rng.choice((Interval(months=12, distance="7500 mi"), Interval(months=6, distance="4000 mi")))
        at = diary.desk(max(v.acquired, diary.ago(30, 600)))
        plan = ServicePlan(customer=v.owner.id, at=at, service="oil_change", asset=v.id, every=every, by=STAFF[0])
        diary.note("service_records", plan, "desk")
