"""How good the forecast of usage is: it is asked, at every reading of a log, when the next 5,000 km will be driven.

    python -m benchmarks forecast [--seed 11] [--cars 60]

The logs are made up, so that the truth is known: four fleets that drive very differently, read at irregular intervals,
with slips of the pen and miles taken for kilometres. A real log is added where it is at hand
(``maintenance/odometer_log_cuore.json`` in the corpora; ``$COMMSCHED_CORPORA`` names their folder). Each forecast is
compared with what people use instead: the slope between the last two readings, the straight line since the first, and
12,000 km a year for everybody.
"""

from __future__ import annotations

import argparse
import json
import os
import random
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate, pairwise
from math import exp
from pathlib import Path
from time import process_time

from benchmarks.bench import percentile
from benchmarks.population import ROOT
from commsched.timing.durations import KM_PER_MILE
from commsched.timing.usage import Point, usage

NEXT_KM = 5000.0
FIXED_RATE = 12_000 / 365
START = date(2019, 1, 1)
READ_DAYS = 4 * 365
TRUE_DAYS = READ_DAYS + 6 * 365
TYPOS, MIX_UPS, ROUNDED = 0.03, 0.03, 0.3
SEED, CARS = 11, 60
METHODS = ("forecast", "last two readings", "line since the first", "12,000 km a year")
Dice = random.Random


@dataclass(frozen=True, slots=True)
class Log:
    """A car's readings in order, and the truth: what its meter showed at the end of each day from ``start`` on."""

    points: tuple[Point, ...]
    start: date
    truth: tuple[float, ...]

    def reached(self, value: float) -> date | None:
        """The day on which the meter truly showed ``value``; None if the log ends before."""
        found = bisect_left(self.truth, value)
        return self.start + timedelta(days=found) if found < len(self.truth) else None


@dataclass(frozen=True, slots=True)
class Score:
    """What came of the forecasts for one group: errors in days by method, and how often the interval held."""

    errors: dict[str, list[float]]
    covered: int
    widths: list[float]

    def line(self, name: str) -> list[str]:
        """A row of the table."""
        cells = [f"{percentile(self.errors[m], 0.5):.0f} / {percentile(self.errors[m], 0.9):.0f}" for m in METHODS]
        share = self.covered / len(self.widths)
        return [name, str(len(self.widths)), *cells, f"{share:.0%}", f"{percentile(self.widths, 0.5):.0f}"]

    @property
    def beats_all(self) -> bool:
        """Whether both the median and the ninetieth percentile are below those of every other method."""
        own = self.errors[METHODS[0]]
        return all(
            percentile(own, share) < percentile(self.errors[other], share)
            for other in METHODS[1:]
            for share in (0.5, 0.9)
        )


def _weeks(dice: Dice, spread: float) -> list[float]:
    """Busy weeks and quiet ones, which tend to follow each other: a factor for each day, 1 in the middle."""
    factors, off = [], 0.0
    for number in range(TRUE_DAYS):
        if number % 7 == 0:
            off = 0.7 * off + dice.gauss(0, 0.7 * spread)
        factors.append(exp(off))
    return factors


def commuter(dice: Dice) -> list[float]:
    """To work and back, less at weekends; some weeks away each year, and now and then another job."""
    way, weekend = dice.lognormvariate(3.5, 0.45), dice.uniform(5, 40)
    away, drives = dice.randrange(100, 330), dice.random() < 0.6
    days, weeks = [], _weeks(dice, 0.25)
    for number in range(TRUE_DAYS):
        if dice.random() < 0.1 / 365:
            way *= dice.lognormvariate(0, 0.4)
        if 0 <= number % 365 - away < 18:
            days.append(dice.expovariate(1 / 110) if drives else 0.0)
        else:
            today = dice.uniform(0.8, 1.3) * way if number % 7 < 5 else dice.expovariate(1 / weekend)
            days.append(today * weeks[number])
    return days


