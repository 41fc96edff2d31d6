"""When a service is due: intervals, marks, severe use, advice, plans; and what a due date belongs to."""

from __future__ import annotations

from datetime import date

import pytest

from commsched.planning.due import dues
from commsched.planning.fold import fold
from commsched.rules.loading import load_services
from tests.worlds import WORDS, at, ledger, planned, world

TODAY = "2026-12-01 09:00"
CAR = {"type": "asset", "at": "2024-01-10 10:00", "id": "V1", "kind": "car", "acquired_on": "2024-01-10"}
SERVICES = """
services:
  oil:
    name: Oil
    for: asset.kind == "car"
    every: {months: 12, distance: 10000 km}
    first: {months: 6, distance: 5000 km}
  tires: {name: Tires, for: asset.kind == "car", every: {distance: 20000 km}}
  coolant: {name: Coolant, for: asset.kind == "car", once: [45000 km, 75000 km, 105000 km]}
  belt: {name: Belt, for: asset.kind == "car", once: [{months: 48, distance: 90000 km}], every: {months: 24}}
  brakes:
    name: Brakes
    for: asset.kind == "car"
    every: {months: 24}
    severe:
      - {when: asset.fuel == "taxi", every: {months: 6}}
      - {when: facts.tier == "snow", every: {months: 12}}
  motor: {name: Motor, for: asset.kind == "car", every: {hours: 250}}
  checkup: {name: Check-up, every: {months: 6}}
  scope: {name: Colonoscopy}
"""


@pytest.fixture
def found(tmp_path):
    (tmp_path / "services.yaml").write_text(SERVICES)
    made = world(tmp_path)
    (tmp_path / "services.yaml").write_text(SERVICES)
    services = load_services(tmp_path / "services.yaml", WORDS)
    made.services.clear()
    made.services.update(services)

    def of(*lines, names=tuple(services), now=TODAY):
        return {
            (due.service.id, due.asset.id if due.asset else None, due.occurrence): due.when
            for due in dues(fold(ledger(*lines), at(now)), made, names)
        }

    return of


def record(day, service="oil", outcome="done", **more):
    return {
        "type": "service_record", "at": f"{day} 10:00", "id": f"R{day}", "service": service, "asset": "V1",
        "outcome": outcome, **more,
    }  # fmt: skip


def reading(day, value, unit="km", **more):
    return {"type": "reading", "at": f"{day} 10:00", "asset": "V1", "value": value, "unit": unit, **more}


def only(found, service):
    """The one due date of a service, and what it belongs to."""
    (one,) = [(key[2], when) for key, when in found.items() if key[0] == service]
    return one


DRIVEN = [reading(f"2026-{month:02d}-10", 20_000 + 1000 * month) for month in range(1, 12)]


def test_the_first_interval_differs_from_later_ones(found):
    """Six months after the car came, then a year after each record."""
    assert only(found(CAR), "oil")[1].on == date(2024, 7, 10)
    occurrence, when = only(found(CAR, record("2026-03-05")), "oil")
    assert (occurrence, when.on, when.certain, when.by_usage) == ("R2026-03-05", date(2027, 3, 5), True, False)


def test_usage_comes_first_where_much_is_driven(found):
    """Ten thousand kilometres after the record's reading, which is when the meter will show it, not before."""
    _, when = only(found(CAR, *DRIVEN, record("2026-06-12", reading=26_050)), "oil")
    assert when.by_usage
    assert when.certain
    assert when.reading == 36_050
    assert abs((when.on - date(2027, 4, 12)).days) < 15
    assert when.earliest < when.on < when.latest <= date(2027, 6, 12)


def test_time_bounds_a_vague_forecast(found):
    """However vague the usage, it is due by time at the latest."""
    _, when = only(
        found(CAR, reading("2026-01-10", 20_000), reading("2026-06-12", 22_000), record("2026-06-12")), "oil"
    )
    assert when.latest == date(2027, 6, 12)


@pytest.mark.parametrize("known", [[], [reading("2026-11-01", 26_000)]])
def test_with_one_reading_or_none_usage_alone_claims_nothing(found, known):
    """Where only distance counts, it asks; where time counts too, time decides."""
    done = [record("2026-06-12"), record("2026-06-12", "tires")]
    got = found(CAR, *known, *done)
    _, tires = only(got, "tires")
    assert tires.by_usage
    assert not tires.certain
    assert (tires.latest - tires.earliest).days > 300
    assert only(got, "oil")[1].on == date(2027, 6, 12)
    assert only(got, "oil")[1].certain


