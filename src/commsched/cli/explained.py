"""A decision with all that it rests on: as it was stored, and looked at whole where the same world still stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Row

from commsched.app import App
from commsched.cli.lookup import require_message
from commsched.cli.output import message_json
from commsched.cli.times import age
from commsched.cli.verdict import sentence
from commsched.engine.clock import SetClock
from commsched.model.decisions import Code
from commsched.planning.contact import zones
from commsched.planning.fold import fold
from commsched.planning.ledger import Ledger
from commsched.planning.place import BUNDLED
from commsched.planning.replay import Replay, replay
from commsched.planning.review import GLIMPSE
from commsched.store import queries
from commsched.store.ledgers import load
from commsched.store.messages import DecisionRecord, MessageRecord, load_decision, load_record
from commsched.store.store import instant
from commsched.timing.windows import RESOLUTION, Span, Windows

CHANGED = (
    "The rules, the configuration or the calendars have changed since: shown is what was stored, which is only what "
    "had to be looked at."
)
DIFFERENT = "Planning it again gives another result now, since more is known than then: shown is what was stored."
ROOM = timedelta(hours=2)
# What goes so long after it was to go was put there by the same decision; a channel may have had others first.
ABOUT = timedelta(minutes=15)
# What each force of a code means, in words; the command says below them what follows from each.
FORCES = {"must_not": "a veto", "could_not": "could not be"}
Shown = tuple[str, frozenset[str] | None, Windows]


@dataclass
class Explained:
    """A message, the decision that placed it, when it was first decided about, and the windows to draw.

    ``seen`` is the time that was looked at; ``None``: nothing was stored of any.
    """

    record: MessageRecord
    name: str
    zone: ZoneInfo
    decision: DecisionRecord | None = None
    known: datetime | None = None
    reviews: list[Shown] = field(default_factory=list)
    times: dict[str, Windows] = field(default_factory=dict)
    codes: list[tuple[str, str, str, str]] = field(default_factory=list)
    seen: Span | None = None
    note: str = ""
    doubt: str = ""

    def span(self) -> tuple[datetime, datetime]:
        """What of time to draw: from the first allowed instant, or the ideal, to a little after the deadline."""
        moments = [self.record.ideal, self.record.deadline]
        if self.decision is not None:
            moments.append(self.decision.opens)
        if self.record.at is not None:
            moments.append(self.record.at)
        return min(moments) - ROOM, max(moments) + ROOM

    def details(self) -> list[tuple[str, str, str, str]]:
        """Policy, code, force and words of every review that is against some of the time looked at, each once."""
        pairs = zip(self.codes, self.reviews, strict=True)
        return list(dict.fromkeys(code for code, (_, _, windows) in pairs if not self._allows_all(windows)))

    def _allows_all(self, windows: Windows) -> bool:
        """Whether windows hold all the time that is drawn and was looked at."""
        start, end = self.span()
        if self.seen is not None:
            start, end = max(start, self.seen[0]), min(end, self.seen[1])
        return tuple(windows.clip(start, end)) == ((start, end),)

    def as_json(self) -> dict[str, object]:
        """For tools."""
        return {
            "message": message_json(self.record),
            "decision": self.decision,
            "reviews": [
                {"policy": policy, "media": sorted(media) if media is not None else None, "windows": windows.spans}
                for policy, media, windows in self.reviews
            ],
            "allowed": {medium: windows.spans for medium, windows in self.times.items()},
            "note": self.note,
            "doubt": self.doubt,
            "sentence": sentence(self.record, self.decision, self.zone, self.known),
        }


def explained(app: App, key: str) -> Explained:
    """Everything about a message. Raises :class:`commsched.errors.UnknownName`."""
    with app.store.read() as connection:
        row = require_message(connection, key)
        record = load_record(row.body)
        decisions = [load_decision(one.body) for one in queries.decisions(connection, row.customer, row.key)]
        ledger = load(connection, [row.customer])[row.customer].ledger
        attempts = queries.attempts(connection, states=("in_doubt",), customers=[row.customer])
    decision = that_placed(decisions)
    found = _named(app, record, ledger)
    found.doubt = " ".join(_doubt(app, one) for one in attempts if one.key == row.key)
    if decision is None:
        return found
    found.decision, found.known = decision, decisions[0].decided_at
    made = _replayed(app, ledger, decision)
    if isinstance(made, Replay):
        _from_replay(found, made)
        found.seen = decision.opens, decision.deadline + RESOLUTION
        if not record.reasons and record.at == decision.at:
            found.record = msgspec.structs.replace(record, reasons=decision.reasons, notes=decision.notes)
    else:
        found.note, found.seen = made, _looked_at(decision)
        _from_store(found, decision)
    return found


def that_placed(decisions: Sequence[DecisionRecord]) -> DecisionRecord | None:
    """Of the decisions about a message, oldest first, the one that says why it stands where it does.

    It is decided about once more at the moment at which it goes. By then its ideal time is past, and what had kept it
    from that is nothing to look at any more: the decision that had put it there has the reasons.
    """
    if not decisions:
        return None
    last = decisions[-1]
    if last.at is None or last.reasons:
        return last
    same = (one for one in reversed(decisions) if one.at is not None and abs(one.at - last.at) <= ABOUT)
    return next((one for one in same if one.reasons), last)


def _doubt(app: App, attempt: Row[Any]) -> str:
    """How long an attempt has been in doubt, and what ends that."""
    channel = app.channels.get(attempt.channel)
    asked = channel is not None and channel.capabilities.lookup != "none"
    ends = "it is looked up there, at last every hour" if asked else "it cannot be looked up there"
    return f"In doubt for {age(instant(attempt.started_at), app.clock.now())}, by {attempt.channel}: {ends}."


def _named(app: App, record: MessageRecord, ledger: Ledger) -> Explained:
    with app.store.read() as connection:
        world = app.world(connection)
    state = fold(ledger, app.clock.now())
    return Explained(record, state.profile.name or record.customer, zones(state, world)[0])


def _replayed(app: App, ledger: Ledger, decision: DecisionRecord) -> Replay | str:
    """The decision made again in the world of then, or why it cannot be."""
    then = decision.decided_at
    clock, app.clock = app.clock, SetClock(then)
    try:
        with app.store.read() as connection:
            world = app.world(connection)
    finally:
        app.clock = clock
    if world.hash != decision.world:
        return CHANGED
    made = replay(ledger, world, then, decision.key)
    same = made is not None and (made.decision.state, made.decision.at) == (decision.state, decision.at)
    return made if same and made is not None else DIFFERENT


def _from_replay(found: Explained, made: Replay) -> None:
    found.times = dict(made.allowance.times)
    for review in made.allowance.reviews:
        verdict = review.verdict
        _add(found, review.policy, review.code, verdict.note or verdict.detail, verdict.media, verdict.windows)


def _from_store(found: Explained, decision: DecisionRecord) -> None:
    for (policy, code, force, detail, media, spans), note in zip_longest(decision.reviews, decision.review_notes):
        named = Code(code, "must_not" if force == "must_not" else "could_not")
        _add(found, policy, named, note or detail, frozenset(media) if media is not None else None, Windows(spans))


def _looked_at(decision: DecisionRecord) -> Span:
    """The time that planning had to look at: a glimpse where the first instant asked about would do, else all of it."""
    wished = max(decision.ideal, decision.opens, decision.decided_at)
    last = decision.deadline + RESOLUTION
    bundled = any(code == BUNDLED.code for _, code, _ in decision.reasons)
    if decision.at is not None and (decision.at == wished or bundled):
        return decision.at, min(decision.at + GLIMPSE, last)
    late = decision.decided_at > decision.deadline
    first = decision.opens if late else max(decision.opens, decision.decided_at)
    return max(first, decision.kept[0]), min(last, decision.kept[1] + RESOLUTION)


def _add(
    found: Explained, policy: str, code: Code, words: str, media: frozenset[str] | None, windows: Windows | None
) -> None:
    """Note a review, unless it is about media on which the message would not go anyway."""
    asked = frozenset(found.decision.media if found.decision is not None else ())
    if windows is None or (media is not None and not media & asked):
        return
    found.reviews.append((policy, media & asked if media is not None else None, windows))
    found.codes.append((policy, code.name, FORCES[code.force], words))
