"""Composing: a decided message in words, framed for its channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from commsched.delivery.based import based_on
from commsched.model.decisions import Decision, Plan
from commsched.model.state import State
from commsched.model.vocabulary import MUST_TELL
from commsched.planning import contact
from commsched.planning.length import check_length
from commsched.planning.review import view_of
from commsched.planning.world import World
from commsched.plugin.channel import Outgoing
from commsched.render.content import Content
from commsched.render.context import Context
from commsched.render.links import SAMPLE, Links
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
    links: Links | None = None

    def content(
        self, decision: Decision, state: State, world: World, slots: Sequence[datetime] = (), attempt: str = ""
    ) -> Content:
        """The message in words; ``slots`` are the free times that it offers, if it is one that does.

        Its links are those of the ``attempt``; without one they lead nowhere. Raises
        :class:`commsched.errors.TemplateError`; :class:`commsched.errors.TooLong` where a policy allows less.
        """
        context = self.context(decision, state, world)
        if self.links is not None:
            context = replace(context, links=self.links.all(self._token(attempt, decision.medium or "")))
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
            mime=self._mime(decision, content, to, name, attempt, plan.now) if medium == "email" else b"",
            locale=content.locale,
            **self._addresses(decision, attempt),
        )

    def link_of(self, row: Row[Any], medium: str) -> str:
        """The link that stands in a message which was sent, by its attempt; empty where messages have none."""
        if self.links is None:
            return ""
        return self.links.home(row.code or self._token(row.id, medium))

    def _token(self, attempt: str, medium: str) -> str:
        return self.links.token(attempt, medium) if self.links is not None and self.links.keys and attempt else SAMPLE

    def _addresses(self, decision: Decision, attempt: str) -> dict[str, str]:
        """The web addresses that go with a message; that for callbacks is complete once its channel is known."""
        if self.links is None:
            return {}
        every = self.links.all(self._token(attempt, decision.medium or ""))
        # Nobody subscribes to what must be told, and no press in a mail program keeps it from them.
        asked_for = decision.proposal.purpose in MUST_TELL
        stop = "" if asked_for else every["stop"]
        return {"link": every["home"], "unsubscribe": stop, "callback": self.links.callbacks}

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

    def _mime(self, decision: Decision, content: Content, to: str, name: str, attempt: str, at: datetime) -> bytes:
        return frame(
            content,
            self.letterhead.sender,
            Mailbox(name, to),
            f"{attempt}@{self.letterhead.domain}",
            at,
            unsubscribe=f"mailto:{self.letterhead.unsubscribe}?subject=stop" if self.letterhead.unsubscribe else "",
            one_click=self._addresses(decision, attempt).get("unsubscribe", ""),
        )
