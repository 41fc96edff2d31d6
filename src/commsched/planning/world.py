"""The world that a plan is made in: frozen and hashed. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from commsched.model.facts import AnyFact
from commsched.model.vocabulary import Vocabulary
from commsched.planning.needs import Needs
from commsched.planning.reach import Bounds, Reach, bounds_of, reach_of
from commsched.plugin.base import Policy
from commsched.plugin.view import Department, Snapshot, unreadable
from commsched.rules.rule import Rule, Service
from commsched.timing.civil import local_date, start_of_day

SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Applied:
    """A policy instance and what it applies to; ``None`` means everything."""

    name: str
    policy: Policy[Any]
    purposes: frozenset[str] | None = None
    topics: frozenset[str] | None = None
    departments: frozenset[str] | None = None
    media: frozenset[str] | None = None

    def concerns(self, purpose: str, topic: str, department: str, vocabulary: Vocabulary) -> bool:
        """Whether the policy has a say in such a message."""
        return (
            (self.purposes is None or purpose in self.purposes)
            and (self.departments is None or department in self.departments)
            and (self.topics is None or any(vocabulary.covers(general, topic) for general in self.topics))
        )


@dataclass(frozen=True, slots=True)
class Pause:
    """The stop button: what is stopped (a rule, department, channel, or ``all``), since when, by whom."""

    scope: str
    since: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Down:
    """A medium by which nothing can go for now: when it is tried again, and why, for the staff."""

    until: datetime
    why: str


@dataclass(frozen=True)
class World:
    """Everything that a plan depends on besides the ledger and the instant.

    ``channels`` maps a medium to the first channel instance that serves it, ``carriers`` to all of them where there are
    several; ``down`` has the media whose channels are all out of order; ``templates`` a message's name to its digest;
    ``since`` a rule to the instant before which its occurrences yield nothing; ``breakers`` a policy that failed to the
    instant at which it is tried again; ``stale`` a source that has been silent for too long to when it was last
    heard of, if ever; ``mentions`` tells of a message's name which variables its texts name.

    What begins with ``_`` keeps what follows from the rest; a world that is made from this one begins without it.
    """

    hash: str
    name: str
    rules: tuple[Rule, ...]
    services: Mapping[str, Service]
    policies: tuple[Applied, ...]
    vocabulary: Vocabulary
    departments: Mapping[str, Department]
    calendars: Mapping[str, Snapshot]
    channels: Mapping[str, str]
    templates: Mapping[str, str]
    zone: ZoneInfo
    region: str = ""
    locale: str = "en"
    units: str = "km"
    horizon: timedelta = timedelta(days=60)
    hold_back: timedelta = timedelta(minutes=2)
    since: Mapping[str, datetime] = field(default_factory=dict)
    breakers: Mapping[str, datetime] = field(default_factory=dict)
    stale: Mapping[str, datetime] = field(default_factory=dict)
    mentions: Callable[[str], frozenset[str]] = lambda _: frozenset()
    pauses: tuple[Pause, ...] = ()
    only_to: frozenset[str] = frozenset()
    carriers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    down: Mapping[str, Down] = field(default_factory=dict)
    extra_facts: tuple[Callable[[Sequence[AnyFact]], Iterable[AnyFact]], ...] = ()
    text: Callable[[str, str, Mapping[str, object]], str] = lambda text, *_: text
    time_limit: float = 1.0
    _reaches: dict[str, Reach | None] = field(init=False, default_factory=dict, compare=False, repr=False)
    _bounds: dict[str, tuple[datetime, Bounds]] = field(init=False, default_factory=dict, compare=False, repr=False)
    _needs: dict[tuple[str, ...], Needs] = field(init=False, default_factory=dict, compare=False, repr=False)
    _chains: dict[tuple[str, str, str], tuple[Applied, ...]] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    def as_it_stands(
        self,
        name: str,
        stale: Mapping[str, datetime],
        since: Mapping[str, datetime],
        pauses: tuple[Pause, ...],
        down: Mapping[str, Down],
        breakers: Mapping[str, datetime],
    ) -> World:
        """This world with what changes from one look to the next; ``name`` is its hash.

        What follows from rules, services and policies alone is kept, and not worked out again at each look.
        """
        found = replace(self, hash=name, stale=stale, since=since, pauses=pauses, down=down, breakers=breakers)
        for kept in ("_reaches", "_needs", "_chains"):
            object.__setattr__(found, kept, getattr(self, kept))
        return found

    @property
    def reads_sent(self) -> bool:
        """Whether a rule asks what was sent, so that what we send may change what we have to say."""
        return any("sent" in rule.reads for rule in self.rules)

    def carriers_of(self, medium: str) -> tuple[str, ...]:
        """The channels that serve a medium, in order of preference."""
        first = self.channels.get(medium)
        return self.carriers.get(medium) or ((first,) if first is not None else ())

    def rule(self, name: str) -> Rule | None:
        """The rule of that name, if there still is one."""
        return next((rule for rule in self.rules if rule.name == name), None)

    def bounds(self, rule: Rule, now: datetime) -> Bounds:
        """What a rule can speak of at an instant."""
        when, found = self._bounds.get(rule.name, (None, None))
        if when != now or found is None:
            if rule.name not in self._reaches:
                self._reaches[rule.name] = reach_of(rule)
            found = bounds_of(rule, self._reaches[rule.name], now, self.horizon, self.since.get(rule.name))
            self._bounds[rule.name] = (now, found)
        return found

    def needs_of(self, names: tuple[str, ...]) -> Needs:
        """Which of these services an asset needs."""
        found = self._needs.get(names)
        if found is None:
            found = self._needs[names] = Needs([self.services[name] for name in names])
        return found

    def chain(self, purpose: str, topic: str, department: str) -> tuple[Applied, ...]:
        """The policies that have a say in such a message, in their configured order."""
        wanted = (purpose, topic, department)
        found = self._chains.get(wanted)
        if found is None:
            found = tuple(applied for applied in self.policies if applied.concerns(*wanted, self.vocabulary))
            self._chains[wanted] = found
        return found

    def uses(self, rule: Rule, template: str) -> frozenset[str]:
        """The variables that a message of a rule rests on: those of its texts, its reason and the rule's conditions."""
        known = self.mentions(template) | rule.reads
        return known | self.mentions(rule.bundle.template) if rule.bundle is not None else known

    def waits_for(self, rule: str, step: str) -> str | None:
        """Why a step cannot know its times at present: it counts business days of a calendar that cannot be read."""
        found = self.rule(rule)
        department = self.departments.get(found.department) if found else None
        calendar = self.calendars.get(department.calendar) if department and department.calendar else None
        if found is None or department is None or calendar is None or calendar.usable:
            return None
        one = next((one for one in found.steps if one.name == step), None)
        counts = one is not None and any(
            time.counts_business_days for time in (one.at, one.deadline, one.not_before) if time is not None
        )
        return unreadable(department, calendar.since) if counts else None

    def business(self, department: str) -> Callable[[date, int], date]:
        """How a department counts business days: the days on which its calendar opens; Monday to Friday without one.

        Also where it cannot be read, so that a message has a span in which it waits: see :meth:`waits_for`.
        """
        known = self.departments.get(department)
        calendar = self.calendars.get(known.calendar) if known and known.calendar else None
        place = known.zone if known else self.zone

        def is_open(day: date) -> bool:
            if calendar is None or not calendar.open:
                return day.weekday() < SATURDAY
            first, last = calendar.open.spans[0][0], calendar.open.spans[-1][1]
            if not local_date(first, place) <= day <= local_date(last, place):
                return day.weekday() < SATURDAY
            return bool(calendar.open.clip(start_of_day(day, place), start_of_day(day + timedelta(days=1), place)))

        def move(day: date, count: int) -> date:
            step = timedelta(days=1 if count > 0 else -1)
            for _ in range(abs(count)):
                day += step
                for _ in range(60):
                    if is_open(day):
                        break
                    day += step
            return day

        return move
