"""Reviewing: every policy's verdict on a proposal, combined by intersection to an allowance.

A refused proposal names a smallest set of policies that emptied its allowance: none of them could be left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from commsched.model.decisions import (
    ALLOW,
    Code,
    Failure,
    Placed,
    Proposal,
    Reason,
    Review,
    Verdict,
    could_not,
    deny,
    must_not,
)
from commsched.model.state import State
from commsched.planning import contact
from commsched.planning.isolation import ask
from commsched.planning.world import Applied, World
from commsched.plugin.view import View
from commsched.timing.windows import NEVER, Span, Windows

# How long an attempt may take: what is placed before its ideal leaves this much of its window, and what can go at its
# ideal is looked at no further than this.
GLIMPSE = timedelta(minutes=10)
UNREACHABLE = could_not("unreachable")
FAILED = must_not("plugin_failed")
CALENDAR = could_not("calendar_unreadable")
DOWN = could_not("channel_down")
PAUSED = must_not("paused")
REHEARSAL = must_not("rehearsal")


@dataclass(frozen=True, slots=True)
class Allowance:
    """When a proposal may go on each usable medium, and the reviews that say so."""

    times: Mapping[str, Windows]
    reviews: tuple[Review, ...]

    def first(self, order: Sequence[str], ideal: datetime) -> tuple[str, datetime] | None:
        """The allowed instant nearest to the ideal, on the first medium in order that has any."""
        for medium in order:
            at = self.times.get(medium, NEVER).nearest(ideal, GLIMPSE)
            if at is not None:
                return medium, at
        return None


class Reviewer:
    """Asks the policies about one customer's proposals; ``history`` grows as messages are placed."""

    def __init__(self, state: State, world: World, now: datetime, history: list[Placed]) -> None:
        self.world, self.now, self.history = world, now, history
        self.failures: dict[str, str] = {}
        self._state = state
        self._views: dict[str, View] = {}

    def allowance(self, proposal: Proposal, span: Span) -> Allowance:
        """What all policies leave of ``span`` on each medium."""
        reviews = [*self._ours(proposal)]
        narrowed = replace(proposal, span=span) if span != proposal.span else proposal
        view = self._view(proposal)
        for applied in self.world.chain(proposal.purpose, proposal.topic, proposal.department):
            review = self._ask(applied, narrowed, view)
            if review.verdict.windows is not None:
                reviews += _each(review) if review.verdict.also or review.verdict.force else (review,)
        times = {medium: _meet(reviews, medium, span) for medium in proposal.addresses}
        return Allowance(times, tuple(reviews))

    def reads(self, proposal: Proposal) -> tuple[str, ...]:
        """The kinds of facts that were read so far in reviewing messages to this recipient."""
        return tuple(sorted(self._view(proposal).reads))

    def _view(self, proposal: Proposal) -> View:
        view = self._views.get(proposal.recipient)
        if view is None:
            view = self._views[proposal.recipient] = view_of(self._state, proposal, self.world, self.history)
        return view

    def _ask(self, applied: Applied, proposal: Proposal, view: View) -> Review:
        if (again := self.world.breakers.get(applied.name)) is not None and self.now < again:
            return _failed(applied, f"it failed and is tried again at {again:%Y-%m-%d %H:%M} UTC")
        verdict = ask(applied, proposal, view, self.world.time_limit)
        if isinstance(verdict, str):
            self.failures.setdefault(applied.name, verdict)
            return _failed(applied, verdict)
        if applied.media is not None and verdict is not ALLOW:
            verdict = _on_media(verdict, applied.media)
        return Review(applied.name, applied.policy.code, verdict)

    def _ours(self, proposal: Proposal) -> Sequence[Review]:
        """What commsched itself objects to: no address, a calendar it cannot read, the stop button, a rehearsal."""
        found = []
        missing = frozenset(proposal.media) - proposal.addresses.keys()
        chain = self.world.chain(proposal.purpose, proposal.topic, proposal.department)
        said = any(applied.policy.code == UNREACHABLE for applied in chain)
        if not proposal.media or (missing and not said):
            media = None if not proposal.addresses else missing
            detail = f"there is no usable address or channel for {_words(sorted(missing)) or 'any medium'}"
            found.append(Review("commsched", UNREACHABLE, Verdict(NEVER, media, detail)))
        if waits := self.world.waits_for(proposal.rule, proposal.step):
            found.append(Review("commsched", CALENDAR, deny(waits)))
        found += self._out_of_order(proposal)
        for pause in self.world.pauses:
            denied = self._stopped(pause.scope, proposal)
            if denied:
                detail = f"{pause.scope} was paused by {pause.by}"
                found.append(Review("commsched", PAUSED, Verdict(NEVER, denied, detail)))
        if self.world.only_to:
            others = {medium for medium, to in proposal.addresses.items() if to not in self.world.only_to}
            if others:
                detail = "this is a rehearsal: only the addresses in only_to are written to"
                found.append(Review("commsched", REHEARSAL, deny(detail, media=others)))
        return found

    def _out_of_order(self, proposal: Proposal) -> Iterator[Review]:
        for medium, down in self.world.down.items():
            if medium in proposal.addresses:
                windows, note = Windows.onward(down.until), f"no channel for {medium} is in order ({down.why})"
                detail = "it cannot be sent this way before its channel is tried again"
                yield Review("commsched", DOWN, Verdict(windows, frozenset({medium}), detail, note))

    def _stopped(self, scope: str, proposal: Proposal) -> frozenset[str]:
        if scope in {"all", proposal.rule, proposal.department}:
            return frozenset(proposal.media)
        paused = {pause.scope for pause in self.world.pauses}
        served = {medium: set(self.world.carriers_of(medium)) for medium in proposal.media}
        return frozenset(medium for medium, names in served.items() if scope in names and names <= paused)


