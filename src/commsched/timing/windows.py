"""Sets of times: half-open UTC intervals, sorted and disjoint.

The algebra that allowances are made of. Intersection commutes, is associative and idempotent; property tests hold it
against the library ``portion``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

Span = tuple[datetime, datetime]

FIRST = datetime(1, 1, 2, tzinfo=UTC)
LAST = datetime(9999, 12, 30, tzinfo=UTC)
# Instants are placed on whole seconds, so the last instant inside [a, b) is b - 1 s.
RESOLUTION = timedelta(seconds=1)
# How many intervals a printed set of times shows: years of opening hours fill no screen.
SHOWN = 8


class Windows:
    """An immutable set of instants, as half-open ``[start, end)`` intervals in UTC."""

    __slots__ = ("spans",)
    spans: tuple[Span, ...]

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self.spans = _normal(spans)

    @classmethod
    def _trusted(cls, spans: tuple[Span, ...]) -> Windows:
        windows = object.__new__(cls)
        windows.spans = spans
        return windows

    @classmethod
    def between(cls, start: datetime, end: datetime) -> Windows:
        """All instants from ``start`` up to, not including, ``end``; none if the end is not after the start."""
        return cls._trusted(((start, end),)) if start < end else NEVER

    @classmethod
    def onward(cls, start: datetime) -> Windows:
        """All instants from ``start`` on."""
        return cls.between(start, LAST)

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __iter__(self) -> Iterator[Span]:
        return iter(self.spans)

    def __len__(self) -> int:
        return len(self.spans)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Windows) and self.spans == other.spans

    def __hash__(self) -> int:
        return hash(self.spans)

    def __repr__(self) -> str:
        shown = [f"[{start:%Y-%m-%d %H:%M:%S}, {end:%Y-%m-%d %H:%M:%S})" for start, end in self.spans[:SHOWN]]
        more = [f"… {len(self) - SHOWN} more"] if len(self) > SHOWN else []
        return f"Windows({', '.join(shown + more)})"

    def __contains__(self, instant: datetime) -> bool:
        at = bisect_right(self.spans, instant, key=_start) - 1
        return at >= 0 and instant < self.spans[at][1]

    def __and__(self, other: Windows) -> Windows:
        """The instants in both."""
        if self.spans == (EVER,):
            return other
        if other.spans == (EVER,):
            return self
        if len(other.spans) == 1:
            return self.clip(*other.spans[0])
        if len(self.spans) == 1:
            return other.clip(*self.spans[0])
        return Windows._trusted(tuple(_intersection(self.spans, other.spans)))

    def __or__(self, other: Windows) -> Windows:
        """The instants in either."""
        return Windows((*self.spans, *other.spans))

    def __sub__(self, other: Windows) -> Windows:
        """The instants here that are not in ``other``."""
        return self & ~other

    def __invert__(self) -> Windows:
        """Every other instant."""
        edges = [FIRST]
        for start, end in self.spans:
            edges += (start, end)
        edges.append(LAST)
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return Windows._trusted(tuple(pair for pair in pairs if pair[0] < pair[1]))

    def clip(self, start: datetime, end: datetime) -> Windows:
        """The part inside ``[start, end)``."""
        spans = self.spans
        low = bisect_right(spans, start, key=_end)
        high = bisect_left(spans, end, key=_start)
        if low >= high or start >= end:
            return NEVER
        inside = list(spans[low:high])
        if inside[0][0] < start:
            inside[0] = (start, inside[0][1])
        if inside[-1][1] > end:
            inside[-1] = (inside[-1][0], end)
        return Windows._trusted(tuple(inside))

    def nearest(self, ideal: datetime, room: timedelta = RESOLUTION) -> datetime | None:
        """The allowed instant closest to ``ideal``; the earlier of two that are equally close.

        An instant before the ideal leaves ``room`` until its interval ends, or is the interval's first instant.
        """
        at = bisect_right(self.spans, ideal, key=_start) - 1
        if at >= 0 and ideal < self.spans[at][1]:
            return ideal
        before = max(self.spans[at][0], self.spans[at][1] - room) if at >= 0 else None
        after = self.spans[at + 1][0] if at + 1 < len(self.spans) else None
        if before is None or after is None:
            return after if before is None else before
        return before if ideal - before <= after - ideal else after


def crowded(instants: Sequence[datetime], at_most: int, per: timedelta) -> Windows:
    """Where one more of ``instants``, which are in order, would be one too many in a stretch of ``per``.

    Around each run of ``at_most`` within one stretch: where another would share a stretch with them.
    """
    runs = zip(instants, instants[at_most - 1 :], strict=False)
    return Windows((last - per + timedelta.resolution, first + per) for first, last in runs if last - first < per)


def _start(span: Span) -> datetime:
    return span[0]


def _end(span: Span) -> datetime:
    return span[1]


def _normal(spans: Iterable[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)


def _intersection(left: tuple[Span, ...], right: tuple[Span, ...]) -> Iterator[Span]:
    i = j = 0
    while i < len(left) and j < len(right):
        left_start, left_end = left[i]
        right_start, right_end = right[j]
        # max() is a call, and this is the innermost loop of the planner.
        start = left_start if left_start > right_start else right_start  # noqa: FURB136
        if left_end < right_end:
            end = left_end
            i += 1
        else:
            end = right_end
            j += 1
        if start < end:
            yield start, end


EVER: Span = (FIRST, LAST)
NEVER = Windows()
ALWAYS = Windows((EVER,))
