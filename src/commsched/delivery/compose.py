"""Composing: a decided message in words, framed for its channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from commsched.delivery.based import based_on
from commsched.model.decisions import Decision, Plan
from commsched.model.state import State
from commsched.planning import contact
from commsched.planning.length import check_length
from commsched.planning.review import view_of
from commsched.planning.world import World
from commsched.plugin.base import Outgoing
from commsched.render.content import Content
from commsched.render.context import Context
from commsched.render.mail import Mailbox, frame
from commsched.render.renderer import Renderer
from commsched.rules.rule import OFFER_SLOTS
from commsched.timing.civil import zone


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who a message is from: the From line, and the address that takes requests to stop."""

    sender: Mailbox
    unsubscribe: str = ""

    @property
    def domain(self) -> str:
        """The domain of message ids."""
        return self.sender.address.rpartition("@")[2] or "localhost"


@dataclass(frozen=True, slots=True)
class Composer:
    """Writes messages in a customer's language and by their clock."""

    renderer: Renderer
    letterhead: Letterhead
    locale: str

    def content(self, decision: Decision, state: State, world: World, slots: Sequence[datetime] = ()) -> Content:
        """The message in words; ``slots`` are the free times that it offers, if it is one that does.

        Raises :class:`commsched.errors.TemplateError`; :class:`commsched.errors.TooLong` where a policy allows less.
        """
        context = self.context(decision, state, world)
        if decision.template == OFFER_SLOTS:
            context = replace(context, variables={**context.variables, "slots": tuple(slots)})
        proposal, medium = decision.proposal, decision.medium or ""
        content = self.renderer.render(decision.template, medium, state.profile.locale or self.locale, context)
        chain = world.chain(proposal.purpose, proposal.topic, proposal.department)
        check_length(chain, proposal, medium, content.text, view_of(state, proposal, world))
        return content

    def outgoing(self, plan: Plan, decision: Decision, content: Content, state: State, attempt: str) -> Outgoing:
        """The message as its channel is handed it."""
        medium = decision.medium or ""
        to = decision.proposal.addresses[medium]
        name = (
            state.guardian if decision.proposal.recipient != plan.customer and state.guardian else state
        ).profile.name
        return Outgoing(
            attempt=attempt,
            key=decision.key,
            medium=medium,
            to=to,
            name=name,
            subject=content.subject,
            text=content.text,
            html=content.html,
            send_by=decision.send_by or plan.now + timedelta(minutes=10),
            at=plan.now,
            mime=self._mime(content, to, name, attempt, plan.now) if medium == "email" else b"",
        )

    def context(self, decision: Decision, state: State, world: World) -> Context:
        """What the template sees."""
        place = contact.zones(state, world)[0]
        rule = world.rule(decision.proposal.rule)
        variables = {**decision.proposal.variables, **based_on(decision.proposal, state, world.stale)}
        return self._context(variables, place, rule.why if rule else "", decision, world)

    def _context(
        self, variables: Mapping[str, object], place: ZoneInfo, why: str, decision: Decision, world: World
    ) -> Context:
        parts = cast("tuple[Mapping[str, object], ...]", variables.get("parts", ()))
        service = world.services.get(str(variables.get("service", "")))
        flat = {name: value for name, value in variables.items() if name not in {"parts", "place_zone", "service"}}
        if service is not None:
            flat |= {"service.id": service.id, "service.name": service.name}
        where = variables.get("place_zone")
        return Context(
            flat,
            place,
            place=zone(str(where)) if where else None,
            why=why,
            department=world.departments.get(decision.proposal.department),
            parts=tuple(self._context(part, place, why, decision, world) for part in parts),
        )

    def _mime(self, content: Content, to: str, name: str, attempt: str, at: datetime) -> bytes:
        return frame(
            content,
            self.letterhead.sender,
            Mailbox(name, to),
            f"{attempt}@{self.letterhead.domain}",
            at,
            unsubscribe=f"mailto:{self.letterhead.unsubscribe}?subject=stop" if self.letterhead.unsubscribe else "",
        )
