"""Messages that invite a call go while somebody is there to take it: when the department's calendar is open.

A department without a calendar is not restricted. While a calendar cannot be read, its last good copy counts, for as
long as that is of use. Without one it is not an open calendar: until it can be read again, nothing of that department
goes, and the reason says so::

    [[policies]]
    kind = "business_hours"
    media = ["voice"]
"""

from __future__ import annotations

from commsched import NoSettings, Policy, Proposal, Verdict, View, allow, could_not, deny, hookimpl, only, unreadable


class BusinessHours(Policy[NoSettings]):
    """Leaves the hours in which the message's department is open."""

    kind = "business_hours"
    code = could_not("business_hours")
    depends = frozenset({"time"})

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """The open hours of the department."""
        department = view.departments.get(proposal.department)
        if department is None or department.calendar is None:
            return allow()
        calendar = view.calendars.get(department.calendar)
        if calendar is None or not calendar.usable:
            return deny(unreadable(department, calendar.since if calendar else None))
        return only(calendar.open, detail=f"only while {department.title} is open")


@hookimpl
def register_policies() -> list[type[BusinessHours]]:
    """Announce the kind."""
    return [BusinessHours]
