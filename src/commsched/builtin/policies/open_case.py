"""Nothing is asked of somebody whose complaint is open, nor of their colleagues, until it is closed and has cooled off.

A case is a fact. It closes all times from the day on which it was opened; a closed one those of its cooling-off time.
A refusal is not final: when the case is closed, the plan is made again. Name kinds or severities where not every case
weighs that much::

    [[policies]]
    kind = "open_case"
    cooling_off = "14d"
    severities = ["high", "safety"]
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pydantic import Field

from commsched import (
    Case,
    Length,
    Policy,
    Profile,
    Proposal,
    Settings,
    Span,
    Verdict,
    View,
    Windows,
    allow,
    hookimpl,
    local_date,
    must_not,
    only,
)


class OpenCaseSettings(Settings):
    """Which cases count, and for how long after."""

    cooling_off: Length = Field(default=timedelta(days=14), description="So long after a case was closed, e.g. `14d`.")
    kinds: frozenset[str] = Field(default=frozenset(), description="The kinds of cases that count; default: all.")
    severities: frozenset[str] = Field(default=frozenset(), description="The severities that count; default: all.")


class OpenCase(Policy[OpenCaseSettings]):
    """Keeps surveys, sales and marketing away from those who wait for us to put something right."""

    kind = "open_case"
    code = must_not("open_case")
    depends = frozenset({"time", "facts"})
    purposes = frozenset({"survey", "sales", "marketing"})

    def review(self, proposal: Proposal, view: View) -> Verdict:  # noqa: ARG002 - every ask gets the same answer
        """The times at which no case is open, here or at a colleague's, and none was closed a short while ago."""
        cases = [(view.customer, case) for case in view.cases.values()] + [*view.cases_of_colleagues]
        counting = [(whose, case) for whose, case in cases if self._counts(case)]
        taken = Windows(span for _, case in counting for span in self._taken(case))
        if not taken:
            return allow()
        notes = "; ".join(self._in_full(whose, case, view) for whose, case in counting)
        return only(~taken, detail="we have something to put right first", note=notes)

    def _counts(self, case: Case) -> bool:
        kinds, severities = self.settings.kinds, self.settings.severities
        return (not kinds or case.kind in kinds) and (not severities or case.severity in severities)

    def _in_full(self, whose: Profile, case: Case, view: View) -> str:
        """Which case, of whom, since when or until when; for the staff."""
        what = ", ".join(word for word in (case.kind, case.severity) if word)
        name = f"case {case.id} of {whose.name or whose.id} ({whose.id}){f', {what},' if what else ''}"
        place = view.zones[0]
        if case.changed.year == 1:  # nobody knows since when
            return f"{name} is {case.status}"
        day = local_date(case.changed, place)
        if case.status != "closed":
            return f"{name} has been open since {day}"
        rests = local_date(case.changed + self.settings.cooling_off, place)
        return f"{name} was closed on {day}; nothing is asked until {rests}"

    def _taken(self, case: Case) -> Iterator[Span]:
        if case.status == "closed":
            yield case.changed, case.changed + self.settings.cooling_off
        else:
            yield from Windows.onward(case.changed)


@hookimpl
def register_policies() -> list[type[OpenCase]]:
    """Announce the kind."""
    return [OpenCase]
