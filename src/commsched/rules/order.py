"""Whether a step's times can come in their order at all, tried on sample anchors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from commsched.rules.rule import Prep, Step, TriggerKind
from commsched.rules.timeexpr import TimeExpression, weekdays_only

_ZONES = (ZoneInfo("UTC"),)
_FIRST = datetime(2030, 6, 10, tzinfo=UTC)
_YEAR = 53 * 7 * 24
_CIVIL: frozenset[TriggerKind] = frozenset({"service_due", "obligation", "season"})


def never_in_time(step: Step, preps: tuple[Prep, ...], kind: TriggerKind) -> tuple[str, str] | None:
    """The key and the sentence, when the times of a step are in the wrong order whatever its anchor is.

    Only expressions over one and the same anchor are compared: how two anchors lie to each other is not known.
    """
    if _never(step.at, step.deadline, preps, kind):
        return "deadline", f"The step {step.name!r} can never go: its deadline ({step.deadline}) is before {step.at}."
    if _never(step.not_before, step.deadline, preps, kind):
        return (
            "deadline",
            f"The step {step.name!r} can never go: its deadline is before not_before ({step.not_before}).",
        )
    if _never(step.not_before, step.at, preps, kind, end_of_day=False):
        return "not_before", f"The step {step.name!r} may not go at its ideal time: not_before is after {step.at}."
    if preps and all(_too_late_for(step.at, prep, kind) for prep in preps):
        prep = preps[0]
        message = (
            f"The step {step.name!r} can never go at its ideal time: {prep.id!r} begins at {prep.begins},"
            f" which must be told {_hours(prep.notice)} before, but `at` is {step.at}."
        )
        return "at", message
    return None


def _never(
    first: TimeExpression | None,
    then: TimeExpression | None,
    preps: tuple[Prep, ...],
    kind: TriggerKind,
    *,
    end_of_day: bool = True,
) -> bool:
    """Whether ``then`` comes before ``first`` for every sample."""
    if first is None or then is None or first.anchors != then.anchors or len(first.anchors) != 1:
        return False
    (name,) = first.anchors
    if name == "prep" and not preps:
        return False
    for at in _samples(kind):
        ends = then.resolve({name: at}, _ZONES, weekdays_only, end_of_day=end_of_day)
        begins = first.resolve({name: at}, _ZONES, weekdays_only)
        if ends is None or begins is None or ends >= begins:
            return False
    return True


def _too_late_for(at: TimeExpression, prep: Prep, kind: TriggerKind) -> bool:
    """Whether ``at`` comes after the last moment at which a preparation can be told, for every sample."""
    if at.anchors not in ({"prep"}, {"start"}) or prep.begins.anchors != {"start"}:
        return False
    for start in _samples(kind):
        begins = prep.begins.resolve({"start": start}, _ZONES, weekdays_only)
        told = at.resolve({"start": start, "prep": begins} if begins else {}, _ZONES, weekdays_only)
        if begins is None or told is None or told <= begins - prep.notice:
            return False
    return True


def _samples(kind: TriggerKind) -> Iterator[datetime | date]:
    """Anchors throughout a year, on every weekday and, where they have an hour, at each of them on each weekday."""
    civil = kind in _CIVIL
    # Steps of five days meet every weekday, steps of 53 hours every one of a week's 168 hours.
    for hours in range(0, _YEAR, 5 * 24 if civil else 53):
        at = _FIRST + timedelta(hours=hours)
        yield at.date() if civil else at


def _hours(length: timedelta) -> str:
    return f"{length / timedelta(hours=1):g} hours"
