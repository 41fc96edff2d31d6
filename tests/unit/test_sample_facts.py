"""The sample customers of the shipped deployment, and the tool that makes them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import phonenumbers
import pytest
import yaml
from sample_tools import decoded, load, of

from commsched.model.facts import (
    AnyFact,
    Appointment,
    Asset,
    Consent,
    ContactPoint,
    Custom,
    Customer,
    Event,
    Fact,
    Intent,
    Reading,
    ServiceRecord,
)

ROOT = Path(__file__).resolve().parents[2]
SIZE = 2_000_000


@pytest.fixture(scope="module")
def tool():
    return load("sample_facts")


@pytest.fixture(scope="module")
def files(tool):
    return tool.sample()


@pytest.fixture(scope="module")
def facts(files) -> list[Fact]:
    return decoded(files)


@pytest.fixture(scope="module")
def words():
    vocabulary = yaml.safe_load((ROOT / "config" / "vocabulary.yaml").read_text())
    services = yaml.safe_load((ROOT / "config" / "services.yaml").read_text())["services"]
    return vocabulary, services


def test_the_committed_files_are_what_the_tool_makes_by_default(files):
    """The facts in the repository are those that ``make facts`` writes, byte for byte."""
    committed = {path.name: path.read_bytes() for path in (ROOT / "facts").glob("*.jsonl")}
    assert sorted(committed) == sorted(files)
    assert [name for name in files if committed[name] != files[name]] == []


def test_the_same_arguments_give_the_same_bytes(tool):
    """Two runs with the same seed agree, and another seed gives other customers."""
    once, again = tool.sample(customers=40), tool.sample(customers=40)
    assert once == again
    assert tool.sample(customers=40, seed=8) != once


@pytest.mark.parametrize("as_of", [date(2025, 3, 10), date(2027, 7, 4)])
def test_any_day_can_be_the_day_it_ends_on(tool, as_of):
    """Nothing is learnt on the day itself or later."""
    decoder = msgspec.json.Decoder(AnyFact)
    files = tool.sample(as_of, customers=60)
    learnt = [decoder.decode(line).recorded_at for content in files.values() for line in content.splitlines()]
    midnight = datetime.combine(as_of, time(), ZoneInfo("America/Chicago"))
    assert midnight - timedelta(days=6) < max(learnt) < midnight


def test_there_are_enough_customers_and_vehicles(files, facts):
    """At least 300 customers with 450 vehicles, in less than two megabytes of lines that end as they should."""
    assert len({fact.customer for fact in of(facts, Customer)}) >= 300
    assert len({fact.id for fact in of(facts, Asset)}) >= 450
    assert sum(map(len, files.values())) < SIZE
    assert all(content.endswith(b"\n") and b"\r" not in content for content in files.values())


def test_every_fact_belongs_to_somebody_known(facts):
    """Customers, vehicles and appointments that facts speak of exist."""
    customers = {fact.customer for fact in of(facts, Customer)}
    vehicles = {fact.id for fact in of(facts, Asset)}
    assert {fact.customer for fact in facts if fact.customer} <= customers
    assert {asset for fact in facts if isinstance(asset := getattr(fact, "asset", None), str)} <= vehicles
    assert all(fact.source and fact.stated_by and fact.recorded_at and fact.at <= fact.recorded_at for fact in facts)


def test_only_declared_words_are_used(facts, words):
    """Services, items, events, roles, topics, attributes and custom facts all stand in the vocabulary."""
    vocabulary, services = words
    topics = set(vocabulary["topics"]) | {topic for below in vocabulary["topics"].values() for topic in below}
    items = set(vocabulary["items"]) | {
        same for item in vocabulary["items"].values() for same in item.get("same_as", [])
    }
    assert {fact.service for fact in of(facts, ServiceRecord)} <= set(services)
    assert {fact.service for fact in of(facts, Appointment) if fact.service is not msgspec.UNSET} <= set(services)
    assert {fact.item for fact in of(facts, Event) if fact.item} <= items
    assert {fact.topic for fact in (*of(facts, Intent), *of(facts, Consent)) if fact.topic} <= topics
    assert {name for fact in of(facts, Custom) for name in fact.facts} <= set(vocabulary["facts"])
    for event in of(facts, Event):
        assert set(event.data) <= set(vocabulary["events"][event.kind])
    for person in of(facts, Customer):
        assert person.roles is msgspec.UNSET or set(person.roles) <= set(vocabulary["roles"])
    for asset in of(facts, Asset):
        assert asset.attributes is msgspec.UNSET or set(asset.attributes) <= set(vocabulary["assets"]["car"])


def test_addresses_are_made_up_and_possible(facts):
    """Phones are in the range kept for fiction, mail goes to reserved domains, and none of them is the dealer's own."""
    for point in of(facts, ContactPoint):
        if point.kind == "phone":
            assert re.fullmatch(r"\+1\d{3}55501\d\d", point.address)
            assert phonenumbers.is_possible_number(phonenumbers.parse(point.address))
        if point.kind == "email":
            assert re.search(r"@(example\.(com|org|net)|[a-z-]+\.example)$", point.address)
    assert not {"+18475550142", "+18475550143"} & {point.address for point in of(facts, ContactPoint)}


def test_mileage_goes_with_the_work_done(facts):
    """What the workshop writes down of a vehicle never runs backwards, unless its meter was replaced."""
    meters = defaultdict(list)
    for record in of(facts, ServiceRecord):
        if record.reading is not None:
            meters[record.asset].append((record.at, record.reading))
    backwards = [asset for asset, values in meters.items() if any(b < a for (_, a), (_, b) in pairwise(sorted(values)))]
    assert len(meters) > 250
    assert 0 < len(backwards) <= 7


def test_people_make_the_mistakes_that_people_make(facts):
    """There are voided readings, some that run backwards, kilometres among miles, addresses that come back wrong."""
    readings = defaultdict(list)
    for reading in of(facts, Reading):
        readings[reading.asset].append((reading.at, reading.value))
    assert sum(any(b < a for (_, a), (_, b) in pairwise(sorted(values))) for values in readings.values()) > 5
    assert any(reading.void for reading in of(facts, Reading))
    assert {reading.unit for reading in of(facts, Reading)} == {"mi", "km"}
    corrected = {
        (point.customer, point.address)
        for point in of(facts, ContactPoint)
        if point.valid is False and point.stated_by == "customer"
    }
    again = {(point.customer, point.address) for point in of(facts, ContactPoint) if point.valid is True}
    assert len(corrected & again) >= 10


def test_every_kind_of_story_is_there(facts):
    """Appointments in every state, opt-outs, Spanish, other zones, shared phones, the deceased, the duplicates."""
    customers, appointments = of(facts, Customer), of(facts, Appointment)
    assert {fact.status for fact in appointments} >= {
        "proposed",
        "booked",
        "confirmed",
        "cancelled",
        "completed",
        "no_show",
    }
    assert len({fact.type for fact in facts}) >= 18
    assert {fact.status for fact in customers} >= {"prospect", "former", "deceased"}
    assert any(fact.locale == "es" for fact in customers)
    assert any(isinstance(fact.timezone, str) for fact in customers)
    assert any(isinstance(fact.same_as, str) for fact in customers)
    assert any(fact.topic and fact.for_ == "10y" for fact in of(facts, Intent))
    owners = Counter(
        address
        for _, address in {
            (point.customer, point.address) for point in of(facts, ContactPoint) if point.kind != "postal"
        }
    )
    assert max(owners.values()) >= 2
