"""The small values of configuration files: names, durations, distances, days of the year; each says what is wrong."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from commsched.rules.problems import as_list
from commsched.timing.durations import parse_distance, parse_duration, parse_exact

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_PACE = re.compile(r"([1-9][0-9]{0,8}) ?/ ?day")
_MONTH_DAY = re.compile(r"([01][0-9])-([0-3][0-9])")
_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
# Words of the expression language, which cannot be the name of anything.
_RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "false",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "namespace",
        "null",
        "package",
        "return",
        "true",
        "var",
        "void",
        "while",
    ]
)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        message = f"{text!r} is not a name; use letters, digits, - _ and . and begin with a letter or a digit"
        raise ValueError(message)
    return text


def _identifier(text: str) -> str:
    if not _IDENTIFIER.fullmatch(text) or text in _RESERVED:
        message = f"{text!r} cannot be used in expressions; use letters, digits and _ and begin with a letter"
        raise ValueError(message)
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        message = "must not be empty"
        raise ValueError(message)
    return text


def _exact(text: str) -> str:
    parse_exact(text)
    return text


def _length(text: str) -> str:
    if not parse_duration(text).rough():
        message = f"{text!r} is no time at all"
        raise ValueError(message)
    return text


def _distance(text: str) -> str:
    parse_distance(text)
    if text.strip().endswith("h"):
        message = f"{text!r} is not a distance; write `hours: 250` for meters that count hours"
        raise ValueError(message)
    return text


FREE_SLOTS = "free_slots"


def _pace(text: str) -> str:
    if text != FREE_SLOTS and not _PACE.fullmatch(text):
        message = f"{text!r} is not a pace; write a number for a day, such as 200/day, or free_slots"
        raise ValueError(message)
    return text


def _month_day(text: str) -> str:
    found = _MONTH_DAY.fullmatch(text)
    try:
        # 2027 has no 29 February: a season that begins on one would not come every year.
        date(2027, int(found[1]), int(found[2])) if found else date.fromisoformat(text)
    except ValueError as error:
        message = f"{text!r} is not a day that every year has; write month and day, such as 10-01"
        raise ValueError(message) from error
    if found is None:
        message = f"{text!r} has a year; write month and day, such as 10-01"
        raise ValueError(message)
    return text


def _region(text: str) -> str:
    if not _REGION.fullmatch(text):
        message = f"{text!r} is not a country or region of ISO 3166, such as US or US-IL"
        raise ValueError(message)
    return text


Name = Annotated[str, AfterValidator(_name)]
Identifier = Annotated[str, AfterValidator(_identifier)]
Text = Annotated[str, Field(max_length=4000), AfterValidator(_not_blank)]
Exact = Annotated[str, AfterValidator(_exact)]
Length = Annotated[str, AfterValidator(_length)]
Distance = Annotated[str, AfterValidator(_distance)]
Pace = Annotated[str, AfterValidator(_pace)]
MonthDay = Annotated[str, AfterValidator(_month_day)]
Region = Annotated[str, AfterValidator(_region)]
Names = Annotated[tuple[Name, ...], BeforeValidator(as_list)]
"""One name, or a list of them."""


def exact(text: str) -> timedelta:
    """A checked :data:`Exact` as a length."""
    return parse_exact(text)


def pace(text: str) -> int:
    """A checked :data:`Pace` as a number for a day."""
    found = _PACE.fullmatch(text)
    return int(found[1]) if found else 0


def month_day(text: str) -> tuple[int, int]:
    """A checked :data:`MonthDay` as numbers."""
    month, _, day = text.partition("-")
    return int(month), int(day)
