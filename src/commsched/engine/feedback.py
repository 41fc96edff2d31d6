"""Corrections reported back: a source is told, once each, which of its values a customer or the staff have corrected.

A report is a row written in the transaction of the facts that were refused, so that none is lost; it is sent until the
source takes it, ever more rarely, and then given up. It is signed as Stripe and others do it: HMAC-SHA256 (RFC 2104)
over the time, a full stop and the body. A process that is killed right after sending sends it again under the same
``id``, by which the source knows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection, Row

from commsched.config import FeedbackSettings
from commsched.model.facts import AnyFact
from commsched.model.subjects import digest_of, subject_of
from commsched.planning.conflicts import Conflict, conflicts
from commsched.plugin.web import Unreachable, ask, signature_of, web_address
from commsched.store import queries
from commsched.store.ledgers import load
from commsched.store.store import Store, micros

log = structlog.get_logger("commsched.engine")
TIMESTAMP, SIGNATURE = "Commsched-Timestamp", "Commsched-Signature"
# When a report that was not taken is sent again; after the last of these it is given up.
AGAIN = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720, 1440, 1440, 1440))
BATCH = 100
MOST_ANSWER = 65536
OK, ALSO_OK = 200, 300


@dataclass
class Told:
    """How many reports were taken, and what was in the way of the others, by source."""

    told: int = 0
    problems: list[str] = field(default_factory=list)


def note_refused(
    connection: Connection, facts: Iterable[AnyFact], sources: Mapping[str, FeedbackSettings], now: datetime
) -> None:
    """Write down what of these facts was refused an overwrite, where its source wants to know."""
    mine = {digest_of(fact).hex(): fact for fact in facts if fact.ranked and fact.source in sources}
    subjects = {subject_of(fact) for fact in mine.values()}
    customers = sorted(subject[2:] for subject in subjects if subject.startswith("c:"))
    found = [
        conflict
        for chunk in queries.chunks(customers)
        for loaded in load(connection, chunk).values()
        for conflict in conflicts(loaded.ledger)
        if conflict.fact in mine
    ]
    queries.add_corrections(connection, [_row(one, now) for one in found])


def _row(conflict: Conflict, now: datetime) -> dict[str, object]:
    return {
        "customer": conflict.customer,
        "fact": conflict.fact,
        "field": conflict.field,
        "source": conflict.source,
        "state": "waiting",
        "due": micros(now),
        "body": msgspec.json.encode(payload(conflict)),
    }


def payload(conflict: Conflict) -> dict[str, object]:
    """What a source is told: whose value, which field, what it said, what stands instead, and who says so."""
    refused, standing = conflict.values
    return {
        "type": "correction",
        "id": f"{conflict.fact}:{conflict.field}",
        "source": conflict.source,
        "customer": conflict.customer,
        "field": conflict.field,
        "refused": refused,
        "stands": standing,
        "stated_by": conflict.standing_by,
        "learnt": conflict.recorded_at,
    }


@dataclass(frozen=True)
class Feedback:
    """Tells the sources of a deployment what they have wrong."""

    store: Store
    sources: Mapping[str, FeedbackSettings]

    def send(self, now: datetime) -> Told:
        """Send what is due; a server that is down holds up no other's reports, and is asked once."""
        told = Told()
        if not self.sources:
            return told
        longest = max(one.timeout for one in self.sources.values())
        with self.store.write() as connection:
            until = micros(now + timedelta(seconds=longest * BATCH))
            claimed = queries.claim_corrections(connection, micros(now), until, BATCH)
        down: dict[str, str] = {}
        ended = [self._one(row, now, down) for row in claimed]
        with self.store.write() as connection:
            queries.end_corrections(connection, ended)
        told.told = sum(row["new_state"] == "told" for row in ended)
        told.problems = [f"{source} takes no corrections: {why}" for source, why in sorted(down.items())]
        for problem in told.problems:
            log.warning("feedback_failed", problem=problem)
        return told

    def _one(self, row: Row[Any], now: datetime, down: dict[str, str]) -> dict[str, object]:
        settings = self.sources.get(row.source)
        why = f"there is no [feedback.{row.source}] any more" if settings is None else down.get(row.source)
        if why is None and settings is not None:
            why = _post(settings, bytes(row.body), now)
        if why is None:
            return _end(row, "told", now, "")
        if settings is not None:
            down[row.source] = why
        last = settings is None or row.tries > len(AGAIN)
        return _end(row, "given_up" if last else "waiting", now + AGAIN[min(row.tries, len(AGAIN)) - 1], why)


def _end(row: Row[Any], state: str, due: datetime, why: str) -> dict[str, object]:
    named = {"who": row.customer, "what": row.fact, "which": row.field}
    return {**named, "new_state": state, "next_due": micros(due), "why": why}


def _post(settings: FeedbackSettings, body: bytes, now: datetime) -> str | None:
    """Send one report; what was in the way, if it was not taken."""
    parts = web_address(settings.report_to, allow_private=settings.allow_private)
    stamp = str(int(now.timestamp()))
    signature = signature_of(settings.secret.get_secret_value(), stamp, body)
    headers = {"Content-Type": "application/json", TIMESTAMP: stamp, SIGNATURE: f"sha256={signature}"}
    private, timeout = settings.allow_private, settings.timeout
    try:
        answer = ask("POST", parts, headers, body, timeout=timeout, limit=MOST_ANSWER, allow_private=private)
    except Unreachable as error:
        return error.detail or str(error)
    return None if OK <= answer.status < ALSO_OK else f"the server answered {answer.status}"