def view_of(state: State, proposal: Proposal, world: World, history: Sequence[Placed] = ()) -> View:
    """What policies are shown of whom the message goes to."""
    state = _as_recipient(state, proposal.recipient)
    return View(
        state,
        history,
        contact.zones(state, world),
        world.vocabulary,
        world.calendars,
        world.departments,
        region=world.region,
        stale=world.stale,
    )


def conflict(reviews: Sequence[Review], media: Sequence[str], span: Span) -> tuple[Review, ...]:
    """A smallest set of reviews that leaves no allowed instant: irreducible by deletion.

    What merely could not be is left out first, so that a veto which alone is enough always shows (DESIGN §7).
    """
    kept = list(reviews)
    last_first = list(reversed(reviews))
    for review in sorted(last_first, key=lambda review: review.code.force == "must_not"):
        rest = [other for other in kept if other is not review]
        if _empty(rest, media, span):
            kept = rest
    return tuple(kept)


def reasons(reviews: Sequence[Review]) -> tuple[Reason, ...]:
    """Reviews in words."""
    return tuple(Reason(r.policy, r.code.name, r.verdict.detail, r.code.force, r.verdict.note) for r in reviews)


def against(reviews: Sequence[Review], medium: str, instant: datetime) -> tuple[Review, ...]:
    """The reviews that do not allow this instant on this medium."""
    return tuple(r for r in reviews if (w := r.verdict.on(medium)) is not None and instant not in w)


def _empty(reviews: Sequence[Review], media: Sequence[str], span: Span) -> bool:
    return not any(_meet(reviews, medium, span) for medium in media)


def _meet(reviews: Sequence[Review], medium: str, span: Span) -> Windows:
    left = Windows.between(*span)
    for review in reviews:
        windows = review.verdict.on(medium)
        if windows is not None:
            left &= windows
            if not left:
                return NEVER
    return left


def _each(review: Review) -> Iterator[Review]:
    """A policy's several answers, each as a review of its own: each is named where it counts, and has its own force."""
    verdict, code = review.verdict, review.code
    for one in (replace(verdict, also=()), *verdict.also):
        if one.windows is not None:
            yield replace(review, verdict=one, code=code if one.force is None else Code(code.name, one.force))


def _on_media(verdict: Verdict, media: frozenset[str]) -> Verdict:
    also = tuple(_on_media(one, media) for one in verdict.also)
    return replace(verdict, media=media if verdict.media is None else verdict.media & media, also=also)


def _failed(applied: Applied, detail: str) -> Review:
    verdict = deny(f"the policy {applied.name} could not be asked: {detail}")
    return Review(applied.name, FAILED, verdict, failed=True)


def _as_recipient(state: State, recipient: str) -> State:
    """The facts about the customer, with the person and the word of who is written to."""
    guardian = state.guardian
    if guardian is None or recipient != guardian.profile.id:
        return state
    return replace(
        state,
        profile=guardian.profile,
        contacts=guardian.contacts,
        consents=(*state.consents, *guardian.consents),
        intents=(*state.intents, *guardian.intents),
        holds=(*state.holds, *guardian.holds),
    )


def _words(names: Sequence[str]) -> str:
    return " or ".join(names)


def failures(found: Mapping[str, str]) -> tuple[Failure, ...]:
    """The policies that failed, for their breakers."""
    return tuple(Failure(policy, detail) for policy, detail in sorted(found.items()))


__all__ = ["Allowance", "Code", "Reviewer", "against", "conflict", "failures", "reasons", "view_of"]
