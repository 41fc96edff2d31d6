"""Texts and calls only at decent hours, by the customer's own clock.

Where somebody may be in one of several zones, a time counts only if it is decent in all of them. What falls in the
night moves to the nearest open minute before the deadline::

    [[policies]]
    kind = "quiet_hours"
    opens = "08:00"
    closes = "21:00"
    media = ["sms", "voice"]
"""

from __future__ import annotations

from datetime import time

from pydantic import Field

from commsched import LocalTime, Policy, Proposal, Settings, Verdict, View, could_not, daily, hookimpl, only


class QuietHoursSettings(Settings):
    """When the day begins and ends."""

    opens: LocalTime = Field(default=time(8), description="From this local time on.")
    closes: LocalTime = Field(default=time(21), description="Up to this local time; after midnight if before `opens`.")


class QuietHours(Policy[QuietHoursSettings]):
    """Leaves the hours between ``opens`` and ``closes``, every day."""

    kind = "quiet_hours"
    code = could_not("quiet_hours")
    depends = frozenset({"time"})
    media = frozenset({"sms", "voice"})

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """The open hours in all of the customer's zones."""
        opens, closes = self.settings.opens, self.settings.closes
        hours = daily(opens, closes, view.zones, within=proposal.span)
        return only(hours, detail=f"only between {opens:%H:%M} and {closes:%H:%M} where you are")


@hookimpl
def register_policies() -> list[type[QuietHours]]:
    """Announce the kind."""
    return [QuietHours]
