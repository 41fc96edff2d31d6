"""What a message rests on, for the reader, when the source of that has gone silent (DESIGN §8, story 13)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from commsched.model.decisions import Proposal
from commsched.model.state import State


def based_on(proposal: Proposal, state: State, stale: Mapping[str, datetime]) -> dict[str, object]:
    """The variables ``based_on.source`` and ``based_on.known``: where the fact came from, and when it was learnt.

    None, unless that source is stale: of the appointment, the obligation, the event or the record that it is about; of
    what is due, that of the last work or reading which it was reckoned from.
    """
    source, learnt = _origin(proposal, state) if stale else ("", None)
    return {"based_on.source": source, "based_on.known": learnt} if learnt is not None and source in stale else {}


def _origin(proposal: Proposal, state: State) -> tuple[str, datetime | None]:
    standing = state.appointments.get(proposal.subject) or state.obligations.get(proposal.subject)
    if standing is not None:
        return standing.source, standing.learnt
    service = proposal.variables.get("service")
    if service and proposal.anchor.kind == "due":
        return _last_known(service, proposal.asset, state)
    occurrence = proposal.occurrence.partition("#")[0]
    for identity, fact in (*state.events, *state.records, *state.feedback):
        if identity == occurrence:
            return fact.source or "", fact.recorded_at or fact.at
    return "", None


def _last_known(service: object, asset: str | None, state: State) -> tuple[str, datetime | None]:
    """The last that was heard of when a service was done, or of how far the asset has come since."""
    done = [record for _, record in state.records if record.service == service and record.asset == asset]
    facts = [*done, *state.readings.get(asset or "", ())]
    last = max(facts, key=lambda fact: fact.recorded_at or fact.at, default=None)
    return ("", None) if last is None else (last.source or "", last.recorded_at or last.at)
