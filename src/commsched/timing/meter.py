"""What a meter really showed: readings in any order, with slips of the pen, wrong units and meters replaced, set right.

Each reading may be right, or be in the other unit (miles taken for kilometres, or the reverse), or be wrong; between
two readings the meter may have been replaced. Of all such histories the likeliest is taken: the costs below are about
the negative logarithm of how often a thing happens, and the cheapest path is found step by step (Viterbi 1967). What a
meter cannot have done without an error (run backwards, or faster than ``Kind.most``) is never taken for what it did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import log

import msgspec

from commsched.timing.durations import KM_PER_MILE

# How unlikely it is that a reading is wrong, by whose word it is: an import, the customer, staff who read the meter.
WRONG = (4.0, 6.0, 9.0)
# … that it is in the wrong unit, as a share of that; and of one more in the same wrong unit, which tends to follow.
MIXED, AGAIN = 0.8, 0.1
# … that the meter was replaced by a new one, or by one that showed anything.
REPLACED, EXCHANGED = 6.5, 11.0
# Of two readings that contradict each other and count the same, the newer one stays.
NEWER = 1e-6
# Below this are the ups and downs of driving, which need no other explanation.
USUAL = 2.0
# So many readings count, the last ones; and a reading follows one of so many before it, the others being wrong.
RECENT, LOOK_BACK = 40, 7
UNITS = (1.0, KM_PER_MILE, 1 / KM_PER_MILE)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a meter counts. ``usual``: how many a day, before anything is known of this one (see ``timing/pace.py``).

    ``most``: what nobody exceeds, a day; ``slack``: what does not matter; ``units``: how much a mistaken unit is off.
    """

    unit: str
    usual: float
    most: float
    slack: float
    units: tuple[float, ...]


# Nobody drives 1,500 km a day for long: a GPS fault that adds 44,000 km does not pass.
KILOMETRES = Kind("km", usual=12_500 / 365, most=1500, slack=100, units=UNITS)
# Ford's manuals reckon an hour of the engine as 25 miles, so an hour stands for 40 km.
HOURS = Kind("h", usual=12_500 / 365 / 40, most=24, slack=2.5, units=(1.0,))


class Point(msgspec.Struct, frozen=True, gc=False):
    """A reading: the civil date, kilometres or hours, and whose word it is (0 an import, 1 the customer, 2 staff)."""

    on: date
    value: float
    rank: int = 0


class Leg(msgspec.Struct, frozen=True, gc=False):
    """What was driven between two readings; ``since`` and ``until`` are ordinals (``date.toordinal``)."""

    since: int
    until: int
    driven: float


class Meter(msgspec.Struct, frozen=True, gc=False):
    """A meter's history as far as it can be believed, oldest first.

    ``days`` are ordinals; ``read`` what was written down; ``shown`` the same as the present meter would have shown it
    (below zero, if it was replaced since). ``legs`` leave out what was driven while a meter was replaced.
    """

    days: tuple[int, ...] = ()
    read: tuple[float, ...] = ()
    shown: tuple[float, ...] = ()
    legs: tuple[Leg, ...] = ()


def history(points: Sequence[Point], kind: Kind = KILOMETRES) -> Meter:
    """The history that readings in any order tell of; the last ``RECENT`` count."""
    ordered = sorted([(point.on.toordinal(), point.value, point.rank) for point in points])[-RECENT:]
    legs = [Leg(before[0], after[0], after[1] - before[1]) for before, after in pairwise(ordered)]
    rate = _usual_rate(legs, kind)
    for leg in legs:
        if _strain(leg.driven, leg.until - leg.since, rate, kind) >= USUAL:
            return _joined(_likeliest(ordered, rate, kind), rate)
    values = tuple([one[1] for one in ordered])
    return Meter(tuple([one[0] for one in ordered]), values, values, tuple(legs))


def _usual_rate(legs: Sequence[Leg], kind: Kind) -> float:
    """The median of what was driven a day from one reading to the next, and of what anybody drives."""
    rates = [kind.usual]
    for leg in legs:
        days = leg.until - leg.since
        if 0 < leg.driven <= kind.most * days:
            rates.append(leg.driven / days)
    rates.sort()
    half = len(rates) // 2
    return rates[half] if len(rates) % 2 else (rates[half - 1] + rates[half]) / 2


def _strain(driven: float, days: int, rate: float, kind: Kind) -> float:
    """How odd it is to have driven this in so many days, on the scale of the costs above; short times vary more."""
    days = max(days, 1)
    if driven < 0 or driven > kind.most * days:
        return EXCHANGED
    off = log((driven + kind.slack) / (rate * days + kind.slack))
    return off * off / (1 + 20 / days)


@dataclass(slots=True)
class _Guess:
    """A reading taken in one of the units: what it costs up to here, and the guess before it."""

    index: int
    day: int
    read: float
    value: float
    unit: float
    cost: float
    before: _Guess | None = None
    broken: bool = False


def _likeliest(ordered: list[tuple[int, float, int]], rate: float, kind: Kind) -> list[_Guess]:
    """The cheapest history, as the guesses that it is made of."""
    wrong = [WRONG[min(rank, 2)] * (1 + NEWER * n) for n, (_, _, rank) in enumerate(ordered)]
    left_out = [sum(wrong[:n]) for n in range(len(ordered) + 1)]
    columns: list[list[_Guess]] = []
    for index, (day, read, _) in enumerate(ordered):
        column = []
        for unit in kind.units:
            first = left_out[index] + (MIXED * wrong[index] if unit != 1 else 0)
            guess = _Guess(index, day, read, read * unit, unit, first)
            for before in (one for earlier in columns[-LOOK_BACK:] for one in earlier):
                _improve(guess, before, left_out, rate, kind)
            column.append(guess)
        columns.append(column)
    every = (guess for column in columns for guess in column)
    at: _Guess | None = min(every, key=lambda guess: guess.cost + left_out[-1] - left_out[guess.index + 1])
    chain = []
    while at is not None:
        chain.append(at)
        at = at.before
    return chain[::-1]


def _improve(guess: _Guess, before: _Guess, left_out: list[float], rate: float, kind: Kind) -> None:
    """Let ``guess`` follow ``before`` if that is cheaper than what it follows now."""
    cost = before.cost + left_out[guess.index] - left_out[before.index + 1]
    if guess.unit != 1:
        wrong = left_out[guess.index + 1] - left_out[guess.index]
        cost += (AGAIN if before.unit == guess.unit else MIXED) * wrong
    if cost >= guess.cost:
        return
    days = guess.day - before.day
    step, broken = _strain(guess.value - before.value, days, rate, kind), False
    if step >= EXCHANGED:
        step, broken = EXCHANGED, True
        if guess.value < before.value:
            step = min(step, REPLACED + _strain(guess.value, days, rate, kind))
    if cost + step < guess.cost:
        guess.cost, guess.before, guess.broken = cost + step, before, broken


def _joined(chain: list[_Guess], rate: float) -> Meter:
    """The history on the scale of the present meter; while a meter was replaced, what is usual was driven."""
    shown, legs, offset = [0.0] * len(chain), [], 0.0
    for n in range(len(chain) - 1, -1, -1):
        here, before = chain[n], chain[n - 1]
        shown[n] = here.value + offset
        if n and here.broken:
            offset = shown[n] - rate * (here.day - before.day) - before.value
        elif n:
            legs.append(Leg(before.day, here.day, here.value - before.value))
    days, read = tuple(guess.day for guess in chain), tuple(guess.read for guess in chain)
    return Meter(days, read, tuple(shown), tuple(reversed(legs)))
