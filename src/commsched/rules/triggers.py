"""The trigger of a rule: from the operator's words to a :class:`~commsched.rules.rule.Trigger`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, get_args

from croniter import CroniterError, croniter

from commsched.model.vocabulary import Vocabulary
from commsched.rules.problems import Findings
from commsched.rules.rule import ANCHORS, Trigger, TriggerKind
from commsched.rules.schema import TriggerEntry
from commsched.rules.values import month_day
from commsched.rules.yamldoc import KeyPath

_KINDS: Final = get_args(TriggerKind)
_PATH: Final[KeyPath] = ("trigger",)


def compile_trigger(entry: TriggerEntry, vocabulary: Vocabulary, findings: Findings) -> Trigger | None:
    """The trigger, without ``where``; ``None`` when it is not clear what it should be. What is wrong is noted."""
    named = entry.model_fields_set - {"where"}
    if len(named) != 1:
        message = (
            f"A rule has exactly one trigger ({', '.join(_KINDS)}), but this has {', '.join(sorted(named)) or 'none'}."
        )
        findings.add(_PATH, "invalid", message)
        return None
    kind: TriggerKind = next(known for known in _KINDS if known in named)
    if entry.where is not None and kind != "schedule":
        findings.add(
            (*_PATH, "where"), "invalid", "`where` belongs to the trigger schedule; write `when` beside `trigger`."
        )
    return _MAKERS[kind](entry, vocabulary, findings)


def anchors_of(trigger: Trigger) -> tuple[str, ...]:
    """The anchors that the rule's time expressions may name."""
    anchors = ANCHORS[trigger.kind]
    if trigger.kind == "case" and trigger.values == ("open",):
        return tuple(name for name in anchors if name != "closed")
    return anchors


def _services(names: Iterable[str], path: KeyPath, vocabulary: Vocabulary, findings: Findings) -> None:
    for number, name in enumerate(names):
        if name not in vocabulary.services:
            findings.unknown((*path, number), "service", name, vocabulary.services)


def _service_due(entry: TriggerEntry, vocabulary: Vocabulary, findings: Findings) -> Trigger:
    path = (*_PATH, "service_due")
    if not entry.service_due:
        findings.add(path, "missing", "`service_due` names no service; write [oil_change].")
    _services(entry.service_due, path, vocabulary, findings)
    return Trigger("service_due", names=entry.service_due)


def _service_record(entry: TriggerEntry, vocabulary: Vocabulary, findings: Findings) -> Trigger:
    record = entry.service_record
    _services(record.service, (*_PATH, "service_record", "service"), vocabulary, findings)
    return Trigger("service_record", names=record.service, values=record.outcome)


def _appointment(entry: TriggerEntry, vocabulary: Vocabulary, findings: Findings) -> Trigger:
    appointment = entry.appointment
    _services(appointment.service, (*_PATH, "appointment", "service"), vocabulary, findings)
    return Trigger("appointment", names=appointment.service, values=appointment.status)


def _obligation(entry: TriggerEntry, _vocabulary: Vocabulary, _findings: Findings) -> Trigger:
    return Trigger("obligation", names=(entry.obligation,))


def _event(entry: TriggerEntry, vocabulary: Vocabulary, findings: Findings) -> Trigger:
    if entry.event not in vocabulary.events:
        findings.unknown((*_PATH, "event"), "event kind", entry.event, vocabulary.events)
    return Trigger("event", names=(entry.event,))


def _feedback(entry: TriggerEntry, _vocabulary: Vocabulary, _findings: Findings) -> Trigger:
    return Trigger("feedback", values=entry.feedback.mood)


def _reply(entry: TriggerEntry, _vocabulary: Vocabulary, _findings: Findings) -> Trigger:
    return Trigger("reply", values=entry.reply.meaning)


def _case(entry: TriggerEntry, _vocabulary: Vocabulary, _findings: Findings) -> Trigger:
    return Trigger("case", values=entry.case.status)


def _commitment(entry: TriggerEntry, _vocabulary: Vocabulary, _findings: Findings) -> Trigger:
    kept = entry.commitment.kept
    return Trigger("commitment", values=() if kept is None else (str(kept).lower(),))


def _hold(entry: TriggerEntry, vocabulary: Vocabulary, findings: Findings) -> Trigger:
    for number, purpose in enumerate(entry.hold.purpose):
        if purpose not in vocabulary.purposes:
            findings.unknown((*_PATH, "hold", "purpose", number), "purpose", purpose, vocabulary.purposes)
    return Trigger("hold", values=entry.hold.purpose)


def _offer(entry: TriggerEntry, vocabulary: Vocabulary, findings: Findings) -> Trigger:
    if not entry.offer:
        findings.add((*_PATH, "offer"), "missing", "`offer` names no service; write [oil_change].")
    _services(entry.offer, (*_PATH, "offer"), vocabulary, findings)
    return Trigger("offer", names=entry.offer)


def _season(entry: TriggerEntry, _vocabulary: Vocabulary, findings: Findings) -> Trigger:
    season = entry.season
    if season is None:
        findings.add((*_PATH, "season"), "missing", '`season` needs its days; write {from: "10-01", to: "11-30"}.')
        return Trigger("season")
    return Trigger("season", season=(month_day(season.from_), month_day(season.to)), regions=season.regions)


def _schedule(entry: TriggerEntry, _vocabulary: Vocabulary, findings: Findings) -> Trigger:
    message = _wrong_with_cron(entry.schedule)
    if message:
        findings.add((*_PATH, "schedule"), "schedule", f"`schedule`: {message}.")
    return Trigger("schedule", cron=" ".join(entry.schedule.split()))


def _wrong_with_cron(line: str) -> str | None:
    fields = line.split()
    if len(fields) != 5:  # noqa: PLR2004 (minute, hour, day of the month, month, weekday)
        return f"{line!r} must have five fields (minute, hour, day, month, weekday), such as 0 9 1 3 *"
    if not all(re.fullmatch(r"\d{1,2}", part) for part in fields[:2]):
        return f"{line!r} fires more often than once a day; minute and hour must each be one number, such as 0 9"
    try:
        croniter(line, datetime(2026, 1, 1)).get_next()  # noqa: DTZ001 (any date shows whether it ever fires)
    except (CroniterError, ValueError) as error:
        return f"{line!r} is no schedule that ever comes ({error})"
    return None


_MAKERS: Mapping[TriggerKind, Callable[[TriggerEntry, Vocabulary, Findings], Trigger]] = {
    "service_due": _service_due,
    "service_record": _service_record,
    "appointment": _appointment,
    "obligation": _obligation,
    "event": _event,
    "feedback": _feedback,
    "reply": _reply,
    "case": _case,
    "commitment": _commitment,
    "hold": _hold,
    "offer": _offer,
    "season": _season,
    "schedule": _schedule,
}
