"""Messages keep their distance: so much time between any two, sent or planned.

What people must be told (safety, legal, transactional) is never kept waiting, and keeps nothing else waiting::

    [[policies]]
    kind = "spacing"
    gap = "2d"
"""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from commsched import (
    MUST_TELL,
    NEED_NOT_TELL,
    Length,
    Policy,
    Proposal,
    Settings,
    Verdict,
    View,
    Windows,
    allow,
    could_not,
    hookimpl,
    in_words,
    only,
)


class SpacingSettings(Settings):
    """How far apart, of what."""

    gap: Length = Field(default=timedelta(days=2), description="The least time between two messages, e.g. `2d`.")
    counting: frozenset[str] = Field(default=NEED_NOT_TELL, description="The purposes whose messages count.")


class Spacing(Policy[SpacingSettings]):
    """Leaves out the times too near to another message."""

    kind = "spacing"
    code = could_not("spacing")
    depends = frozenset({"time", "history"})
    purposes = NEED_NOT_TELL

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """Any time at least the gap before and after every other message."""
        if proposal.purpose in MUST_TELL:
            return allow()
        gap, others = self.settings.gap, (one for one in view.history if one.key != proposal.key)
        counted = [one for one in others if one.purpose in self.settings.counting]
        if not counted:
            return allow()
        near = Windows((one.at - gap + timedelta.resolution, one.at + gap) for one in counted)
        detail = f"at least {_length(gap)} from any other message"
        ideal = max(proposal.ideal, proposal.span[0])
        close = [one for one in counted if abs(one.at - ideal) < gap] or counted
        return only(~near, detail=detail, note=f"{detail}: {in_words(close, view.zones[0], proposal=proposal)}")


def _length(gap: timedelta) -> str:
    hours = gap.total_seconds() / 3600
    return f"{hours / 24:g} days" if hours > 24 and hours % 24 == 0 else f"{hours:g} hours"  # noqa: PLR2004 - a day


@hookimpl
def register_policies() -> list[type[Spacing]]:
    """Announce the kind."""
    return [Spacing]
