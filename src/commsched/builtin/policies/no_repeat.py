"""The same words twice say nothing: a repeat must have something new to say.

Two messages are the same when the same text is about the same thing, whichever step or rule they come from::

    [[policies]]
    kind = "no_repeat"
"""

from __future__ import annotations

from commsched import NoSettings, Placed, Policy, Proposal, Verdict, View, allow, deny, hookimpl, in_words, must_not


class NoRepeat(Policy[NoSettings]):
    """Denies a text that was sent, or is planned, about the same subject already."""

    kind = "no_repeat"
    code = must_not("no_repeat")
    depends = frozenset({"history"})

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """Nothing against it, unless the customer has it already."""
        if not proposal.content:
            return allow()
        same = next((one for one in view.history if _same(one, proposal)), None)
        if same is None:
            return allow()
        detail = "the same text about the same thing was sent, or is planned, already"
        return deny(detail, note=f"{detail}: {in_words([same], view.zones[0])}")


def _same(one: Placed, proposal: Proposal) -> bool:
    return one.content == proposal.content and one.subject == proposal.subject and one.key != proposal.key


@hookimpl
def register_policies() -> list[type[NoRepeat]]:
    """Announce the kind."""
    return [NoRepeat]
