"""Time expressions: ``due - 21d at 10:00``, ``earliest(start - 2bd, booked + 1h)`` (DESIGN §7).

``72h`` and ``90m`` are absolute; ``14d``, ``2w``, ``3mo``, ``1y`` move the calendar date and keep the local time;
``2bd`` counts business days. An expression is parsed once, when a rule is loaded, and resolved very often.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import NoReturn
from zoneinfo import ZoneInfo

from commsched.errors import TimeExpressionError
from commsched.timing.civil import instant
from commsched.timing.durations import Duration, parse_duration

Anchors = Mapping[str, datetime | date]
Business = Callable[[date, int], date]

_SECOND = timedelta(seconds=1)
_MIDNIGHT = time()
_DAY = timedelta(days=1)
_CENTURY = timedelta(days=36525)
_DEEPEST = 20
_FRIDAY = 4
_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SIGN = re.compile(r"[+\-−]")  # noqa: RUF001 (a word processor writes a real minus sign)
_DURATION = re.compile(r"(?:\d+\s*(?:mo|bd|[smhdwy])(?![A-Za-z_])\s*)+")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?![\d:])")
_UNTIL_NEXT = re.compile(r"[^\s,()+]+")


@dataclass(frozen=True, slots=True)
class _Moved:
    """An anchor, the civil moves in the order in which they stand, the sum of the absolute ones, a time of day."""

    anchor: str
    moves: tuple[tuple[int, Duration], ...]
    # The sum of the moves where they are all in days, which is what most rules have and quick to add.
    days: timedelta | None
    exact: timedelta
    clock: time | None

    def resolve(self, anchors: Anchors, place: ZoneInfo, business: Business, *, end_of_day: bool) -> datetime | None:
        start = anchors.get(self.anchor)
        if start is None:
            return None
        if isinstance(start, datetime):
            return self._from_instant(start, place, business)
        if self.clock is not None:
            day = (_at(start, _MIDNIGHT, place) + self.exact).astimezone(place).date() if self.exact else start
            return _at(self._moved(day, business), self.clock, place)
        day = self._moved(start, business)
        edge = _at(day + _DAY, _MIDNIGHT, place) - _SECOND if end_of_day else _at(day, _MIDNIGHT, place)
        return edge + self.exact if self.exact else edge

    @property
    def counts_business_days(self) -> bool:
        return any(duration.business_days for _, duration in self.moves)

    def _from_instant(self, start: datetime, place: ZoneInfo, business: Business) -> datetime:
        if self.clock is not None:
            day = (start + self.exact).astimezone(place).date()
            return _at(self._moved(day, business), self.clock, place)
        if not self.moves:
            return start + self.exact
        local = start.astimezone(place)
        day = self._moved(local.date(), business)
        # Without this, "+ 0d" would take the second of two equal local times for the first.
        moved = start if day == local.date() else _at(day, local.time().replace(fold=0), place)
        return moved + self.exact

    def _moved(self, day: date, business: Business) -> date:
        if self.days is not None:
            return day + self.days
        for sign, duration in self.moves:
            day = duration.after(day, sign)
            if duration.business_days:
                day = business(day, sign * duration.business_days)
        return day


@dataclass(frozen=True, slots=True)
class _Choice:
    """The earliest or the latest of several expressions."""

    pick: str
    parts: tuple[_Moved | _Choice, ...]

    def resolve(self, anchors: Anchors, place: ZoneInfo, business: Business, *, end_of_day: bool) -> datetime | None:
        found = [part.resolve(anchors, place, business, end_of_day=end_of_day) for part in self.parts]
        known = [at for at in found if at is not None]
        if len(known) < len(found):
            return None
        return min(known) if self.pick == "earliest" else max(known)

    @property
    def counts_business_days(self) -> bool:
        return any(part.counts_business_days for part in self.parts)


@dataclass(frozen=True, slots=True)
class TimeExpression:
    """A parsed time expression; ``text`` as it was written, ``anchors`` the names that it needs."""

    text: str
    anchors: frozenset[str]
    _root: _Moved | _Choice = field(repr=False)

    def __str__(self) -> str:
        return self.text

    @property
    def counts_business_days(self) -> bool:
        """Whether it means something only where a department's calendar is known."""
        return self._root.counts_business_days

    def resolve(
        self,
        anchors: Anchors,
        zones: tuple[ZoneInfo, ...],
        business: Business,
        *,
        end_of_day: bool = False,
    ) -> datetime | None:
        """The UTC instant it means, or ``None`` when an anchor is absent (or the instant beyond all calendars).

        ``anchors`` are aware UTC datetimes, or dates where only the day counts. Civil parts are reckoned in
        ``zones[0]``; ``business(day, n)`` is the date ``n`` business days from ``day``. A date without a time of day
        is its first instant, or with ``end_of_day`` its last second.
        """
        try:
            return self._root.resolve(anchors, zones[0], business, end_of_day=end_of_day)
        except (OverflowError, ValueError):
            return None


