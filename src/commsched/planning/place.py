"""Placing: each proposal gets the allowed medium and instant nearest its ideal, most urgent first.

What was placed counts as history for the next. Steps of one rule that fall together, and bundled occurrences, join one
message with several parts; its allowance is the intersection of theirs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from commsched.model.decisions import Decision, MessageState, Placed, Proposal, Reason, TaskDecision
from commsched.model.subjects import key_of
from commsched.planning.prep import FALLBACK, Told
from commsched.planning.propose import Proposer, Wanted, task
from commsched.planning.review import GLIMPSE, Allowance, Reviewer, against, conflict, reasons
from commsched.planning.times import GRACE, LAST_WORD
from commsched.rules.rule import Fallback
from commsched.timing.windows import NEVER, RESOLUTION, Span, Windows

NO_TIME = Reason("commsched", "no_time_left", "when this came to be known, there was no time left before the deadline")
BUNDLED = Reason("commsched", "bundled", "it goes in one message with something that could not go at that time")
# What is said for these goes on each medium that the rule names: a letter is no answer to an e-mail.
OWN_MEDIUM = frozenset({"safety", "legal"})
EXPIRED = Reason("commsched", "expired", "there was an allowed time, but nothing was sent before the deadline")


@dataclass(slots=True)
class Group:
    """A message in the making: the wanted part that leads it, those that joined, and why it goes when it does.

    ``spared``: steps of the same occurrence that would go on another medium about then; this message is enough.
    """

    leader: Wanted
    at: datetime
    medium: str
    allowance: Allowance
    placed: Placed
    why: tuple[Reason, ...]
    parts: list[Wanted] = field(default_factory=list)
    spared: list[Wanted] = field(default_factory=list)

    @property
    def proposals(self) -> list[Proposal]:
        """All that it says, the leader first."""
        return [part.proposal for part in (self.leader, *self.parts)]

    @property
    def settled(self) -> list[Proposal]:
        """All that need not go any more once it went."""
        return [*self.proposals, *(part.proposal for part in self.spared)]


class Placer:
    """Places one customer's proposals at one instant."""

    def __init__(self, proposer: Proposer, reviewer: Reviewer, now: datetime) -> None:
        self.proposer, self.reviewer, self.now = proposer, reviewer, now
        self.groups: list[Group] = []
        self.decisions: list[Decision] = []
        self.tasks: list[TaskDecision] = []
        self.times: dict[str, datetime] = {part: sent.at for sent in proposer.sent for part in sent.parts}
        self.tells = dict(proposer.tells)

    def place(self, wanted: Iterable[Wanted]) -> list[Decision]:
        """Decide every proposal; the decisions stand in order of placing."""
        queue = sorted(wanted, key=lambda one: urgency(one.proposal, one.depth))
        for one in queue:
            self._place(one)
        return [*self.decisions, *(self._decided(group) for group in self.groups)]

    def _place(self, wanted: Wanted) -> None:
        if wanted.after is not None:
            before = self.times.get(wanted.after)
            if before is None:
                return
            opens, deadline = wanted.proposal.span
            proposal = replace(wanted.proposal, span=(max(opens, before + RESOLUTION), deadline))
            wanted = replace(wanted, proposal=proposal)
        if wanted.step.prep is not None and self._told_in_time(wanted.proposal):
            return
        if wanted.proposal.deadline < self.now:
            self._too_late(wanted)
        elif not self._join(wanted):
            self._alone(wanted)

    def _told_in_time(self, proposal: Proposal) -> bool:
        """Whether messages sent or on the plan tell all that this one would, no later than it must."""
        return all(
            (told := self.tells.get(name)) is not None and told.holds(begins, proposal.deadline)
            for name, begins in proposal.tells.items()
        )

    def _note(self, proposal: Proposal, at: datetime) -> None:
        self.times[proposal.key] = at
        for name, begins in proposal.tells.items():
            before = self.tells.get(name)
            if before is None or not before.holds(begins, at):
                self.tells[name] = Told(begins, at)

    def _alone(self, wanted: Wanted) -> None:
        proposal = wanted.proposal
        ideal = self._ideal(proposal)
        quick = self._at_ideal(proposal, ideal)
        allowance = quick or self.reviewer.allowance(proposal, self._span(proposal))
        found = allowance.first(tuple(proposal.addresses), ideal)
        if found is None:
            self._refuse(wanted, allowance, final=False)
        else:
            self._add(wanted, allowance, *found)

    def _at_ideal(self, proposal: Proposal, ideal: datetime) -> Allowance | None:
        """The allowance of the minutes after the ideal, if the first medium has it.

        A verdict on a narrower span is the clipped verdict, so that the months around the ideal need no look.
        """
        if not proposal.addresses or ideal > proposal.deadline:
            return None
        allowance = self.reviewer.allowance(proposal, self._glimpse(proposal, ideal))
        return allowance if ideal in allowance.times[next(iter(proposal.addresses))] else None

    def _span(self, proposal: Proposal) -> Span:
        return max(proposal.span[0], self.now), proposal.deadline + RESOLUTION

    def _add(self, wanted: Wanted, allowance: Allowance, medium: str, at: datetime) -> None:
        placed = placed_at(wanted.proposal, medium, at)
        why = reasons(against(allowance.reviews, medium, self._ideal(wanted.proposal)))
        self.groups.append(Group(wanted, at, medium, allowance, placed, why))
        self.reviewer.history.append(placed)
        self._note(wanted.proposal, at)

    def _join(self, wanted: Wanted) -> bool:
        """Let a part go along with a message of its rule that is on the plan already, where that is allowed."""
        for group in self.groups:
            if _may_join(wanted, group):
                self.reviewer.history.remove(group.placed)
                joined = self._joined(wanted, group)
                self.reviewer.history.append(group.placed)
                if joined:
                    return True
        return any(self._spared(wanted, group) for group in self.groups if _may_join(wanted, group))

    def _joined(self, wanted: Wanted, group: Group) -> bool:
        proposal, medium = wanted.proposal, group.medium
        if medium not in proposal.addresses or not self._falls_together(wanted, group):
            return False
        at = group.at if self._allowed(proposal, medium, group.at) else self._shared(wanted, group)
        if at is None or (proposal.purpose == "safety" and at > self._ideal(proposal)):
            return False
        if at != group.at:
            leader = group.leader.proposal
            group.allowance = self.reviewer.allowance(leader, self._glimpse(leader, at))
            group.why = self._why_not([*group.proposals, proposal], medium, self._ideal(leader))
        group.at, group.placed = at, replace(group.placed, at=at)
        group.parts.append(wanted)
        for one in group.settled:
            self._note(one, at)
        return True

    def _spared(self, wanted: Wanted, group: Group) -> bool:
        """Let a step that would go on another medium at about the same time be, where it is about the same thing.

        Each must go where the law or somebody's safety is concerned, or where it tells of something to prepare.
        """
        proposal = wanted.proposal
        same = wanted.occurrence.subject == group.leader.occurrence.subject
        if not same or group.medium in proposal.addresses or proposal.tells or proposal.purpose in OWN_MEDIUM:
            return False
        ideal = self._ideal(proposal)
        self.reviewer.history.remove(group.placed)
        allowance = self._at_ideal(proposal, ideal) or self.reviewer.allowance(proposal, self._span(proposal))
        self.reviewer.history.append(group.placed)
        alone = allowance.first(tuple(proposal.addresses), ideal)
        if alone is None or abs(alone[1] - group.at) > wanted.rule.merge:
            return False
        group.spared.append(wanted)
        self._note(proposal, group.at)
        return True

    def _why_not(self, proposals: Iterable[Proposal], medium: str, ideal: datetime) -> tuple[Reason, ...]:
        """What is against an instant for what goes in one message."""
        found: dict[Reason, None] = {}
        for one in proposals:
            if not one.span[0] <= ideal <= one.deadline:
                found[BUNDLED] = None
            else:
                reviews = self.reviewer.allowance(one, self._glimpse(one, ideal)).reviews
                found.update(dict.fromkeys(reasons(against(reviews, medium, ideal))))
        return tuple(found) or (BUNDLED,)

    def _falls_together(self, wanted: Wanted, group: Group) -> bool:
        """Whether a part would go at about the time of the message on the plan."""
        proposal, leader = wanted.proposal, group.leader
        if wanted.occurrence.subject != leader.occurrence.subject:
            bundle = wanted.rule.bundle
            return bundle is not None and abs(proposal.ideal - leader.proposal.ideal) <= bundle.within
        ideal = self._ideal(proposal)
        if self._allowed(proposal, group.medium, ideal):
            alone: datetime | None = ideal
        else:
            alone = self.reviewer.allowance(proposal, self._span(proposal)).times[group.medium].nearest(ideal, GLIMPSE)
        return alone is not None and abs(alone - group.at) <= wanted.rule.merge

    def _allowed(self, proposal: Proposal, medium: str, at: datetime) -> bool:
        if not max(proposal.span[0], self.now) <= at <= proposal.deadline:
            return False
        return at in self.reviewer.allowance(proposal, self._glimpse(proposal, at)).times[medium]

    def _shared(self, wanted: Wanted, group: Group) -> datetime | None:
        """The instant nearest the leader's ideal that suits all the parts."""
        parts = [*group.proposals, wanted.proposal]
        opens = max(self.now, *(one.span[0] for one in parts))
        closes = min(one.deadline for one in parts)
        ideal = max(opens, group.leader.proposal.ideal)
        if ideal > closes:
            return None
        if all(self._allowed(one, group.medium, ideal) for one in parts):
            return ideal
        times = Windows.between(opens, closes + RESOLUTION)
        for one in parts:
            times &= self.reviewer.allowance(one, (opens, closes + RESOLUTION)).times.get(group.medium, NEVER)
            if not times:
                return None
        return times.nearest(group.leader.proposal.ideal, GLIMPSE)

    def _ideal(self, proposal: Proposal) -> datetime:
        return max(proposal.ideal, proposal.span[0], self.now)

    @staticmethod
    def _glimpse(proposal: Proposal, at: datetime) -> Span:
        return at, min(at + GLIMPSE, proposal.deadline + RESOLUTION)

    def _refuse(self, wanted: Wanted, allowance: Allowance, *, final: bool, span: Span | None = None) -> None:
        proposal = wanted.proposal
        because = conflict(allowance.reviews, proposal.media, span or self._span(proposal))
        why = reasons(because) or (NO_TIME,)
        self.decisions.append(
            Decision(
                proposal.key,
                (proposal.key,),
                proposal,
                "refused",
                final,
                None,
                None,
                why,
                allowance.reviews,
                tuple(review.policy for review in because),
                self.reviewer.reads(proposal),
                proposal.template,
            )
        )
        self._fall_back(wanted, why, final=final)

    def _too_late(self, wanted: Wanted) -> None:
        """The deadline is past: say for good why nothing went, and run the fallback if it merely could not."""
        proposal = wanted.proposal
        span = (proposal.span[0], proposal.deadline + RESOLUTION)
        allowance = self.reviewer.allowance(proposal, span)
        if not any(allowance.times.values()):
            self._refuse(wanted, allowance, final=True, span=span)
            return
        vetoes = self._vetoes_at_the_end(wanted, allowance)
        state: MessageState = "refused" if vetoes else "expired"
        why = vetoes or (EXPIRED,)
        keys = (proposal.key,)
        self.decisions.append(
            Decision(proposal.key, keys, proposal, state, True, None, None, why, (), template=proposal.template)
        )
        self._fall_back(wanted, why, final=True)

    @staticmethod
    def _vetoes_at_the_end(wanted: Wanted, allowance: Allowance) -> tuple[Reason, ...]:
        """What must not be said at the deadline must not turn into a phone call, even if there was a time before."""
        deadline, media = wanted.proposal.deadline, tuple(wanted.proposal.addresses)
        vetoes = [review for review in allowance.reviews if review.code.force == "must_not"]
        denied = [against(vetoes, medium, deadline) for medium in media]
        return reasons(denied[0]) if denied and all(denied) else ()

    def _fall_back(self, wanted: Wanted, why: tuple[Reason, ...], *, final: bool) -> None:
        """Fallbacks run only for what could not be; a veto must not turn into a phone call (DESIGN §7)."""
        step, rule = wanted.step, wanted.rule
        if any(reason.force == "must_not" for reason in why):
            fallback = step.on_veto
        elif step.prep is not None:
            fallback = step.too_late
        else:
            fallback = rule.otherwise if final else None
        if fallback is not None and not step.name.endswith(FALLBACK):
            self._run(fallback, wanted, why)

    def _run(self, fallback: Fallback, wanted: Wanted, why: tuple[Reason, ...]) -> None:
        proposal, proposer = wanted.proposal, self.proposer
        if fallback.task is not None:
            key, at = f"{proposal.key}{FALLBACK}", min(proposal.deadline, self.now)
            about = (wanted.rule, wanted.step.name, at, fallback.task, proposal.variables, why)
            made, anchor = task(key, proposer.state, proposer.world, *about), proposal.anchor
            ahead = anchor.kind == "start" and anchor.at > at
            self.tasks.append(replace(made, until=anchor.at) if ahead else made)
        if fallback.template is not None:
            self._place(_instead(wanted, fallback.template, proposer.world.uses(wanted.rule, fallback.template)))

    def _decided(self, group: Group) -> Decision:
        proposal = group.leader.proposal
        bundle = group.leader.rule.bundle
        bundled = bundle is not None and any(part.occurrence.subject != proposal.subject for part in group.parts)
        if group.parts:
            tells = {name: begins for one in group.proposals for name, begins in one.tells.items()}
            proposal = replace(proposal, variables={**proposal.variables, "parts": _parts(group)}, tells=tells)
        return Decision(
            proposal.key,
            tuple(one.key for one in group.settled),
            proposal,
            "planned",
            False,
            group.at,
            group.medium,
            group.why,
            group.allowance.reviews,
            (),
            self.reviewer.reads(proposal),
            bundle.template if bundle is not None and bundled else proposal.template,
            _send_by(group),
        )


