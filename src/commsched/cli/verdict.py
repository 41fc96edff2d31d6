"""What decided about a message, in one sentence."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from commsched.cli.times import local, short
from commsched.store.messages import DecisionRecord, MessageRecord, told

_ON = {
    "email": "by e-mail",
    "sms": "by text message",
    "voice": "by phone",
    "letter": "by letter",
    "webhook": "to another system",
}


def sentence(
    record: MessageRecord, decision: DecisionRecord | None, zone: ZoneInfo, known: datetime | None = None
) -> str:
    """Whether it goes or went, when, and what decided that.

    ``decision`` is the one that placed it, ``known`` when it was first decided about.
    """
    if record.state in {"planned", "sending", "in_doubt", "sent", "delivered", "undelivered"}:
        return _goes(record, decision, zone, known)
    if record.state == "refused":
        return _refused(record, zone)
    if record.state == "expired":
        return _expired(record, zone)
    if record.state == "cancelled":
        return "Does not go: there was no more reason for it, since something has changed."
    return "Does not go by itself: what it says goes along with another message."


def _goes(record: MessageRecord, decision: DecisionRecord | None, zone: ZoneInfo, known: datetime | None) -> str:
    verb = {"planned": "Goes", "sending": "Is being sent,", "in_doubt": "May have gone"}.get(record.state, "Went")
    when = local(record.at, zone) if record.at is not None else "at a time that is not known"
    lead = f"{verb} {when} {_ON.get(record.medium or '', record.medium or '')}"
    lead += {"undelivered": ", and did not arrive", "delivered": ", and arrived"}.get(record.state, "")
    if record.state == "in_doubt":
        lead += "; whether the provider took it is not known (`commsched settle` ends the doubt)"
    return f"{lead}: {_why(record, decision, zone, known)}"


def _why(record: MessageRecord, decision: DecisionRecord | None, zone: ZoneInfo, known: datetime | None) -> str:
    if record.at == record.ideal:
        return "that is its ideal time, and nothing was against it."
    reasons = told(record) or (told(decision) if decision else ())
    ideal = short(record.ideal, zone)
    if reasons:
        return f"its ideal time was {ideal}; what moved it: {_listed(reasons)}."
    if known is not None and known > record.ideal:
        return f"its ideal time, {ideal}, was past by then; this was the first at which it could go."
    if decision is not None and decision.opens > record.ideal:
        return f"its ideal time was {ideal}, but it had to wait for the message that it follows."
    return f"its ideal time was {ideal}; this was the first at which it could go."


def _refused(record: MessageRecord, zone: ZoneInfo) -> str:
    later = "" if record.final else f" It is looked at again until {short(record.deadline, zone)}, should that change."
    return f"Does not go: {_listed(told(record))}.{later}"


def _expired(record: MessageRecord, zone: ZoneInfo) -> str:
    why = _listed(told(record)) if record.reasons else "nothing was sent in time"
    return f"Does not go: its deadline was {short(record.deadline, zone)}; {why}."


def _listed(reasons: tuple[tuple[str, str, str], ...]) -> str:
    return " and ".join(dict.fromkeys(f"{policy} ({detail})" if detail else policy for policy, _, detail in reasons))
