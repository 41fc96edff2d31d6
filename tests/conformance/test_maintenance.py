"""A carmaker's real maintenance schedule, and a real car's odometer."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta

import pytest

from benchmarks.forecast import judged, real_logs
from commsched.model.facts import Asset as AssetFact
from commsched.model.facts import Reading, ServiceRecord
from commsched.planning.due import dues
from commsched.planning.fold import fold
from commsched.planning.ledger import ledger_of
from commsched.rules.loading import load_services
from commsched.timing.civil import add_months
from tests.conformance.corpora import corpus
from tests.worlds import WORDS, world

SCHEDULE = json.loads(corpus("maintenance/edmunds_ford_4.6_schedule.json").read_text("utf-8"))
REPEATS, ONCE = 4, 3
KM = 1.609344
BOUGHT = date(2018, 3, 1)
# What a forecast may be off by: the car here is driven evenly.
TOLERANCE = 12


def services_of(items):
    """The schedule as the text of a services file: items by id, the marks of what is done once joined by its name."""
    lines, marks = ["services:"], {}
    for item in items:
        if item["frequency"] == ONCE:
            marks.setdefault(f"{item['item']}: {item['action']}", []).append(item["interval_miles"])
            continue
        parts = []
        if item["interval_months"]:
            parts.append(f"months: {item['interval_months']}")
        if item["interval_miles"]:
            parts.append(f"distance: {item['interval_miles']} mi")
        name = json.dumps(f"{item['item']}: {item['action']}")
        lines.append(f"  i{item['id']}: {{name: {name}, every: {{{', '.join(parts)}}}}}")
    for name, miles in marks.items():
        listed = ", ".join(f"{mark} mi" for mark in sorted(miles))
        lines.append(f"  once: {{name: {json.dumps(name)}, once: [{listed}]}}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def ford(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ford")
    made = world(folder)
    (folder / "services.yaml").write_text(services_of(SCHEDULE["items"]))
    services = load_services(folder / "services.yaml", WORDS)
    made.services.clear()
    made.services.update(services)
    return made


def test_every_item_of_the_schedule_loads(ford):
    """Forty items; the three that are due once are one service with three marks."""
    marks = [item for item in SCHEDULE["items"] if item["frequency"] == ONCE]
    assert {item["frequency"] for item in SCHEDULE["items"]} == {REPEATS, ONCE}
    assert len(ford.services) == len(SCHEDULE["items"]) - len(marks) + 1
    assert [mark.distance for mark in ford.services["once"].schedule.once] == ["45000 mi", "75000 mi", "105000 mi"]


class Car:
    """A car that is driven evenly from new, with a history of work; the oracle of what is due next."""

    def __init__(self, seed):
        dice = random.Random(seed)
        self.daily, self.days = dice.uniform(15, 60), dice.randrange(400, 3000)
        self.done = {item["id"]: dice.randrange(1, self.days) for item in SCHEDULE["items"] if dice.random() < 0.5}
        self.read = sorted({dice.randrange(self.days - 380, self.days) for _ in range(9)} | {self.days})

    def miles(self, day):
        return round(self.daily * day)

    def day(self, number):
        return BOUGHT + timedelta(days=number)

    def facts(self):
        def at(number):
            return datetime.combine(self.day(number), datetime.min.time(), UTC) + timedelta(hours=12)

        common = {"customer": "C1", "source": "test", "stated_by": "staff"}
        yield AssetFact(at=at(0), recorded_at=at(0), id="V", kind="car", acquired_on=BOUGHT, in_use=True, **common)
        for number in self.read:
            yield Reading(
                at=at(number), recorded_at=at(number), asset="V", value=self.miles(number), unit="mi", **common
            )
        for item in SCHEDULE["items"]:
            number = self.done.get(item["id"])
            if number is not None:
                service = f"i{item['id']}" if item["frequency"] == REPEATS else "once"
                yield ServiceRecord(
                    at=at(number), recorded_at=at(number), service=service, asset="V", reading=self.miles(number),
                    unit="mi", outcome="done", **common,
                )  # fmt: skip

    def reached(self, miles):
        return self.day(round(miles / self.daily))

    def expected(self):
        """What a person with a calendar and a pocket calculator would say: of each service, when and at how many."""
        for item in SCHEDULE["items"]:
            if item["frequency"] == REPEATS:
                since = self.done.get(item["id"], 0)
                ways = []
                if item["interval_months"]:
                    ways.append(add_months(self.day(since), item["interval_months"]))
                if item["interval_miles"]:
                    ways.append(self.reached(self.miles(since) + item["interval_miles"]))
                yield f"i{item['id']}", min(ways)
        marks = sorted(item["interval_miles"] for item in SCHEDULE["items"] if item["frequency"] == ONCE)
        came = [
            self.miles(self.done[i["id"]]) for i in SCHEDULE["items"] if i["frequency"] == ONCE and i["id"] in self.done
        ]
        open_marks = [
            mark
            for mark, before in zip(marks, [0, *marks], strict=False)
            if not any(miles >= mark - 0.1 * (mark - before) for miles in came)
        ]
        passed = [mark for mark in open_marks if mark <= self.miles(self.days)]
        ahead = [mark for mark in open_marks if mark > self.miles(self.days)]
        for mark in passed[-1:] + ahead[:1]:
            yield "once", self.reached(mark)


@pytest.mark.parametrize("seed", range(40))
def test_at_any_mileage_and_age_the_right_items_come_next(ford, seed):
    """For cars of any age, mileage and history, each item is due when a straightforward reckoning says so."""
    car = Car(seed)
    ledger = ledger_of("C1", list(car.facts()))
    now = datetime.combine(car.day(car.days), datetime.max.time(), UTC)
    found = sorted((due.service.id, due.on) for due in dues(fold(ledger, now), ford, sorted(ford.services)))
    today = car.day(car.days)
    # What is a decade away is never due; the forecasts need not agree on where that begins.
    far = today + timedelta(days=3000)
    expected = sorted(one for one in car.expected() if one[1] < far)
    names = {name for name, _ in expected}
    found = [one for one in found if one[0] in names]
    assert [name for name, _ in found] == [name for name, _ in expected]
    for (name, said), (_, right) in zip(found, expected, strict=True):
        if right > today:
            off = max(TOLERANCE, 0.06 * (right - today).days)
            assert abs((said - right).days) <= off, f"{name}: {said}, but {right} is right"
        else:
            # What is past is dated when it was seen: by the first reading at or after that.
            assert right - timedelta(days=TOLERANCE) <= said <= today


def test_a_real_car_is_forecast_better_than_by_any_rule_of_thumb():
    """The odometer of a car over a year, with a gap of eleven weeks: smaller errors, in the middle and at worst."""
    logs = real_logs()
    assert logs
    for log in logs.values():
        assert judged([log]).beats_all