def urgency(proposal: Proposal, depth: int) -> tuple[int, int, datetime, str]:
    """In which order messages are placed: by priority, what others follow before what follows it, then by deadline."""
    return proposal.priority, depth, proposal.deadline, proposal.key


def _send_by(group: Group) -> datetime:
    """The end of the window that the message was placed in: nothing may leave after it."""
    times = group.allowance.times[group.medium]
    return next((end for start, end in times if start <= group.at < end), group.at + RESOLUTION)


def _parts(group: Group) -> tuple[dict[str, object], ...]:
    """The variables of each part, for a template that speaks of several things."""
    return tuple(dict(one.variables) for one in group.proposals)


def _may_join(wanted: Wanted, group: Group) -> bool:
    leader = group.leader
    # A step that follows another never goes in its place; together they would put each other off for ever.
    if wanted.after in {one.key for one in group.settled}:
        return False
    if wanted.rule is not leader.rule or wanted.proposal.recipient != leader.proposal.recipient:
        return False
    if wanted.occurrence.subject == leader.occurrence.subject:
        return wanted.occurrence.id == leader.occurrence.id
    return wanted.rule.bundle is not None and wanted.proposal.template == leader.proposal.template


def placed_at(proposal: Proposal, medium: str, at: datetime) -> Placed:
    """A proposal on the plan, as the history that others are weighed against."""
    return Placed(
        proposal.key,
        at,
        proposal.rule,
        proposal.step,
        proposal.subject,
        proposal.occurrence,
        proposal.purpose,
        proposal.topic,
        proposal.department,
        medium,
        proposal.addresses[medium],
        proposal.template,
        proposal.content,
        sent=False,
    )


def _instead(wanted: Wanted, template: str, uses: frozenset[str]) -> Wanted:
    """The fallback message of a step that could not be: a reviewed proposal of its own."""
    proposal, name = wanted.proposal, f"{wanted.step.name}{FALLBACK}"
    opens = proposal.deadline
    last = proposal.anchor.at - LAST_WORD if wanted.step.prep is not None else opens + GRACE
    return replace(
        wanted,
        step=dataclasses.replace(wanted.step, name=name),
        proposal=replace(
            proposal,
            key=key_of(proposal.customer, proposal.rule, name, proposal.subject, proposal.occurrence),
            step=name,
            template=template,
            uses=uses,
            content=f"{proposal.content}|{template}",
            ideal=opens,
            span=(min(opens, last - LAST_WORD), last),
        ),
        after=None,
    )
