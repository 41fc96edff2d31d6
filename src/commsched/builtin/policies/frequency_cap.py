"""No more than so many messages in so long, whoever sends them: one budget for all departments.

What has been sent and what is already planned count alike, so the cap looks to both sides: a message is also kept away
from one that is planned for later. What matters more is placed first, so a lower one waits, or lapses, and its reason
names what goes before it. What people must be told (safety, legal, transactional) is never capped::

    [[policies]]
    kind = "frequency_cap"
    at_most = 2
    per = "7d"
    counting = ["marketing", "sales", "survey", "service"]
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pydantic import Field

from commsched import (
    MUST_TELL,
    NEED_NOT_TELL,
    Length,
    Placed,
    Policy,
    Proposal,
    Settings,
    Verdict,
    View,
    allow,
    could_not,
    crowded,
    hookimpl,
    in_words,
    only,
)


class FrequencyCapSettings(Settings):
    """How many, in how long, of what."""

    at_most: int = Field(default=3, ge=1, description="So many messages at most …")
    per: Length = Field(default=timedelta(days=7), description="… in any stretch of this length, e.g. `7d`.")
    counting: frozenset[str] = Field(default=NEED_NOT_TELL, description="The purposes whose messages count.")


class FrequencyCap(Policy[FrequencyCapSettings]):
    """Leaves out the times at which one more message would be one too many."""

    kind = "frequency_cap"
    code = could_not("frequency_cap")
    depends = frozenset({"time", "history"})
    purposes = NEED_NOT_TELL

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """Any time at which every stretch of the length still has room."""
        if proposal.purpose in MUST_TELL:
            return allow()
        others = (one for one in view.history if one.key != proposal.key)
        counted = sorted((one for one in others if one.purpose in self.settings.counting), key=lambda one: one.at)
        full = crowded([one.at for one in counted], self.settings.at_most, self.settings.per)
        if not full:
            return allow()
        most = "one message" if self.settings.at_most == 1 else f"{self.settings.at_most} messages"
        detail = f"at most {most} in {self.settings.per.total_seconds() / 86400:g} days"
        note = f"{detail}, and others go first: {self._others(counted, proposal, view)}"
        return only(~full, detail=detail, note=note)

    def _others(self, counted: Sequence[Placed], proposal: Proposal, view: View) -> str:
        """What takes the places around the time that the message is meant for."""
        ideal = max(proposal.ideal, proposal.span[0])
        near = [one for one in counted if abs(one.at - ideal) < self.settings.per] or counted
        return in_words(near, view.zones[0], proposal=proposal)


@hookimpl
def register_policies() -> list[type[FrequencyCap]]:
    """Announce the kind."""
    return [FrequencyCap]
