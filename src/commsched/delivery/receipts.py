"""What came of an attempt, made durable in one transaction: the outcome, the fact, the message's state.

An accepted message becomes a fact of the customer and of every circle it touches. Late, doubled and shuffled news
changes nothing: an attempt that has ended stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection, Row

from commsched.delivery.intent import circles_touched
from commsched.delivery.optouts import opt_out
from commsched.delivery.unsuited import unsuited
from commsched.model.decisions import ACCEPTED, IN_FLIGHT, MessageState
from commsched.model.facts import AnyFact, ContactPoint, Delivered, Sent
from commsched.model.subjects import address_subject, kind_of_medium
from commsched.plugin.channel import Accepted, Channel, ChannelDown, Outcome, Refused, TryLater
from commsched.signals import Failed, announce
from commsched.store import queries
from commsched.store.erasure import is_nobodys
from commsched.store.ledgers import append, joined
from commsched.store.messages import MessageRecord, load_record, message_row
from commsched.store.store import micros

log = structlog.get_logger("commsched.delivery")
# When doubt is looked into again: after two minutes, a quarter of an hour, an hour, and then every hour.
DOUBT = (timedelta(minutes=2), timedelta(minutes=15), timedelta(hours=1))
# A channel that says "try again at once" is not asked again within the same breath.
REFERENCE = 200  # so long a provider's own id may be
SOONEST = timedelta(seconds=1)
_STATES: Mapping[str, MessageState] = {"accepted": "sent", "in_doubt": "in_doubt"}


@dataclass(frozen=True, slots=True)
class Result:
    """An attempt's end: what was to be said, and how it ended."""

    attempt: str
    record: MessageRecord
    sent: Sent
    outcome: Outcome


def settle(
    connection: Connection,
    results: Sequence[Result],
    now: datetime,
    channels: Mapping[str, Channel[Any]] | None = None,
) -> dict[str, datetime]:
    """Make outcomes durable; returns when a customer must be looked at again because of one that was not a success.

    A worker that was held up may report on an attempt that another has ended since: only that it was accepted counts,
    and that only if it was not known. What ``channels`` keep of an attempt whose customer was erased meanwhile goes.
    """
    rows = queries.lock_attempts(connection, _attempts(results))
    _forget(channels or {}, [one for one in results if (row := rows.get(one.attempt)) is None or is_nobodys(row)])
    states = {name: row.state for name, row in rows.items()}
    results = [_as_it_stands(connection, one, rows.get(one.attempt)) for one in results]
    results = [one for one in results if _is_news(one, states.get(one.attempt))]
    people = {f"c:{one.record.customer}" for one in results}
    again: dict[str, datetime] = {}
    facts: list[tuple[str, AnyFact]] = []
    for result in results:
        facts += facts_of(result, now)
        later = _look_again(result.outcome, now)
        if later is not None:
            customer = result.record.customer
            again[customer] = min(later, again.get(customer, later))
    refusals = _opt_outs(connection, results, now) + _unsuited(connection, results, now)
    # All of them at once and in one order, so that what stands is read as nobody else changes it.
    queries.lock_ledgers(connection, people | joined(facts) | {subject for subject, _ in (*facts, *refusals)})
    append(connection, facts, now, waking=False)
    append(connection, refusals, now)
    queries.end_attempts(connection, [_attempt_row(result, now) for result in results])
    queries.put_messages(connection, _message_rows(connection, results))
    return again


def _forget(channels: Mapping[str, Channel[Any]], results: Sequence[Result]) -> None:
    """A call that was under way during an erasure may have written after it what the erasure deleted.

    Before the commit: until then the attempt has not ended, and whoever looks it up after a crash comes here again.
    """
    for name in sorted({one.record.channel or "" for one in results} & channels.keys()):
        try:
            channels[name].forget([one.attempt for one in results if one.record.channel == name])
        except Exception as error:  # noqa: BLE001 - a channel may raise anything; the others' outcomes count all the same
            announce(Failed("channel", name, type(error).__name__))
            log.error("not_forgotten", channel=name, error=type(error).__name__)


def _as_it_stands(connection: Connection, result: Result, row: Row[Any] | None) -> Result:
    """A result with whose attempt it is by now: nobody's, if they were erased while it was made."""
    if row is None or row.customer == result.record.customer:
        return result
    message = queries.message(connection, row.customer, row.key)
    record = load_record(message.body) if message is not None else result.record
    return replace(result, record=record, sent=msgspec.json.decode(row.sent, type=Sent))


def _attempts(results: Sequence[Result]) -> list[str]:
    return [one.attempt for one in results]


def _is_news(result: Result, state: str | None) -> bool:
    """An attempt that is not there any more was erased, with all that it could be news about."""
    if state is None:
        return False
    return state in {"sending", "in_doubt"} or (isinstance(result.outcome, Accepted) and state != "accepted")


def _opt_outs(connection: Connection, results: Sequence[Result], now: datetime) -> list[tuple[str, AnyFact]]:
    """What a refusal tells of people who want nothing more there: it binds everybody who has the address."""
    facts: list[tuple[str, AnyFact]] = []
    for one in results:
        # Without an address it was to somebody who was erased; the provider will say so again.
        if isinstance(one.outcome, Refused) and one.outcome.opted_out and one.sent.address:
            sent, circle = one.sent, address_subject(kind_of_medium(one.sent.medium), one.sent.address)
            people = {sent.customer or "", *queries.members(connection, [circle]).get(circle, ())}
            facts += opt_out(one.record.channel or "", sent.medium, sent.address, people, (now, now))
    return facts


