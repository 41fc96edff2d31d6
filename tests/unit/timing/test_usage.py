"""The forecast of usage: from readings as they come, with an interval that says how far to trust it."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from benchmarks.forecast import CARS, FLEETS, SEED, judged, made_up
from commsched.timing.meter import HOURS, KILOMETRES, history
from commsched.timing.pace import paces
from commsched.timing.usage import Point, usage

STEADY = [Point(date(2026, month, 1), 1000.0 * month) for month in range(1, 11)]
KM_PER_MILE = 1.609344


def yearly(months, base=0.0, per_month=1000.0, start=2024):
    return [
        Point(date(start + month // 12, month % 12 + 1, 1), base + per_month * (month + 1)) for month in range(months)
    ]


def test_steady_readings_give_a_certain_date():
    """A thousand kilometres a month reach 15,000 about five months after 10,000, and that is certain."""
    found = usage(STEADY).reaches(15_000)
    assert abs((found.on - date(2027, 3, 1)).days) <= 5
    assert found.earliest < found.on < found.latest
    assert found.certain


@pytest.mark.parametrize(
    "wrong",
    [
        Point(date(2026, 5, 15), 44_000.0),  # a GPS fault (traccar-web #186)
        Point(date(2026, 6, 15), 12.0),  # somebody read the trip meter
        Point(date(2026, 6, 15), 60_500.0),  # a digit too many
        Point(date(2026, 10, 20), 1060.0),  # a digit lost, in the newest reading
    ],
)
def test_one_wrong_reading_moves_nothing(wrong):
    """A reading that the meter cannot have shown is left out."""
    right, with_wrong = usage(STEADY), usage([*STEADY, wrong])
    assert with_wrong.rate == pytest.approx(right.rate, rel=0.05)
    assert with_wrong.last == right.last


@pytest.mark.parametrize("factor", [KM_PER_MILE, 1 / KM_PER_MILE])
@pytest.mark.parametrize("place", [0, 4, 9])
def test_miles_taken_for_kilometres_are_set_right(factor, place):
    """One reading in the other unit, be it the first, one between, or the newest, is converted and kept."""
    right = yearly(10, base=90_000)
    wrong = [*right]
    wrong[place] = Point(right[place].on, right[place].value * factor)
    assert usage(wrong).meter.shown == pytest.approx(usage(right).meter.shown)
    assert usage(wrong).reaches(105_000) == usage(right).reaches(105_000)


def test_a_source_that_changes_to_the_other_unit_is_set_right_from_then_on():
    """The new garage writes miles into the field for kilometres, every time."""
    right = yearly(14, base=90_000)
    wrong = [*right[:8], *(Point(point.on, point.value / KM_PER_MILE) for point in right[8:])]
    assert usage(wrong).meter.shown == pytest.approx(usage(right).meter.shown)


def test_a_replaced_meter_goes_on_from_there():
    """What was written down before counts on the scale of the new meter, so an interval runs on across the change."""
    before, after = (
        yearly(8, base=90_000),
        [Point(date(2024, month, 20), 1000.0 * (month - 8)) for month in (9, 10, 11)],
    )
    found = usage([*before, *after])
    assert found.last == after[-1]
    assert found.rate == pytest.approx(1000 / 30.4, rel=0.15)
    record = found.at(before[-1].on, before[-1].value)
    assert -800 < record <= 0  # six weeks before the new meter showed 1,000
    assert abs((found.reaches(record + 10_000).on - date(2025, 6, 1)).days) < 40


def test_one_low_reading_is_no_new_meter():
    """The trip meter read once is left out; only what goes on from there is a new meter."""
    low = Point(date(2024, 9, 20), 300.0)
    assert usage([*yearly(8, base=90_000), low]).last == yearly(8, base=90_000)[-1]


def test_whose_word_counts_for_more():
    """Of two readings that contradict each other, staff who measured outweigh the customer, and both an import."""
    early = [Point(date(2026, 1, 1), 10_000.0, 1), Point(date(2026, 3, 1), 12_000.0, 1)]
    for rank, other in ((2, 1), (2, 0), (1, 0)):
        high, low = Point(date(2026, 5, 1), 14_000.0, rank), Point(date(2026, 5, 20), 13_000.0, other)
        assert usage([*early, high, low]).last.value == 14_000
        high, low = Point(date(2026, 5, 1), 14_000.0, other), Point(date(2026, 5, 20), 13_000.0, rank)
        assert usage([*early, high, low]).last.value == 13_000
    # A slip of staff is outvoted by what comes after, whoever says so.
    slip = [*early, Point(date(2026, 4, 1), 31_000.0, 2)]
    later = [Point(date(2026, month, 1), 10_000.0 + 1000 * (month - 1), 1) for month in (5, 6, 7, 8)]
    assert usage([*slip, *later]).last.value == 17_000


def test_order_does_not_matter():
    """Readings come in as they come."""
    shuffled = STEADY[:]
    random.Random(5).shuffle(shuffled)
    assert usage(shuffled) == usage(STEADY[::-1]) == usage(STEADY)


def test_no_reading_tells_of_everybody():
    """Without a reading nothing is reached; how long a distance takes is what it takes anybody, and very uncertain."""
    found = usage([])
    assert (found.known, found.last, found.reaches(10_000), found.at(date(2026, 1, 1))) == (False, None, None, None)
    guess = found.drives(12_500, date(2026, 1, 1))
    assert abs((guess.on - date(2027, 1, 1)).days) < 10
    assert (guess.on - guess.earliest).days > 150
    assert (guess.latest - guess.on).days > 300
    assert not guess.certain


@pytest.mark.parametrize("points", [STEADY[:1], [STEADY[0], STEADY[0]], [STEADY[0], Point(STEADY[0].on, 1010.0)]])
def test_readings_of_one_day_tell_of_no_pace(points):
    """The meter is known, its pace is everybody's, and nothing ahead is certain; what it has shown is."""
    found = usage(points)
    assert not found.known
    assert not found.reaches(8000).certain
    assert found.reaches(900).certain


