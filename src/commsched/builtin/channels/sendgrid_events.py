"""SendGrid's events in our words: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from commsched import ChannelEvent, EventKind, Forged

KINDS: Mapping[str, EventKind] = MappingProxyType(
    {
        "processed": "accepted",
        "deferred": "accepted",
        "delivered": "delivered",
        "spamreport": "complaint",
        "unsubscribe": "opt_out",
        "group_unsubscribe": "opt_out",
        "group_resubscribe": "opt_in",
    }
)
# Why SendGrid did not even try, by its reason.
DROPPED: Mapping[str, EventKind] = MappingProxyType(
    {
        "unsubscribed address": "opt_out",
        "bounced address": "bounced",
        "invalid": "bounced",
        "spam reporting address": "complaint",
        "recipient list over package quota": "undelivered",
    }
)
INVALID = "invalid address"
_GONE = re.compile(r"\b5\.1\.(?:1|2|3|6|10)\b")


def events_in(body: bytes) -> list[ChannelEvent]:
    """The events of a call. Raises :class:`Forged` where there can be none."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Forged("The events are not JSON.") from error
    found = [event_of(one) for one in said if isinstance(one, dict)] if isinstance(said, list) else []
    return [one for one in found if one is not None]


def event_of(said: Mapping[str, Any]) -> ChannelEvent | None:
    """An event; ``None`` for one that is not about what became of a message (opened, clicked)."""
    kind = _kind(said)
    if kind is None:
        return None
    told = {str(name): str(value) for name, value in said.items()}
    return ChannelEvent(
        kind,
        _at(said.get("timestamp")),
        attempt=told.get("attempt", ""),
        address=told.get("email", ""),
        detail=f"{told.get('status', '')} {told.get('reason', told.get('response', ''))}".strip(),
        data=told,
        id=told.get("sg_event_id", ""),
        # What stands before the first dot is what the request was answered with.
        reference=told.get("sg_message_id", "").partition(".")[0],
    )


def _kind(said: Mapping[str, Any]) -> EventKind | None:
    event = str(said.get("event", ""))
    reason = str(said.get("reason", "")).lower()
    if event == "dropped":
        return next((kind for start, kind in DROPPED.items() if reason.startswith(start)), "undelivered")
    if event == "bounce":
        return "bounced" if _is_gone(said) else "undelivered"
    return KINDS.get(event)


def _is_gone(said: Mapping[str, Any]) -> bool:
    """A block is about this message; a bounce about the address, if SendGrid's class or the server's code says so."""
    sorted_as = str(said.get("bounce_classification", "")).lower()
    if said.get("type") == "blocked":
        return False
    if sorted_as not in {"", "unclassified"}:
        return sorted_as == INVALID
    words = f"{said.get('status', '')} {said.get('reason', '')}"
    return bool(_GONE.search(words)) or not re.search(r"\b[45]\.\d+\.\d+\b", words)


def _at(timestamp: object) -> datetime:
    """When it happened; an event without a time is as old as can be, so that nothing newer gives way to it."""
    try:
        return datetime.fromtimestamp(timestamp if isinstance(timestamp, (int, float)) else 0, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
