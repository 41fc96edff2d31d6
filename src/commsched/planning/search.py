"""The search behind the timing proof: every occasion that could matter to one step, on one medium, by one clock."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from commsched.planning.occasions import (
    DATED,
    ENUMERATED,
    LONG,
    MINUTE,
    SUDDEN,
    Course,
    Main,
    breaks,
    changes,
    dates,
    pieces,
    whole_minute,
)
from commsched.planning.times import GRACE, LAST_WORD, Times
from commsched.timing.civil import DAY
from commsched.timing.windows import RESOLUTION, Span, Windows

# How much further than its own times a step is looked at: room for business days, holidays and long closures.
SLACK = timedelta(days=12)
# Where a clock is put back, what comes later may fall due earlier, by two hours at most (Antarctica/Troll): so much on
# either side of where a time is found to pass an edge, the pieces between clock changes are searched one by one.
DIP = timedelta(hours=4)
# From what an occasion hangs on and when it came to be known, to both.
Path = Callable[[datetime], tuple[datetime, datetime]]


@dataclass(frozen=True, slots=True)
class Example:
    """A concrete case: what it hangs on, when that came to be known, the step's times, whose clock, which medium."""

    main: Main
    born: datetime
    times: Times
    zones: tuple[ZoneInfo, ...]
    medium: str


@dataclass
class Finding:
    """The worst of what was found so far: the greatest least lead (``LONG``: however early), and who is not told."""

    lead: timedelta | None = None
    worst: Example | None = None
    untold: bool = False
    unanswered: Example | None = None
    leads: dict[Main, timedelta] = field(default_factory=dict)
    _silence: timedelta = timedelta.min

    def take(self, lead: timedelta, example: Example) -> None:
        """A start with its least lead, for the slowest medium and clock."""
        if lead < LONG:
            self.leads[example.main] = max(lead, self.leads.get(example.main, lead))
        if self.lead is None or lead > self.lead:
            self.lead, self.worst = lead, example

    def silent(self, lead: timedelta, example: Example) -> None:
        """A case in which nobody says anything; the earliest known is the most telling."""
        if lead > self._silence:
            self._silence, self.unanswered = lead, example