def test_each_mark_comes_once(found):
    """At 45,000, 75,000 and 105,000: each an occurrence of its own; after the last there is none."""
    far = [reading(f"2026-{month:02d}-10", 30_000 + 1000 * month) for month in range(1, 12)]
    occurrence, when = only(found(CAR, *far), "coolant")
    assert (occurrence, when.reading) == ("once-45000km", 45_000)
    assert abs((when.on - date(2027, 3, 10)).days) < 15
    done = record("2026-10-10", "coolant", reading=44_000)
    far = [reading(f"2026-{month:02d}-10", 34_000 + 1000 * month) for month in range(1, 12)]
    assert only(found(CAR, *far, done), "coolant")[0] == "once-75000km"
    late = record("2026-11-10", "coolant", reading=106_000)
    old = [reading(f"2026-{month:02d}-10", 95_000 + 1000 * month) for month in range(1, 12)]
    assert "coolant" not in {key[0] for key in found(CAR, *old, late)}


def test_of_marks_that_were_passed_the_last_is_left(found):
    """A car of 80,000 is asked to come once for what was due at 45,000 and 75,000, and later for 105,000."""
    car = {**CAR, "acquired_on": "2010-01-10"}
    old = [reading(f"2026-{month:02d}-10", 70_000 + 1000 * month) for month in range(1, 12)]
    marks = {key[2]: when.on for key, when in found(car, *old, names=("coolant",)).items()}
    assert list(marks) == ["once-75000km", "once-105000km"]
    assert marks["once-75000km"] == date(2026, 5, 10)


def test_marks_behind_the_car_when_it_was_bought_are_nobodys_business(found):
    """A car bought at 60,000 has its first mark at 75,000."""
    car = {**CAR, "acquired_on": "2026-01-10"}
    old = [reading(f"2026-{month:02d}-10", 59_000 + 1000 * month) for month in range(1, 12)]
    assert [key[2] for key in found(car, *old, names=("coolant",))] == ["once-75000km"]


def test_a_mark_may_be_an_age_and_an_interval_may_follow(found):
    """Four years or 90,000, whichever comes first; then every two years."""
    assert only(found(CAR, *DRIVEN), "belt")[0] == "once-48mo+90000km"
    assert only(found(CAR, *DRIVEN), "belt")[1].on == date(2028, 1, 10)
    early = found(CAR, *DRIVEN, record("2026-03-10", "belt"))
    assert only(early, "belt")[0] == "once-48mo+90000km"  # far too early to have been for the mark
    occurrence, when = only(found(CAR, *DRIVEN, record("2027-11-10", "belt"), now="2027-12-01 09:00"), "belt")
    assert (occurrence, when.on) == ("R2027-11-10", date(2029, 11, 10))


def test_severe_use_has_another_interval(found):
    """The first variant that holds counts, by what is known of the asset or the customer."""
    done = record("2026-06-12", "brakes")
    assert only(found(CAR, done), "brakes")[1].on == date(2028, 6, 12)
    assert only(found({**CAR, "attributes": {"fuel": "taxi"}}, done), "brakes")[1].on == date(2026, 12, 12)
    snow = {"type": "custom", "at": "2026-01-01 10:00", "facts": {"tier": "snow"}}
    assert only(found(CAR, done, snow), "brakes")[1].on == date(2027, 6, 12)


def test_hours_are_counted_on_a_meter_of_their_own(found):
    """A machine may have both meters; each interval reads its own."""
    hours = [reading(f"2026-{month:02d}-10", 25.0 * month, "h") for month in range(1, 12)]
    _, when = only(found(CAR, *DRIVEN, *hours, record("2026-06-10", "motor", reading=150, unit="h")), "motor")
    assert (when.reading, when.hours) == (400, True)
    assert abs((when.on - date(2027, 4, 10)).days) < 20


def test_declined_is_not_asked_again_until_the_next_interval(found):
    """No reminder goes on, but a later interval comes round."""
    occurrence, when = only(found(CAR, record("2025-06-12"), record("2026-06-12", outcome="declined")), "oil")
    assert (occurrence, when.on) == ("R2026-06-12", date(2027, 6, 12))


def test_done_elsewhere_counts_from_what_the_meter_will_have_shown(found):
    """Without a reading of its own, the record stands where the meter stood that day."""
    _, when = only(found(CAR, *DRIVEN, record("2026-06-25", outcome="done_elsewhere")), "oil")
    assert when.reading == pytest.approx(36_500, abs=10)
    _, unread = only(found(CAR, record("2026-06-25", outcome="done_elsewhere")), "oil")
    assert unread.on == date(2027, 6, 25)


