"""At an organisation, what is asked goes to whoever can decide it, and the staff are told who that is.

A purpose or a topic (with all below it) may ask for a role; any of several will do. Where both ask, both must be met.
Somebody without a role there is not asked. Whoever belongs to no organisation decides for themselves, and the
organisation's own address is for everybody there::

    [[policies]]
    kind = "role"

    [policies.by_topic]
    lease_end = ["owner", "buyer"]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import Field

from commsched import Policy, Profile, Proposal, Settings, Verdict, View, allow, deny, hookimpl, must_not

GONE = frozenset({"former", "deceased"})


class RoleSettings(Settings):
    """Which roles what asks for."""

    by_purpose: dict[str, list[str]] = Field(default={}, description="By purpose, the roles of which one is needed.")
    by_topic: dict[str, list[str]] = Field(default={}, description="The same by topic, with all topics below it.")


class Role(Policy[RoleSettings]):
    """Denies what somebody at an organisation has no say in."""

    kind = "role"
    code = must_not("role")
    depends = frozenset({"facts"})

    @property
    def words(self) -> Mapping[str, Iterable[str]]:
        """What must be declared in the vocabulary."""
        settings = self.settings
        roles = {role for asked in (settings.by_purpose, settings.by_topic) for some in asked.values() for role in some}
        return {"roles": roles, "topics": settings.by_topic, "purposes": settings.by_purpose}

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """All times for who has the roles, none for their colleagues."""
        who = view.customer
        if who.organisation is None or who.kind == "organisation":
            return allow()
        for wanted in self._wanted(proposal, view):
            if not wanted & set(who.roles):
                return deny("this is for whoever decides about it where you work", note=_instead(wanted, view))
        return allow()

    def _wanted(self, proposal: Proposal, view: View) -> Iterable[set[str]]:
        yield from (set(roles) for name, roles in self.settings.by_purpose.items() if name == proposal.purpose)
        covers = view.vocabulary.covers
        yield from (set(roles) for name, roles in self.settings.by_topic.items() if covers(name, proposal.topic))


def _instead(wanted: set[str], view: View) -> str:
    """Who is to be asked instead, for the staff."""
    who, roles = view.customer, " or ".join(sorted(wanted))
    fit = [one for one in view.colleagues.values() if wanted & set(one.roles) and one.status not in GONE]
    if not fit:
        return f"it takes the role {roles}, and nobody at {who.organisation} is known to have it: ask who does"
    return f"it takes the role {roles}: ask {', '.join(_named(one, wanted) for one in fit)}"


def _named(one: Profile, wanted: set[str]) -> str:
    has = ", ".join(role for role in one.roles if role in wanted)
    return f"{one.name or one.id} ({one.id}), {has}"


@hookimpl
def register_policies() -> list[type[Role]]:
    """Announce the kind."""
    return [Role]
