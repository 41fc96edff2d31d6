"""The occasions on which a step may have to speak: what it hangs on, when that comes to be known, where times jump.

Between two neighbouring *changes* of a clock every time expression is a monotone function of the moment that it hangs
on, and between two *breaks*, midnights among them, it has no jump. That is what lets the proof reason from finitely
many points instead of sampling.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from commsched.planning.recurring import fires
from commsched.planning.times import Times, times_of
from commsched.planning.world import World
from commsched.rules.rule import Rule, Service, Step
from commsched.rules.timeexpr import TimeExpression
from commsched.timing.civil import DAY, clock_changes, start_of_day
from commsched.timing.windows import Span, Windows

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)
# How long before an appointment somebody may have booked it: "long before".
LONG = timedelta(days=400)
# Triggers that hang on a civil date which is known long before, on dates of the calendar, or on what has just happened.
DATED = frozenset({"service_due", "obligation"})
ENUMERATED = frozenset({"season", "schedule"})
SUDDEN = frozenset({"event", "feedback", "reply", "service_record", "case", "offer"})
# What is not caused by a person's action waits for no second thought.
NO_HOLD_BACK = DATED | ENUMERATED
_MONTHS = re.compile(r"\d\s*(mo|y)")
BOOKING = frozenset({"booked", "changed"})

Main = datetime | date


class Course:
    """A step's times as a function of what it hangs on, for one service and one customer's clock."""

    def __init__(
        self, world: World, rule: Rule, step: Step, service: Service | None, zones: tuple[ZoneInfo, ...]
    ) -> None:
        self.world, self.rule, self.step, self.service, self.zones = world, rule, step, service, zones
        self._business = world.business(rule.department)
        self._known: dict[tuple[Main, datetime], Times | None] = {}

    @property
    def by_booking(self) -> bool:
        """Whether its times depend on when the appointment was booked, and not only on when it starts."""
        return any(time.anchors & BOOKING for time in self._expressions)

    @property
    def by_business_days(self) -> bool:
        """Whether it counts business days."""
        return any(time.counts_business_days for time in self._expressions)

    @property
    def play(self) -> timedelta:
        """By how much the distance between two of its times may differ: times of day, months of unequal length."""
        texts = [time.text for time in self._expressions]
        clock = DAY if any(" at " in text for text in texts) else timedelta()
        return clock + (3 * DAY if any(_MONTHS.search(text) for text in texts) else timedelta())

    @property
    def by_the_later(self) -> bool:
        """Whether the later of several times counts somewhere."""
        return any("latest" in time.text for time in self._expressions)

    @property
    def _expressions(self) -> list[TimeExpression]:
        return [time for time in (self.step.at, self.step.not_before, self.step.deadline) if time is not None]

    @property
    def hold_back(self) -> timedelta:
        """How long a message waits for a second thought of whoever caused it."""
        return timedelta() if self.rule.trigger.kind in NO_HOLD_BACK else self.world.hold_back

    @property
    def min_notice(self) -> timedelta:
        """How long before its start an appointment can be booked at the latest."""
        return self.service.min_notice if self.service is not None else timedelta()

    def times(self, main: Main, born: datetime) -> Times | None:
        """The step's times for what hangs on ``main`` and came to be known at ``born``."""
        key = (main, born)
        if key not in self._known:
            anchors = _anchors(self.rule, self.service, main, born)
            place = self.world.zone
            self._known[key] = times_of(self.step, self.service, anchors, self.zones, place, self._business)
        return self._known[key]

    def instant(self, main: Main) -> datetime:
        """The moment that it hangs on; a civil date is its first instant where the customer is."""
        return main if isinstance(main, datetime) else start_of_day(main, self.zones[0])


# Triggers all of whose anchors are taken to lie on one day.
AT_ONCE: dict[str, tuple[str, ...]] = {
    "obligation": ("due",),
    "commitment": ("due", "kept", "moved"),
    "case": ("opened", "closed"),
}


def _anchors(rule: Rule, service: Service | None, main: Main, born: datetime) -> dict[str, Main]:
    kind = rule.trigger.kind
    if kind == "appointment" and isinstance(main, datetime):
        length = service.duration if service is not None else HOUR
        return {"start": main, "end": main + length, "booked": born, "changed": born}
    if kind == "service_due":
        return {"due": main, "last": main - YEAR}
    if kind in AT_ONCE:
        return dict.fromkeys(AT_ONCE[kind], main)
    if kind == "season" and rule.trigger.season is not None:
        opens, closes = rule.trigger.season
        return {"opens": main, "closes": date(main.year + (closes < opens), *closes)}
    if kind == "hold" and isinstance(main, datetime):
        return {"until": main, "began": min(born, main)}
    lasts = service.answer_within if service is not None else DAY
    if kind == "service_record" and isinstance(main, datetime):
        return {"event": main, "recheck": main.date() + YEAR / 2}
    return {"event": main, "offered": main, "expires": main + lasts}


@lru_cache(maxsize=256)
def changes(zones: tuple[ZoneInfo, ...], first: date, last: date) -> tuple[datetime, ...]:
    """Where clocks are put forward or back in these zones: around there, what comes later may fall due earlier."""
    found = {at for place in zones for change in clock_changes(place, first, last) for at in _around(change)}
    return tuple(sorted(found))


def _around(change: datetime) -> tuple[datetime, ...]:
    # An hour that comes twice begins an hour before the change, and ends an hour after it.
    return change - HOUR, change, change + HOUR


@lru_cache(maxsize=256)
def breaks(zones: tuple[ZoneInfo, ...], first: date, last: date) -> tuple[datetime, ...]:
    """Where times may jump: midnights, at which civil dates move on, and clock changes."""
    days = [first + DAY * number for number in range((last - first).days + 1)]
    midnights = {start_of_day(day, place) for place in zones for day in days}
    return tuple(sorted(midnights.union(changes(zones, first, last))))


def pieces(first: datetime, last: datetime, at: Sequence[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """The whole minutes from ``first`` to ``last``, both included, cut before each break."""
    begin = whole_minute(first)
    for cut in at[bisect_left(at, first) : bisect_left(at, last + MINUTE)]:
        end = whole_minute(cut) - MINUTE
        if begin <= end:
            yield begin, end
            begin = end + MINUTE
    if begin <= last:
        yield begin, begin + (last - begin) // MINUTE * MINUTE


def whole_minute(at: datetime) -> datetime:
    """The first whole minute from there on."""
    return at if not at.second and not at.microsecond else at.replace(second=0, microsecond=0) + MINUTE


def starts(open_times: Windows | None, length: timedelta, within: Span) -> Windows:
    """When an appointment of that length may begin inside open times (``None``: at any time); ends are included."""
    if open_times is None:
        return Windows.between(*within)
    spans = ((start, end - length + MINUTE) for start, end in open_times)
    return Windows(span for span in spans if span[0] < span[1]).clip(*within)


def dates(rule: Rule, within: Span, place: ZoneInfo) -> list[Main]:
    """The dates or instants that a rule may hang on, where there are finitely many between two instants."""
    first, last = (at.astimezone(place).date() for at in within)
    if rule.trigger.kind == "schedule":
        return list(fires(rule.trigger.cron, str(place), first, last))
    if rule.trigger.kind == "season" and rule.trigger.season is not None:
        years = range(first.year, last.year + 1)
        opens = [date(year, *rule.trigger.season[0]) for year in years]
        return [day for day in opens if first <= day <= last]
    return [first + DAY * number for number in range((last - first).days + 1)]
