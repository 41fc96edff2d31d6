"""Types of settings: lengths of time and local times as people write them, checked when the configuration is read."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from commsched.timing.civil import parse_week, zone
from commsched.timing.durations import parse_exact


def _length(value: object) -> timedelta:
    length = parse_exact(value) if isinstance(value, str) else value
    if not isinstance(length, timedelta):
        message = "write a length of time such as 90m, 72h or 7d"
        raise ValueError(message)  # noqa: TRY004 - pydantic turns only a ValueError into a problem of the setting
    if length <= timedelta():
        message = "the length of time must be more than nothing"
        raise ValueError(message)
    return length


def _local(value: object) -> time:
    try:
        local = time.fromisoformat("00:00" if value == "24:00" else value) if isinstance(value, str) else value
    except ValueError:
        local = None
    if not isinstance(local, time) or local.tzinfo is not None:
        message = f"{value!s} is not a local time such as 08:00"
        raise ValueError(message)
    return local


def _week(value: dict[str, list[str]]) -> dict[str, list[str]]:
    parse_week(value)
    return value


def _zone(value: str) -> str:
    try:
        zone(value)
    except KeyError:
        message = f"{value!r} is not an IANA time zone; write e.g. America/Chicago or Europe/Berlin"
        raise ValueError(message) from None
    return value


# A length of time with a fixed number of seconds: "90m", "72h", "7d".
Length = Annotated[timedelta, BeforeValidator(_length)]
# A time of day, in a zone that something else tells: "08:00".
LocalTime = Annotated[time, BeforeValidator(_local)]
# Hours by weekday: {"mon-fri": ["09:00-12:30", "13:00-18:00"]}.
Week = Annotated[dict[str, list[str]], AfterValidator(_week)]
# The name of an IANA time zone.
ZoneName = Annotated[str, AfterValidator(_zone)]
