"""The log of single events: one line each, with the ids by which a fact is followed to its receipt, and nothing else.

Facts and decisions are many, and are logged at ``debug`` (``-v``); attempts, and what comes back, at ``info``.
"""

from __future__ import annotations

import structlog

from commsched.model.decisions import Decision
from commsched.model.facts import AnyFact, Reply
from commsched.signals import Attempted, Decided, Heard, Pressed, Received, Signal

log = structlog.get_logger("commsched.events")


def chronicle(signal: Signal) -> None:
    """Write down what is announced, as far as it is about one customer; a listener."""
    match signal:
        case Received():
            _received(signal.event)
        case Decided():
            _decided(signal.decision)
        case Attempted(attempt, outcome):
            ids = {"customer": attempt.customer, "key": attempt.key, "attempt": attempt.id}
            log.info("attempted", **ids, channel=attempt.channel, outcome=outcome)
        case Heard():
            names = {"customer": signal.customer, "key": signal.key, "attempt": signal.attempt}
            told = {name: value for name, value in names.items() if value}
            log.info("heard", channel=signal.channel, kind=signal.kind, receipt=signal.receipt, **told)
        case Pressed(customer, key, action, result):
            log.info("pressed", customer=customer, key=key, action=action, result=result)


def _received(event: AnyFact) -> None:
    """The reply of a customer is what somebody waits for; all else comes in masses."""
    say = log.info if isinstance(event, Reply) else log.debug
    names = {"fact": event.id, "customer": event.customer, "key": getattr(event, "key", None)}
    told = {name: value for name, value in names.items() if isinstance(value, str)}
    say("fact", type=event.__struct_config__.tag, **told)


def _decided(decision: Decision) -> None:
    log.debug(
        "decided",
        customer=decision.proposal.customer,
        key=decision.key,
        state=decision.state,
        medium=decision.medium,
        at=decision.at.isoformat() if decision.at is not None else None,
        reasons=[f"{reason.policy}.{reason.code}" for reason in decision.reasons],
    )
