"""A calendar file (.ics) of the deployment: its events are when something is closed, or when it is open.

Recurring events follow the clock of their own zone, with exceptions and with instances that were moved or called off.
Events that are cancelled, or marked as taking no time, do not count. Whole days, and times without a zone, are those of
the calendar's zone. With ``hours``, only what lies inside them is open, whatever the events say::

    [[calendars]]
    name = "service-bays"
    kind = "ics_file"
    path = "config/calendars/service-bays.ics"
    mode = "closed"                 # the events are when no vehicle can be taken in
    hours = { "mon-fri" = ["07:30-18:00"] }
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from commsched import CommschedError, EventCalendar, EventSettings, Snapshot, Span, hookimpl


class IcsFileSettings(EventSettings):
    """The file, and how to read it."""

    path: str = Field(description="The file, from the deployment's folder.")


class IcsFile(EventCalendar[IcsFileSettings]):
    """Closed, or open, at the events of a file."""

    kind = "ics_file"

    def snapshot(self, within: Span, now: datetime) -> Snapshot:
        """The open times inside the span. Raises :class:`CommschedError` if the file cannot be read."""
        path = self.folder / self.settings.path
        try:
            return Snapshot(self.name, self.opened([("", path.read_bytes())], within), now)
        except (OSError, ValueError) as error:
            raise CommschedError(
                f"The calendar {self.name} cannot be read from {self.settings.path}: {error}"
            ) from error


@hookimpl
def register_calendars() -> list[type[IcsFile]]:
    """Announce the kind."""
    return [IcsFile]
