"""The services file: what it says, and how it is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commsched.model.facts import Interval
from commsched.rules.problems import Findings
from commsched.rules.rule import Schedule
from commsched.rules.services import compile_services
from commsched.rules.yamldoc import parse_document


@pytest.fixture
def compiled(vocabulary):
    def compile_text(text):
        findings = Findings(parse_document(text, "s.yaml"))
        return compile_services(findings, vocabulary), [str(problem) for problem in findings.problems]

    return compile_text


def test_a_service_is_as_it_is_written(compiled):
    """Everything that a service says is there, its expressions compiled."""
    services, problems = compiled("""
services:
  oil:
    name: Oil change
    for: asset.kind == "car" && facts.shares_mileage
    every: {months: 12, distance: 10000 mi}
    first: {weeks: 3, days: 2, hours: 250}
    duration: 1h 30m
    calendar: bays
    prep: [{id: cold, begins: start - 2h, notice: 1d}]
  plain: {name: Plain}
""")
    assert problems == []
    oil, plain = services["oil"], services["plain"]
    assert (oil.id, oil.name, oil.calendar, oil.duration) == ("oil", "Oil change", "bays", timedelta(minutes=90))
    assert oil.schedule == Schedule(
        every=Interval(months=12, distance="10000 mi"), first=Interval(weeks=3, days=2, hours=250)
    )
    assert oil.needs is not None
    assert oil.needs.holds({"asset.kind": "car", "facts.shares_mileage": True}) is True
    assert [(prep.id, prep.begins.text, prep.notice) for prep in oil.prep] == [
        ("cold", "start - 2h", timedelta(days=1))
    ]
    assert (plain.needs, plain.schedule, plain.severe, plain.prep) == (None, Schedule(), (), ())
    assert plain.duration == timedelta(hours=1)


def test_marks_and_severe_use_are_as_they_are_written(compiled):
    """`once` takes readings, hours and ages; `severe` one variant or several, each a schedule of its own."""
    services, problems = compiled("""
services:
  coolant: {name: Coolant, once: [45000 mi, "75000 mi", {months: 120, distance: 105000 mi}], every: {months: 24}}
  drive: {name: Drive leg, once: 500 h}
  oil:
    name: Oil change
    every: {months: 12}
    severe: {when: facts.shares_mileage, every: {months: 6}, first: {months: 3}}
  belts:
    name: Belts
    every: {months: 24}
    severe:
      - {when: asset.kind == "car", once: [300 h]}
      - {when: mood == "fine", every: {months: 6}}
""")
    assert problems == []
    assert services["coolant"].schedule == Schedule(
        every=Interval(months=24),
        once=(
            Interval(distance="45000 mi"),
            Interval(distance="75000 mi"),
            Interval(months=120, distance="105000 mi"),
        ),
    )
    assert services["drive"].schedule.once == (Interval(hours=500),)
    (often,) = services["oil"].severe
    assert often.when.holds({"facts.shares_mileage": True}) is True
    assert often.schedule == Schedule(every=Interval(months=6), first=Interval(months=3))
    assert [variant.schedule.once for variant in services["belts"].severe] == [(Interval(hours=300),), ()]


S = "services:\n  s:\n    name: S\n    "


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "service: {}",
            [
                "s.yaml:1: The key `services` is missing.",
                ("s.yaml:1: There is no key 'service' here; did you mean 'services'?"),
            ],
        ),
        ("services: {s: {}}", ["s.yaml:1: The key `name` is missing."]),
        (S + "evry: {months: 3}", ["s.yaml:4: There is no key 'evry' here; did you mean 'every'?"]),
        (S + "every: {month: 3}", ["s.yaml:4: There is no key 'month' here; did you mean 'months'?"]),
        (S + "every: {}", ["s.yaml:4: `every` says nothing; write {months: 12} or {distance: 10000 km}."]),
        (S + "every: {months: 0}", ["s.yaml:4: `months` must be at least 1, but is 0."]),
        (S + "every: 12mo", ["s.yaml:4: `every` must have keys of its own (`key: value`), but is '12mo'."]),
        (
            S + "every: {distance: far}",
            ["s.yaml:4: `distance`: 'far' is not a distance; write 15000 km, 10000 mi or 250 h."],
        ),
        (S + "every: {distance: 10000}", ["s.yaml:4: `distance` must be a text, but is 10000; put it in quotes."]),
        (
            S + "every: {distance: 250 h}",
            [("s.yaml:4: `distance`: '250 h' is not a distance; write `hours: 250` for meters that count hours.")],
        ),
        (
            S + "every: {months: 3}\n    once: 45000",
            ["s.yaml:5: `once` must be a list, such as [a, b], but is 45000."],
        ),
        (S + "once: [far]", ["s.yaml:4: `once`: 'far' is not a distance; write 15000 km, 10000 mi or 250 h."]),
        (
            S + "once: [45000 mi, 30000 mi]",
            ["s.yaml:4: `once` must rise, and each part of it with it: [45000 mi, 75000 mi, 105000 mi]."],
        ),
        (
            S + "once: [45000 mi, {months: 90}]",
            ["s.yaml:4: `once` must rise, and each part of it with it: [45000 mi, 75000 mi, 105000 mi]."],
        ),
        (
            S + "every: {months: 3}\n    first: {months: 2}\n    once: [500 h]",
            ["s.yaml:5: `first` and `once` both say when it is due at first; keep one."],
        ),
        (
            S + 'severe: {when: asset.kind == "car"}',
            ["s.yaml:4: `severe` needs `every` or `once`: how often it is due then."],
        ),
        (
            S + 'severe: {when: asset.knd == "car", every: {months: 3}}',
            ["s.yaml:4: `when`: column 1: there is no 'asset.knd' here; did you mean 'asset.kind'?"],
        ),
        (S + "first: {months: 3}", ["s.yaml:4: `first` needs `every`: how often it is due after that."]),
        (S + "duration: 1mo", ["s.yaml:4: `duration`: '1mo' has no fixed length; write it in days or hours."]),
        (S + "duration: 0m", ["s.yaml:4: `duration` must be longer than nothing."]),
        (S + 'for: asset.kind == "cat"', ["s.yaml:4: `for`: asset.kind is never 'cat'; did you mean 'car'?"]),
        (
            S + "for: asset.colour",
            [
                (
                    "s.yaml:4: `for`: column 1: there is no 'asset.colour' here (known are asset.breed,"
                    " asset.fuel, asset.id, asset.in_use, asset.kind, asset.model, asset.seats, asset.value)."
                )
            ],
        ),
        (
            S + "prep:\n      - {id: a, begins: end + 1h, notice: 1h}",
            [("s.yaml:5: `begins`: 'end + 1h' is after the appointment; a preparation comes before it.")],
        ),
        (
            S + "prep:\n      - {id: a, begins: stat - 1h, notice: 1h}",
            [
                (
                    "s.yaml:5: `begins`: Column 1 of 'stat - 1h': 'stat' is"
                    " not known here; did you mean 'start'? (one of: start, end)."
                )
            ],
        ),
        (
            S + "prep:\n      - {id: a, begins: start - 1h, notice: 1h}\n      - {id: a, begins: start, notice: 1h}",
            ["s.yaml:6: The prep step 'a' stands twice in 's'."],
        ),
        (
            S + "prep:\n      - {id: a}",
            ["s.yaml:5: The key `begins` is missing.", "s.yaml:5: The key `notice` is missing."],
        ),
    ],
)
def test_a_wrong_service_is_told_in_words(compiled, text, said):
    """Each slip has its line and what would be right."""
    assert compiled(text)[1] == said