def _unsuited(connection: Connection, results: Sequence[Result], now: datetime) -> list[tuple[str, AnyFact]]:
    """What a refusal tells of a number that cannot take the medium."""
    facts: list[tuple[str, AnyFact]] = []
    for one in results:
        if isinstance(one.outcome, Refused) and one.outcome.unsuited and one.sent.address:
            facts += unsuited(connection, one.sent.medium, one.sent.address, [one.record.customer], (now, now))
    return facts


def facts_of(result: Result, now: datetime) -> list[tuple[str, AnyFact]]:
    """The facts that an outcome makes true, each with its ledger."""
    sent, outcome = result.sent, result.outcome
    kind = kind_of_medium(sent.medium)
    if isinstance(outcome, Accepted):
        return [(f"c:{sent.customer}", sent), *((circle, sent) for circle in circles_touched(sent))]
    if isinstance(outcome, Refused):
        facts: list[tuple[str, AnyFact]] = [(f"c:{sent.customer}", _undelivered(sent, outcome, now))]
        if outcome.bad_address and kind in {"email", "phone"}:
            facts.append((f"c:{sent.customer}", _invalid(sent, kind, now)))
        return facts
    return []


def _undelivered(sent: Sent, outcome: Refused, now: datetime) -> Delivered:
    return Delivered(
        at=now,
        recorded_at=now,
        customer=sent.customer,
        source="commsched",
        stated_by="import",
        key=sent.key,
        medium=sent.medium,
        address=sent.address,
        delivered=False,
        detail=outcome.detail,
    )


def _invalid(sent: Sent, kind: str, now: datetime) -> ContactPoint:
    return ContactPoint(
        at=now,
        recorded_at=now,
        customer=sent.customer,
        source="commsched",
        stated_by="staff",
        kind="email" if kind == "email" else "phone",
        address=sent.address,
        valid=False,
    )


def _look_again(outcome: Outcome, now: datetime) -> datetime | None:
    if isinstance(outcome, Accepted):
        return None
    if isinstance(outcome, Refused):
        return now
    if isinstance(outcome, ChannelDown):
        return now + SOONEST  # another channel or medium may take over
    return now + (max(outcome.after, SOONEST) if isinstance(outcome, TryLater) else DOUBT[0])


def _attempt_row(result: Result, now: datetime) -> dict[str, object]:
    state = state_of(result.outcome)
    detail = result.outcome.reference[:REFERENCE] if isinstance(result.outcome, Accepted) else str(result.outcome)
    return {
        "attempt_id": result.attempt,
        "new_state": state,
        "ended_at": None if state == "in_doubt" else micros(now),
        "why": detail,
        "not_before": _not_before(result.outcome, now),
    }


def _not_before(outcome: Outcome, now: datetime) -> int | None:
    """When the channel wants to be asked again; while it is down, that is for its breaker to say."""
    if not isinstance(outcome, TryLater) or isinstance(outcome, ChannelDown):
        return None
    return micros(now + outcome.after) if outcome.after else None


def _message_rows(connection: Connection, results: Sequence[Result]) -> list[dict[str, object]]:
    """The messages whose state these results change.

    One never goes back from how far it is known to have come, and a newer attempt that is under way keeps its own.
    """
    customers = sorted({one.record.customer for one in results})
    standing = {(m.customer, m.key): m for found in queries.messages(connection, customers).values() for m in found}
    gone = queries.accepted_of(connection, {one.record.customer for one in results if not _was_accepted(one)})
    rows = []
    for one in results:
        row = standing.get((one.record.customer, one.record.key))
        newer = row is not None and row.attempt not in {None, one.attempt} and row.state in IN_FLIGHT
        if newer or (row is not None and row.state in ACCEPTED):
            continue
        # What one attempt got there is not planned again because another was not taken.
        was_sent = (one.record.customer, one.record.key) in gone
        rows.append(_message_row(one, "sent" if was_sent else _STATES.get(state_of(one.outcome), "planned")))
    return rows


def _was_accepted(result: Result) -> bool:
    return isinstance(result.outcome, Accepted)


def _message_row(result: Result, state: MessageState) -> dict[str, object]:
    record = msgspec.structs.replace(
        result.record, state=state, final=state == "sent", at=result.sent.at if state == "sent" else result.record.at
    )
    return message_row(record, signature=b"", attempt=result.attempt)


def state_of(outcome: Outcome) -> str:
    """An outcome as an attempt's state, and as observers hear it."""
    if isinstance(outcome, Accepted):
        return "accepted"
    if isinstance(outcome, Refused):
        return "refused"
    return "try_later" if isinstance(outcome, TryLater) else "in_doubt"


def doubt_delay(started_at: datetime, now: datetime) -> timedelta:
    """How long until an attempt in doubt is looked into again."""
    return next((delay for delay in DOUBT if now - started_at < delay), DOUBT[-1])
