"""How far from its anchors a rule can have something to say: what is further off needs no look.

Rules look at thousands of anchors that are years away: these bounds spare them the arithmetic.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec

from commsched.planning.outlook import ALWAYS, Window
from commsched.planning.times import GRACE
from commsched.rules.rule import ANCHORS, Rule
from commsched.rules.timeexpr import weekdays_only
from commsched.timing.civil import DAY, zone

SLACK = timedelta(days=10)
SAMPLE = date(2026, 6, 15)
# How far around a cron line's instant a rule speaks, where that cannot be told from its times.
AROUND = timedelta(days=120)
FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)


class Reach(msgspec.Struct, frozen=True, gc=False):
    """How far from its anchors a rule may speak: ``before`` the first, ``after`` the last.

    Its ideal times are at most ``ideal`` after the last; ``anchors`` are those that its time expressions name.
    """

    before: timedelta
    after: timedelta
    ideal: timedelta
    anchors: frozenset[str]


class Bounds(msgspec.Struct, frozen=True, gc=False):
    """What a rule can speak of at an instant: what ends no earlier than ``earliest`` and begins by ``latest``.

    ``anchors`` are those that count; what begins later comes into reach ``lead`` before. ``days`` are those of cron
    lines that matter, ``dates`` those of due dates. Both look two horizons ahead: what comes into reach before the next
    look must be known by now.
    """

    earliest: datetime
    latest: datetime
    lead: timedelta
    anchors: frozenset[str]
    days: Window
    dates: Window


def reach_of(rule: Rule) -> Reach | None:
    """How far a rule reaches; ``None`` if that is unknown.

    It is found by laying all anchors on one day; wherever they really lie, every time falls between the two bounds.
    """
    if any(step.prep for step in rule.steps):
        return None
    anchors: dict[str, datetime | date] = dict.fromkeys(ANCHORS[rule.trigger.kind], SAMPLE)
    ideals = [step.at for step in rule.steps]
    others = [time for step in rule.steps for time in (step.not_before, step.deadline) if time is not None]
    times = {time: time.resolve(anchors, (zone("UTC"),), weekdays_only, end_of_day=True) for time in (*ideals, *others)}
    known = [at for at in times.values() if at is not None]
    if len(known) < len(times):
        return None
    sample = datetime(SAMPLE.year, SAMPLE.month, SAMPLE.day, tzinfo=UTC)
    latest = max(at for time in ideals if (at := times[time]) is not None)
    return Reach(
        sample - min(known) + SLACK,
        max(known) - sample + SLACK + GRACE,
        latest - sample + SLACK,
        frozenset(name for time in times for name in time.anchors),
    )


def bounds_of(rule: Rule, reach: Reach | None, now: datetime, horizon: timedelta, since: datetime | None) -> Bounds:
    """What a rule of some reach, which counts since an instant, can speak of now."""
    before, after = (reach.before, reach.after) if reach is not None else (AROUND, AROUND)
    days = (now - after).date(), (now + before + 2 * horizon).date() + DAY
    if reach is None:
        return Bounds(FIRST, LAST, timedelta(), frozenset(), days, ALWAYS)
    earliest = now - after
    if since is not None and rule.catch_up is None:
        # What lies before the rule counts yields nothing, whatever else is known of it.
        earliest = max(earliest, since - reach.ideal)
    dates = (days[0] - DAY, days[1]) if reach.anchors == {"due"} and rule.repeat is None else ALWAYS
    return Bounds(earliest, now + horizon + before, before + horizon, reach.anchors, days, dates)
