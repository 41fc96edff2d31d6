"""The algebra of windows, held against the library `portion`, which is slow and right."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import reduce
from itertools import pairwise

import portion
from hypothesis import given

from commsched import ALWAYS, NEVER, Span, Windows
from commsched.testing.strategies import instants, spans, windows
from commsched.timing.windows import FIRST, LAST, RESOLUTION

EVER = portion.closedopen(FIRST, LAST)


def oracle(times: Windows) -> portion.Interval:
    """The same times, as portion has them."""
    return reduce(lambda found, span: found | portion.closedopen(*span), times, portion.empty())


def from_oracle(interval: portion.Interval) -> Windows:
    """What portion has, as windows that were built anew."""
    return Windows((one.lower, one.upper) for one in interval if not one.empty)


def is_normal(times: Windows) -> bool:
    """Whether the intervals are sorted, apart, and none is empty."""
    edges = [edge for span in times for edge in span]
    return all(before < after for before, after in pairwise(edges))


@given(windows(), windows())
def test_intersection_is_what_is_in_both(one: Windows, other: Windows) -> None:
    """`&` gives the instants in both sets."""
    assert one & other == from_oracle(oracle(one) & oracle(other))


@given(windows(), windows())
def test_union_is_what_is_in_either(one: Windows, other: Windows) -> None:
    """`|` gives the instants in either set."""
    assert one | other == from_oracle(oracle(one) | oracle(other))


@given(windows(), windows())
def test_difference_is_what_is_only_here(one: Windows, other: Windows) -> None:
    """`-` gives the instants of the first that are not in the second."""
    assert one - other == from_oracle(oracle(one) - oracle(other))


@given(windows())
def test_complement_is_everything_else(one: Windows) -> None:
    """`~` gives every other instant, and twice gives the same set again."""
    assert ~one == from_oracle(EVER - oracle(one))
    assert ~~one == one


@given(windows(), spans())
def test_clipping_is_intersection_with_a_span(one: Windows, span: Span) -> None:
    """`clip` gives the part inside a span."""
    assert one.clip(*span) == from_oracle(oracle(one) & portion.closedopen(*span))


@given(windows(), instants())
def test_the_start_is_in_and_the_end_is_not(one: Windows, at: datetime) -> None:
    """`in` agrees with portion everywhere, at the edges too."""
    for instant in [at, *(edge for span in one for edge in span)]:
        assert (instant in one) == (instant in oracle(one))


@given(windows(), instants())
def test_nearest_is_inside_and_none_is_nearer(one: Windows, ideal: datetime) -> None:
    """`nearest` gives an allowed whole second, and no allowed second is nearer; nothing only for no times at all."""
    found = one.nearest(ideal)
    if found is None:
        assert not one
        return
    assert found in one
    away = abs(found - ideal)
    assert not one & Windows.between(ideal - away + RESOLUTION, ideal + away)
    assert away == timedelta() or ideal not in one


@given(windows(), windows(), windows())
def test_verdicts_combine_in_any_order(one: Windows, other: Windows, third: Windows) -> None:
    """Intersection commutes, associates, repeats harmlessly, has a neutral and a zero element, and only takes away."""
    assert one & other == other & one
    assert (one & other) & third == one & (other & third)
    assert one & one == one
    assert one & ALWAYS == one == ALWAYS & one
    assert one & NEVER == NEVER
    assert not (one & other) - one


@given(windows(), windows(), spans())
def test_results_are_in_normal_form(one: Windows, other: Windows, span: Span) -> None:
    """Whatever made them, the intervals are sorted, apart and not empty, so equal sets are equal values."""
    for times in (one, one & other, one | other, one - other, ~one, one.clip(*span)):
        assert is_normal(times)
        assert Windows(reversed(times.spans)) == times
        assert hash(Windows(times)) == hash(times)


@given(instants(), instants())
def test_between_and_onward_are_intervals(start: datetime, end: datetime) -> None:
    """`between` is empty unless the end is after the start; `onward` never ends."""
    assert bool(Windows.between(start, end)) == (start < end)
    assert (end in Windows.onward(start)) == (end >= start)