def holiday_driver(dice: Dice) -> list[float]:
    """Little during the year, and far in summer, at Easter and at the end of the year."""
    daily = dice.uniform(6, 18)
    summer, easter, winter = dice.uniform(60, 150), dice.uniform(10, 90), dice.uniform(0, 70)
    begins = dice.randrange(175, 215)
    days = []
    for number in range(TRUE_DAYS):
        day = number % 365
        trip = summer if begins <= day < begins + 28 else easter if 92 <= day < 103 else winter if day > 353 else 0
        days.append(dice.expovariate(1 / daily) + (dice.expovariate(1 / trip) if trip else 0))
    return days


def van(dice: Dice) -> list[float]:
    """All day on weekdays; the routes change every half year or so, and January is quiet."""
    daily, days = dice.uniform(60, 150), []
    route, weeks = 1.0, _weeks(dice, 0.15)
    for number in range(TRUE_DAYS):
        if dice.random() < 2 / 365:
            route = dice.lognormvariate(0, 0.22)
        quiet = 0.7 if number % 365 < 25 else 1.0
        days.append(dice.uniform(0.6, 1.4) * daily * route * quiet * weeks[number] if number % 7 < 5 else 0.0)
    return days


def changed_hands(dice: Dice) -> list[float]:
    """One owner after another, each with a pace of their own."""
    sold = dice.randrange(int(READ_DAYS * 0.25), int(READ_DAYS * 0.75))
    first = dice.lognormvariate(3.6, 0.5)
    second = first * dice.choice((dice.uniform(0.3, 0.6), dice.uniform(1.7, 3)))
    weeks = _weeks(dice, 0.3)
    return [
        dice.gammavariate(0.8, (first if number < sold else second) / 0.8) * weeks[number]
        for number in range(TRUE_DAYS)
    ]


@dataclass(frozen=True, slots=True)
class Fleet:
    """How a fleet drives, and how many days lie between readings: at least, and on average beyond that."""

    drives: Callable[[Dice], list[float]]
    gap: tuple[int, int]


FLEETS = {
    "commuters": Fleet(commuter, (20, 75)),
    "holiday drivers": Fleet(holiday_driver, (25, 90)),
    "fleet vans": Fleet(van, (6, 16)),
    "changed hands": Fleet(changed_hands, (20, 75)),
}


def made_up(fleet: Fleet, dice: Dice) -> Log:
    """A log of one car of a fleet."""
    driven = [dice.uniform(0, 120_000), *fleet.drives(dice)]
    truth = tuple(accumulate(driven))[1:]
    points, day = [], dice.randrange(30)
    while day < READ_DAYS:
        points.append(Point(START + timedelta(days=day), _misread(truth[day], dice)))
        day += fleet.gap[0] + round(dice.expovariate(1 / fleet.gap[1]))
    return Log(tuple(points), START, truth)


def _misread(value: float, dice: Dice) -> float:
    """What somebody writes down: mostly the value, sometimes rounded, in the wrong unit, or with a slip of the pen."""
    chance = dice.random()
    if chance < TYPOS:
        digits = list(str(round(value)))
        at = dice.randrange(len(digits))
        slip = dice.choice(("lost", "swapped", "wrong"))
        if slip == "lost" and len(digits) > 1:
            del digits[at]
        elif slip == "swapped":
            digits[at - 1], digits[at] = digits[at], digits[at - 1]
        else:
            digits[at] = str(dice.randrange(10))
        return float("".join(digits))
    if chance < TYPOS + MIX_UPS:
        return round(value * KM_PER_MILE) if dice.random() < 0.5 else round(value / KM_PER_MILE)
    return round(value, -2) if chance < TYPOS + MIX_UPS + ROUNDED else float(round(value))


def real_logs() -> dict[str, Log]:
    """The logs of the corpora, if they are here; between two readings the meter is taken to have moved evenly."""
    folder = Path(os.environ.get("COMMSCHED_CORPORA") or ROOT.parent / "shared" / "corpora")
    path = folder / "maintenance" / "odometer_log_cuore.json"
    return {name: _real(log["readings"]) for name, log in json.loads(path.read_text()).items()} if path.exists() else {}