def test_a_recheck_that_was_advised_comes_on_its_day(found):
    """Even for a service that would not come up at all, and in place of an interval that ends about then."""
    advice = record("2026-10-01", "scope", "advised", recheck_on="2027-01-15", severity="safety")
    occurrence, when = only(found(CAR, advice), "scope")
    assert (occurrence, when.on, when.certain) == ("R2026-10-01", date(2027, 1, 15), True)
    done = record("2026-02-05", "oil")
    advice = record("2026-10-01", "oil", "advised", recheck_on="2027-01-15")
    assert [when.on for key, when in found(CAR, done, advice).items() if key[0] == "oil"] == [date(2027, 1, 15)]
    done = record("2025-12-10", "oil")
    both = [when.on for key, when in found(CAR, done, advice).items() if key[0] == "oil"]
    assert both == [date(2027, 1, 15), date(2026, 12, 10)]


def test_a_recheck_is_settled_by_the_work_and_moved_by_newer_advice(found):
    """Done since: nothing is left of it. Advised anew: the newer date counts. Done at the same visit: it stays."""
    advice = record("2026-10-01", "scope", "advised", recheck_on="2027-01-15")
    assert "scope" not in {key[0] for key in found(CAR, advice, record("2026-11-01", "scope"))}
    newer = record("2026-11-01", "scope", "advised", recheck_on="2027-03-01")
    assert only(found(CAR, advice, newer), "scope")[0] == "R2026-11-01"
    same_visit = {**record("2026-10-01", "oil"), "id": "done"}
    advised = record("2026-10-01", "oil", "advised", recheck_on="2027-01-15")
    assert {key[2] for key in found(CAR, same_visit, advised) if key[0] == "oil"} == {"done", "R2026-10-01"}


def test_a_plan_of_a_person_needs_neither_asset_nor_record(found):
    """A doctor's date counts as stated; another date is another occasion; what was done since settles it."""
    plan = {
        "type": "service_plan",
        "at": "2026-06-01 10:00",
        "service": "scope",
        "next_due": "2027-02-01",
        "by": "Dr. Lee",
    }
    assert {key: when.on for key, when in found(plan).items()} == {
        ("scope", None, "first@2027-02-01"): date(2027, 2, 1)
    }
    moved = {**plan, "at": "2026-07-01 10:00", "next_due": "2027-05-01"}
    assert [key[2] for key in found(plan, moved)] == ["first@2027-05-01"]
    done = {**record("2027-02-03", "scope"), "asset": None}
    assert found(plan, done, now="2027-02-10 09:00") == {}


def test_coming_before_the_planned_date_fulfils_the_plan(found):
    """Planned for the 20th and done on the 10th: nobody is asked again; a plan made at that visit stands."""
    plan = {"type": "service_plan", "at": "2026-06-01 10:00", "service": "scope", "next_due": "2026-12-20", "by": "Lee"}
    done = {**record("2026-12-10", "scope"), "asset": None}
    assert found(plan, done, now="2026-12-11 09:00") == {}
    next_one = {**plan, "at": "2026-12-10 09:00", "next_due": "2027-06-20"}
    assert [when.on for when in found(plan, done, next_one, now="2026-12-11 09:00").values()] == [date(2027, 6, 20)]


def test_a_second_car_changes_nothing_about_what_was_done_on_the_first(found):
    """A record that names no car was about the one they had; its occurrence stays what it was."""
    done = {**record("2026-09-10", "oil"), "asset": None}
    second = {**CAR, "id": "V2", "at": "2026-10-01 10:00", "acquired_on": "2026-10-01"}
    before = {key for key in found(CAR, done) if key[0] == "oil"}
    assert before == {("oil", "V1", "R2026-09-10")}
    assert before < {key for key in found(CAR, second, done) if key[0] == "oil"}


def test_a_recheck_and_a_schedule_near_each_other_are_one_thing(found):
    """Whichever of them comes first: the advice is what is spoken of."""
    old = record("2026-01-05", "brakes", outcome="done")
    for day in ("2027-12-20", "2028-01-20"):
        advised = {**record("2026-06-01", "brakes", "advised", recheck_on=day), "id": "RA"}
        assert {key[2] for key in found(CAR, old, advised) if key[0] == "brakes"} == {"RA"}, day


