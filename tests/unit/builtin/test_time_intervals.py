"""Intervals of weekdays, days of the month, months and years."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from commsched import ALWAYS, CommschedError, zone
from commsched.builtin.calendars.time_intervals import TimeIntervals, TimeIntervalsSettings

NOW = datetime(2026, 11, 1, tzinfo=UTC)
CHICAGO = zone("America/Chicago")
YEAR = (datetime(2026, 1, 1, 6, tzinfo=UTC), datetime(2027, 1, 1, 6, tzinfo=UTC))


def opening(*intervals: dict[str, Any], within=YEAR, **settings: Any) -> list[str]:
    """When it is open, in Chicago."""
    model = TimeIntervalsSettings.model_validate({"intervals": intervals, **settings})
    found = TimeIntervals(model, name="one", zone=CHICAGO).snapshot(within, NOW).open
    return [f"{a.astimezone(CHICAGO):%m-%d %H:%M}/{b.astimezone(CHICAGO):%m-%d %H:%M}" for a, b in found]


def test_all_that_an_interval_states_must_hold():
    """The last three days of a quarter that are working days, until noon."""
    quarter = {
        "months": ["march", 6, "september", "december"],
        "days_of_month": ["-3:-1"],
        "weekdays": ["monday:friday"],
        "times": [{"start_time": "00:00", "end_time": "12:00"}],
    }
    assert opening(quarter) == [
        "03-30 00:00/03-30 12:00",
        "03-31 00:00/03-31 12:00",
        "06-29 00:00/06-29 12:00",
        "06-30 00:00/06-30 12:00",
        "09-28 00:00/09-28 12:00",
        "09-29 00:00/09-29 12:00",
        "09-30 00:00/09-30 12:00",
        "12-29 00:00/12-29 12:00",
        "12-30 00:00/12-30 12:00",
        "12-31 00:00/12-31 12:00",
    ]


def test_of_several_intervals_any_may_hold():
    """What they do not state may be anything, and days that a month has not are left out."""
    both = ({"months": [2], "days_of_month": ["27:30"]}, {"days_of_month": [-31], "months": ["august:september"]})
    assert opening(*both) == ["02-27 00:00/03-01 00:00", "08-01 00:00/08-02 00:00"]
    assert opening({"years": [2025]}) == []


def test_whole_days_are_whole_when_the_clock_changes():
    """A day of twenty-five hours is one; an interval may have a zone of its own."""
    assert opening({"months": ["november"], "days_of_month": [1]}) == ["11-01 00:00/11-02 00:00"]
    berlin = {"months": [11], "days_of_month": [1], "location": "Europe/Berlin"}
    assert opening(berlin) == ["10-31 18:00/11-01 17:00"]
    assert opening({"months": [11], "days_of_month": [1]}, zone="Europe/Berlin") == opening(berlin)


def test_intervals_may_be_when_it_is_closed():
    """The rest is open."""
    assert opening({"months": ["january:november"]}, mode="closed") == ["12-01 00:00/01-01 00:00"]


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({}, "either intervals or the path"),
        ({"intervals": [{}], "path": "x.yaml"}, "either intervals or the path"),
        ({"intervals": [{"weekdays": ["friday:sunday"]}]}, "a week begins on Sunday"),
        ({"intervals": [{"weekdays": ["fri"]}]}, "write e.g. sunday or sunday:tuesday"),
        ({"intervals": [{"months": [13]}]}, "13 is not a month"),
        ({"intervals": [{"days_of_month": [0]}]}, "0 is not a day of the month"),
        ({"intervals": [{"days_of_month": ["-3:2"]}]}, "counts from its end"),
        ({"intervals": [{"years": ["26"]}]}, "26 is not a year"),
        ({"intervals": [{"times": [{"start_time": "22:00", "end_time": "06:00"}]}]}, "over midnight as two"),
        ({"intervals": [{"location": "Chicago"}]}, "America/Chicago"),
        ({"intervals": [{"day": [1]}]}, "Extra inputs"),
    ],
)
def test_what_cannot_be_is_refused(settings, hint):
    """With what would be right."""
    with pytest.raises(ValidationError, match=hint):
        TimeIntervalsSettings.model_validate(settings)


@pytest.mark.parametrize(
    ("text", "why"),
    [(None, "No such file"), ("- [", "not YAML"), ("", "dictionary"), ("- months: [jan]", "months.0: jan is not")],
)
def test_a_file_that_cannot_be_read_is_an_error(tmp_path, text, why):
    """It names the calendar, the file and the place."""
    if text is not None:
        (tmp_path / "x.yaml").write_text(text)
    one = TimeIntervals(TimeIntervalsSettings(path="x.yaml"), name="one", folder=tmp_path, zone=CHICAGO)
    with pytest.raises(CommschedError, match=rf"The calendar one cannot be read from x\.yaml: .*{why}"):
        one.snapshot(YEAR, NOW)
    (tmp_path / "x.yaml").write_text("- {}")
    assert one.snapshot(YEAR, NOW).open == ALWAYS.clip(*YEAR)
