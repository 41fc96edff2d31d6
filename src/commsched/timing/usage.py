"""When a meter will show a value: an interval that holds in about 80 of 100 cases, not a date alone.

The readings are set right first (``timing/meter.py``), then the pace is estimated (``timing/pace.py``). How long a
distance takes is then a mixture of log-normal times, one for each explanation of what was driven, and the forecast its
middle and its tenths on either side. Measured in ``docs/forecast.md``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date, timedelta
from math import exp, inf, log, sqrt

import msgspec

from commsched.timing.meter import KILOMETRES, Kind, Meter, Point, history
from commsched.timing.pace import CARS, DAILY, EVER, Pace, paces

__all__ = ["Forecast", "Point", "Usage", "usage"]

# A tenth of the normal distribution lies beyond this many standard deviations, on either side.
TENTH = 1.2816
# What changes in a year without notice: the square of a standard deviation of the rate's logarithm.
DRIFT = 0.065
# What lies further off than this never comes.
MAX_DAYS = 3650
# A due date is certain enough to be told when its interval is at most this long.
CERTAIN_DAYS = 90


class Forecast(msgspec.Struct, frozen=True, gc=False):
    """When something happens: ``on`` is the best guess; in 80 of 100 cases it is from ``earliest`` to ``latest``."""

    earliest: date
    on: date
    latest: date

    @property
    def certain(self) -> bool:
        """Whether it can be told to somebody as a fact about them."""
        return (self.latest - self.earliest).days <= CERTAIN_DAYS


class Usage(msgspec.Struct, frozen=True, gc=False):
    """A meter's history, and the explanations of its pace; ``known`` if the pace is this meter's own at all.

    ``rate``: kilometres (or hours) a day, the seasons apart; ``fastest``: more than that is expected on no day.
    """

    meter: Meter
    paces: tuple[Pace, ...]
    known: bool
    rate: float
    fastest: float

    @property
    def last(self) -> Point | None:
        """The last reading that counts, as the present meter shows it."""
        meter = self.meter
        return Point(date.fromordinal(meter.days[-1]), meter.shown[-1]) if meter.days else None

    def shows(self, value: float) -> bool:
        """Whether the meter has shown so much already."""
        return bool(self.meter.days) and value <= self.meter.shown[-1]

    def began_after(self, day: date) -> bool:
        """Whether nothing was read by a date, so that what the meter showed then is a guess."""
        return not self.meter.days or self.meter.days[0] > day.toordinal()

    def span(self, first: int, last: int) -> tuple[float, float]:
        """What the meter showed before an ordinal, and the most that it can be expected to show by another."""
        days, shown = self.meter.days, self.meter.shown
        number = bisect_left(days, first)
        before = shown[number - 1] if number else -inf
        return before, shown[-1] + self.fastest * max(last - days[-1] + 1, 0)

    def reaches(self, value: float) -> Forecast | None:
        """When the present meter shows ``value``; ``None`` if never, or if nothing was ever read.

        What is past is dated by the first reading that showed it, and may have been since the reading before.
        """
        meter = self.meter
        if not meter.days:
            return None
        if value > meter.shown[-1]:
            return self.drives(value - meter.shown[-1], date.fromordinal(meter.days[-1]))
        first = bisect_left(meter.shown, value)
        seen = date.fromordinal(meter.days[first])
        return Forecast(date.fromordinal(meter.days[max(first - 1, 0)]), seen, seen)

    def drives(self, distance: float, since: date) -> Forecast | None:
        """When so much more than on ``since`` will have been driven; ``None`` if that is too far off to say."""
        start = since.toordinal()
        middle = spread = 0.0
        for pace in self.paces:
            days = distance / max(pace.rate, 1e-9)
            if pace.season is not None:
                days = max(pace.season.after(start, days), 0.5)
            about = log(days)
            own = pace.noise * (EVER + DAILY / days + DAILY / pace.days) if self.known else CARS
            middle += pace.weight * about
            spread += pace.weight * (about * about + own + DRIFT * days / 365)
        aside = exp(TENTH * sqrt(max(spread - middle * middle, 0.0)))
        days = exp(middle)
        if days > MAX_DAYS:
            return None
        latest = min(days * aside, 2.0 * MAX_DAYS)
        return Forecast(*(since + timedelta(days=round(one)) for one in (days / aside, days, latest)))

    def at(self, day: date, read: float | None = None) -> float | None:
        """What the present meter showed, or will show, on a date; ``None`` if nothing was ever read.

        ``read``: what was written down that day, where several readings are of one day; it counts if it is believed.
        """
        days, shown = self.meter.days, self.meter.shown
        if not days:
            return None
        number = day.toordinal()
        after = bisect_right(days, number)
        for n in range(bisect_left(days, number), after):
            if read is None or self.meter.read[n] == read:
                return shown[n]
        if after == len(days):
            return shown[-1] + self.rate * (number - days[-1])
        if after == 0:
            # A meter that never was replaced began at nothing.
            return max(shown[0] - self.rate * (days[0] - number), min(shown[0], 0.0))
        part = (number - days[after - 1]) / (days[after] - days[after - 1])
        return shown[after - 1] + part * (shown[after] - shown[after - 1])


def usage(points: Sequence[Point], kind: Kind = KILOMETRES, since: date | None = None) -> Usage:
    """The usage that readings tell of, in any order; what was driven before ``since`` was driven by somebody else.

    One reading, or none, tells of no pace: then it is everybody's, and so is the (very wide) interval.
    """
    meter = history(points, kind)
    legs = meter.legs
    if since is not None and legs and legs[0].since < (bought := since.toordinal()):
        legs = tuple(leg for leg in legs if leg.since + leg.until >= 2 * bought)
    found = paces(legs, kind)
    rate = exp(sum([pace.weight * log(pace.rate) for pace in found]))
    fastest = max([pace.rate * (max(pace.season.busy) if pace.season else 1.0) for pace in found])
    return Usage(meter, found, any(leg.until > leg.since for leg in legs), rate, fastest)
