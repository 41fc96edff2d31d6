"""Some messages need a yes: without a permission that covers medium, purpose and topic they do not go.

What counts is the last statement about such messages, of the customer's own or noted for them; nothing said is no
permission. An import never turns a customer's no into a yes. Out of the box it guards texts and calls that advertise,
sell or ask; say ``purposes`` and ``media`` to guard others, in several instances where they differ::

    [[policies]]
    kind = "consent"
    purposes = ["marketing", "sales"]
    media = ["sms", "letter"]
"""

from __future__ import annotations

from commsched import NoSettings, Policy, Proposal, Verdict, View, allow, deny, hookimpl, must_not, permission


class ConsentNeeded(Policy[NoSettings]):
    """Denies each medium for which no permission stands."""

    kind = "consent"
    code = must_not("consent")
    depends = frozenset({"facts"})
    purposes = frozenset({"marketing", "sales", "survey"})
    media = frozenset({"sms", "voice"})

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """The media with a permission stay open."""
        missing = {medium for medium in proposal.media if not self._permitted(medium, proposal, view)}
        if not missing:
            return allow()
        detail = f"there is no consent to {proposal.purpose} messages here"
        note = f"no consent to {proposal.purpose} by {' or '.join(sorted(missing))} is recorded"
        return deny(detail, note=note, media=missing)

    def _permitted(self, medium: str, proposal: Proposal, view: View) -> bool:
        purpose, topic = proposal.purpose, proposal.topic
        said = permission(view.consents, medium=medium, purpose=purpose, topic=topic, vocabulary=view.vocabulary)
        return said is True


@hookimpl
def register_policies() -> list[type[ConsentNeeded]]:
    """Announce the kind."""
    return [ConsentNeeded]