class Search:
    """One step on one medium by one clock.

    ``allowed``: when policies let it go; ``within``: the time that counts; ``starts``: when appointments may start.
    """

    def __init__(
        self, course: Course, medium: str, allowed: Windows, within: Span, starts: Windows, finding: Finding
    ) -> None:
        self.course, self.medium, self.allowed = course, medium, allowed
        self.within, self.starts, self.finding = within, starts, finding
        first, last = (within[0] - LONG - SLACK).date(), (within[1] + LONG).date()
        zones = tuple(dict.fromkeys((*course.zones, course.world.zone)))
        self.breaks, self.changes = breaks(zones, first, last), changes(zones, first, last)
        self.appointment = course.rule.trigger.kind == "appointment"
        self.gaps = list(Windows.between(within[0] - LONG - SLACK, within[1] + 2 * LONG) - allowed)
        self.by_booking = course.by_booking
        fallback = course.step.too_late if course.step.prep is not None else course.rule.otherwise
        self.by_task = fallback is not None and fallback.task is not None
        self.reach = self._reach()

    def run(self) -> None:
        """Look at every occasion; what is found goes into the finding."""
        kind = self.course.rule.trigger.kind
        if kind in DATED | ENUMERATED:
            for main in dates(self.course.rule, self.within, self.course.world.zone):
                self._at(main)
            return
        if kind in SUDDEN:
            self._along(lambda at: (at, at), *self.within)
            return
        for first, last in self.starts:
            for start in self._candidates(first, last - MINUTE):
                self._at(start)
        if self.by_booking:
            # Where the booking sets the times: with the start far away, and, if the later of two counts, at hand.
            self._along(lambda born: (born + LONG, born), *self.within)
            if self.course.by_the_later:
                self._along(lambda born: (born + self.course.min_notice + MINUTE, born), *self.within)

    def _at(self, main: Main) -> None:
        """One moment: by when it must be known, and what becomes of what is known later."""
        at = self.course.instant(main)
        times = self.course.times(main, at)
        if times is None:
            return
        latest = self._latest(main, at, times)
        if latest is None:
            early = at - self.reach
            self._untold(main, early, self.course.times(main, early) or times, at, always=True)
            return
        self.finding.take(at - latest, self._example(main, latest, times))
        self._later(main, at, latest, times)
        if self.by_booking and isinstance(main, datetime):
            self._before(main, latest)

    def _later(self, main: Main, at: datetime, latest: datetime, times: Times) -> None:
        """What becomes of what is known a little too late, and at the last moment."""
        if self.finding.untold and self.by_task:
            return  # whoever comes too late has a task, and that there are such is known
        final = at - max(self.course.min_notice, MINUTE)
        for born in (whole_minute(latest + RESOLUTION), whole_minute(final)):
            if latest < born <= final:
                late = self.course.times(main, born) if self.by_booking else times
                self._untold(main, born, late or times, at)

    def _before(self, start: datetime, latest: datetime) -> None:
        """Bookings before the latest that are not told either, because the start sets their deadline or opening.

        Where the booking sets them, the start does not matter, and they are looked at along with all starts.
        """
        early = max(start - self.reach, self.within[0])
        times, other = self.course.times(start, early), self.course.times(start + DAY, early)
        if times is None or other is None:
            return
        if times.deadline < times.opens:
            self._untold(start, early, times, start, always=True)
        edges = [times.deadline] if times.deadline != other.deadline else []
        edges += [times.opens] if times.opens != other.opens else []
        for gap in {gap for edge in edges if (gap := self._gap(edge)) is not None}:
            low, high = max(early, gap[0] - self.reach), min(latest, whole_minute(gap[0]))
            if low <= high and not self._spans((start, low), *gap):
                self._in_gap(partial(_booked, start), low, high, gap)

    def _gap(self, at: datetime) -> Span | None:
        """The gap that an instant lies in."""
        index = bisect_right(self.gaps, at, key=_begin) - 1
        return self.gaps[index] if index >= 0 and at < self.gaps[index][1] else None

    def _latest(self, main: Main, at: datetime, times: Times) -> datetime | None:
        """The latest moment at which it may come to be known and still be told; ``None`` if it never is."""
        last = self._last(times.deadline)
        if last is None:
            return None
        if self.by_booking:
            return self._latest_booking(main, at, last)
        if last < times.opens:
            return None
        latest = last - self.course.hold_back
        return min(latest, times.ideal) if self.course.step.late == "skip" else latest

    def _latest_booking(self, main: Main, at: datetime, last: datetime) -> datetime | None:
        guess = min(last - self.course.hold_back, at)
        if self._told(main, guess, last) and (guess == at or not self._told(main, guess + RESOLUTION, last)):
            return guess
        early = at - self.reach
        if not self._told(main, early, last):
            return None
        return first_where(early, at, lambda born: not self._told(main, born, last)) - RESOLUTION

    def _last(self, at: datetime) -> datetime | None:
        """The last allowed instant that is not after this one."""
        spans = self.allowed.spans
        index = bisect_right(spans, at, key=_begin) - 1
        return min(at, spans[index][1] - RESOLUTION) if index >= 0 else None

    def _told(self, main: Main, born: datetime, last: datetime) -> bool:
        times = self.course.times(main, born)
        if times is None or (self.course.step.late == "skip" and times.ideal < born):
            return False
        return max(times.opens, born + self.course.hold_back) <= last

    def _along(self, path: Path, first: datetime, last: datetime) -> None:
        """What comes to be known between two moments, along a path: whose whole time to be told falls into a gap."""
        begin_at = bisect_right(self.gaps, first - self.reach, key=_end)
        least = self._least_time(path, first)
        for begin, end in self.gaps[begin_at : bisect_left(self.gaps, last + self.reach, key=_begin)]:
            if end - begin < least:
                continue
            low, high = max(first, begin - self.reach), min(last, whole_minute(begin))
            if low <= high and not self._spans(path(low), begin, end):
                self._in_gap(path, low, high, (begin, end))

    def _least_time(self, path: Path, first: datetime) -> timedelta:
        """How long there always is to tell it, at least: a shorter gap holds back nobody. Nothing, if that is unclear.

        Times of day, months and clock changes move a time by so much; how far business days reach nobody can say.
        """
        if self.course.by_business_days:
            return timedelta()
        lengths = []
        for hour in range(0, 24 * 7, 6):
            at = path(first + timedelta(hours=hour))
            times = self.course.times(*at)
            if times is not None:
                lengths.append(times.deadline - self._opens(*at))
        return min(lengths, default=timedelta()) - self.course.play - DIP

    def _in_gap(self, path: Path, low: datetime, high: datetime, gap: Span) -> None:
        about = self._first_in(path, low, high, gap[0])
        for one, other in pieces(max(low, about - DIP), min(high, about + DIP), self.changes):
            self._in_piece(path, one, other, gap)

    def _first_in(self, path: Path, low: datetime, high: datetime, begin: datetime) -> datetime:
        """The first minute from which the message would open at ``begin`` or later."""

        def opens(at: datetime) -> bool:
            return self._opens(*path(at)) >= begin

        # Most messages open as soon as they may be sent at all.
        guess = whole_minute(begin - self.course.hold_back)
        if low <= guess - MINUTE and guess <= high and opens(guess) and not opens(guess - MINUTE):
            return guess
        return first_where(low, high, opens, MINUTE)

    def _in_piece(self, path: Path, low: datetime, high: datetime, gap: Span) -> None:
        """The first minute in the gap has the earliest deadline: if that is after the gap, so are all others."""
        begin, end = gap
        if self._opens(*path(high)) < begin:
            return
        born = self._first_in(path, low, high, begin)
        main, _ = path(born)
        times = self.course.times(main, born)
        if times is not None and times.deadline < end:
            self._untold(main, born, times, main, always=True)

    def _spans(self, at: tuple[datetime, datetime], begin: datetime, end: datetime) -> bool:
        """Whether what opens before the gap is open until after it; then so is whatever comes later."""
        times = self.course.times(*at)
        return times is not None and self._opens(*at) <= begin and times.deadline >= end

    def _opens(self, main: datetime, born: datetime) -> datetime:
        times = self.course.times(main, born)
        return max(times.opens, born + self.course.hold_back) if times is not None else born

    def _untold(self, main: Main, born: datetime, times: Times, at: datetime, *, always: bool = False) -> None:
        """A case in which the message cannot go: what that means, and whether anything happens instead.

        ``always``: no lead would be enough.
        """
        course, step = self.course, self.course.step
        late = step.late == "skip" and times.ideal < born
        if step.prep is None and (late or times.deadline < born + course.hold_back):
            return
        example = self._example(main, born, times)
        if always:
            self.finding.take(LONG, example)
        # What is not about a booking, and came to be known too late, lapses: that is what a deadline is for.
        if always or self.appointment:
            self.finding.untold = True
            if not self._answered(times, born, at):
                self.finding.silent(at - born, example)

    def _answered(self, times: Times, born: datetime, at: datetime) -> bool:
        """Whether the fallback reaches somebody: a task always does, a message only where it may go."""
        step, rule = self.course.step, self.course.rule
        if step.prep is None and times.deadline < times.opens:
            # Its deadline is over before it may go: the planner takes that for something nobody meant to say.
            return False
        fallback = step.too_late if step.prep is not None else rule.otherwise
        if fallback is None or fallback.task is not None:
            return fallback is not None
        if step.prep is None:
            opens, closes = times.deadline, times.deadline + GRACE
        else:
            opens, closes = max(times.deadline, born), at - LAST_WORD
        last = self._last(closes)
        return last is not None and last >= opens

    def _example(self, main: Main, born: datetime, times: Times) -> Example:
        return Example(main, born, times, self.course.zones, self.medium)

    def _candidates(self, first: datetime, last: datetime) -> Iterator[datetime]:
        """The starts at which the least lead may be greatest: the ends of each piece, and around each window's edge."""
        for one, other in pieces(first, last, self.breaks):
            yield one
            yield from self._edges(one, other)
            if other > one:
                yield other

    def _edges(self, first: datetime, last: datetime) -> Iterator[datetime]:
        low, high = self._deadline(first), self._deadline(last)
        for begin in (start for start, _ in self.allowed.clip(low, high + RESOLUTION) if start > low):
            found = first_where(first, last, partial(self._due_by, begin), MINUTE)
            yield from (at for at in (found - MINUTE, found) if first <= at <= last)
        fallback = self.course.step.too_late
        if fallback is not None and fallback.template is not None:
            for begin, _ in self.allowed.clip(first, last):
                edge = whole_minute(begin)
                yield from (at for at in (edge - MINUTE, edge) if first <= at <= last)

    def _due_by(self, edge: datetime, at: datetime) -> bool:
        return self._deadline(at) >= edge

    def _deadline(self, at: datetime) -> datetime:
        times = self.course.times(at, at)
        return times.deadline if times is not None else at

    def _reach(self) -> timedelta:
        """How far a step's times may lie from what they hang on."""
        day = self.within[0].date()
        kind = self.course.rule.trigger.kind
        main: Main = day if kind in DATED | {"season"} else self.within[0]
        at = self.course.instant(main)
        lengths = [timedelta()]
        for born in (at, at - LONG):
            times = self.course.times(main, born)
            edges = (times.opens, times.ideal, times.deadline) if times is not None else ()
            lengths += [min(abs(edge - at), abs(edge - born)) for edge in edges]
        return min(max(lengths) + SLACK, LONG)


def first_where(
    low: datetime, high: datetime, holds: Callable[[datetime], bool], step: timedelta = RESOLUTION
) -> datetime:
    """The first of ``low``, ``low + step``, … ``high`` from which on it holds; just after ``high`` if it never does."""
    first, last = 0, (high - low) // step + 1
    while first < last:
        middle = (first + last) // 2
        if holds(low + middle * step):
            last = middle
        else:
            first = middle + 1
    return low + first * step


def _booked(start: datetime, born: datetime) -> tuple[datetime, datetime]:
    return start, born


def _begin(span: Span) -> datetime:
    return span[0]


def _end(span: Span) -> datetime:
    return span[1]
