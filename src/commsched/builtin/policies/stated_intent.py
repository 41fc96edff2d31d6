"""What customers have said they want, or never want, outranks every campaign.

``never`` and ``not_before`` close a topic and all topics under it: until a date, for a length of time from the day on
which the car (or whatever it is) was acquired, or for good. A statement about no asset in particular holds for each
of theirs by its own day, the next one too; a message about no asset waits for every asset in use. A later statement
on the same topic and asset replaces the earlier, or takes it back (``withdrawn``). A later ``wants`` on that topic,
or on one under it, opens what it names, for as long as it says. What an import says never outranks the customer. A
statement on every topic (``*``) binds only the purposes in ``asks``; one that names a topic binds every purpose but
those in ``exempt``::

    [[policies]]
    kind = "stated_intent"
    asks = ["sales", "marketing", "survey"]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from pydantic import Field

from commsched import (
    ALWAYS,
    MUST_TELL,
    Intent,
    Policy,
    Proposal,
    Settings,
    Verdict,
    View,
    Windows,
    allow,
    hookimpl,
    local_date,
    must_not,
    only,
    parse_duration,
    start_of_day,
)

RANK = {"customer": 2, "staff": 1, "import": 0}


class StatedIntentSettings(Settings):
    """Whom a statement binds."""

    asks: frozenset[str] = Field(
        default=frozenset({"sales", "marketing", "survey"}), description="Purposes bound by a statement on every topic."
    )
    exempt: frozenset[str] = Field(default=MUST_TELL, description="Purposes that no statement binds.")


class StatedIntent(Policy[StatedIntentSettings]):
    """Denies what the customer ruled out, for as long as they said."""

    kind = "stated_intent"
    code = must_not("stated_intent")
    depends = frozenset({"time", "facts"})

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """The times at which everything that was ruled out has run out, or was opened again."""
        standing = [one for one in _standing(view.intents) if self._concerns(one, proposal, view)]
        open_at, words, note = ALWAYS, "", ""
        for number, one in enumerate(standing):
            if one.stance == "wants":
                continue
            opened = Windows.onward(_end(one, proposal, view))
            for wish in standing[number + 1 :]:
                if wish.stance == "wants" and _within(wish, one, view):
                    opened |= ~Windows.onward(_end(wish, proposal, view))
            if opened != ALWAYS:
                open_at, words = open_at & opened, words or one.words or one.topic
                note = note or _in_full(one, proposal, view)
        return only(open_at, detail=f"you told us what you want: {words}", note=note) if words else allow()

    def _concerns(self, one: Intent, proposal: Proposal, view: View) -> bool:
        if proposal.purpose in self.settings.exempt:
            return False
        if one.topic == "*" and proposal.purpose not in self.settings.asks:
            return False
        return view.vocabulary.covers(one.topic, proposal.topic) and _about(one, proposal, view)


def _standing(intents: Iterable[Intent]) -> list[Intent]:
    """The last word on each topic and asset, in the order in which one outranks the other."""
    order = sorted(intents, key=lambda one: (RANK.get(one.stated_by or "import", 0), one.at))
    last = {(one.topic, one.asset or "*", one.stance == "wants"): number for number, one in enumerate(order)}
    return [order[number] for number in sorted(last.values()) if not order[number].withdrawn]


def _about(one: Intent, proposal: Proposal, view: View) -> bool:
    """Whether it is about the proposal's asset; what names none is about every asset in use."""
    if one.asset in {None, "*", proposal.asset}:
        return True
    asset = view.assets.get(one.asset or "")
    return proposal.asset is None and one.stance != "wants" and (asset is None or asset.in_use)


def _in_full(one: Intent, proposal: Proposal, view: View) -> str:
    """Who said what, when and until when, for the staff."""
    place, end = view.zones[0], _end(one, proposal, view)
    until = "for good" if end == ALWAYS.spans[0][1] else f"until {local_date(end, place)}"
    words = f": {one.words}" if one.words else ""
    who = {"customer": "the customer said", "staff": "staff noted"}.get(one.stated_by or "", "an import says")
    stance = one.stance.replace("_", " ")
    return f"{who} on {local_date(one.at, place)}: {stance} {one.topic}, {until}{words}"


def _within(wish: Intent, one: Intent, view: View) -> bool:
    return view.vocabulary.covers(one.topic, wish.topic) and one.asset in {None, "*", wish.asset}


def _end(one: Intent, proposal: Proposal, view: View) -> datetime:
    """The midnight at which a statement runs out; the end of time, if it never does."""
    ends = [] if one.until is None else [one.until]
    if one.for_ is not None:
        length = parse_duration(one.for_)
        ends += [length.after(day) + length.exact for day in _acquired(one, proposal, view)]
    return start_of_day(max(ends), view.zones[0]) if ends else ALWAYS.spans[0][1]


def _acquired(one: Intent, proposal: Proposal, view: View) -> Iterator[date]:
    """From which days it counts: when the assets it is about were acquired; where that is unknown, when it was said."""
    named = proposal.asset or (one.asset if one.asset != "*" else None)
    assets = [view.assets.get(named)] if named else [asset for asset in view.assets.values() if asset.in_use]
    for asset in assets or [None]:
        yield asset.acquired_on if asset and asset.acquired_on else local_date(one.at, view.zones[0])


@hookimpl
def register_policies() -> list[type[StatedIntent]]:
    """Announce the kind."""
    return [StatedIntent]
