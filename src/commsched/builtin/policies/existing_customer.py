"""Nobody is courted as a stranger who has been a customer for years, or works where we have one.

A customer is who is marked as active, owns something that we look after, or belongs to an organisation of which either
is true. Exports of customers seldom say that they are: whoever a `customer` fact describes without a status counts as
one, so mark those who are not (`status: prospect`). Somebody of whom there is no such fact, but an address or an event,
is a customer by what they did: work that we did, a purchase, an appointment. Without any of that nobody knows, and they
may be won; so may prospects and former customers who own nothing. A dealer does sell to customers, so say which topics
are about winning new ones::

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
    who, known = view.customer, view.known_as_customers
    if who.id in known:
        return f"{who.name or who.id} ({who.id}) {known[who.id]}"
    for one in view.colleagues.values():
        if one.id in known:
            return f"{one.name or one.id} ({one.id}), who is at {who.organisation} too, {known[one.id]}"
    return ""


@hookimpl
def register_policies() -> list[type[ExistingCustomer]]:
    """Announce the kind."""
    return [ExistingCustomer]
