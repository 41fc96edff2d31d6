"""Nobody is courted as a stranger who has been a customer for years, or works where we have one.

A customer is who is marked as active, owns something that we look after, or belongs to an organisation of which either
is true. Only those marked as prospects or former customers, and owning nothing, may be won. A dealer does sell to
customers, so say which topics are about winning new ones::

    [[policies]]
    kind = "existing_customer"
    purposes = ["sales", "marketing"]
    topics = ["prospecting"]
"""

from __future__ import annotations

from commsched import NoSettings, Policy, Proposal, Verdict, View, allow, deny, hookimpl, must_not


class ExistingCustomer(Policy[NoSettings]):
    """Denies what is meant for strangers to those who are customers already."""

    kind = "existing_customer"
    code = must_not("existing_customer")
    depends = frozenset({"facts"})
    purposes = frozenset({"sales"})

    def review(self, proposal: Proposal, view: View) -> Verdict:  # noqa: ARG002 - whatever it would sell
        """All times for strangers, none for customers."""
        why = _known(view)
        return deny("you are a customer of ours already", note=why) if why else allow()


def _known(view: View) -> str:
    """Why they are a customer, for the staff; an empty string if they are none."""
    who = view.customer
    if who.status == "active":
        return f"{who.name or who.id} ({who.id}) is a customer already"
    for asset in view.assets.values():
        if asset.in_use:
            return f"they have {asset.model or asset.kind} ({asset.id}), which we look after"
    for one in view.colleagues.values():
        if one.status == "active":
            return f"{one.name or one.id} ({one.id}), who is at {who.organisation} too, is a customer already"
    return ""


@hookimpl
def register_policies() -> list[type[ExistingCustomer]]:
    """Announce the kind."""
    return [ExistingCustomer]
