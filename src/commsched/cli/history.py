"""A customer's history: facts, messages, decisions and replies, each in a sentence, in order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import UNSET

from commsched.app import App
from commsched.cli.times import local
from commsched.model import facts as f
from commsched.model.facts import AnyFact
from commsched.model.subjects import masked
from commsched.store import queries
from commsched.store.ledgers import Loaded
from commsched.store.messages import MessageRecord, load_decision, load_record, load_task, told
from commsched.store.store import instant

_COMMON = frozenset(f.Fact.__struct_fields__)
_SECRET = frozenset({"address", "postal"})


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that was, or is to come: what kind, who says so, and the sentence."""

    at: datetime
    kind: str
    who: str
    text: str


def history(app: App, loaded: Loaded, zone: ZoneInfo, *, show: bool) -> list[Moment]:
    """Everything about one customer; addresses are masked unless ``show``."""
    customer = loaded.ledger.customer
    moments = [_of_fact(fact, zone, show=show) for _, fact in loaded.ledger.entries]
    with app.store.read() as connection:
        records = {row.key: load_record(row.body) for row in queries.messages(connection, [customer]).get(customer, [])}
        decided = [load_decision(row.body) for row in queries.decisions(connection, customer)]
        tasks = [row for row in queries.tasks(connection) if row.customer == customer]
    moments += _of_messages(records)
    for decision in decided:
        if decision.state != "planned":
            words = "; ".join(words or policy for policy, _, words in told(decision))
            text = f"{_named(records.get(decision.key), decision.key)}: {decision.state}" + (
                f" ({words})" if words else ""
            )
            moments.append(Moment(decision.decided_at, "decision", "commsched", text))
    moments += [
        Moment(instant(row.at), "task", row.department, f"{load_task(row.body).text} ({row.state})") for row in tasks
    ]
    return sorted(moments, key=lambda one: (one.at, one.kind, one.text))


def _of_messages(records: dict[str, MessageRecord]) -> Iterator[Moment]:
    """What is still to come; what went is in the ledger already."""
    for key, record in records.items():
        if record.state in {"planned", "sending", "in_doubt"} and record.at is not None:
            yield Moment(record.at, record.state, "commsched", f"{_named(record, key)} on {record.medium}")


def _named(record: MessageRecord | None, key: str) -> str:
    return f"{record.rule} / {record.step}" if record is not None else key


def _of_fact(fact: AnyFact, zone: ZoneInfo, *, show: bool) -> Moment:
    who = " · ".join(part for part in (fact.source, fact.stated_by) if part)
    tell = _SENTENCES.get(type(fact))
    text = tell(fact) if tell is not None else _plainly(fact, zone, show=show)
    return Moment(fact.at, fact.type, who, text)


def _plainly(fact: AnyFact, zone: ZoneInfo, *, show: bool) -> str:
    """The fields that the fact states, as they stand."""
    said = []
    if fact.id and not isinstance(fact, f.Customer):
        said.append(fact.id)
    for name in fact.__struct_fields__:
        value = getattr(fact, name)
        if name in _COMMON or value is UNSET or value is None:
            continue
        if name in _SECRET and not show:
            value = masked(str(value))
        said.append(f"{name.rstrip('_').replace('_', ' ')} {_shown(value, zone)}")
    return ", ".join(said)


def _shown(value: object, zone: ZoneInfo) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(one, zone)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_shown(one, zone) for one in value)
    return local(value, zone) if isinstance(value, datetime) else str(value)


def _consent(fact: f.Consent) -> str:
    verb = "says yes to" if fact.granted else "says no to"
    what = "everything" if fact.purpose == "*" else fact.purpose
    topic = f" about {fact.topic}" if fact.topic else ""
    return f"{verb} {what}{topic} on {'any medium' if fact.medium == '*' else fact.medium} ({fact.method})"


def _intent(fact: f.Intent) -> str:
    until = f" until {fact.until}" if fact.until else f" for {fact.for_}" if fact.for_ else ""
    words = f': "{fact.words}"' if fact.words else ""
    return f"{fact.stance.replace('_', ' ')} {fact.topic}{until}{words}"


def _interaction(fact: f.Interaction) -> str:
    way = "from them" if fact.direction == "in" else "to them"
    return f"{fact.medium} {way}, {fact.by}: {fact.summary}"


def _feedback(fact: f.Feedback) -> str:
    return fact.mood + (f': "{fact.words}"' if fact.words else "")


def _sent(fact: f.Sent) -> str:
    return f"{fact.rule} / {fact.step} on {fact.medium} to {masked(fact.address)}"


_SENTENCES: dict[type, Callable[[Any], str]] = {
    f.Consent: _consent,
    f.Intent: _intent,
    f.Interaction: _interaction,
    f.Feedback: _feedback,
    f.Sent: _sent,
}
