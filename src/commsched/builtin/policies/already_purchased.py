"""Nobody is offered what they have bought: neither the thing nor what the vocabulary declares to be the same.

A rule says what it would sell with ``offers``; an offer of several things is stopped by any one of them::

    [[policies]]
    kind = "already_purchased"
    kinds = ["purchase"]
"""

from __future__ import annotations

from pydantic import Field

from commsched import Policy, Proposal, Settings, Verdict, View, allow, deny, hookimpl, local_date, must_not


class AlreadyPurchasedSettings(Settings):
    """Which events are purchases."""

    kinds: list[str] = Field(default=["purchase"], description="The kinds of events that mean: they have it now.")


class AlreadyPurchased(Policy[AlreadyPurchasedSettings]):
    """Denies offers of what the customer has."""

    kind = "already_purchased"
    code = must_not("already_purchased")
    depends = frozenset({"facts"})

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """Nothing against it, unless one of its offers was bought."""
        if not proposal.offers:
            return allow()
        bought = {event.item: event for event in view.events if event.kind in self.settings.kinds and event.item}
        for item in proposal.offers:
            for same in sorted(view.vocabulary.same(item) & bought.keys()):
                day = local_date(bought[same].at, view.zones[0])
                return deny(f"you have bought this already: {item}", note=f"they bought {same} on {day}")
        return allow()


@hookimpl
def register_policies() -> list[type[AlreadyPurchased]]:
    """Announce the kind."""
    return [AlreadyPurchased]
