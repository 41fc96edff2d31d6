"""Whoever said stop is left alone: on that medium, about that purpose and topic, and at that address.

A refusal stands until the same person grants it again; what staff or an import says later never lifts a customer's own
word. It closes only the medium it names. A refusal by *anybody* who shares an address closes that address. A refusal
of everything (``purpose: "*"``) leaves out what people must be told for their own good; one that names such a purpose
binds it too::

    [[policies]]
    kind = "opt_out"
    exempt = ["safety", "legal"]
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from pydantic import Field

from commsched import Consent, Policy, Proposal, Settings, Verdict, View, allow, deny, hookimpl, must_not, permission


class OptOutSettings(Settings):
    """What a refusal of everything does not bind."""

    exempt: list[str] = Field(
        default=["safety", "legal"], description="Purposes that a refusal of every purpose (`*`) does not stop."
    )


class OptOut(Policy[OptOutSettings]):
    """Denies each medium that was refused, or whose address was."""

    kind = "opt_out"
    code = must_not("opt_out")
    depends = frozenset({"facts"})

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """The media that nobody has refused stay open."""
        refused = {medium for medium in proposal.media if self._refused(medium, proposal, view)}
        return deny("messages of this kind were refused here", media=refused) if refused else allow()

    def _refused(self, medium: str, proposal: Proposal, view: View) -> bool:
        everybody = (*view.consents, *view.consents_of(proposal.addresses.get(medium, "")))
        purpose, topic, words = proposal.purpose, proposal.topic, view.vocabulary
        return any(
            permission(said, medium=medium, purpose=purpose, topic=topic, vocabulary=words) is False
            for said in _by_person(one for one in everybody if self._binds(one, purpose))
        )

    def _binds(self, one: Consent, purpose: str) -> bool:
        return one.granted or one.purpose != "*" or purpose not in self.settings.exempt


def _by_person(said: Iterable[Consent]) -> Iterable[list[Consent]]:
    people: dict[str | None, list[Consent]] = defaultdict(list)
    for one in said:
        people[one.customer].append(one)
    return people.values()


@hookimpl
def register_policies() -> list[type[OptOut]]:
    """Announce the kind."""
    return [OptOut]
