"""When an interval or a mark of a service's schedule is reached: by time, by usage, whichever comes first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from commsched.model.facts import Interval, ServiceRecord
from commsched.planning.metered import HOURS, Meters
from commsched.planning.outlook import length, read
from commsched.timing.civil import add_months
from commsched.timing.meter import Kind
from commsched.timing.usage import Forecast, Usage

# Work done within this part of the way before a mark was done for it: at 43,000 for the mark of 45,000.
EARLY = 0.1


class Dates(msgspec.Struct, frozen=True, gc=False):
    """When something is due. In 80 of 100 cases that is from ``earliest`` to ``latest``; ``on`` is the best guess.

    ``certain``: whether it can be told as a fact. ``reading`` is the meter value at which it is due, in kilometres or,
    if ``hours``, in hours; ``None`` where usage does not count, or nothing was ever read.
    """

    on: date
    earliest: date
    latest: date
    certain: bool = True
    by_usage: bool = False
    reading: float | None = None
    hours: bool = False


class _Reached(msgspec.Struct, frozen=True, gc=False):
    """A value of a meter, when it is reached, and whether anything is known of this meter's pace."""

    reading: float | None
    hours: bool
    forecast: Forecast | None
    known: bool


def on_date(day: date) -> Dates:
    """Due on a date that somebody stated."""
    return Dates(day, day, day)


def after(interval: Interval, since: date, record: ServiceRecord | None, meters: Meters | None) -> Dates | None:
    """An interval after a date, at which the record (if any) says what the meter showed; ``None`` if that is never."""
    uses = []
    if meters is not None:
        for kind, distance in length(interval).uses:
            usage = meters.of(kind)
            uses.append(_driven(usage.at(since, read(record, kind)), distance, since, usage, kind))
    return _first_of(_later(interval, since), uses)


def at_mark(mark: Interval, born: date | None, meters: Meters | None) -> Dates | None:
    """The reading or the age that a mark names, of an asset that began on a date; ``None`` if that cannot be told."""
    uses = []
    if meters is not None:
        for kind, value in length(mark).uses:
            usage = meters.of(kind)
            if usage.meter.days:
                uses.append(_Reached(value, kind is HOURS, usage.reaches(value), usage.known or usage.shows(value)))
            elif born is not None:
                uses.append(_Reached(value, kind is HOURS, usage.drives(value, born), known=False))
    return _first_of(_later(mark, born) if born else None, uses)


def marks_left(
    marks: Sequence[Interval], records: Sequence[ServiceRecord], born: date | None, meters: Meters | None
) -> list[Interval]:
    """The marks that no record was for, and that did not lie behind the asset when the customer got it.

    Of those that the meter has passed, only the last is left: what is done now is done for all of them. Of those ahead,
    the first is enough, unless age counts.
    """
    left: list[Interval] = []
    done = [_Stand(record.at.date(), record, born, meters) for record in records]
    bought = _Stand(born, None, born, meters) if born else None
    before: Interval | None = None
    for number, mark in enumerate(marks):
        settled = any(stand.settles(mark, before, EARLY) for stand in done)
        if not settled and bought is not None:
            settled = bought.settles(mark, before, 0.0)
        if not settled and not _comparable(mark, born, meters):
            settled = number < len(records)
        if not settled:
            passed = _passed(mark, meters)
            if passed:
                left.clear()
            left.append(mark)
            if not passed and (born is None or _later(mark, born) is None):
                break
        before = mark
    return left


def label(mark: Interval) -> str:
    """A mark as part of a key: ``45000mi``, ``500h``, ``36mo+36000mi``."""
    parts = [
        f"{mark.months}mo" if mark.months else "",
        f"{mark.weeks}w" if mark.weeks else "",
        f"{mark.days}d" if mark.days else "",
        mark.distance.replace(" ", "").replace(",", "").replace("_", "") if mark.distance else "",
        f"{mark.hours}h" if mark.hours else "",
    ]
    return "+".join(part for part in parts if part)


class _Stand:
    """How far an asset had come on a date: its age and, where they are known, its meters."""

    def __init__(self, day: date, record: ServiceRecord | None, born: date | None, meters: Meters | None) -> None:
        self._day, self._record, self._born, self._meters = day, record, born, meters

    def settles(self, mark: Interval, before: Interval | None, early: float) -> bool:
        """Whether that is as far as a mark; or so little before it, as part of the way from the mark before."""
        if self._born is not None and (due := _later(mark, self._born)) is not None:
            start = (_later(before, self._born) if before else None) or self._born
            if self._day >= due - early * (due - start) and self._record is not None:
                return True
        if self._meters is None:
            return False
        starts = dict(length(before).uses) if before else {}
        for kind, value in length(mark).uses:
            shown = self._meters.of(kind).at(self._day, read(self._record, kind))
            if shown is not None and shown >= value - early * (value - starts.get(kind, 0.0)):
                return True
        return False


def _comparable(mark: Interval, born: date | None, meters: Meters | None) -> bool:
    timed = born is not None and _later(mark, born) is not None
    return timed or (meters is not None and any(meters.of(kind).meter.days for kind, _ in length(mark).uses))


def _passed(mark: Interval, meters: Meters | None) -> bool:
    return meters is not None and any(meters.of(kind).shows(value) for kind, value in length(mark).uses)


def _later(interval: Interval, since: date) -> date | None:
    if interval.months is None and interval.weeks is None and interval.days is None:
        return None
    return add_months(since, interval.months or 0) + timedelta(weeks=interval.weeks or 0, days=interval.days or 0)


def _driven(start: float | None, distance: float, since: date, usage: Usage, kind: Kind) -> _Reached:
    """So far after what the meter showed on a date; where that was not known by then, the interval is wider."""
    if start is None:
        return _Reached(None, kind is HOURS, usage.drives(distance, since), known=False)
    target = start + distance
    found = usage.reaches(target)
    if found is not None and usage.began_after(since) and not usage.shows(target):
        guess = usage.drives(distance, since) or found
        found = Forecast(min(found.earliest, guess.earliest), found.on, max(found.latest, guess.latest))
    return _Reached(target, kind is HOURS, found, usage.known or usage.shows(target))


def _first_of(by_time: date | None, uses: Sequence[_Reached]) -> Dates | None:
    """The earliest of time and usage, with an interval of its own.

    A pace of which nothing is known decides only where there is no time, and then nothing is certain.
    """
    told = [(one, one.forecast) for one in uses if one.forecast is not None and (one.known or by_time is None)]
    used, forecast = min(told, key=lambda one: one[1].on, default=(None, None))
    shown = used or (uses[0] if uses else None)
    reading, hours = (shown.reading, shown.hours) if shown is not None else (None, False)
    if used is None or forecast is None:
        return Dates(by_time, by_time, by_time, reading=reading, hours=hours) if by_time else None
    earliest = min(one.earliest for _, one in told)
    latest = min(one.latest for _, one in told)
    if by_time is not None:
        earliest, latest = min(earliest, by_time), min(latest, by_time)
    by_usage = by_time is None or forecast.on < by_time
    on = forecast.on if by_usage or by_time is None else by_time
    found = Forecast(earliest, on, max(latest, on))
    return Dates(on, earliest, found.latest, used.known and found.certain, by_usage, reading, hours)