def parse_time(text: str, allowed: tuple[str, ...]) -> TimeExpression:
    """Parse a time expression that may name the anchors ``allowed``.

    Raises :class:`TimeExpressionError` with the column and what would be right.
    """
    parser = _Parser(text, allowed)
    root = parser.whole()
    return TimeExpression(text, frozenset(parser.named), root)


class _Parser:
    """Recursive descent over the text; ``at`` is the position of the next character."""

    def __init__(self, text: str, allowed: tuple[str, ...]) -> None:
        self.text = text
        self.allowed = allowed
        self.at = 0
        self.named: set[str] = set()

    def whole(self) -> _Moved | _Choice:
        root = self.expression(0)
        if self.at < len(self.text):
            self.fail(f"{self.rest()!r} is too much here; an expression is ANCHOR ± DURATION … [at HH:MM]")
        return root

    def expression(self, depth: int) -> _Moved | _Choice:
        begin = self.skip()
        word = self.take(_WORD)
        if word is None:
            self.fail(f"an anchor is missing ({self.choices()})")
        if word[0] in ("earliest", "latest") and self.take(re.compile(r"\(")):
            if depth >= _DEEPEST:
                self.fail("earliest and latest are nested too deeply")
            return _Choice(word[0], self.parts(word[0], depth))
        if word[0] not in self.allowed:
            self.at = begin
            self.fail(f"{word[0]!r} is not known here{_closest(word[0], self.allowed)} ({self.choices()})")
        self.named.add(word[0])
        return self.moved(word[0])

    def parts(self, pick: str, depth: int) -> tuple[_Moved | _Choice, ...]:
        parts = [self.expression(depth + 1)]
        while self.take(re.compile(",")):
            parts.append(self.expression(depth + 1))
        if not self.take(re.compile(r"\)")):
            self.fail(f"{pick}( must be closed with ), its parts separated by commas")
        return tuple(parts)

    def moved(self, anchor: str) -> _Moved:
        moves: list[tuple[int, Duration]] = []
        exact = timedelta()
        while sign_text := self.take(_SIGN):
            sign = 1 if sign_text[0] == "+" else -1
            duration = self.duration()
            exact += sign * duration.exact
            if duration.civil:
                moves.append((sign, duration))
        return _Moved(anchor, tuple(moves), _days(moves), exact, self.clock())

    def duration(self) -> Duration:
        begin = self.skip()
        found = self.take(_DURATION)
        if found is None:
            shown = _UNTIL_NEXT.match(self.text, begin)
            self.fail(f"{shown[0] if shown else ''!r} is not a duration; write 90m, 72h, 14d, 2w, 3mo, 1y or 2bd")
        try:
            duration = parse_duration(found[0].strip())
            too_long = duration.rough() > _CENTURY
        except OverflowError:
            too_long = True
        if too_long:
            self.at = begin
            self.fail(f"{found[0].strip()!r} is longer than a century")
        return duration

    def clock(self) -> time | None:
        begin = self.skip()
        word = self.take(_WORD)
        if word is None:
            return None
        if word[0] != "at":
            self.at = begin
            self.fail(f"{word[0]!r} is not expected here; after the anchor come + or - and a duration, or at HH:MM")
        self.skip()
        found = self.take(_CLOCK)
        if found is None:
            self.fail(f"{self.rest()!r} is not a time of day; write 09:00 or 18:30")
        return time(int(found[1]), int(found[2]))

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The match at the next character that is not a space, which is then behind us."""
        begin = self.skip()
        found = pattern.match(self.text, begin)
        if found:
            self.at = found.end()
            self.skip()
        return found

    def skip(self) -> int:
        space = _SPACE.match(self.text, self.at)
        self.at = space.end() if space else self.at
        return self.at

    def rest(self) -> str:
        rest = self.text[self.at :]
        return rest if len(rest) <= 30 else rest[:30] + "…"  # noqa: PLR2004 (enough to find the place)

    def choices(self) -> str:
        return "one of: " + ", ".join(self.allowed)

    def fail(self, message: str) -> NoReturn:
        raise TimeExpressionError(f"Column {self.at + 1} of {self.text!r}: {message}.")


@lru_cache(maxsize=65536)
def _at(day: date, clock: time, place: ZoneInfo) -> datetime:
    """The instant of a local time; one table look-up when it was asked before, as it mostly was."""
    return instant(datetime.combine(day, clock), place)


def _days(moves: list[tuple[int, Duration]]) -> timedelta | None:
    if any(duration.months or duration.business_days for _, duration in moves):
        return None
    return timedelta(days=sum(sign * duration.days for sign, duration in moves))


def _closest(word: str, allowed: tuple[str, ...]) -> str:
    close = get_close_matches(word, allowed, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def weekdays_only(day: date, count: int) -> date:
    """Business days of a calendar without holidays, Monday to Friday: for checks that know no department."""
    step = _DAY if count > 0 else -_DAY
    for _ in range(abs(count)):
        day += step
        while day.weekday() > _FRIDAY:
            day += step
    return day
