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

from commsched import (
    Consent,
    Policy,
    Proposal,
    Settings,
    Verdict,
    View,
    allow,
    deny,
    hookimpl,
    local_date,
    must_not,
    permission,
)


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
        refused = {medium: last for medium in proposal.media if (last := self._refused(medium, proposal, view))}
        if not refused:
            return allow()
        notes = [f"{medium} was refused by {_who(one, view)}" for medium, one in sorted(refused.items())]
        return deny("messages of this kind were refused here", note="; ".join(notes), media=set(refused))

    def _refused(self, medium: str, proposal: Proposal, view: View) -> Consent | None:
        """The refusal that stands on a medium, if one does: the last one of somebody who did not grant it again."""
        everybody = (*view.consents, *view.consents_of(proposal.addresses.get(medium, "")))
        purpose, topic, words = proposal.purpose, proposal.topic, view.vocabulary
        for said in _by_person(one for one in everybody if self._binds(one, purpose)):
            if permission(said, medium=medium, purpose=purpose, topic=topic, vocabulary=words) is False:
                about = [one for one in said if not one.granted and one.medium in {medium, "*"}]
                about = [one for one in about if one.purpose in {purpose, "*"} and words.covers(one.topic, topic)]
                return max(about, key=lambda one: one.at)
        return None

    def _binds(self, one: Consent, purpose: str) -> bool:
        return one.granted or one.purpose != "*" or purpose not in self.settings.exempt


def _who(one: Consent, view: View) -> str:
    """Who refused, when and how; of others at the address only the id is known here."""
    me = view.customer
    who = f"{me.name} ({me.id})" if one.customer == me.id and me.name else one.customer or "somebody here"
    return f"{who} on {local_date(one.at, view.zones[0])} ({one.method})"


def _by_person(said: Iterable[Consent]) -> Iterable[list[Consent]]:
    people: dict[str | None, list[Consent]] = defaultdict(list)
    for one in said:
        people[one.customer].append(one)
    return people.values()


@hookimpl
def register_policies() -> list[type[OptOut]]:
    """Announce the kind."""
    return [OptOut]
