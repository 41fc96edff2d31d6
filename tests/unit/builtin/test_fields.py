"""What plugin authors are given besides base classes: types of settings, places to crash, zones."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from pydantic import Field, ValidationError

from commsched import Length, LocalTime, Settings, Week, ZoneName, crash_point


class Sample(Settings):
    """One of each."""

    length: Length = timedelta(days=1)
    at: LocalTime = time(8)
    week: Week = Field(default={})
    place: ZoneName = "UTC"


def test_settings_are_read_as_people_write_them():
    """Lengths, local times, weeks and zones come from texts, and from TOML's own times."""
    read = Sample.model_validate({"length": "90m", "at": "24:00", "week": {"mon": []}, "place": "Europe/Berlin"})
    assert (read.length, read.at) == (timedelta(minutes=90), time(0))
    assert Sample.model_validate({"at": time(7, 30), "length": timedelta(1)}).at == time(7, 30)


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("length", "1mo", "no fixed length"),
        ("length", 90, "90m, 72h or 7d"),
        ("length", "0h", "more than nothing"),
        ("at", "8am", "08:00"),
        ("at", None, "08:00"),
        ("week", {"mon": ["8-5"]}, "09:00-12:30"),
        ("place", "Berlin", "Europe/Berlin"),
    ],
)
def test_what_cannot_be_read_says_what_would_be_right(field, value, hint):
    """Every message has an example."""
    with pytest.raises(ValidationError, match=hint):
        Sample.model_validate({field: value})


def test_a_crash_point_that_nobody_named_does_nothing(monkeypatch):
    """Only the very place that the environment names dies."""
    crash_point("here")
    monkeypatch.setenv("COMMSCHED_CRASH", "elsewhere")
    crash_point("here")
