"""An asset's meters: what was read, on its own or with a service record, and the usage that it tells of."""

from __future__ import annotations

from commsched.model.state import Asset, State
from commsched.timing.durations import in_km
from commsched.timing.meter import HOURS, KILOMETRES, Kind, Point
from commsched.timing.usage import Usage, usage

__all__ = ["HOURS", "KILOMETRES", "Meters"]

# Whose word counts for more about a meter: who measured it, then who looks at it every day (DESIGN §6).
RANK = {"staff": 2, "customer": 1, "import": 0}


class Meters:
    """The meters of an asset, for kilometres and for hours; a usage is estimated when it is first needed, and kept."""

    __slots__ = ("_asset", "_made", "_state")

    def __init__(self, state: State, asset: Asset) -> None:
        self._state, self._asset = state, asset
        self._made: dict[str, Usage] = {}

    def of(self, kind: Kind) -> Usage:
        """The usage of one kind of meter."""
        found = self._made.get(kind.unit)
        if found is None:
            found = self._made[kind.unit] = usage(self._points(kind), kind, self._asset.acquired_on)
        return found

    def _points(self, kind: Kind) -> list[Point]:
        hours, name = kind is HOURS, self._asset.id
        readings = self._state.readings.get(name, ())
        void = {(one.at, one.value) for one in readings if one.void}
        points = [
            Point(one.at.date(), in_km(one.value, one.unit), RANK.get(one.stated_by or "import", 0))
            for one in readings
            if (one.unit == "h") is hours and not (one.void or (void and (one.at, one.value) in void))
        ]
        for _, record in self._state.records:
            if record.reading is None or record.asset != name or (record.unit == "h") is not hours:
                continue
            if not void or (record.at, record.reading) not in void:
                value, rank = in_km(record.reading, record.unit), RANK.get(record.stated_by or "import", 0)
                points.append(Point(record.at.date(), value, rank))
        return points
