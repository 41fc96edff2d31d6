"""Who keeps somebody waiting for what was promised asks nothing of them, nor of anybody else at their organisation.

A promise that is not kept closes all times from its due date on, until it is. The staff read what was promised to whom,
and by whom::

    [[policies]]
    kind = "commitment_overdue"
"""

from __future__ import annotations

from datetime import datetime

from commsched import (
    Commitment,
    NoSettings,
    Policy,
    Profile,
    Proposal,
    Verdict,
    View,
    Windows,
    allow,
    hookimpl,
    local_date,
    must_not,
    only,
)


class CommitmentOverdue(Policy[NoSettings]):
    """Keeps surveys, sales and marketing away from those to whom a promise is overdue."""

    kind = "commitment_overdue"
    code = must_not("commitment_overdue")
    depends = frozenset({"time", "facts"})
    purposes = frozenset({"survey", "sales", "marketing"})

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """The times before the first promise falls due that is not kept."""
        promises = [(view.customer, one) for one in view.commitments] + [*view.commitments_to_colleagues]
        unkept = [(one.due, whom, one) for whom, one in promises if one.kept is not True]
        owed = [(due, whom, one) for due, whom, one in unkept if isinstance(due, datetime)]
        if not owed:
            return allow()
        first = min(due for due, _, _ in owed)
        last = proposal.deadline
        notes = [_in_full(due, whom, one, view) for due, whom, one in owed if due <= max(first, last)]
        return only(~Windows.onward(first), detail="we have a promise to keep first", note="; ".join(notes))


def _in_full(due: datetime, whom: Profile, one: Commitment, view: View) -> str:
    """What was promised to whom, by whom, until when; for the staff."""
    day = local_date(due, view.zones[0])
    return f"{one.owner or 'somebody'} promised {whom.name or whom.id} ({whom.id}) by {day}: {one.what or one.id}"


@hookimpl
def register_policies() -> list[type[CommitmentOverdue]]:
    """Announce the kind."""
    return [CommitmentOverdue]
