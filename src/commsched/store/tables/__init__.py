"""The tables. Instants are microseconds since 1970 in UTC; JSON is bytes that msgspec reads.

The customer is the unit of work: a customer's facts, messages, attempts and decisions share the leading key, so that a
batch of customers is read in one sweep, and the tables can be partitioned by it.
"""

from __future__ import annotations

from commsched.store.tables.base import (
    Bytes,
    Text,
    metadata,
)
from commsched.store.tables.control import (
    audit,
    breaker,
    pace,
    pause,
    rule,
    setting,
)
from commsched.store.tables.desk import (
    appointment,
    calendar_entry,
    cell,
    closure,
    invitation,
    offer,
    slot,
    wish,
)
from commsched.store.tables.people import (
    FLAG_COLLEAGUE,
    FLAG_CORRECTED,
    FLAG_REFUSED,
    claim,
    correction,
    fact,
    ledger,
    member,
    suppression,
)
from commsched.store.tables.sending import (
    KNOWN_BY_REFERENCE,
    attempt,
    decision,
    heard,
    message,
    outage,
    rate,
    task,
    unmatched,
    waiting,
    wake,
)

__all__ = [
    "FLAG_COLLEAGUE",
    "FLAG_CORRECTED",
    "FLAG_REFUSED",
    "KNOWN_BY_REFERENCE",
    "Bytes",
    "Text",
    "appointment",
    "attempt",
    "audit",
    "breaker",
    "calendar_entry",
    "cell",
    "claim",
    "closure",
    "correction",
    "decision",
    "fact",
    "heard",
    "invitation",
    "ledger",
    "member",
    "message",
    "metadata",
    "offer",
    "outage",
    "pace",
    "pause",
    "rate",
    "rule",
    "setting",
    "slot",
    "suppression",
    "task",
    "unmatched",
    "waiting",
    "wake",
    "wish",
]
