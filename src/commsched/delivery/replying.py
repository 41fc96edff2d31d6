"""What a reply does: what was understood becomes the facts that a press on a page would make; the rest is for a person.

Nothing is guessed. A reply does what it says only if there is just one thing that it can be about and that thing can
still be done; otherwise it is ``unclear``, and a rule makes a task of it. A wish to be left alone always counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from commsched.delivery.answers import Answer, Stated, stated
from commsched.model.facts import AnyFact, Consent, ContactPoint, Meaning, Reading, Reply, Unit
from commsched.model.state import State
from commsched.model.subjects import kind_of_medium
from commsched.planning.fold import fold
from commsched.replies import meaning as words
from commsched.store import queries
from commsched.store.ledgers import load
from commsched.store.messages import load_record

# What a call asks for by its keys.
DIGITS: Mapping[str, words.Meaning] = {
    "1": words.Meaning("confirm"),
    "2": words.Meaning("help"),
    "9": words.Meaning("stop", "voice"),
}
# What is understood although it does nothing by itself; a person acts upon it, or nobody need.
UNDERSTOOD = frozenset({"later", "decline", "reschedule", "who", "help", "empty"})
# The facts that an answer makes; ``None`` if it cannot be done.
Done = list[AnyFact] | None
# A number that is smaller is the hour, the day or the apartment.
LEAST_READING = 100.0


@dataclass(frozen=True, slots=True)
class Time:
    """A time that a reply would take: for which service and asset, from when to when, and as which appointment.

    ``leaving`` is that appointment where it stands already; ``end``: where none is said, the service says how long.
    """

    service: str
    asset: str | None
    start: datetime
    end: datetime | None
    appointment: str
    leaving: str | None = None


# Whether a customer can have a time, asked at an instant. It is free from then on until the commit.
Takes = Callable[[Connection, str, Time, datetime], bool]


def nobody_knows(_connection: Connection, _customer: str, _time: Time, _now: datetime) -> bool:
    """Where there is nothing to look in, no time is taken by a reply: a person sees to it."""
    return False


@dataclass(frozen=True, slots=True)
class Heard:
    """A reply: what it means, from whom, on what medium and from which address, to which message, and when."""

    means: words.Meaning
    customer: str
    medium: str
    address: str
    key: str
    times: tuple[datetime, datetime]
    unit: Unit
    takes: Takes = nobody_knows


def effects(connection: Connection, heard: Heard) -> tuple[Meaning, list[AnyFact]]:
    """What a reply is taken to mean, and the facts that it states besides itself."""
    if heard.means.kind == "stop":
        return ("unclear" if heard.means.rest else "stop"), [_stop(heard)]
    # Ledgers are locked before calendars.
    queries.lock_ledgers(connection, {f"c:{heard.customer}"})
    state = fold(load(connection, [heard.customer])[heard.customer].ledger, heard.times[1])
    done = _DOES.get(heard.means.kind)
    facts = done(connection, heard, state) if done is not None else None
    if facts is not None:
        return heard.means.kind, [fact for fact in facts if not isinstance(fact, Reply)]
    return (heard.means.kind if heard.means.kind in UNDERSTOOD else "unclear"), []


def _answer(connection: Connection, heard: Heard, state: State) -> Answer | None:
    row = queries.message(connection, heard.customer, heard.key) if heard.key else None
    if row is None:
        return None
    record = load_record(row.body)
    about = record.subject if record.subject in state.appointments else ""
    return Answer(record, heard.times[1], about, by=heard.medium)


def _confirm(connection: Connection, heard: Heard, state: State) -> Done:
    answer = _answer(connection, heard, state)
    if answer is None:
        return None
    standing = answer.appointment(state)
    if standing is None:
        return _take_offer(connection, heard, state, answer)
    if standing.status == "confirmed" and standing.start > answer.now:
        return []
    if standing.status == "proposed":
        asset, name = standing.asset, standing.id
        time = Time(standing.service, asset, standing.start, standing.end, name, leaving=name)
        if standing.start <= answer.now or not heard.takes(connection, heard.customer, time, answer.now):
            return None
    return answer.confirm(state) or None


def _take_offer(connection: Connection, heard: Heard, state: State, answer: Answer) -> Done:
    """Take the free time that was offered to a wish, if it still is free."""
    open_now = [
        one
        for one in state.offers.values()
        if one.wish == answer.message.subject and not one.withdrawn and one.expires > answer.now
    ]
    if len(open_now) != 1:
        return None
    (offer,) = open_now
    taken = Answer(answer.message, answer.now, f"L-{offer.id}"[:200], answer.by).accept(offer)
    time = Time(offer.service, None, offer.start, offer.end, str(taken.id))
    return [taken] if heard.takes(connection, heard.customer, time, answer.now) else None


def _cancel(connection: Connection, heard: Heard, state: State) -> Done:
    answer = _answer(connection, heard, state)
    return (answer.cancel(state) or None) if answer is not None else None


def _not_mine(connection: Connection, heard: Heard, state: State) -> Done:
    answer = _answer(connection, heard, state)
    return (answer.disown(state) or None) if answer is not None else None


def _number(connection: Connection, heard: Heard, state: State) -> Done:
    """A bare number answers a question about a thing with a meter."""
    answer = _answer(connection, heard, state)
    value = heard.means.number or 0.0
    asset = answer.message.subject.partition("+")[0] if answer is not None else ""
    if asset not in state.assets or value < LEAST_READING:
        return None
    unit: Unit = "km" if heard.means.unit == "km" else "mi" if heard.means.unit == "mi" else heard.unit
    return [Reading(**_common(heard), asset=asset, value=value, unit=unit)]


def _wrong_person(_: Connection, heard: Heard, _state: State) -> Done:
    kind = kind_of_medium(heard.medium)
    if kind not in {"email", "phone"}:
        return None
    point: Literal["email", "phone"] = "email" if kind == "email" else "phone"
    return [ContactPoint(**_common(heard), kind=point, address=heard.address, valid=False)]


def _stop(heard: Heard) -> Consent:
    scope = heard.means.scope
    return Consent(
        **_common(heard),
        medium="*" if scope == "everything" else scope,
        purpose="*",
        granted=False,
        method=f"by {heard.medium}",
    )


def _common(heard: Heard) -> Stated:
    return stated(heard.customer or None, *heard.times)


_DOES: Mapping[Meaning, Callable[[Connection, Heard, State], Done]] = {
    "confirm": _confirm,
    "cancel": _cancel,
    "not_mine": _not_mine,
    "number": _number,
    "wrong_person": _wrong_person,
}
