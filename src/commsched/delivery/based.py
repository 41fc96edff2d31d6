"""What a message rests on, for the reader, when the source of that has gone silent (DESIGN §8, story 13)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from commsched.model.decisions import Proposal
from commsched.model.state import State


def based_on(proposal: Proposal, state: State, stale: Mapping[str, datetime | None]) -> dict[str, object]:
    """The variables ``based_on.source`` and ``based_on.known``: where the fact came from, and when it was learnt.

    None, unless the source of the appointment, the obligation, the event or the record that it is about is stale.
    """
    source, learnt = _origin(proposal, state) if stale else ("", None)
    return {"based_on.source": source, "based_on.known": learnt} if learnt is not None and source in stale else {}


def _origin(proposal: Proposal, state: State) -> tuple[str, datetime | None]:
    standing = state.appointments.get(proposal.subject) or state.obligations.get(proposal.subject)
    if standing is not None:
        return standing.source, standing.learnt
    occurrence = proposal.occurrence.partition("#")[0]
    for identity, fact in (*state.events, *state.records, *state.feedback):
        if identity == occurrence:
            return fact.source or "", fact.recorded_at or fact.at
    return "", None
