"""What templates see: a message's flat variables as small values that print themselves in the reader's language.

A flat name such as ``asset.model`` becomes ``{{ asset.model }}``. An instant becomes a :class:`When`, a date a
:class:`Day`, and ``due`` with its parts a :class:`Due`; ``{{ start }}`` alone prints date, time and zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import ClassVar
from zoneinfo import ZoneInfo

from commsched.plugin.view import Department
from commsched.render import formats

# Anchors that are times at a place; every other instant is printed in the reader's own zone.
AT_THE_PLACE = frozenset({"start", "end", "prep", "offer", "slots"})


@dataclass(frozen=True, slots=True)
class Context:
    """What one message is about.

    ``variables``: the flat names of the planner, with values that are text, numbers, booleans, dates, instants or
    tuples of text; ``None`` is as if the name were absent. ``zone``: the reader's. ``place``: the zone in which an
    appointment takes place (default: the reader's). ``why``: the rule's reason as the rule has it, a template of its
    own. ``parts``: what a bundle is made of. ``links``: the message's own, by name; none where there are no pages.
    """

    variables: Mapping[str, object]
    zone: ZoneInfo
    place: ZoneInfo | None = None
    why: str = ""
    department: Department | None = None
    parts: tuple[Context, ...] = ()
    links: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar date; prints as ``December 1, 2026``."""

    SHOWN: ClassVar[frozenset[str]] = frozenset({"date", "weekday", "day", "short", "month"})

    on: date
    locale: str

    def __str__(self) -> str:
        return self.date

    @property
    def date(self) -> str:
        """``December 1, 2026``."""
        return formats.long_date(self.on, self.locale)

    @property
    def weekday(self) -> str:
        """``Tuesday``."""
        return formats.weekday(self.on, self.locale)

    @property
    def day(self) -> str:
        """``Tuesday, December 1``."""
        return formats.day_of_year(self.on, self.locale)

    @property
    def short(self) -> str:
        """``Tue, Dec 1``."""
        return formats.short_day(self.on, self.locale)

    @property
    def month(self) -> str:
        """``December 2026``."""
        return formats.month(self.on, self.locale)


@dataclass(frozen=True, slots=True)
class When:
    """An instant at a place; prints as ``Tuesday, December 1, 2026 at 9:00 AM CST``, always with its zone."""

    SHOWN: ClassVar[frozenset[str]] = Day.SHOWN | {"time", "zone"}

    local: datetime
    locale: str

    @classmethod
    def at(cls, instant: datetime, place: ZoneInfo, locale: str) -> When:
        """The instant, as a clock at the place shows it."""
        return cls(instant.astimezone(place), locale)

    def __str__(self) -> str:
        return self._joined(formats.full_date(self.local.date(), self.locale))

    def _joined(self, day: str) -> str:
        return f"{formats.at_time(day, self.time, self.locale)} {self.zone}"

    @property
    def date(self) -> str:
        """``December 1, 2026``."""
        return formats.long_date(self.local.date(), self.locale)

    @property
    def time(self) -> str:
        """``9:00 AM``; print the zone beside it."""
        return formats.clock(self.local.time(), self.locale)

    @property
    def weekday(self) -> str:
        """``Tuesday``."""
        return formats.weekday(self.local.date(), self.locale)

    @property
    def zone(self) -> str:
        """``CST``."""
        return formats.zone_name(self.local, self.locale)

    @property
    def day(self) -> str:
        """``Tuesday, December 1``."""
        return formats.day_of_year(self.local.date(), self.locale)

    @property
    def month(self) -> str:
        """``December 2026``."""
        return formats.month(self.local.date(), self.locale)

    @property
    def short(self) -> str:
        """``Tue, Dec 1 at 9:00 AM CST``, for an SMS."""
        return self._joined(formats.short_day(self.local.date(), self.locale))


@dataclass(frozen=True, slots=True)
class Due(Day):
    """When something is due; prints as its date.

    ``reading``: the meter value at which it is due, in the owner's unit and with separators, or ``""`` when only time
    counts. ``unit``: ``miles``, ``km`` or ``hours``. ``certain``: whether the forecast is good enough to claim it.
    ``earliest`` and ``latest``: the days between which it falls due in 80 of 100 cases.
    """

    SHOWN: ClassVar[frozenset[str]] = Day.SHOWN | {"reading", "unit", "certain", "by_usage", "earliest", "latest"}

    reading: str = ""
    unit: str = ""
    certain: bool = True
    by_usage: bool = False
    earliest: Day | None = None
    latest: Day | None = None


class Group:
    """Names that belong together, such as ``asset``; ``itself``: what the group's own name stands for, if anything."""

    __slots__ = ("itself", "members", "name")

    def __init__(self, name: str, members: Mapping[str, object], itself: object = None) -> None:
        self.name = name
        self.members = members
        self.itself = itself

    def __str__(self) -> str:
        if self.itself is None:
            one = min(self.members, default="…")
            message = f"{self.name} has several parts: print one of them, such as {self.name}.{one}"
            raise TypeError(message)
        return str(self.itself)

    def get(self, name: str) -> object:
        """The member of that name; ``KeyError`` says which there are."""
        if name in self.members:
            return self.members[name]
        if isinstance(self.itself, When | Day) and name in self.itself.SHOWN:
            return getattr(self.itself, name)
        known = ", ".join(sorted(self.members))
        raise KeyError(f"{self.name}.{name} is not known here; {self.name} has {known}")


@lru_cache(maxsize=4096)
def _split(name: str) -> tuple[str, str]:
    head, _, member = name.partition(".")
    return head, member


def nested(context: Context, locale: str) -> dict[str, object]:
    """The variables of a context as templates see them, in a locale (Babel's name), without ``why``."""
    place = context.place or context.zone
    alone: dict[str, object] = {}
    groups: dict[str, dict[str, object]] = {}
    for name, value in context.variables.items():
        if value is None:
            continue
        head, member = _split(name)
        shown = _shown(value, place if head in AT_THE_PLACE else context.zone, locale)
        if member:
            groups.setdefault(head, {})[member] = shown
        else:
            alone[head] = shown
    _settle(alone, groups, context, locale)
    return alone


def _settle(alone: dict[str, object], groups: dict[str, dict[str, object]], context: Context, locale: str) -> None:
    """Join names that stand both alone and as a group: ``due``, ``service``, ``event``."""
    if "due" in alone or "due" in groups:
        alone["due"] = _due(context, locale)
        groups.pop("due", None)
    if "service" in alone or "service" in groups:
        members = groups.setdefault("service", {})
        members.setdefault("id", alone.get("service", ""))
        alone["service"] = members.setdefault("name", members["id"])
    for name, members in groups.items():
        alone[name] = Group(name, members, alone.get(name))
    if context.department is not None:
        alone["department"] = _department(context.department)
    if context.links:
        alone["links"] = Group("links", context.links, context.links["home"])


_PLAIN = frozenset({str, int, float, bool, tuple, list})


def _shown(value: object, zone: ZoneInfo, locale: str) -> object:
    if isinstance(value, tuple) and value and isinstance(value[0], datetime):
        return tuple(When.at(one, zone, locale) for one in value)
    if type(value) in _PLAIN:
        return value
    if isinstance(value, datetime):
        return When.at(value, zone, locale)
    return Day(value, locale) if isinstance(value, date) else value


def _due(context: Context, locale: str) -> Due | When:
    """``due`` from its parts; a due *instant* (a commitment's) keeps its time."""
    said = context.variables
    day = said.get("due.date") or said.get("due")
    if isinstance(day, datetime):
        if "due.certain" not in said:
            return When.at(day, context.zone, locale)
        day = day.astimezone(context.zone).date()
    if not isinstance(day, date):
        message = f"due is neither a date nor an instant: {day!r}"
        raise TypeError(message)
    reading, unit = said.get("due.reading"), str(said.get("due.unit") or "")
    shown = formats.number(formats.in_unit(reading, unit), locale) if isinstance(reading, float | int) else ""
    return Due(
        day,
        locale,
        reading=shown,
        unit=formats.unit_name(unit, locale),
        certain=bool(said.get("due.certain", True)),
        by_usage=bool(said.get("due.by_usage", False)),
        earliest=_day(said.get("due.earliest") or day, locale),
        latest=_day(said.get("due.latest") or day, locale),
    )


def _day(value: object, locale: str) -> Day | None:
    """A date that is kept as its noon (UTC), or as a date."""
    if isinstance(value, datetime):
        value = value.date()
    return Day(value, locale) if isinstance(value, date) else None


@lru_cache(maxsize=1024)
def _department(department: Department) -> Group:
    members = {
        "name": department.name,
        "title": department.title,
        "phone": department.phone,
        "email": department.email,
        "postal": department.postal,
        "lead": department.lead,
    }
    return Group("department", MappingProxyType(members), department.title)
