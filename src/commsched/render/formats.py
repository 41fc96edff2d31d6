"""Dates, times, numbers, distances and money as readers of a locale write them.

Babel takes tens of microseconds for each; what it said is kept, by argument. Spaces come out as ordinary spaces: the
narrow ones of newer locale data are missing from many fonts, and from the alphabet of an SMS.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time, get_timezone_name
from babel.numbers import format_currency, format_decimal
from babel.units import get_unit_name

from commsched.timing.durations import KM_PER_MILE

# How a date and a time are joined: CLDR's patterns of the type "atTime", which Babel does not carry.
_AT = {
    "en": "{} at {}",
    "de": "{} um {}",
    "fr": "{} à {}",
    "it": "{} alle {}",
    "nl": "{} om {}",
    "pt": "{} às {}",
    "sv": "{} kl. {}",
}
Season = Literal["standard", "daylight"]
_UNITS = {"mi": "length-mile", "h": "duration-hour"}
_LONGEST_ABBREVIATION = 5
_SPACES = str.maketrans({"\u202f": " ", "\u00a0": " ", "\u2009": " "})


@dataclass(frozen=True, slots=True)
class Language:
    """A language that messages are written in.

    ``tag``: as in HTML (``es-US``). ``name``: as Babel has it (``es_US``). ``chain``: the folders that may hold its
    templates, the nearest first. ``direction``: ``ltr`` or ``rtl``.
    """

    tag: str
    name: str
    chain: tuple[str, ...]
    direction: str


@lru_cache(maxsize=4096)
def language(tag: str, home: str = "") -> Language | None:
    """The language of a tag such as ``es`` or ``es-MX``; ``None`` where there is none of that name.

    A tag without a territory takes that of ``home``: to an organisation in the United States, ``es`` is ``es-US``.
    """
    try:
        stated = Locale.parse(tag.replace("_", "-"), sep="-")
    except (ValueError, UnknownLocaleError):
        return None
    local = stated if stated.territory else _at_home(stated, home)
    return Language(str(local).replace("_", "-"), str(local), _chain(stated, local), local.text_direction)


def _at_home(stated: Locale, home: str) -> Locale:
    owner = language(home) if home else None
    territory = Locale.parse(owner.name).territory if owner else None
    if territory is None:
        return stated
    try:
        return Locale(stated.language, territory, stated.script)
    except UnknownLocaleError:
        return stated


def _chain(*locales: Locale) -> tuple[str, ...]:
    """From the most to the least particular: ``zh-Hant-TW``, ``zh-Hant``, ``zh``."""
    tags: dict[str, None] = {}
    for locale in locales:
        parts = str(locale).split("_")
        for end in range(len(parts), 0, -1):
            tags["-".join(parts[:end])] = None
    return tuple(sorted(tags, key=lambda tag: -tag.count("-")))


@lru_cache(maxsize=8192)
def long_date(day: date, locale: str) -> str:
    """``December 1, 2026``."""
    return format_date(day, "long", locale).translate(_SPACES)


@lru_cache(maxsize=8192)
def full_date(day: date, locale: str) -> str:
    """``Tuesday, December 1, 2026``."""
    return format_date(day, "full", locale).translate(_SPACES)


@lru_cache(maxsize=8192)
def day_of_year(day: date, locale: str) -> str:
    """``Tuesday, December 1``."""
    return f"{weekday(day, locale)}, {format_skeleton('MMMMd', day, locale=locale)}".translate(_SPACES)


@lru_cache(maxsize=8192)
def short_day(day: date, locale: str) -> str:
    """``Tue, Dec 1``."""
    return format_skeleton("MMMEd", day, locale=locale).translate(_SPACES)


@lru_cache(maxsize=8192)
def weekday(day: date, locale: str) -> str:
    """``Tuesday``."""
    return format_date(day, "EEEE", locale)


def language_name(locale: str) -> str:
    """A language by its own name: ``Deutsch``."""
    named = Locale.parse(locale).language_name or locale
    return named[:1].upper() + named[1:]


@lru_cache(maxsize=8192)
def month(day: date, locale: str) -> str:
    """``December 2026``."""
    return format_skeleton("yMMMM", day, locale=locale).translate(_SPACES)


@lru_cache(maxsize=8192)
def clock(moment: time, locale: str) -> str:
    """``9:00 AM``."""
    return format_time(moment, "short", locale=locale).translate(_SPACES)


def zone_name(local: datetime, locale: str) -> str:
    """``CST``: what people there call the zone of an aware local time, or ``UTC-3`` where they have no name for it."""
    return _zone_name(
        local.tzinfo, local.tzname(), local.utcoffset(), "daylight" if local.dst() else "standard", locale
    )


@lru_cache(maxsize=4096)
def _zone_name(place: tzinfo | None, name: str | None, offset: timedelta | None, variant: Season, locale: str) -> str:
    if name is None or offset is None:
        raise ValueError("an instant without a zone cannot be printed")
    known = get_timezone_name(place, "short", locale=locale, zone_variant=variant)
    for candidate in (known, name):
        if candidate.isalpha() and len(candidate) <= _LONGEST_ABBREVIATION:
            return candidate
    minutes = int(offset.total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def at_time(day: str, moment: str, locale: str) -> str:
    """A date and a time as one phrase: ``Tuesday, December 1, 2026 at 9:00 AM``."""
    return _AT.get(locale.partition("_")[0], "{}, {}").format(day, moment)


@lru_cache(maxsize=8192)
def number(value: float, locale: str, digits: int = 0) -> str:
    """``50,000``: rounded to ``digits`` decimals, with the locale's separators."""
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(round(value, digits), format=pattern, locale=locale).translate(_SPACES)


@lru_cache(maxsize=256)
def unit_name(unit: str, locale: str) -> str:
    """``miles``, ``km`` or ``hours``."""
    return get_unit_name(_UNITS[unit], "long", locale) or unit if unit in _UNITS else unit


def in_unit(value: float, unit: str) -> float:
    """A meter's value, kept in kilometres for distances, in the unit that the owner reads off."""
    return value / KM_PER_MILE if unit == "mi" else value


def distance(kilometres: float, unit: str, locale: str) -> str:
    """``50,000 miles``: kilometres, in ``mi`` or ``km``."""
    return f"{number(in_unit(kilometres, unit), locale)} {unit_name(unit, locale)}"


@lru_cache(maxsize=8192)
def money(amount: float, currency: str, locale: str) -> str:
    """``$1,234.50``."""
    return format_currency(amount, currency, locale=locale).translate(_SPACES)
