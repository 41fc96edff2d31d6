"""What somebody put on hold is not spoken of until the hold ends.

A hold is a fact: which purposes, about what (an obligation, an asset, an appointment; or everything), why, until when,
by whom (``commsched hold``). It binds every department. A released hold binds nobody::

    [[policies]]
    kind = "hold"
"""

from __future__ import annotations

from commsched import (
    Hold,
    NoSettings,
    Policy,
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


class HoldPolicy(Policy[NoSettings]):
    """Keeps messages out of the time of every hold that concerns them."""

    kind = "hold"
    code = must_not("hold")
    depends = frozenset({"time", "facts"})

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """All times but those of the holds on this purpose and this matter."""
        holds = [hold for hold in view.holds if _concerns(hold, proposal)]
        if not holds:
            return allow()
        held = Windows((hold.at, hold.until) for hold in holds)
        last = max(holds, key=lambda hold: hold.until)
        until = f"on hold until {local_date(last.until, view.zones[0])}"
        name = f" ({last.id})" if last.id else ""
        return only(~held, detail=f"this is {until}", note=f"{until} by {last.by}{name}: {last.reason}")


def _concerns(hold: Hold, proposal: Proposal) -> bool:
    about = {proposal.subject, proposal.asset, proposal.occurrence}
    return bool({proposal.purpose, "*"} & set(hold.purposes)) and (hold.about is None or hold.about in about)


@hookimpl
def register_policies() -> list[type[HoldPolicy]]:
    """Announce the kind."""
    return [HoldPolicy]
