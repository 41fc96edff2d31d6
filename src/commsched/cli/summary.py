"""What many messages come to: by rule, by week, and what held messages back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from commsched.model.decisions import ACCEPTED
from commsched.store.messages import MessageRecord, TaskRecord, told

WEEK = timedelta(days=7)


@dataclass
class ByRule:
    """What came of one rule."""

    rule: str
    sent: int = 0
    people: set[str] = field(default_factory=set)
    media: Counter[str] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None
    refused: Counter[str] = field(default_factory=Counter)
    tasks: int = 0
    other: Counter[str] = field(default_factory=Counter)


def by_rule(messages: Sequence[MessageRecord], tasks: Sequence[TaskRecord]) -> list[ByRule]:
    """A row for each rule, by name."""
    rows: dict[str, ByRule] = {}
    for record in messages:
        _count(rows.setdefault(record.rule, ByRule(record.rule)), record)
    for task in tasks:
        rows.setdefault(task.rule, ByRule(task.rule)).tasks += 1
    return [rows[name] for name in sorted(rows)]


def _count(row: ByRule, record: MessageRecord) -> None:
    if record.state in ACCEPTED and record.at is not None:
        row.sent += 1
        row.people.add(record.customer)
        row.media[record.medium or ""] += 1
        row.first = min(row.first or record.at, record.at)
        row.last = max(row.last or record.at, record.at)
    elif record.state == "refused":
        row.refused.update({policy for policy, _, _ in record.reasons})
    else:
        row.other[record.state] += 1


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What one policy held back, with one case in its words."""

    policy: str
    messages: int
    people: int
    example: MessageRecord
    detail: str


def held_back(messages: Sequence[MessageRecord]) -> list[HeldBack]:
    """The policies that held messages back, those that held back most first."""
    found: dict[str, list[tuple[MessageRecord, str]]] = {}
    for record in messages:
        if record.state == "refused":
            for policy, _, detail in told(record):
                found.setdefault(policy, []).append((record, detail))
    rows = [
        HeldBack(policy, len({r.key for r, _ in cases}), len({r.customer for r, _ in cases}), *cases[0])
        for policy, cases in found.items()
    ]
    return sorted(rows, key=lambda row: (-row.messages, row.policy))


def sent_by_week(messages: Sequence[MessageRecord], zone: ZoneInfo) -> list[tuple[date, Counter[str]]]:
    """How many messages of each rule went in each week, from its Monday; weeks without any are there too."""
    weeks: dict[date, Counter[str]] = {}
    for record in messages:
        if record.state in ACCEPTED and record.at is not None:
            day = record.at.astimezone(zone).date()
            weeks.setdefault(day - timedelta(days=day.weekday()), Counter())[record.rule] += 1
    if not weeks:
        return []
    first, count = min(weeks), (max(weeks) - min(weeks)).days // 7 + 1
    return [(first + number * WEEK, weeks.get(first + number * WEEK, Counter())) for number in range(count)]


def rule_json(row: ByRule) -> dict[str, object]:
    """A row for tools."""
    return {
        "rule": row.rule,
        "sent": row.sent,
        "people": len(row.people),
        "media": dict(sorted(row.media.items())),
        "refused": dict(sorted(row.refused.items())),
        "other": dict(sorted(row.other.items())),
        "tasks": row.tasks,
    }
