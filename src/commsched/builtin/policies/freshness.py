"""What depends on a source that has gone silent waits until the source is heard of again.

A copy that was not brought up to date for days claims things that are no longer so: the car was sold, the bill is paid.
A source says how fresh it must be, and this policy which messages depend on it; they are held while it is stale, and go
when it is heard of again, if there still is time. It counts from the source's first word on: a copy that nobody ever
brought cannot be out of date. What is for people's safety, the law or an appointment is not held::

    [[sources]]
    name = "dms"
    kind = "folder"
    fresh = "2d"

    [[policies]]
    kind = "freshness"
    source = "dms"
    departments = ["service"]
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from commsched import NEED_NOT_TELL, Policy, Proposal, Settings, Verdict, View, allow, could_not, deny, hookimpl


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class FreshnessSettings(Settings):
    """Which sources it depends on."""

    source: Annotated[tuple[str, ...], BeforeValidator(_several)] = Field(
        min_length=1, description="The source, or a list of sources, on which these messages depend."
    )


class Freshness(Policy[FreshnessSettings]):
    """Denies while a source has been silent for longer than it may."""

    kind = "freshness"
    code = could_not("freshness")
    depends = frozenset({"facts"})
    purposes = NEED_NOT_TELL | {"collections"}

    @property
    def sources(self) -> frozenset[str]:
        """What must be declared among the sources."""
        return frozenset(self.settings.source)

    def review(self, proposal: Proposal, view: View) -> Verdict:  # noqa: ARG002 - it is about the source alone
        """Nothing against it while all of the sources are fresh."""
        silent = {name: at for name, at in view.stale.items() if name in self.sources}
        if not silent:
            return allow()
        since = [f"{name} since {at.astimezone(view.zones[0]):%Y-%m-%d %H:%M}" for name, at in sorted(silent.items())]
        return deny(f"what we know may be out of date: nothing has come in from {'; from '.join(since)}")


@hookimpl
def register_policies() -> list[type[Freshness]]:
    """Announce the kind."""
    return [Freshness]
