"""When a customer is looked at again whose message found no place, or whose plan was made anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from commsched.delivery.carriers import Held
from commsched.model.decisions import Decision, Plan
from commsched.planning.plan import moments
from commsched.planning.prep import FALLBACK
from commsched.planning.world import World
from commsched.timing.windows import RESOLUTION


def later(plans: Mapping[str, Plan], held: Sequence[Held], world: World, now: datetime) -> dict[str, Plan]:
    """The plans of those whose messages found no place: these, and what follows them, wait for their turn.

    All else has its own time: the customer's other messages, tasks, facts that become true, and every deadline.
    """
    waiting = {_about(one.ready.decision) for one in held}
    late = {}
    for customer in {one.ready.record.customer for one in held}:
        plan = plans[customer]
        rest = [d for d in plan.decisions if _waits(d, waiting, world)]
        others = [d for d in plan.decisions if d not in rest]
        ends = [d.proposal.deadline + RESOLUTION for d in rest]
        times = [plan.rest_at, *moments(others, world, now), *(end for end in ends if end > now)]
        late[customer] = replace(plan, wake_at=min(times))
    return late


def next_looks(
    plans: Mapping[str, Plan], valid: Collection[str], soon: Mapping[str, datetime], now: datetime
) -> dict[str, datetime]:
    """When each is looked at again: the overtaken at once, the others when their plan says, or sooner."""
    due = {customer: plan.wake_at if customer in valid else now for customer, plan in plans.items()}
    return {customer: min(at, soon.get(customer, at)) for customer, at in due.items()}


def _waits(decision: Decision, waiting: set[tuple[str, ...]], world: World) -> bool:
    """Whether a message found no place, or follows one that found none."""
    *about, name = _about(decision)
    rule = world.rule(decision.proposal.rule)
    while name and (*about, name) not in waiting:
        name = (rule.step(name.removesuffix(FALLBACK)).after or "") if rule is not None else ""
    return bool(name)


def _about(decision: Decision) -> tuple[str, ...]:
    """What a message and the steps after it have in common, and its own step."""
    p = decision.proposal
    return p.customer, p.rule, p.subject, p.occurrence, p.step
