"""The log of single events: one line each, with the ids by which a fact is followed to its receipt, and nothing else.

Facts and decisions are many, and are logged at ``debug`` (``-v``); attempts, and what comes back, at ``info``.
"""

from __future__ import annotations

import structlog

from commsched.model.decisions import Decision
from commsched.model.facts import AnyFact, Reply
from commsched.plugin.channel import Attempt
from commsched.plugin.hookspecs import hookimpl
from commsched.signals import Heard, Pressed, Signal

log = structlog.get_logger("commsched.events")


class Chronicle:
    """Hears what happens, as observers and as listeners do, and writes it down."""

    @hookimpl
    def received(self, event: AnyFact) -> None:
        """A fact came in; the reply of a customer is what somebody waits for."""
        say = log.info if isinstance(event, Reply) else log.debug
        names = {"fact": event.id, "customer": event.customer, "key": getattr(event, "key", None)}
        told = {name: value for name, value in names.items() if isinstance(value, str)}
        say("fact", type=event.__struct_config__.tag, **told)

    @hookimpl
    def decided(self, decision: Decision) -> None:
        """A decision has changed."""
        log.debug(
            "decided",
            customer=decision.proposal.customer,
            key=decision.key,
            state=decision.state,
            medium=decision.medium,
            at=decision.at.isoformat() if decision.at is not None else None,
            reasons=[f"{reason.policy}.{reason.code}" for reason in decision.reasons],
        )

    @hookimpl
    def attempted(self, attempt: Attempt, outcome: str) -> None:
        """An attempt has ended."""
        log.info(
            "attempted",
            customer=attempt.customer,
            key=attempt.key,
            attempt=attempt.id,
            channel=attempt.channel,
            outcome=outcome,
        )

    def hear(self, signal: Signal) -> None:
        """What comes back: a provider's event, or a press on a page."""
        if isinstance(signal, Heard):
            names = {"customer": signal.customer, "key": signal.key, "attempt": signal.attempt}
            told = {name: value for name, value in names.items() if value}
            log.info("heard", channel=signal.channel, kind=signal.kind, receipt=signal.receipt, **told)
        elif isinstance(signal, Pressed):
            log.info("pressed", customer=signal.customer, key=signal.key, action=signal.action, result=signal.result)
