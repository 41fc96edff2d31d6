"""Who says that they feel trapped gets a person, not a campaign: by mood, which purposes do not go.

What counts is what they said last, until it fades. With ``own_department`` what they say of one department binds that
department alone; what names none binds all::

    [[policies]]
    kind = "mood"
    fades = "180d"

    [policies.deny]
    trapped = ["marketing", "sales", "survey"]
    annoyed = ["marketing"]
"""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from commsched import (
    Feedback,
    Length,
    Policy,
    Proposal,
    Settings,
    Verdict,
    View,
    Windows,
    allow,
    hookimpl,
    local_date,
    must_not,
    only,
)

ASKS = ["marketing", "sales", "survey"]


class MoodSettings(Settings):
    """Which mood stops what, and for how long."""

    deny: dict[str, list[str]] = Field(
        default={"trapped": ASKS, "annoyed": ASKS}, description="By mood, the purposes that do not go."
    )
    own_department: bool = Field(
        default=False, description="Whether what they say of one department binds that department alone."
    )
    fades: Length = Field(default=timedelta(days=180), description="So long after they said it, it no longer counts.")


class Mood(Policy[MoodSettings]):
    """Denies by what the customer last said of how they feel, until it fades."""

    kind = "mood"
    code = must_not("mood")
    depends = frozenset({"time", "facts"})

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """Any time, unless their last word rules out this purpose; then the time after it has faded."""
        said = [one for one in view.feedback if self._concerns(one, proposal)]
        last = max(said, key=lambda one: one.at, default=None)
        if last is None or proposal.purpose not in self.settings.deny.get(last.mood, []):
            return allow()
        faded = last.at + self.settings.fades
        note = f"{_in_full(last, view)}; until {local_date(faded, view.zones[0])} a person gets in touch, or nobody"
        return only(~Windows.between(last.at, faded), detail="a person gets in touch instead", note=note)

    def _concerns(self, one: Feedback, proposal: Proposal) -> bool:
        return not self.settings.own_department or one.department in {None, proposal.department}


def _in_full(one: Feedback, view: View) -> str:
    """What they said, of whom and when; for the staff."""
    of = f" of {one.department}" if one.department else ""
    words = f' ("{one.words}")' if one.words else ""
    return f"on {local_date(one.at, view.zones[0])} they said{of} that they feel {one.mood}{words}"


@hookimpl
def register_policies() -> list[type[Mood]]:
    """Announce the kind."""
    return [Mood]
