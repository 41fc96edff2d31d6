"""The messages of one rule for one customer as they would look now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from commsched.app import App
from commsched.cli.times import local
from commsched.model.decisions import Decision, Plan, Proposal
from commsched.model.state import State
from commsched.planning.fold import fold
from commsched.planning.plan import with_extra
from commsched.planning.propose import Proposer, Wanted
from commsched.planning.world import World
from commsched.render.content import Content
from commsched.store.ledgers import load


@dataclass(frozen=True, slots=True)
class Preview:
    """One message in words; ``note`` says whether it would go."""

    step: str
    medium: str
    content: Content
    note: str
    decision: Decision
    plan: Plan
    state: State
    world: World


def previews(app: App, rule: str, customer: str) -> tuple[list[Preview], str]:
    """What the rule would like to say, on the first medium that can carry it; or why it has nothing to say."""
    now = app.clock.now()
    with app.store.read() as connection:
        world = app.world(connection)
        ledger = load(connection, [customer])[customer].ledger
    # From when a rule counts has no part in how its messages look.
    seen = replace(world, rules=tuple(one for one in world.rules if one.name == rule), since={})
    ledger = with_extra(ledger, seen)
    state = fold(ledger, now)
    proposer = Proposer(ledger, state, seen, now)
    wanted = list(proposer.wanted())
    made = Plan(customer, now, (), (), now, now)
    return list(_rendered(app, wanted, made, state, world)), _nothing(app, proposer, world)


def _nothing(app: App, proposer: Proposer, world: World) -> str:
    if proposer.tasks:
        return f"it asks staff to act: {proposer.tasks[0].text}"
    if proposer.next_reach is not None:
        when = local(proposer.next_reach, app.configuration.deployment.zone)
        return f"nothing of it lies within the next {world.horizon.days} days; the first comes into reach {when}."
    return "its trigger does not apply to them, its `when` is not true, or everything was said already."


def _rendered(app: App, wanted: list[Wanted], made: Plan, state: State, world: World) -> Iterator[Preview]:
    zone = app.configuration.deployment.zone
    for one in wanted:
        proposal = one.proposal
        written = app.renderer.media(proposal.template) if proposal.template in app.renderer.names() else frozenset()
        order = [*proposal.addresses, *proposal.media, *sorted(written)]
        medium = next((name for name in order if name in written), None)
        if medium is not None:
            decision = _decision(proposal, medium)
            content = app.composer.content(decision, state, world)
            note = f"its ideal time is {local(proposal.ideal, zone)}"
            yield Preview(proposal.step, medium, content, note, decision, made, state, world)


def _decision(proposal: Proposal, medium: str) -> Decision:
    addressed = msgspec.structs.replace(proposal, addresses={medium: "", **proposal.addresses})
    return Decision(
        proposal.key,
        (proposal.key,),
        addressed,
        "planned",
        False,
        None,
        medium,
        (),
        (),
        template=proposal.template,
    )
