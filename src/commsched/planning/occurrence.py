"""An occurrence: one thing that a rule speaks about; and those that are the same for everybody, by date alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from commsched.model.decisions import Anchor
from commsched.model.state import Appointment, Asset
from commsched.planning.reach import FIRST
from commsched.planning.recurring import fires, shifted
from commsched.timing.civil import start_of_day

MonthDay = tuple[int, int]


class Occurrence(msgspec.Struct, frozen=True, gc=False):
    """One thing that a rule speaks about.

    ``anchors``: civil dates or UTC instants by name; ``main``: the one that messages are about. ``born``: when it came
    to be known. ``cause``: who caused it. ``live``: whether the trigger's status matches now (an appointment that was
    cancelled still owes a correction). ``place``: the zone of an appointment's place.
    """

    subject: str
    id: str
    main: str
    anchors: dict[str, datetime | date]
    born: datetime
    cause: str = "import"
    live: bool = True
    asset: Asset | None = None
    service: str = ""
    since: date | None = None
    place: ZoneInfo | None = None
    values: Mapping[str, object] = msgspec.field(default_factory=dict)
    certain: bool = True
    appointment: Appointment | None = None

    def anchor(self, place: ZoneInfo) -> Anchor:
        """The moment that messages are about; a civil date is its first instant at the customer's place."""
        at = self.anchors[self.main]
        return Anchor(self.main, at if isinstance(at, datetime) else start_of_day(at, place))


# Seasons and cron lines are the same for everybody.
@lru_cache(maxsize=64)
def seasons(opens: MonthDay, closes: MonthDay, first: int, last: int) -> tuple[Occurrence, ...]:
    """A season's occurrences in some years."""
    found = []
    for year in range(first, last + 1):
        start, end = date(year, *opens), date(year + (closes < opens), *closes)
        found.append(Occurrence("-", str(year), "opens", {"opens": start, "closes": end}, FIRST, since=start))
    return tuple(found)


@lru_cache(maxsize=256)
def scheduled(cron: str, place: str, first: date, last: date) -> tuple[Occurrence, ...]:
    """A cron line's firings in some days."""
    times = fires(cron, place, first, last)
    return tuple(Occurrence("-", at.isoformat(), "event", {"event": at}, at, since=at.date()) for at in times)


def repeated(found: Iterator[Occurrence], every: str, at_most: int) -> Iterator[Occurrence]:
    """Each occurrence, and its later rounds."""
    for one in found:
        yield one
        anchors = one.anchors
        for count in range(2, at_most + 1):
            anchors = {name: shifted(at, every) for name, at in anchors.items()}
            yield replace(one, id=f"{one.id}#{count}", anchors=anchors)
