"""Nothing new for a week after a visit: whoever was here yesterday has heard from us, and was asked at the desk.

A policy is a class with a ``kind`` for the configuration, a ``code`` for reports, a note of what it ``depends`` on, and
``review``, which only ever takes away. It is handed no clock: it says *when* a message may go, and the planner does the
rest. Here that is "at any time except the week after each visit", so what was planned for that week moves to its end.
The code is a ``must_not``: nobody is to telephone instead. ``[[policies]] kind = "recently_visited"`` switches it on.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import Field

from commsched import Policy, Proposal, Settings, Verdict, View, Windows, allow, hookimpl, must_not, only


class RecentlyVisitedSettings(Settings):
    """For how many days after a visit nothing goes out."""

    days: int = Field(default=7, ge=1, le=90)


class RecentlyVisited(Policy[RecentlyVisitedSettings]):
    """Keeps service, marketing and sales messages out of the days that follow a visit."""

    kind = "recently_visited"
    code = must_not("recently_visited")
    depends = frozenset({"time", "facts"})
    purposes = frozenset({"service", "marketing", "sales"})

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """Any time, save the days after each visit."""
        rest, (opens, closes) = timedelta(days=self.settings.days), proposal.span
        taken = Windows((at, at + rest) for at in visits(view) if opens - rest < at < closes)
        return only(~taken, detail=f"not within {self.settings.days} days of a visit") if taken else allow()


def visits(view: View) -> Iterable[datetime]:
    """When the customer was here: work done, and visits that somebody noted."""
    yield from (record.at for record in view.records if record.outcome == "done")
    yield from (event.at for event in view.events if event.kind == "visit")


@hookimpl
def register_policies() -> list[type[RecentlyVisited]]:
    """Announce the kind; the configuration declares instances of it."""
    return [RecentlyVisited]