def test_a_plan_with_an_interval_begins_when_it_was_made(found):
    """Every three months from the plan, then from each record, in place of the service's own interval."""
    plan = {
        "type": "service_plan",
        "at": "2026-06-01 10:00",
        "service": "checkup",
        "every": {"months": 3},
        "by": "Dr. Lee",
    }
    assert only(found(plan), "checkup")[1].on == date(2026, 9, 1)
    done = {**record("2026-09-10", "checkup"), "asset": None}
    assert only(found(plan, done), "checkup")[1].on == date(2026, 12, 10)
    for_car = {**plan, "service": "oil", "asset": "V1"}
    assert only(found(CAR, for_car), "oil")[1].on == date(2026, 9, 1)


def test_a_plan_counts_where_nobody_knows_that_it_is_needed(found):
    """What a person planned for an asset is due for it, whatever `for:` makes of it."""
    boat = {**CAR, "kind": "boat"}
    plan = {
        "type": "service_plan",
        "at": "2026-06-01 10:00",
        "service": "oil",
        "asset": "V1",
        "every": {"months": 3},
        "by": "Tom",
    }
    assert found(boat) == {key: when for key, when in found(boat).items() if key[0] == "checkup"}
    assert only(found(boat, plan), "oil")[1].on == date(2026, 9, 1)


def test_services_of_the_customer_come_round_without_an_asset(found):
    """The dentist's check-up has no asset; it starts with the first one that was done."""
    done = {**record("2026-09-10", "checkup"), "asset": None}
    assert found(done)["checkup", None, "R2026-09-10"].on == date(2027, 3, 10)


def test_several_cars_are_told_apart_and_a_sold_one_is_silent(found):
    """Each has its own dates; a record that names no car is about the only one there is."""
    other = {**CAR, "id": "V2", "acquired_on": "2026-05-01"}
    got = found(CAR, other, record("2026-06-12"), names=("oil",))
    assert {key[1]: when.on for key, when in got.items()} == {"V1": date(2027, 6, 12), "V2": date(2026, 11, 1)}
    sold = {**CAR, "at": "2026-08-01 10:00", "in_use": False}
    assert {key[1] for key in found(CAR, other, sold, record("2026-06-12"), names=("oil",))} == {"V2"}
    nameless = {**record("2026-06-12"), "asset": None}
    assert {key[1]: when.on for key, when in found(CAR, nameless, names=("oil",)).items()} == {"V1": date(2027, 6, 12)}
    assert found(CAR, sold, nameless, names=("oil",)) == {}


def test_a_reading_that_is_taken_back_counts_no_more(found):
    """A void takes away the reading, also one that came with a service record."""
    wrong = reading("2026-11-20", 31_900)
    usual = only(found(CAR, *DRIVEN, record("2026-06-12", reading=26_050)), "oil")
    assert only(found(CAR, *DRIVEN, wrong, record("2026-06-12", reading=26_050)), "oil") != usual
    void = {**wrong, "at": "2026-11-20 10:00", "void": True}
    assert only(found(CAR, *DRIVEN, wrong, void, record("2026-06-12", reading=26_050)), "oil") == usual


def test_a_slip_in_the_records_own_reading_does_not_move_the_target(found):
    """A record in miles where the meter counts kilometres stands where the meter stood."""
    slip = record("2026-06-12", reading=round(26_050 / 1.609344))
    assert only(found(CAR, *DRIVEN, slip), "oil")[1].reading == pytest.approx(36_050, abs=60)


def test_a_record_that_is_imported_late_takes_the_place_of_the_older_one(found):
    """What was done in June and is learnt in November settles the reminder; an older record changes nothing."""
    late = record("2026-06-12", recorded_at="2026-11-20 10:00")
    assert only(found(CAR, record("2025-06-12"), late), "oil")[0] == "R2026-06-12"
    older = record("2024-06-12", recorded_at="2026-11-20 10:00")
    assert only(found(CAR, record("2025-06-12"), older), "oil")[0] == "R2025-06-12"


RULE = """
rule: coolant
why: Old coolant eats the engine.
purpose: service
topic: maintenance
department: service
trigger: {service_due: [oil]}
when: due.latest - due.earliest < duration("4000h")
steps:
  - {step: invite, at: due - 21d at 10:00, not_before: due - 35d, deadline: due + 30d, template: oil}
"""


def test_rules_see_how_vague_a_due_date_is(tmp_path):
    """The interval is there for expressions, as instants."""
    made = world(tmp_path, RULE)
    known = (CAR, record("2025-12-20"), record("2026-10-20", service="tires"))
    assert planned(ledger(*known), made, "2026-11-25 09:00") == {"invite": "2026-11-29 10:00"}
    never = world(tmp_path, RULE.replace("4000h", "0h"))
    assert planned(ledger(*known), never, "2026-11-25 09:00") == {}
