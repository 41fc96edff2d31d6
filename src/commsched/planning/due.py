"""When a service is due: the earlier of time and usage since the last recorded service."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import msgspec

from commsched.model.facts import Interval, ServiceRecord
from commsched.model.state import Asset, State
from commsched.model.state import Plan as ServicePlan
from commsched.planning.world import World
from commsched.rules.rule import Service
from commsched.timing.civil import add_months
from commsched.timing.durations import in_km, parse_distance
from commsched.timing.usage import Point, Usage, usage

# A record with one of these outcomes settles the occurrence: nobody is reminded of work declined or done elsewhere.
SETTLES = frozenset({"done", "declined", "done_elsewhere"})
FIRST = "first"


class Due(msgspec.Struct, frozen=True, gc=False):
    """A service that is due, for an asset or for the customer. ``occurrence`` is the last record's id.

    ``reading`` is the meter value in kilometres or hours at which it is due, if distance counts.
    """

    service: Service
    asset: Asset | None
    on: date
    certain: bool
    by_usage: bool
    reading: float | None
    occurrence: str
    last: date
    known: datetime | None = None


def dues(state: State, world: World, wanted: frozenset[str]) -> Iterator[Due]:
    """Everything of the ``wanted`` services that will be due for the customer, one for each service and asset."""
    last = _last_records(state)
    plans = {(plan.service, plan.asset): plan for plan in state.plans}
    for asset in state.assets.values():
        if not asset.in_use:
            continue
        meter, values = _Meter(state, asset), {**customer_values(state), **asset_values(asset)}
        for name in wanted:
            service = world.services[name]
            if service.needs is not None and service.needs.holds(values) is not True:
                continue
            plan = plans.get((name, asset.id))
            yield from _due(service, asset, last.get((name, asset.id)), plan, meter)
    for name in wanted:
        record, plan = last.get((name, None)), plans.get((name, None))
        if record is not None or plan is not None:
            yield from _due(world.services[name], None, record, plan, None)


class _Meter:
    """An asset's meter: its readings, those of service records included; the forecast is made when first needed."""

    def __init__(self, state: State, asset: Asset) -> None:
        self._readings = state.readings.get(asset.id, [])
        self._records = state.records
        self._asset = asset
        self._made = False
        self._usage: Usage | None = None

    @property
    def usage(self) -> Usage | None:
        if not self._made:
            self._made = True
            self._usage = usage(self._points())
        return self._usage

    def _points(self) -> list[Point]:
        voided = {(reading.at, reading.value) for reading in self._readings if reading.void}
        points = [
            Point(reading.at.date(), in_km(reading.value, reading.unit))
            for reading in self._readings
            if not reading.void and (reading.at, reading.value) not in voided
        ]
        points += [
            Point(record.at.date(), in_km(record.reading, record.unit))
            for _, record in self._records
            if record.asset == self._asset.id and record.reading is not None
        ]
        return points


def _last_records(state: State) -> dict[tuple[str, str | None], tuple[str, ServiceRecord]]:
    last: dict[tuple[str, str | None], tuple[str, ServiceRecord]] = {}
    for identity, record in state.records:
        if record.outcome in SETTLES:
            key = (record.service, record.asset)
            if key not in last or last[key][1].at <= record.at:
                last[key] = (identity, record)
    return last


def _due(
    service: Service,
    asset: Asset | None,
    last: tuple[str, ServiceRecord] | None,
    plan: ServicePlan | None,
    meter: _Meter | None,
) -> Iterator[Due]:
    interval = (plan and plan.every) or (service.every if last else service.first or service.every)
    since = last[1].at.date() if last else asset.acquired_on if asset else None
    occurrence = last[0] if last else FIRST
    known = (last[1].recorded_at or last[1].at) if last else None
    if plan is not None and plan.next_due is not None and (since is None or plan.next_due > since):
        yield Due(service, asset, plan.next_due, True, False, None, occurrence, since or plan.next_due, known)
        return
    if interval is None or since is None:
        return
    by_time = _after(interval, since)
    target, by_usage = _by_usage(interval, last[1] if last else None, since, meter)
    if by_usage is not None and (by_time is None or by_usage[0] < by_time):
        certain = by_usage[1] or (by_time is not None and (by_time - by_usage[0]).days <= CLOSE)
        yield Due(service, asset, by_usage[0], certain, True, target, occurrence, since, known)
    elif by_time is not None:
        yield Due(service, asset, by_time, True, False, target, occurrence, since, known)


# Where time and usage agree to within this many days, the exact usage does not matter.
CLOSE = 30


def _after(interval: Interval, since: date) -> date | None:
    if interval.months is None and interval.weeks is None and interval.days is None:
        return None
    return add_months(since, interval.months or 0) + timedelta(weeks=interval.weeks or 0, days=interval.days or 0)


def _by_usage(
    interval: Interval, last: ServiceRecord | None, since: date, meter: _Meter | None
) -> tuple[float | None, tuple[date, bool] | None]:
    """The meter value at which it is due, and when the meter will show that."""
    distance = parse_distance(interval.distance) if interval.distance else interval.hours
    if distance is None or meter is None:
        return None, None
    known = last is not None and last.reading is not None
    if meter.usage is None:
        return (in_km(last.reading, last.unit) + distance if last and last.reading is not None else None), None
    start = in_km(last.reading, last.unit) if last and known and last.reading is not None else meter.usage.at(since)
    return start + distance, meter.usage.reaches(start + distance)


def customer_values(state: State) -> dict[str, object]:
    """What expressions and templates see of the customer."""
    profile = state.profile
    return {
        "customer.id": profile.id,
        "customer.name": profile.name,
        "customer.kind": profile.kind,
        "customer.status": profile.status,
        "customer.region": profile.region or "",
        "customer.locale": profile.locale or "",
        "customer.roles": profile.roles,
        "mood": state.mood,
        **{f"facts.{name}": value for name, value in profile.facts.items() if value is not None},
    }


def asset_values(asset: Asset) -> dict[str, object]:
    """What expressions and templates see of an asset."""
    return {
        "asset.id": asset.id,
        "asset.kind": asset.kind,
        "asset.model": asset.model,
        "asset.in_use": asset.in_use,
        **{f"asset.{name}": value for name, value in asset.attributes.items() if value is not None},
    }
