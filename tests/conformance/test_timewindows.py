"""The time intervals of Prometheus Alertmanager, in a calendar of the kind ``time_intervals``."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from corpora import corpus

from commsched import CommschedError, zone
from commsched.builtin.calendars.time_intervals import (
    MONTHS,
    WEEKDAYS,
    TimeIntervals,
    TimeIntervalsSettings,
    intervals_of,
)

TABLE = json.loads(corpus("timewindows/alertmanager_timeinterval.json").read_text(encoding="utf-8"))
# No case is about less than a minute.
MINUTE = timedelta(minutes=1)


def holds(calendar, text):
    """Whether an instant is inside."""
    at = datetime.fromisoformat(text).astimezone(UTC)
    return bool(calendar.snapshot((at, at + MINUTE), at).open)


def calendar(**settings):
    """A calendar without a place of its own goes by UTC, as Alertmanager does."""
    return TimeIntervals(TimeIntervalsSettings.model_validate(settings), name="intervals", zone=zone("UTC"))


def written(interval):
    """An interval of the table as one writes it."""
    ranges = {
        "weekdays": lambda number: WEEKDAYS[number],
        "months": lambda number: MONTHS[number - 1],
        "years": str,
    }
    made = {
        name: [f"{word(begin)}:{word(end)}" for begin, end in interval[name]]
        for name, word in ranges.items()
        if name in interval
    }
    if "days_of_month" in interval:
        # As numbers: one case has a range that nobody may write.
        made["days_of_month"] = [tuple(days) for days in interval["days_of_month"]]
    if "times" in interval:
        made["times"] = [{"start_time": start, "end_time": end} for start, end in interval["times"]]
    return made | ({"location": interval["location"]} if "location" in interval else {})


@pytest.mark.parametrize("case", TABLE["contains"], ids=lambda case: case["id"])
def test_what_an_interval_holds(case):
    """Inside and outside, in its own zone and over clock changes."""
    one = calendar(intervals=[written(case["interval"])])
    assert [holds(one, text) for text in case["inside"]] == [True] * len(case["inside"])
    assert [holds(one, text) for text in case["outside"]] == [False] * len(case["outside"])


@pytest.mark.parametrize("case", TABLE["yaml_cases"], ids=lambda case: case["id"])
def test_intervals_in_yaml(case, tmp_path):
    """What must be read is read and means the same; what must not is refused, and the sentence names the value."""
    (tmp_path / "intervals.yaml").write_text(case["yaml"])
    one = TimeIntervals(
        TimeIntervalsSettings(path="intervals.yaml"), name="intervals", folder=tmp_path, zone=zone("UTC")
    )
    if case["expect_error"]:
        with pytest.raises(CommschedError, match=r"cannot be read from intervals\.yaml: \w+") as caught:
            holds(one, "2026-01-01T00:00:00Z")
        values = [
            value
            for interval in case["intervals"]
            for entry in interval.values()
            for value in (entry if isinstance(entry[0], str) else entry[0].values())
        ]
        assert any(part in str(caught.value) for value in values for part in (value, *value.split(":")))
        return
    assert [holds(one, text) for text in case["inside"]] == [True] * len(case["inside"])
    assert [holds(one, text) for text in case["outside"]] == [False] * len(case["outside"])


@pytest.mark.parametrize("case", TABLE["time_strings"], ids=lambda case: case["id"])
def test_hours(case):
    """Hours that are none are refused."""
    text = json.dumps([{"times": [case["time_range"]]}])
    if case["expect_error"]:
        with pytest.raises(ValueError, match=r"0\.times\.0|times\.0"):
            intervals_of(text)
    else:
        assert len(intervals_of(text)) == 1


@pytest.mark.parametrize("case", TABLE["mutes"]["cases"], ids=lambda case: case["name"])
def test_which_of_several_hold(case):
    """Each calendar by itself."""
    named = TABLE["mutes"]["intervals"]
    calendars = {name: calendar(intervals=[written(one) for one in intervals]) for name, intervals in named.items()}
    assert sorted(name for name, one in calendars.items() if holds(one, case["now"])) == sorted(case["muted_by"])
