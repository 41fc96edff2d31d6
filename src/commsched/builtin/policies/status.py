"""Nobody writes to the dead, and nobody courts those who have left.

A customer who is deceased gets nothing at all. A former customer gets what concerns them, but is not asked for
anything::

    [[policies]]
    kind = "status"
    former = ["marketing", "sales", "survey"]
"""

from __future__ import annotations

from pydantic import Field

from commsched import Policy, Proposal, Settings, Verdict, View, allow, deny, hookimpl, must_not


class StatusSettings(Settings):
    """What a former customer no longer gets."""

    former: list[str] = Field(
        default=["marketing", "sales", "survey"], description="Purposes that do not go to former customers."
    )


class Status(Policy[StatusSettings]):
    """Denies by the customer's status."""

    kind = "status"
    code = must_not("status")
    depends = frozenset({"facts"})

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """Nothing against it while they are customers, or may become so."""
        status = view.customer.status
        if status == "deceased":
            return deny("the customer is deceased")
        if status == "former" and proposal.purpose in self.settings.former:
            return deny(f"former customers get no {proposal.purpose} messages")
        return allow()


@hookimpl
def register_policies() -> list[type[Status]]:
    """Announce the kind."""
    return [Status]
