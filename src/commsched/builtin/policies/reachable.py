"""A message needs an address: media for which there is no usable one are left out.

Where none is left, the rule's fallback runs, for instance a task to ask for a number::

    [[policies]]
    kind = "reachable"
"""

from __future__ import annotations

from commsched import NoSettings, Policy, Proposal, Verdict, View, allow, could_not, deny, hookimpl


class Reachable(Policy[NoSettings]):
    """Denies the media without a usable address."""

    kind = "reachable"
    code = could_not("unreachable")
    depends = frozenset({"facts"})

    def review(self, proposal: Proposal, view: View) -> Verdict:  # noqa: ARG002 - the proposal has its addresses
        """The media with an address stay open."""
        missing = frozenset(proposal.media) - proposal.addresses.keys()
        if not missing:
            return allow()
        note = f"no usable address for {', '.join(sorted(missing))} is recorded"
        return deny("there is no usable address", note=note, media=missing)


@hookimpl
def register_policies() -> list[type[Reachable]]:
    """Announce the kind."""
    return [Reachable]
