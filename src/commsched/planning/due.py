"""When a service is due: the earlier of time and usage since the last recorded service.

What a due date belongs to (its *occurrence*) is the id of the last record, a mark of the schedule, or what a person
planned: never a forecast, so that a new reading moves the date and makes no second invitation (DESIGN §2, identity).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

import msgspec

from commsched.model.facts import Interval, ServiceRecord
from commsched.model.state import Asset, State
from commsched.model.state import Plan as ServicePlan
from commsched.planning.intervals import Dates, after, at_mark, label, marks_left, on_date
from commsched.planning.metered import Meters
from commsched.planning.needs import Need, schedule_for
from commsched.planning.outlook import ALWAYS, Outlook, Window
from commsched.planning.world import World
from commsched.rules.expressions import Expression
from commsched.rules.rule import Schedule, Service

# A record with one of these outcomes settles the occurrence: nobody is reminded of work declined or done elsewhere.
SETTLES = frozenset({"done", "declined", "done_elsewhere"})
FIRST = "first"
# Where an interval ends within this long after a recheck that was advised, the recheck is enough.
CLOSE = timedelta(days=30)
# Since when something has been coming of which nothing is known: any booking is one for it.
LONG_AGO = date(1970, 1, 1)
Key = tuple[str, str | None]
Found = tuple[str, ServiceRecord]


class Due(msgspec.Struct, frozen=True, gc=False):
    """A service that is due, for an asset or for the customer, and ``when``; ``occurrence`` is what it belongs to.

    ``last``: since when it has been coming; ``known``: when it came to be known that it will. ``advised``: it is a
    recheck that was advised for a date.
    """

    service: Service
    asset: Asset | None
    when: Dates
    occurrence: str
    last: date
    known: datetime | None = None
    advised: bool = False

    @property
    def on(self) -> date:
        """The date that it is most likely due on."""
        return self.when.on


def dues(state: State, world: World, wanted: Iterable[str]) -> Iterator[Due]:
    """Everything of the ``wanted`` services that will be due for the customer, ever."""
    return Dues(state, world).of(wanted)


class Dues:
    """What is due for a customer; what is read of the ledger and forecast of its meters is kept between questions."""

    def __init__(self, state: State, world: World) -> None:
        self._world = world
        self._seen = _Seen(state, world)
        self._assets = [_Subject(self._seen, asset) for asset in state.assets.values() if asset.in_use]
        self._whole = _Subject(self._seen, None)

    def of(self, wanted: Iterable[str], window: Window = ALWAYS) -> Iterator[Due]:
        """What of the ``wanted`` services is due within a window of dates.

        One for each service and asset, and one more where a mark of its schedule was passed or a recheck was advised.
        """
        names = tuple(wanted)
        needs, services = self._world.needs_of(names), self._world.services
        for one in self._assets:
            if one.id in self._seen.stated:
                for name in names:
                    yield from one.dues(services[name], window)
            else:
                yield from one.near(needs.of(one.values), window)
        if self._seen.concerned:
            for name in names:
                if name in self._seen.concerned:
                    yield from self._whole.dues(services[name], window)


class _Seen:
    """What the ledger says of services: the records that settle, oldest first, the advice that stands, the plans."""

    def __init__(self, state: State, world: World) -> None:
        self.state, self.customer = state, customer_values(state)
        self.plans = {(plan.service, plan.asset): plan for plan in state.plans}
        self.settled: dict[Key, list[Found]] = {}
        self.advised: dict[Key, Found] = {}
        nameless = {record.service for _, record in state.records if record.asset is None} & world.services.keys()
        about = {name: self._needing(world.services[name]) for name in nameless if _about_assets(world.services[name])}
        for identity, record in state.records:
            needing = about.get(record.service) if record.asset is None else None
            if needing is not None and not needing:
                continue  # what it was about is not theirs any more
            # It was about what they had by then, and not about what they bought since.
            had = [one.id for one in needing or () if one.acquired_on is None or one.acquired_on <= record.at.date()]
            key = (record.service, had[0] if len(had) == 1 else record.asset)
            if record.outcome in SETTLES:
                self.settled.setdefault(key, []).append((identity, record))
                if key in self.advised and self.advised[key][1].at < record.at:
                    del self.advised[key]
            elif record.recheck_on is not None:
                self.advised[key] = (identity, record)
        for found in self.settled.values():
            found.sort(key=lambda one: one[1].at)
        # What somebody planned or advised counts beside, or in place of, what is needed.
        self.stated = {asset for _, asset in (*self.plans, *self.advised) if asset is not None}
        self.concerned = {name for name, asset in (*self.plans, *self.settled, *self.advised) if asset is None}

    def _needing(self, service: Service) -> list[Asset]:
        """The assets in use that need the service."""
        assets = self.state.assets.values()
        return [
            asset
            for asset in assets
            if asset.in_use and _holds(service.needs, {**self.customer, **asset_values(asset)})
        ]


def _about_assets(service: Service) -> bool:
    return service.needs is not None and any(name.startswith("asset.") for name in service.needs.names)


def _holds(expression: Expression | None, values: Mapping[str, object]) -> bool:
    return expression is None or expression.holds(values) is True


class _Subject:
    """An asset, or the customer: what is due for it."""

    def __init__(self, seen: _Seen, asset: Asset | None) -> None:
        self.seen, self.asset = seen, asset
        self.id = asset.id if asset else None
        self.since = asset.acquired_on if asset else None
        self.values = {**seen.customer, **asset_values(asset)} if asset else seen.customer
        self.meters = Meters(seen.state, asset) if asset else None

    def near(self, needs: Iterable[Need], window: Window) -> Iterator[Due]:
        """What is due of an asset's needs within a window, where nothing was planned or advised."""
        first, last = window
        settled, born = self.seen.settled, self.since.toordinal() if self.since else None
        outlook = Outlook(self.meters, window) if self.meters is not None else None
        for need in needs:
            found = settled.get((need.service.id, self.id))
            if outlook is not None and not need.schedule.once:
                record = found[-1][1] if found else None
                way = need.every if record else need.first
                since = record.at.toordinal() if record else born
                if way is None or since is None or not outlook.may_hold(way, since, record):
                    continue
            for due in self._scheduled(need.service, found or [], None, need.schedule):
                if first <= due.on <= last:
                    yield due

    def dues(self, service: Service, window: Window) -> Iterator[Due]:
        """What is due of one service: a recheck that was advised, and what its schedule or a plan says."""
        key = (service.id, self.id)
        advice = self.seen.advised.get(key)
        recheck = _recheck(service, self.asset, advice) if advice else None
        first, last = window
        if recheck is not None and first <= recheck.on <= last:
            yield recheck
        plan = self.seen.plans.get(key)
        if plan is None and not self._needs(service):
            return
        schedule = self._schedule(service, plan)
        for due in self._scheduled(service, self.seen.settled.get(key, []), plan, schedule):
            near_recheck = recheck is not None and abs(due.on - recheck.on) <= CLOSE
            if first <= due.on <= last and not near_recheck:
                yield due

    def _needs(self, service: Service) -> bool:
        if self.asset is None and _about_assets(service):
            return True  # which of several assets it was is not known
        return _holds(service.needs, self.values)

    def _scheduled(
        self, service: Service, settled: list[Found], plan: ServicePlan | None, schedule: Schedule
    ) -> Iterator[Due]:
        identity, last = settled[-1] if settled else (FIRST, None)
        since = last.at.date() if last else self.since
        known = (last.recorded_at or last.at) if last else None
        if plan is not None:
            known = max(known, plan.recorded_at) if known else plan.recorded_at
            # Whoever came before the planned date, after it was planned, has done what was planned.
            stands = last is None or plan.at.date() >= last.at.date()
            if plan.next_due is not None and stands:
                stated = f"{identity}@{plan.next_due.isoformat()}"
                yield Due(service, self.asset, on_date(plan.next_due), stated, since or plan.at.date(), known)
                return
            if plan.every is not None and last is None:
                since = max(since or date.min, plan.at.date())
        if schedule.once:
            marks = marks_left(schedule.once, [record for _, record in settled], self.since, self.meters)
            if marks:
                yield from self._marks(service, marks, since, known)
                return
        interval = schedule.every if last else schedule.first or schedule.every
        when = after(interval, since, last, self.meters) if interval and since else None
        if when is not None and since is not None:
            yield Due(service, self.asset, when, identity, since, known)

    def _schedule(self, service: Service, plan: ServicePlan | None) -> Schedule:
        """Which schedule counts: a person's, or the one for what is known of the asset."""
        if plan is not None and plan.every is not None:
            return Schedule(plan.every)
        return schedule_for(service, self.values)

    def _marks(
        self, service: Service, marks: list[Interval], since: date | None, known: datetime | None
    ) -> Iterator[Due]:
        """The marks ahead, each an occurrence of its own."""
        for mark in marks:
            when = at_mark(mark, self.since, self.meters)
            if when is not None:
                yield Due(service, self.asset, when, f"once-{label(mark)}", since or LONG_AGO, known)


def _recheck(service: Service, asset: Asset | None, advice: Found) -> Due | None:
    identity, record = advice
    if record.recheck_on is None:
        return None
    known = record.recorded_at or record.at
    return Due(service, asset, on_date(record.recheck_on), identity, record.at.date(), known, advised=True)


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


def due_values(due: Due, world: World) -> dict[str, object]:
    """What expressions and texts see of a due date."""
    when = due.when
    unit = "h" if when.hours else (due.asset.attributes.get("unit") if due.asset else None) or world.units
    return {
        "due.date": when.on,
        "due.earliest": _at_noon(when.earliest),
        "due.latest": _at_noon(when.latest),
        "due.reading": when.reading,
        "due.unit": unit,
        "due.certain": when.certain,
        "due.by_usage": when.by_usage,
        "due.advised": due.advised,
    }


def _at_noon(day: date) -> datetime:
    """A date as the instant that expressions compare: noon, which is of that date nearly everywhere."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
