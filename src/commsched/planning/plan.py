"""The plan of one customer: a pure function of ledger, world and instant. Same input, same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from operator import itemgetter

from commsched.model.decisions import Decision, Placed, Plan
from commsched.model.facts import Sent
from commsched.model.state import State
from commsched.model.subjects import digest_of
from commsched.planning.fold import fold
from commsched.planning.isolation import watched
from commsched.planning.ledger import Ledger
from commsched.planning.place import Placer
from commsched.planning.propose import Proposer
from commsched.planning.review import Reviewer, failures
from commsched.planning.world import World
from commsched.timing.windows import RESOLUTION


def plan(ledger: Ledger, world: World, now: datetime) -> Plan:
    """What goes to a customer and what does not, why, and when to look again: fold -> propose -> review -> place.

    ``now`` is an aware UTC instant. Until ``wake_at``, and as long as no fact is added, the plan stays what it is.
    """
    state = fold(with_extra(ledger, world), now)
    proposer = Proposer(ledger, state, world, now)
    wanted = list(proposer.wanted())
    if not wanted:
        wake_at = _wake(proposer, world, now)
        return Plan(ledger.customer, now, (), tuple(proposer.tasks), wake_at, wake_at)
    reviewer = Reviewer(state, world, now, history_of(ledger, state))
    placer = Placer(proposer, reviewer, now)
    with watched(world.time_limit):
        decisions = placer.place(wanted)
    rest = _wake(proposer, world, now)
    return Plan(
        ledger.customer,
        now,
        tuple(decisions),
        (*proposer.tasks, *placer.tasks),
        min([rest, *moments(decisions, world, now)]),
        rest,
        failures(reviewer.failures),
    )


def with_extra(ledger: Ledger, world: World) -> Ledger:
    """The ledger with what plugins derive from its facts."""
    if not world.extra_facts:
        return ledger
    facts = [fact for _, fact in ledger.entries]
    extra = {digest_of(fact).hex(): fact for derive in world.extra_facts for fact in derive(facts)}
    if not extra:
        return ledger
    entries = [entry for entry in ledger.entries if entry[0] not in extra]
    entries += extra.items()
    entries.sort(key=itemgetter(0))
    return Ledger(ledger.customer, tuple(entries), ledger.circles, ledger.under_way, ledger.nearby)


def history_of(ledger: Ledger, state: State) -> list[Placed]:
    """Everything that was sent to the customer or an address of theirs, and what is under way, by time."""
    under_way = (way.sent for way in ledger.under_way)
    return sorted((_placed(one) for one in (*state.sent, *state.address_history, *under_way)), key=lambda one: one.at)


def _placed(sent: Sent) -> Placed:
    return Placed(
        sent.key,
        sent.at,
        sent.rule,
        sent.step,
        sent.subject,
        sent.occurrence,
        sent.purpose,
        sent.topic,
        sent.department,
        sent.medium,
        sent.address,
        sent.template,
        sent.content,
        sent=True,
    )


def _wake(proposer: Proposer, world: World, now: datetime) -> datetime:
    """When the plan could next differ without a new fact, its decisions apart: the wake law's other half."""
    times = [now + world.horizon, proposer.next_reach, proposer.state.next_change]
    times += [one.at for one in proposer.tasks]
    return min(at for at in times if at is not None and at > now)


def moments(decisions: Iterable[Decision], world: World, now: datetime) -> Iterator[datetime]:
    """When these decisions could next differ without a new fact."""
    for decision in decisions:
        opens, deadline = decision.proposal.span
        times = [decision.at, opens, deadline + RESOLUTION]
        times += [world.breakers.get(review.policy) for review in decision.reviews if review.failed]
        yield from (at for at in times if at is not None and at > now)
