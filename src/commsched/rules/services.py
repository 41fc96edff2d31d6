"""``config/services.yaml``: what customers need again and again (DESIGN §7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from commsched.errors import ExpressionError, TimeExpressionError
from commsched.model.facts import Interval
from commsched.model.vocabulary import Vocabulary
from commsched.rules.declarations import for_service
from commsched.rules.expressions import Expression, compile_expression
from commsched.rules.literals import check_literals
from commsched.rules.problems import Entry, Findings
from commsched.rules.rule import Prep, Service
from commsched.rules.timeexpr import TimeExpression, parse_time, weekdays_only
from commsched.rules.values import Distance, Exact, Name, Text, exact
from commsched.rules.yamldoc import KeyPath

PREP_ANCHORS = ("start", "end")


class IntervalEntry(Entry):
    """How often: whichever of the stated parts comes first."""

    months: Annotated[int, Field(ge=1, le=600)] | None = None
    weeks: Annotated[int, Field(ge=1, le=2600)] | None = None
    days: Annotated[int, Field(ge=1, le=20000)] | None = None
    distance: Distance | None = None
    hours: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class PrepEntry(Entry):
    """A preparation: when it begins, and how long before that the customer must be told."""

    id: Name
    begins: Text
    notice: Exact


class ServiceEntry(Entry):
    """One service."""

    name: Text
    for_: Text | None = Field(default=None, alias="for")
    every: IntervalEntry | None = None
    first: IntervalEntry | None = None
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
    if entry.first is not None and entry.every is None:
        findings.add((*path, "first"), "missing", "`first` needs `every`: how often it is due after that.")
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
        every=_interval(entry.every, (*path, "every"), findings),
        first=_interval(entry.first, (*path, "first"), findings),
        duration=exact(entry.duration),
        calendar=entry.calendar,
        prep=tuple(prep for prep in preps if prep is not None),
        min_notice=exact(entry.min_notice),
        answer_within=exact(entry.answer_within),
    )


def _needs(text: str | None, path: KeyPath, findings: Findings, vocabulary: Vocabulary) -> Expression | None:
    if text is None:
        return None
    try:
        expression = compile_expression(text, for_service(vocabulary), where="`for`")
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
