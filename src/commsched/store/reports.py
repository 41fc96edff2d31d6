"""What messages cost, what vetoes saved, and which bookings followed: sums of the tables, and nothing kept besides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET
from sqlalchemy import Connection, Row

from commsched.model.facts import Appointment, Sent
from commsched.rules.rule import Rule
from commsched.store import queries
from commsched.store.store import instant, micros

By = Literal["purpose", "department", "policy", "week", "medium"]
BYS: tuple[By, ...] = ("purpose", "department", "policy", "week", "medium")
# Nobody could have been written to: that a message did not go saved nothing.
UNREACHABLE = "unreachable"
_sent = msgspec.json.Decoder(Sent)
_appointment = msgspec.json.Decoder(Appointment)


@dataclass(slots=True)
class Sums:
    """What stands in one row; ``waiting`` of the ``vetoes`` may still go. Money is in the deployment's currency."""

    contacts: int = 0
    cost: float = 0.0
    vetoes: int = 0
    waiting: int = 0
    saved: float = 0.0
    bookings: int = 0

    def add(self, other: Sums) -> None:
        """Take another row into this one."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, slots=True)
class Group:
    """Families, or businesses: how many there are, how many were written to, what came of it, what is left to do."""

    customers: int
    reached: int
    sums: Sums
    tasks: int


@dataclass(frozen=True, slots=True)
class Question:
    """What is added up: a time ``[start, end)``, by what, and within how long a booking counts as having followed."""

    start: datetime
    end: datetime
    by: By
    within: timedelta
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Deployed:
    """What of a deployment is needed to say what the rows mean: costs by channel, channels by medium, rules."""

    costs: Mapping[str, float]
    channels: Mapping[str, str]
    rules: Mapping[str, Rule]


@dataclass(frozen=True, slots=True)
class Summary:
    """The rows by what was asked for, in order; all together; families and businesses side by side."""

    rows: dict[str, Sums]
    total: Sums
    groups: dict[str, Group]


def summarise(connection: Connection, asked: Question, deployed: Deployed) -> Summary:
    """Add up. All but the bookings is summed by the database; these are read side by side, a customer at a time."""
    rows: dict[str, Sums] = {}
    kinds = {"family": Sums(), "business": Sums()}
    for what, kind, sums in (*_contacts(connection, asked, deployed), *_vetoes(connection, asked, deployed)):
        kinds[kind].add(sums)
        if asked.by != "policy" or not sums.contacts:  # what went, no policy held back
            rows.setdefault(what, Sums()).add(sums)
    for what, business in followed(connection, asked, deployed):
        kinds["business" if business else "family"].bookings += 1
        if asked.by != "policy":
            rows.setdefault(what, Sums()).bookings += 1
    total = Sums()
    for one in kinds.values():
        total.add(one)
    span = micros(asked.start), micros(asked.end)
    people, tasks = queries.people(connection, span), queries.open_task_sums(connection)
    groups = {name: Group(*people[name], sums, tasks.get(name, 0)) for name, sums in kinds.items()}
    return Summary(dict(sorted(rows.items())), total, groups)


def _contacts(connection: Connection, asked: Question, deployed: Deployed) -> Iterator[tuple[str, str, Sums]]:
    by = {"week": "hour", "policy": "purpose"}.get(asked.by, asked.by)
    for row in queries.contact_sums(connection, (micros(asked.start), micros(asked.end)), by):
        what = _week(instant(row.what * queries.HOUR), asked.zone) if by == "hour" else row.what
        units = row.parts if row.medium == "sms" else row.contacts
        yield what, row.kind, Sums(row.contacts, deployed.costs.get(row.channel, 0.0) * units)


def _vetoes(connection: Connection, asked: Question, deployed: Deployed) -> Iterator[tuple[str, str, Sums]]:
    by = "hour" if asked.by == "week" else asked.by
    for row in queries.veto_sums(connection, (_iso(asked.start), _iso(asked.end)), by):
        what = row.what or "nobody"
        if by == "hour":
            what = _week(datetime.strptime(row.what, "%Y-%m-%dT%H").replace(tzinfo=UTC), asked.zone)
        each = 0.0 if row.code == UNREACHABLE else deployed.costs.get(deployed.channels.get(row.medium, ""), 0.0)
        yield what, row.kind, Sums(vetoes=row.vetoes, waiting=int(row.open), saved=each * row.vetoes)


def followed(connection: Connection, asked: Question, deployed: Deployed) -> Iterator[tuple[str, bool]]:
    """Bookings that followed a message about their service: under what it is counted, and whether a business made it.

    A booking is counted once, for the last message before it.
    """
    span = micros(asked.start), micros(asked.end)
    business = set(connection.execute(queries.businesses(connection)).scalars())
    said = _by_customer(queries.contacts(connection, span))
    made = _by_customer(queries.booked(connection))
    for customer, messages, bookings in _matched(said, made):
        told = [(instant(row.at), _sent.decode(row.sent)) for row in messages]
        about = [
            (at, services, _what(asked, at, sent))
            for at, sent in told
            if (services := services_of(sent, deployed.rules))
        ]
        for at, service in _bookings(bookings):
            before = [
                what for when, services, what in about if service in services and when <= at <= when + asked.within
            ]
            if before:
                yield before[-1], customer in business


def services_of(sent: Sent, rules: Mapping[str, Rule]) -> frozenset[str]:
    """The services that a message invited to; none if it was about an appointment that stands already."""
    rule = rules.get(sent.rule)
    if rule is None or rule.trigger.kind not in {"service_due", "service_record", "offer"}:
        return frozenset()
    if rule.trigger.kind == "service_due":
        parts = (part.split("/") for part in sent.parts)
        subjects = {part[3] for part in parts if len(part) > 3} | {sent.subject}  # noqa: PLR2004 - as keys are made
        return frozenset(subject.rpartition("+")[2] for subject in subjects)
    return frozenset(rule.trigger.names)


def _bookings(rows: Iterable[Row[Any]]) -> list[tuple[datetime, str]]:
    """When each appointment was first booked, and for what; the facts of one may say it in parts."""
    first: dict[str, datetime] = {}
    services: dict[str, str] = {}
    for row in rows:
        fact = _appointment.decode(row.body)
        first[fact.id] = min(fact.at, first.get(fact.id, fact.at))
        if fact.service is not UNSET:
            services[fact.id] = str(fact.service)
    return sorted((at, services[name]) for name, at in first.items() if name in services)


def _matched(
    left: Iterator[tuple[str, list[Row[Any]]]], right: Iterator[tuple[str, list[Row[Any]]]]
) -> Iterator[tuple[str, list[Row[Any]], list[Row[Any]]]]:
    """The customers who are in both, which come in the same order, with what each has of them."""
    one, other = next(left, None), next(right, None)
    while one is not None and other is not None:
        if one[0] == other[0]:
            yield one[0], one[1], other[1]
        forth = one[0] <= other[0], other[0] <= one[0]
        one = next(left, None) if forth[0] else one
        other = next(right, None) if forth[1] else other


def _by_customer(rows: Iterator[Row[Any]]) -> Iterator[tuple[str, list[Row[Any]]]]:
    for customer, mine in groupby(rows, key=lambda row: str(row.customer)):
        yield customer, list(mine)


def _what(asked: Question, at: datetime, sent: Sent) -> str:
    found: dict[str, Callable[[], str]] = {"week": lambda: _week(at, asked.zone), "policy": str}
    return found[asked.by]() if asked.by in found else str(getattr(sent, asked.by))


def _week(at: datetime, zone: ZoneInfo) -> str:
    """The Monday of a week, by the clock of the place."""
    day: date = at.astimezone(zone).date()
    return (day - timedelta(days=day.weekday())).isoformat()


def _iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
