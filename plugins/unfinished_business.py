"""Nothing is asked of a customer who waits for us: while a case is open or a promise is overdue, and for a while after.

A policy that reads more than one kind of fact. An open case closes all times; a closed one those of its cooling-off
time; a promise those from its due date on, until it is kept. What comes out is an intersection, so the order in which
they are looked at does not matter. A refusal is not final: the day the case is closed, the plan is made again.
``[[policies]] kind = "unfinished_business"`` switches it on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from pydantic import Field

from commsched import Policy, Proposal, Settings, Verdict, View, Windows, allow, hookimpl, must_not, only


class UnfinishedBusinessSettings(Settings):
    """For how many days after a case was closed nothing is asked."""

    cooling_off: int = Field(default=14, ge=0, le=365)


class UnfinishedBusiness(Policy[UnfinishedBusinessSettings]):
    """Keeps surveys, sales and marketing away from those whom we owe something."""

    kind = "unfinished_business"
    code = must_not("unfinished_business")
    depends = frozenset({"time", "facts"})
    purposes = frozenset({"survey", "sales", "marketing"})

    def review(self, proposal: Proposal, view: View) -> Verdict:  # noqa: ARG002 - every ask gets the same answer
        """The times at which we owe the customer nothing."""
        owing = Windows(span for debt in self.debts(view) for span in debt)
        return only(~owing, detail="we have something to put right first") if owing else allow()

    def debts(self, view: View) -> Iterator[Windows]:
        """From when to when there is something between us; what is not settled has no end yet."""
        rest = timedelta(days=self.settings.cooling_off)
        for case in view.cases.values():
            closed = case.status == "closed"
            yield Windows.between(case.changed, case.changed + rest) if closed else Windows.onward(case.changed)
        for promise in view.commitments:
            if promise.kept is not True and isinstance(promise.due, datetime):
                yield Windows.onward(promise.due)


@hookimpl
def register_policies() -> list[type[UnfinishedBusiness]]:
    """Announce the kind; the configuration declares instances of it."""
    return [UnfinishedBusiness]
