"""Windows on a line: when each policy allows a message, where it stands, and its deadline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from commsched.timing.civil import start_of_day
from commsched.timing.windows import Span, Windows

NOT, PART, ALL, UNSEEN = "░", "▒", "█", "·"
IDEAL, PLACED, DEADLINE = "▼", "●", "┃"
LEGEND = (
    f"{ALL} yes, {PART} in part, {NOT} no, {UNSEEN} not looked at; "
    f"{IDEAL} its ideal time, {PLACED} where it stands, {DEADLINE} its deadline"
)
LEAST = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Axis:
    """A span of time on ``width`` characters."""

    start: datetime
    end: datetime
    width: int

    @property
    def cell(self) -> timedelta:
        """How long one character is."""
        return max(self.end - self.start, LEAST) / self.width

    def at(self, moment: datetime) -> int | None:
        """The character that an instant falls on; ``None`` outside the span."""
        place = int((moment - self.start) / self.cell)
        return min(place, self.width - 1) if self.start <= moment <= self.end else None

    def bar(self, windows: Windows, seen: Span | None = None) -> str:
        """The windows as a bar: all, part or nothing of each character; ``seen``: only that time was looked at."""
        return "".join(self._mark(windows, self.start + self.cell * number, seen) for number in range(self.width))

    def _mark(self, windows: Windows, start: datetime, seen: Span | None) -> str:
        end = start + self.cell
        if seen is not None:
            start, end = max(start, seen[0]), min(end, seen[1])
            if start >= end:
                return UNSEEN
        inside = windows.clip(start, end)
        if not inside:
            return NOT
        open_time = sum((until - since for since, until in inside), timedelta())
        return ALL if open_time >= (end - start) * 0.98 else PART

    def marks(self, moments: Sequence[tuple[datetime | None, str]]) -> str:
        """A line with signs at instants; a later sign stands over an earlier one."""
        line = [" "] * self.width
        for moment, sign in moments:
            place = self.at(moment) if moment is not None else None
            if place is not None:
                line[place] = sign
        return "".join(line).rstrip()

    def dates(self, zone: ZoneInfo) -> str:
        """Dates below the line, where each of them begins, as many as there is room for."""
        line = [" "] * (self.width + 12)
        free = 0
        for moment in self._ticks(zone):
            place = self.at(moment)
            local = moment.astimezone(zone)
            text = f"{local.day} {local:%b}" if self.end - self.start > timedelta(days=2) else f"{local:%H:%M}"
            if place is not None and place >= free and place + len(text) <= self.width + 4:
                line[place : place + len(text) + 1] = f"│{text}"
                free = place + len(text) + 3
        return "".join(line).rstrip()

    def _ticks(self, zone: ZoneInfo) -> list[datetime]:
        """The beginnings of days, or of hours where the span is short."""
        if self.end - self.start <= timedelta(days=2):
            first = self.start.replace(minute=0, second=0, microsecond=0)
            return [first + timedelta(hours=number) for number in range(50)]
        day, last = self.start.astimezone(zone).date(), self.end.astimezone(zone).date()
        count = (last - day).days + 1
        return [start_of_day(day + timedelta(days=number), zone) for number in range(count)]


def rows(
    reviews: Sequence[tuple[str, frozenset[str] | None, Windows]],
    times: dict[str, Windows],
    axis: Axis,
    seen: Span | None = None,
) -> list[tuple[str, str, str]]:
    """Policy, medium and bar: a row for each policy and medium, then what is left on each medium."""
    found: list[tuple[str, str, str]] = []
    for policy, media, windows in reviews:
        named = ["all"] if media is None else sorted(media & times.keys()) or sorted(media)
        found += [(policy, medium, axis.bar(windows, seen)) for medium in named]
    found += [("= allowed", medium, axis.bar(windows, seen)) for medium, windows in times.items()]
    return found
