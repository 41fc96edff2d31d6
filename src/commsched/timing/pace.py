"""How fast a meter moves, from what was driven between readings: several explanations, each with its weight.

Driving is taken to be even for a while, with ups and downs, and then to change: another job, another owner. After each
leg there are three ways to go on: as before; a change, from here on; or an exception (a journey, a car laid up), after
which all is as before. Each explanation foretells the next leg, and its weight is how well it did so (Bayesian online
changepoint detection, Adams and MacKay 2007; the least likely are dropped). Of an explanation, the rate is what was
driven in its time by the days that took, older days counting less, drawn towards what it started from; how much a leg
strays is learnt from the legs themselves, so that what is erratic is both believed less and forecast more widely.

The start, before anything is known: a median of 12,500 km a year. National means are 12,320 km a car (Germany, 2023;
Kraftfahrt-Bundesamt, Verkehr in Kilometern) and 18,054 km a light vehicle (United States, 2009; Federal Highway
Administration, Highway Statistics, table VM-1M), here taken as 15,000 together; and distances are skewed to the right:
with the spread between cars assumed here, their median lies a sixth below their mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

import msgspec
from msgspec.structs import replace

from commsched.timing.meter import Kind, Leg
from commsched.timing.season import Season, season

# How the logarithm of a rate varies (squares of standard deviations): from leg to leg, however long; over one day of
# driving, which averages out; from car to car; and from before to after a change or an exception.
EVER, DAILY, CARS, CHANGED, EXCEPTION = 0.03, 3.0, 0.35, 0.2, 1.0
# A rate from less than this many days is believed less than what was thought before.
START_DAYS = 45.0
# A change comes about every so many days; of ten legs one is an exception.
CHANGE_DAYS, EXCEPTIONAL = 1000.0, 0.1
LOG_EXCEPTIONAL, LOG_USUAL = log(EXCEPTIONAL), log(1 - EXCEPTIONAL)
# After so many days, what was driven counts half.
HALF_LIFE = 500.0
# … and so does what was thought before.
BASE_HALF_LIFE = 150.0
# What is taken to be known of the ups and downs counts as so many legs, and what is learnt as so many at most.
GUESSED, REMEMBERED = 2.0, 12.0
# A leg that strays further than this (in variances) teaches no more about the ups and downs; one that strays less than
# the other needs no explanation.
STRAY, FITS = 9.0, 0.5
# So many explanations are kept, and none that is this much less likely than the best (a logarithm).
KEPT, UNLIKELY = 3, 5.0
# That there is a season at all is this much less likely (a logarithm), since its profile was made of the same legs.
SEASONAL = -3.0


class Pace(msgspec.Struct, frozen=True, gc=False):
    """One explanation: its weight (all add up to one), the rate a day, and how much to make of it.

    ``noise``: how erratic it is, 1 being usual; ``days``: of how many days of driving the rate is worth; ``season``:
    on whose scale the days of the rate are.
    """

    weight: float
    rate: float
    noise: float
    days: float
    season: Season | None = None


# An explanation in the making: how likely it is (a logarithm), the rate that it started from and the days that this is
# worth at usual noise; what was driven since, in how many days; and how far so many legs have strayed.
_Thread = tuple[float, float, float, float, float, float, float]


def paces(legs: Sequence[Leg], kind: Kind) -> tuple[Pace, ...]:
    """The explanations of ``legs``; without any, the one that holds for everybody."""
    legs = _of_a_day_at_least(legs)
    plain, evidence = _explained([(leg, float(leg.until - leg.since)) for leg in legs], kind)
    found = season(legs)
    if found is None:
        return plain
    stretched = [(leg, found.stretched(leg.until) - found.stretched(leg.since)) for leg in legs]
    seasonal, for_it = _explained(stretched, kind)
    share = 1 / (1 + exp(min(max(evidence - for_it - SEASONAL, -50), 50)))
    return (
        *(replace(pace, weight=pace.weight * (1 - share)) for pace in plain),
        *(replace(pace, weight=pace.weight * share, season=found) for pace in seasonal),
    )


def _of_a_day_at_least(legs: Sequence[Leg]) -> list[Leg]:
    """The legs, those within a day being added to the next."""
    found, carried = [], 0.0
    for leg in legs:
        if leg.until == leg.since:
            carried += leg.driven
        else:
            found.append(leg if not carried else Leg(leg.since, leg.until, leg.driven + carried))
            carried = 0.0
    return found


def _explained(legs: Sequence[tuple[Leg, float]], kind: Kind) -> tuple[tuple[Pace, ...], float]:
    """The explanations of legs with their days on the scale of a season, and how likely the legs were under them."""
    threads: list[_Thread] = [(0.0, kind.usual, START_DAYS, 0.0, 0.0, GUESSED, GUESSED)]
    evidence = 0.0
    for leg, days in legs:
        civil = leg.until - leg.since
        seen = leg.driven, days, EVER + DAILY / civil, exp(-civil / CHANGE_DAYS), 0.5 ** (civil / HALF_LIFE), kind.slack
        grown: list[_Thread] = []
        for thread in threads:
            _grow(thread, seen, grown)
        if len(grown) > 1:
            grown.sort(reverse=True)
        best = grown[0][0]
        evidence += best
        threads = [(one[0] - best, *one[1:]) for one in grown[:KEPT] if one[0] > best - UNLIKELY]
    weights = [exp(thread[0]) for thread in threads]
    total = sum(weights)
    found = tuple([_pace(weight / total, thread) for weight, thread in zip(weights, threads, strict=True)])
    return found, evidence + log(total)


def _pace(weight: float, thread: _Thread) -> Pace:
    _, base, lean, driven, days, strayed, legs = thread
    noise = strayed / legs
    leaning = lean * min(noise, 1.0)
    return Pace(weight, (driven + base * leaning) / (days + leaning), noise, days + leaning)


def _grow(thread: _Thread, seen: tuple[float, float, float, float, float, float], into: list[_Thread]) -> None:
    """Let the thread go on in each way that makes sense, by a leg that was ``seen``.

    That is what was driven, in how many days, how much such a leg varies, how likely nothing changed by then, what of
    the time before still counts, and what does not matter.
    """
    chance, base, lean, driven, known, strayed, legs = thread
    more, days, varies, lasts, fades, slack = seen
    noise = strayed / legs
    leaning = lean * noise if noise < 1 else lean
    worth = known + leaning
    rate = (driven + base * leaning) / worth
    off = log((more + slack) / (rate * days + slack))
    off *= off
    own = noise * varies
    spread = own + (noise * DAILY / worth if known else CARS)
    strays = off / spread
    kept = 1.0 if legs < REMEMBERED else REMEMBERED / (legs + 1)
    count = (legs + 1) * kept
    # Student's distribution, since how erratic it is was learnt from few legs.
    said = 0.5 * (log(lasts * lasts / spread) - (legs + 1) * log(1 + strays / legs)) + LOG_USUAL
    learnt = (strayed + min(strays, STRAY) * noise) * kept
    faded = lean * 0.5 ** (days / BASE_HALF_LIFE)
    into.append((chance + said, base, faded, driven * fades + more, known * fades + days, learnt, count))
    if strays < FITS or not known:
        return
    spread = own + CHANGED
    strays = off / spread
    said = log((1 - lasts) * (1 - EXCEPTIONAL)) - 0.5 * (log(spread) + strays)
    learnt = (strayed + min(strays, STRAY) * noise) * kept
    into.append((chance + said, rate, DAILY / CHANGED, more, days, learnt, count))
    spread = own + EXCEPTION
    said = LOG_EXCEPTIONAL - 0.5 * (log(spread) + off / spread)
    into.append((chance + said, base, lean, driven * fades, known * fades, strayed, legs))
