"""One message for a household at a shared address, not one for everybody who lives there.

People who share a mailbox or a telephone read each other's messages. What says the same to the second as it said to the
first (a season, something that the household has together) does not go to the second: one is enough. What is about
something of their own waits, so that the same rule does not write to one address twice within some days. It is not
merged: each message is one person's, is planned from what is known of them, and greets them by name, so that a reply
belongs to somebody; two people's cars are two messages, ``gap`` apart. To wait is no veto: what finds no time before
its deadline merely could not go. A stop of anybody at the address, and what anybody there was sent, bind all of them
(`opt_out`, `frequency_cap`, `spacing`). An appointment, the law or somebody's safety concerns one person, and does not
wait::

    [[policies]]
    kind = "shared_address"
    gap = "7d"
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from pydantic import Field

from commsched import (
    NEED_NOT_TELL,
    Length,
    Placed,
    Policy,
    Proposal,
    Settings,
    Verdict,
    View,
    Windows,
    deny,
    hookimpl,
    local_date,
    must_not,
    only,
    together,
)


class SharedAddressSettings(Settings):
    """How far apart messages of one rule to one address must be."""

    gap: Length = Field(
        default=timedelta(days=7),
        description="So far apart, e.g. `7d`, are two messages of one rule to different people at one address.",
    )


class SharedAddress(Policy[SharedAddressSettings]):
    """Keeps a rule from writing to one address twice because two people live there."""

    kind = "shared_address"
    code = must_not("shared_address")
    depends = frozenset({"time", "history"})
    purposes = NEED_NOT_TELL

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """Not at all what was said there already; else the times away from what the rule says to the others."""
        return together(self._answers(proposal, list(_others(proposal, view)), view.zones[0]))

    def _answers(
        self, proposal: Proposal, others: list[tuple[frozenset[str], Placed]], place: ZoneInfo
    ) -> Iterator[Verdict]:
        gap, instant = self.settings.gap, timedelta.resolution
        for media, one in others:
            somebody, who = "somebody at the same address", f"{one.customer}, at the same address,"
            if proposal.content and one.content == proposal.content:
                words = f"is told the same on {local_date(one.at, place)}; one message is enough for a household"
                yield deny(f"{somebody} {words}", note=f"{who} {words}")
            elif proposal.span[0] - gap < one.at < proposal.span[1] + gap:
                near = Windows.between(one.at - gap + instant, one.at + gap)
                words = f"hears about theirs on {local_date(one.at, place)}; so soon that would be one too many"
                detail, note = f"{somebody} {words}", f"{who} {words}"
                yield only(~near, detail=detail, note=note, media=media, force="could_not")


def _others(proposal: Proposal, view: View) -> Iterator[tuple[frozenset[str], Placed]]:
    """What the rule says to other people at an address of this message, with the media of that address."""
    for one in view.history:
        if one.rule == proposal.rule and one.customer not in {proposal.customer, proposal.recipient}:
            there = frozenset(m for m, to in proposal.addresses.items() if to.lower() == one.address.lower())
            if there:
                yield there, one


@hookimpl
def register_policies() -> list[type[SharedAddress]]:
    """Announce the kind."""
    return [SharedAddress]
