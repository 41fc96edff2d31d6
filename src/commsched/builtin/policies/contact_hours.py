"""The hours that the customer has asked to be written to, by their own clock.

Whoever has stated none can be reached at any time, as far as this policy goes. What cannot wait for the customer's
hours is not bound by them::

    [[policies]]
    kind = "contact_hours"
    exempt = ["safety"]
"""

from __future__ import annotations

from pydantic import Field

from commsched import Policy, Proposal, Settings, Verdict, View, allow, could_not, hookimpl, only, parse_week, weekly


class ContactHoursSettings(Settings):
    """What goes at any hour all the same."""

    exempt: list[str] = Field(default=["safety"], description="Purposes that do not wait for the customer's hours.")


class ContactHours(Policy[ContactHoursSettings]):
    """Leaves the hours of the week that the customer has stated."""

    kind = "contact_hours"
    code = could_not("contact_hours")
    depends = frozenset({"time", "facts"})
    media = frozenset({"email", "sms", "voice"})

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """Their hours, in all of the zones they may be in."""
        hours = view.customer.contact_hours
        if not hours or proposal.purpose in self.settings.exempt:
            return allow()
        said = ", ".join(f"{days} {' and '.join(times)}" for days, times in hours.items())
        asked = weekly(parse_week(hours), view.zones, proposal.span)
        return only(asked, detail="only at the hours you asked for", note=f"they asked for {said}")


@hookimpl
def register_policies() -> list[type[ContactHours]]:
    """Announce the kind."""
    return [ContactHours]
