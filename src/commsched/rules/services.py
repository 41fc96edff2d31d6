"""``config/services.yaml``: what customers need again and again (DESIGN §7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field

from commsched.errors import ExpressionError, TimeExpressionError
from commsched.model.facts import Interval
from commsched.model.vocabulary import Vocabulary
from commsched.rules.declarations import for_service
from commsched.rules.expressions import Expression, compile_expression
from commsched.rules.literals import check_literals
from commsched.rules.problems import Entry, Findings, as_list
from commsched.rules.rule import Prep, Schedule, Service, Variant
from commsched.rules.timeexpr import TimeExpression, parse_time, weekdays_only
from commsched.rules.values import Distance, Exact, Name, Text, exact
from commsched.rules.yamldoc import KeyPath
from commsched.timing.durations import parse_distance

PREP_ANCHORS = ("start", "end")


class IntervalEntry(Entry):
    """How often: whichever of the stated parts comes first."""

    months: Annotated[int, Field(ge=1, le=600)] | None = None
    weeks: Annotated[int, Field(ge=1, le=2600)] | None = None
    days: Annotated[int, Field(ge=1, le=20000)] | None = None
    distance: Distance | None = None
    hours: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


def _mark(value: object) -> object:
    """``45000 mi`` or ``500 h`` as the interval that it stands for."""
    if not isinstance(value, str):
        return value
    parse_distance(value)
    hours = value.strip().removesuffix("h").strip() if value.strip().endswith("h") else None
    return {"distance": value} if hours is None else {"hours": int(float(hours))}


Mark = Annotated[IntervalEntry, BeforeValidator(_mark)]
"""A reading or an age: ``45000 mi``, ``500 h``, or ``{months: 36, distance: 36000 mi}``, whichever comes first."""
Marks = Annotated[list[Mark], BeforeValidator(lambda value: [value] if isinstance(value, str | dict) else value)]


class ScheduleEntry(Entry):
    """How often, in the ordinary case or in a severe one."""

    every: IntervalEntry | None = None
    first: IntervalEntry | None = None
    once: Marks = Field(default_factory=list)


class VariantEntry(ScheduleEntry):
    """How often for those whom a condition holds for."""

    when: Text


def _as_variants(value: object) -> object:
    return (value,) if isinstance(value, dict) else as_list(value)


class PrepEntry(Entry):
    """A preparation: when it begins, and how long before that the customer must be told."""

    id: Name
    begins: Text
    notice: Exact


class ServiceEntry(ScheduleEntry):
    """One service."""

    name: Text
    for_: Text | None = Field(default=None, alias="for")
    severe: Annotated[tuple[VariantEntry, ...], BeforeValidator(_as_variants)] = ()
    duration: Exact = "1h"
    calendar: Name | None = None
    min_notice: Exact = "0h"
    answer_within: Exact = "24h"
    prep: list[PrepEntry] = Field(default_factory=list)


class ServicesEntry(Entry):
    """The whole file."""

    services: dict[Name, ServiceEntry]


def compile_services(findings: Findings, vocabulary: Vocabulary) -> dict[str, Service]:
    """The services of the document of ``findings``; what is wrong is noted there."""
    entry = findings.validated(ServicesEntry)
    if entry is None:
        return {}
    return {name: _service(name, service, findings, vocabulary) for name, service in entry.services.items()}


def _service(name: str, entry: ServiceEntry, findings: Findings, vocabulary: Vocabulary) -> Service:
    path = ("services", name)
    if exact(entry.duration) <= timedelta():
        findings.add((*path, "duration"), "invalid", "`duration` must be longer than nothing.")
    if exact(entry.answer_within) <= timedelta():
        findings.add((*path, "answer_within"), "invalid", "`answer_within` must be longer than nothing.")
    ids = [prep.id for prep in entry.prep]
    for number, prep in enumerate(entry.prep):
        if prep.id in ids[:number]:
            message = f"The prep step {prep.id!r} stands twice in {name!r}."
            findings.add((*path, "prep", number, "id"), "duplicate", message)
    preps = [_prep(prep, (*path, "prep", number), findings) for number, prep in enumerate(entry.prep)]
    return Service(
        id=name,
        name=entry.name,
        needs=_needs(entry.for_, (*path, "for"), findings, vocabulary),
        schedule=_schedule(entry, path, findings),
        severe=_severe(entry, path, findings, vocabulary),
        duration=exact(entry.duration),
        calendar=entry.calendar,
        prep=tuple(prep for prep in preps if prep is not None),
        min_notice=exact(entry.min_notice),
        answer_within=exact(entry.answer_within),
    )


def _severe(entry: ServiceEntry, path: KeyPath, findings: Findings, vocabulary: Vocabulary) -> tuple[Variant, ...]:
    found = []
    for number, variant in enumerate(entry.severe):
        place: KeyPath = (*path, "severe", number) if len(entry.severe) > 1 else (*path, "severe")
        when = _needs(variant.when, (*place, "when"), findings, vocabulary)
        if variant.every is None and not variant.once:
            findings.add(place, "missing", "`severe` needs `every` or `once`: how often it is due then.")
        schedule = _schedule(variant, place, findings)
        if when is not None:
            found.append(Variant(when, schedule))
    return tuple(found)


def _schedule(entry: ScheduleEntry, path: KeyPath, findings: Findings) -> Schedule:
    if entry.first is not None and entry.every is None:
        findings.add((*path, "first"), "missing", "`first` needs `every`: how often it is due after that.")
    if entry.first is not None and entry.once:
        findings.add((*path, "first"), "ambiguous", "`first` and `once` both say when it is due at first; keep one.")
    once = [_interval(mark, (*path, "once"), findings) for mark in entry.once]
    marks = [mark for mark in once if mark is not None]
    if any(not _rises(before, after) for before, after in pairwise(marks)):
        message = "`once` must rise, and each part of it with it: [45000 mi, 75000 mi, 105000 mi]."
        findings.add((*path, "once"), "order", message)
    return Schedule(
        _interval(entry.every, (*path, "every"), findings),
        _interval(entry.first, (*path, "first"), findings),
        tuple(marks),
    )


def _rises(before: Interval, after: Interval) -> bool:
    """Whether everything that both say of is later in the second, and they speak of something in common."""
    pairs = [(one, other) for one, other in zip(_sizes(before), _sizes(after), strict=True) if one and other]
    return bool(pairs) and all(one < other for one, other in pairs)


def _sizes(mark: Interval) -> tuple[float, float, float]:
    days = (mark.months or 0) * 30.44 + (mark.weeks or 0) * 7 + (mark.days or 0)
    return days, parse_distance(mark.distance) if mark.distance else 0.0, float(mark.hours or 0)


def _needs(text: str | None, path: KeyPath, findings: Findings, vocabulary: Vocabulary) -> Expression | None:
    if text is None:
        return None
    try:
        expression = compile_expression(text, for_service(vocabulary), where=f"`{path[-1]}`")
    except ExpressionError as error:
        findings.add(path, "expression", error.detail)
        return None
    check_literals(text, vocabulary, path, findings)
    return expression


def _interval(entry: IntervalEntry | None, path: KeyPath, findings: Findings) -> Interval | None:
    if entry is None:
        return None
    parts = entry.model_dump(exclude_none=True)
    if not parts:
        findings.add(path, "missing", f"`{path[-1]}` says nothing; write {{months: 12}} or {{distance: 10000 km}}.")
    return Interval(**parts)


def _prep(entry: PrepEntry, path: KeyPath, findings: Findings) -> Prep | None:
    try:
        begins = parse_time(entry.begins, PREP_ANCHORS)
    except TimeExpressionError as error:
        findings.add((*path, "begins"), "time", f"`begins`: {error.detail}")
        return None
    if _always_late(begins):
        message = f"`begins`: {entry.begins!r} is after the appointment; a preparation comes before it."
        findings.add((*path, "begins"), "order", message)
    return Prep(entry.id, begins, exact(entry.notice))


def _always_late(begins: TimeExpression) -> bool:
    day = datetime(2030, 6, 12, tzinfo=UTC)
    starts = [day + timedelta(hours=hour) for hour in range(24)]
    found = [
        (begins.resolve({"start": start, "end": start + timedelta(hours=1)}, (ZoneInfo("UTC"),), weekdays_only), start)
        for start in starts
    ]
    return all(at is not None and at > start for at, start in found)
