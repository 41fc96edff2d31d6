"""A decision once more, looked at whole: every policy's windows over the full span of the message, for ``explain``.

Planning looks no further than it must; a message that may go at its ideal time was asked about a few minutes only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from commsched.model.decisions import Decision, Placed, Plan, Proposal
from commsched.planning.fold import fold
from commsched.planning.isolation import watched
from commsched.planning.ledger import Ledger
from commsched.planning.place import placed_at, urgency
from commsched.planning.plan import history_of, plan, with_extra
from commsched.planning.propose import depth_of
from commsched.planning.review import Allowance, Reviewer
from commsched.planning.world import World
from commsched.timing.windows import RESOLUTION


@dataclass(frozen=True, slots=True)
class Replay:
    """A decision made again on what was known then, and the allowance of its whole span."""

    decision: Decision
    allowance: Allowance


def replay(ledger: Ledger, world: World, then: datetime, key: str) -> Replay | None:
    """The decision about a message as of ``then``; ``None`` if the plan of then has no such message. Pure."""
    known = with_extra(ledger.known_by(then), world)
    made = plan(ledger.known_by(then), world, then)
    decision = next((one for one in made.decisions if key in one.parts), None)
    if decision is None:
        return None
    state = fold(known, then)
    history = [*history_of(known, state), *_before(made, decision, world)]
    reviewer = Reviewer(state, world, then, sorted(history, key=lambda one: one.at))
    proposal = decision.proposal
    with watched(world.time_limit):
        allowance = reviewer.allowance(proposal, (proposal.span[0], proposal.deadline + RESOLUTION))
    return Replay(decision, allowance)


def _before(made: Plan, decision: Decision, world: World) -> Iterable[Placed]:
    """What was placed before it, and so counted as history: the more urgent."""
    mine = _urgency(decision.proposal, world)
    for other in made.decisions:
        if other.at is None or other.medium is None:
            continue
        if other is not decision and _urgency(other.proposal, world) < mine:
            yield placed_at(other.proposal, other.medium, other.at)


def _urgency(proposal: Proposal, world: World) -> tuple[int, int, datetime, str]:
    rule = world.rule(proposal.rule)
    step = next((step for step in rule.steps if step.name == proposal.step), None) if rule is not None else None
    return urgency(proposal, depth_of(rule, step) if rule is not None and step is not None else 0)