def _real(readings: Sequence[tuple[str, float]]) -> Log:
    points = tuple(Point(date.fromisoformat(day), value) for day, value in readings)
    truth = [points[0].value]
    for before, after in pairwise(points):
        days = (after.on - before.on).days
        truth += [before.value + (after.value - before.value) * (n + 1) / days for n in range(days)]
        if not days:
            truth[-1] = after.value
    return Log(points, points[0].on, tuple(truth))


def judged(logs: Sequence[Log]) -> Score:
    """Every prefix of at least two readings of every log, as far as the truth is known."""
    score = Score({method: [] for method in METHODS}, 0, [])
    covered = 0
    for log in logs:
        for points, target, actual in _questions(log):
            found = usage(points).reaches(target)
            if found is None:
                continue
            score.errors[METHODS[0]].append(abs((found.on - actual).days))
            for method, rate in _rates(points):
                score.errors[method].append(abs((_straight(points[-1], rate, target) - actual).days))
            score.widths.append((found.latest - found.earliest).days)
            covered += found.earliest <= actual <= found.latest
    return Score(score.errors, covered, score.widths)


def _questions(log: Log) -> Iterator[tuple[tuple[Point, ...], float, date]]:
    for count in range(2, len(log.points) + 1):
        points = log.points[:count]
        target = log.truth[(points[-1].on - log.start).days] + NEXT_KM
        actual = log.reached(target)
        if actual is not None:
            yield points, target, actual


def _rates(points: Sequence[Point]) -> Iterator[tuple[str, float]]:
    for method, first in ((METHODS[1], points[-2]), (METHODS[2], points[0])):
        days = (points[-1].on - first.on).days
        yield method, (points[-1].value - first.value) / days if days else 0
    yield METHODS[3], FIXED_RATE


def _straight(last: Point, rate: float, target: float) -> date:
    """Where a straight line gets; one that never would is given the rate that everybody has."""
    rate = rate if rate > 0 else FIXED_RATE
    return last.on + timedelta(days=round(min(max((target - last.value) / rate, 0), 3650)))


def speed(logs: Sequence[Log], readings: int = 8, rounds: int = 20) -> float:
    """Microseconds of a processor for one forecast from so many readings, slips and all."""
    prefixes = [log.points[:readings] for log in logs if len(log.points) >= readings]
    start = process_time()
    for _ in range(rounds):
        for points in prefixes:
            usage(points)
    return (process_time() - start) / rounds / len(prefixes) * 1e6


HEAD = ["cars", "asked", *(f"{method}: days off, median / p90" for method in METHODS), "80 % held", "width, days"]


def table(seed: int, cars: int) -> tuple[list[list[str]], dict[str, Score], float]:
    """The rows, the scores behind them, and the speed in microseconds."""
    logs = {
        name: [made_up(fleet, random.Random(f"{seed}/{name}/{number}")) for number in range(cars)]
        for name, fleet in FLEETS.items()
    }
    scores = {name: judged(some) for name, some in logs.items()}
    scores["all made up"] = _joined(list(scores.values()))
    scores |= {f"a real car ({name})": judged([log]) for name, log in real_logs().items()}
    rows = [score.line(name) for name, score in scores.items()]
    return rows, scores, speed([log for some in logs.values() for log in some])


def _joined(scores: Sequence[Score]) -> Score:
    return Score(
        {method: [error for score in scores for error in score.errors[method]] for method in METHODS},
        sum(score.covered for score in scores),
        [width for score in scores for width in score.widths],
    )


def main(arguments: Sequence[str]) -> None:
    """Print the table as docs/forecast.md has it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks forecast", description="Backtest the usage forecast.")
    parser.add_argument("--seed", type=int, default=SEED, help="which made-up cars")
    parser.add_argument("--cars", type=int, default=CARS, help="how many of each fleet")
    chosen = parser.parse_args(arguments)
    rows, scores, microseconds = table(chosen.seed, chosen.cars)
    print("\n".join("| " + " | ".join(row) + " |" for row in (HEAD, ["---"] * len(HEAD), *rows)))
    beaten = [name for name, score in scores.items() if not score.beats_all]
    print(f"\nBetter than all three, in median and p90: {'not for ' + ', '.join(beaten) if beaten else 'everywhere'}.")
    print(f"One forecast from eight readings: {microseconds:.0f} µs.")
