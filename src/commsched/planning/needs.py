"""Which services an asset needs and how often: asked once for all assets that are alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from commsched.planning.outlook import Length, length
from commsched.rules.rule import Schedule, Service

# So many kinds of assets are remembered.
REMEMBERED = 4096


class Need(msgspec.Struct, frozen=True, gc=False):
    """A service that is needed, the schedule that counts, and its intervals in numbers."""

    service: Service
    schedule: Schedule
    first: Length | None
    every: Length | None


class Needs:
    """Of some services, those that are needed, by what is known of a customer and an asset."""

    __slots__ = ("_answers", "_order", "_services")

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = tuple(services)
        asked = [service.needs for service in services if service.needs is not None]
        asked += [variant.when for service in services for variant in service.severe]
        self._order = tuple(sorted({name for expression in asked for name in expression.names}))
        self._answers: dict[tuple[object, ...], tuple[Need, ...]] = {}

    def of(self, values: Mapping[str, object]) -> tuple[Need, ...]:
        """The services that are needed, in the order in which they were asked for."""
        seen = [values.get(name) for name in self._order]
        # To a dictionary, 1, 1.0 and True are the same.
        key = (*seen, *map(type, seen))
        found = self._answers.get(key)
        if found is None:
            if len(self._answers) >= REMEMBERED:
                self._answers.clear()
            needed = (one for one in self._services if one.needs is None or one.needs.holds(values) is True)
            found = self._answers[key] = tuple(_need(one, schedule_for(one, values)) for one in needed)
        return found


def schedule_for(service: Service, values: Mapping[str, object]) -> Schedule:
    """Which schedule counts: that of the first severe variant that holds, or the ordinary one."""
    for variant in service.severe:
        if variant.when.holds(values) is True:
            return variant.schedule
    return service.schedule


def _need(service: Service, schedule: Schedule) -> Need:
    every = length(schedule.every) if schedule.every else None
    return Need(service, schedule, length(schedule.first) if schedule.first else every, every)
