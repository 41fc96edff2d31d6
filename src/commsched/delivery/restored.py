"""After a backup was put back: what may have gone since it was made starts in doubt, so that nothing goes twice.

The store then knows less than the providers. Whatever could have been sent by the time of the restoration is therefore
not sent when it is next due, but written down as an attempt in doubt, and looked up at its channel by its key. What the
provider has is sent; what it provably has not goes after all; of the rest a person must say what became of it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from commsched.delivery.intent import Ready, intend
from commsched.store import queries
from commsched.store.messages import load_record
from commsched.store.store import instant, micros

SETTING = "restored"
WHY = "a backup was restored, and this may have gone before; it is looked up, or a person settles it (commsched settle)"


def mark(connection: Connection, since: datetime, now: datetime, by: str) -> None:
    """Write down that the store is as it was at ``since``, and was put back at ``now``."""
    queries.put_setting(connection, SETTING, json.dumps([since.isoformat(), now.isoformat()]))
    queries.note(connection, micros(now), by, "restored", f"a backup of {since.isoformat()}")


def perhaps_gone(
    connection: Connection, ready: Sequence[Ready], standing: Mapping[str, Sequence[Row[Any]]]
) -> list[Ready]:
    """Those that may have gone before the restoration, and were not tried or looked up since."""
    stated = queries.setting(connection, SETTING)
    if stated is None:
        return []
    at = datetime.fromisoformat(json.loads(stated)[1])
    due = {row.key for rows in standing.values() for row in rows if row.state == "planned" and _by(row, at)}
    old = [one for one in ready if one.decision.proposal.ideal <= at or one.record.key in due]
    customers = sorted({one.record.customer for one in old})
    tried = {row.key for row in queries.attempts(connection, customers=customers) if instant(row.started_at) >= at}
    return [one for one in old if one.record.key not in tried]


def hold_in_doubt(connection: Connection, ready: Sequence[Ready], now: datetime) -> None:
    """Write them down as attempts in doubt, without a call."""
    doubted = [dataclasses.replace(one, record=msgspec.structs.replace(one.record, state="in_doubt")) for one in ready]
    intend(connection, doubted, now)
    rows = [
        {"attempt_id": one.outgoing.attempt, "new_state": "in_doubt", "ended_at": None, "why": WHY} for one in ready
    ]
    queries.end_attempts(connection, rows)


def _by(row: Row[Any], at: datetime) -> bool:
    planned = load_record(row.body).at
    return planned is not None and planned <= at