def test_two_readings_are_believed_in_part():
    """Three weeks at 100 km a day say more than nothing, and less than half a year of it."""
    start = date(2026, 1, 1)
    short = usage([Point(start, 0.0), Point(start + timedelta(days=21), 2100.0)])
    long = usage([Point(start, 0.0), Point(start + timedelta(days=180), 18_000.0)])
    assert 34 < short.rate < long.rate < 100


def test_a_car_that_stands_gets_nowhere_soon():
    """Where nothing is driven for eight months, nothing comes due by distance for years, and nothing is claimed."""
    found = usage([Point(date(2026, month, 1), 500.0) for month in range(1, 9)]).reaches(9000)
    assert found is None or (found.on > date(2030, 1, 1) and not found.certain)


def test_what_was_reached_is_dated_by_the_reading_that_showed_it():
    """It may have been so since the reading before; later readings change neither."""
    found = usage(STEADY).reaches(4500)
    assert (found.earliest, found.on, found.latest) == (date(2026, 4, 1), date(2026, 5, 1), date(2026, 5, 1))
    assert usage(STEADY[:6]).reaches(4500) == found


def test_the_meter_between_readings_and_beyond():
    """In between evenly, before and after at the usual pace, and never below nothing."""
    found = usage(STEADY)
    assert found.at(date(2026, 4, 16)) == pytest.approx(4500)
    assert found.at(date(2026, 4, 1)) == 4000
    assert found.at(date(2026, 11, 1)) == pytest.approx(11_000, rel=0.02)
    assert found.at(date(2025, 1, 1)) == 0


def test_a_change_of_pace_is_followed_and_an_exception_is_not():
    """A car laid up for three months, then driven as before, is forecast as before; one sold on, as driven now."""
    start = date(2023, 1, 1)
    days = [60 * number for number in range(8)]
    even = [Point(start + timedelta(days=day), 40.0 * day) for day in days]
    last = even[-1]
    laid_up = [Point(last.on + timedelta(days=90 + 60 * n), last.value + 300 + 2400 * n) for n in range(3)]
    assert usage([*even, *laid_up]).rate == pytest.approx(40, rel=0.15)
    sold = [Point(last.on + timedelta(days=60 * n), last.value + 7200 * n) for n in (1, 2, 3)]
    assert usage([*even, *sold]).rate == pytest.approx(120, rel=0.15)
    # Where it is known when the new owner got it, nothing of the time before counts.
    assert usage([*even, *sold], since=last.on).rate == pytest.approx(usage([last, *sold]).rate)


def test_the_season_is_known_after_a_year():
    """A car that is driven far each summer gets 5,000 km in two months from June, and in seven from September."""
    start, km, points = date(2021, 1, 1), 0.0, []
    for day in range(4 * 365):
        km += 90 if (start + timedelta(days=day)).month in (6, 7, 8) else 15
        if day % 30 == 0 and day < 3 * 365 + 150:
            points.append(Point(start + timedelta(days=day), km))
    found = usage(points)
    last = points[-1].on
    assert (last.year, last.month) == (2024, 5)
    in_summer = found.drives(5000, date(2024, 6, 1)).on - date(2024, 6, 1)
    in_winter = found.drives(2000, date(2024, 9, 15)).on - date(2024, 9, 15)
    assert 45 < in_summer.days < 80
    assert 90 < in_winter.days < 160


def test_hours_have_their_own_usual_and_no_miles():
    """A meter of hours starts from some 300 a year, and is never taken for miles."""
    assert usage([], HOURS).drives(312, date(2026, 1, 1)).on == date(2026, 12, 31)
    points = [Point(date(2026, month, 1), 25.0 * month) for month in range(1, 9)]
    assert usage(points, HOURS).rate == pytest.approx(25 / 30.4, rel=0.1)
    assert history([*points, Point(date(2026, 9, 1), 330.0)], HOURS).shown[-1] == 330.0


def test_the_explanations_add_up():
    """The weights of what may be behind the readings are shares of one."""
    for points in (STEADY, STEADY[:1], yearly(30)):
        assert sum(pace.weight for pace in paces(history(points).legs, KILOMETRES)) == pytest.approx(1)


@pytest.mark.parametrize("name", FLEETS)
def test_the_forecast_beats_what_people_use_instead(name):
    """On each made-up fleet the error is smaller than that of all three rules of thumb, and the interval holds."""
    logs = [made_up(FLEETS[name], random.Random(f"{SEED}/{name}/{number}")) for number in range(CARS // 2)]
    score = judged(logs)
    assert score.beats_all
    assert 0.72 < score.covered / len(score.widths) < 0.92
