"""What customers answer, as facts: by a link or in a reply, the same answer makes the same facts.

An answer may come twice, or be pressed by a program that reads mail: what already stands is not stated again, and each
answer can be taken back by another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypedDict, Unpack

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from commsched.model.consents import standing
from commsched.model.facts import AnyFact, Appointment, AppointmentStatus, Consent, Feedback, Mood, Offer, Reply
from commsched.model.state import Appointment as Standing
from commsched.model.state import State
from commsched.rules.rule import Service
from commsched.store.messages import MessageRecord

# What an answer is stated by: who had the link, or the telephone.
SOURCE = "customer-answers"
AHEAD = frozenset({"proposed", "booked", "confirmed"})
Scope = Literal["topic", "purpose", "medium", "everything"]


class Stated(TypedDict):
    """The fields that all facts have which a customer states."""

    at: datetime
    recorded_at: datetime
    customer: str | None
    source: str
    stated_by: Literal["customer"]


class _Changed(TypedDict, total=False):
    service: str
    start: datetime
    end: datetime
    calendar: str | None
    place_zone: str
    asset: str | UnsetType
    booked_by: Literal["customer"]
    disowned: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answers which message when, and how.

    ``about`` is the id of the appointment that is answered, where it is about one; ``by`` is ``link`` or the medium of
    a reply.
    """

    message: MessageRecord
    now: datetime
    about: str
    by: str = "link"

    @property
    def medium(self) -> str:
        """The medium of the message that is answered."""
        return self.message.medium or ""

    def appointment(self, state: State) -> Standing | None:
        """The appointment that the message is about, as it stands now."""
        return state.appointments.get(self.about)

    def confirm(self, state: State) -> list[AnyFact]:
        """They will come; what was proposed is booked by that. Nothing, if it lies in the past or is off."""
        known = self.appointment(state)
        if known is None or known.status not in AHEAD or known.start <= self.now:
            return []
        if known.status == "proposed":
            return [self._appointment("booked", booked_by="customer"), self.replied("yes")]
        return [] if known.status == "confirmed" else [self._appointment("confirmed"), self.replied("yes")]

    def cancel(self, state: State) -> list[AnyFact]:
        """They will not come."""
        known = self.appointment(state)
        if known is None or known.status not in AHEAD or known.start <= self.now:
            return []
        return [self._appointment("cancelled"), self.replied("no")]

    def disown(self, state: State) -> list[AnyFact]:
        """They never made it: it is withdrawn, and the desk finds out how it came to be."""
        known = self.appointment(state)
        if known is None or known.disowned or known.status not in AHEAD | {"cancelled"}:
            return []
        if known.start <= self.now:
            return []
        return [self._appointment("cancelled", disowned=True), self.replied("not made by me")]

    def keep(self, state: State) -> list[AnyFact]:
        """They take their own cancellation back; whether the time is still free is the caller's question."""
        known = self.appointment(state)
        if known is None or known.status != "cancelled" or known.start <= self.now:
            return []
        if known.status_by != "customer":
            return []
        return [self._appointment("booked", booked_by="customer", disowned=False), self.replied("kept")]

    def book(self, service: Service, asset: str | None, start: datetime, zone: str) -> list[AnyFact]:
        """They take a time, or move to it."""
        fact = self._appointment(
            "booked",
            booked_by="customer",
            disowned=False,
            service=service.id,
            start=start,
            end=start + service.duration,
            calendar=service.calendar,
            place_zone=zone,
            asset=asset if asset is not None else UNSET,
        )
        return [fact, self.replied("another time")]

    def accept(self, offer: Offer) -> Appointment:
        """They take the free time that they were offered."""
        return self._appointment(
            "booked",
            booked_by="customer",
            service=offer.service,
            start=offer.start,
            end=offer.end,
            calendar=offer.calendar,
        )

    def stop(self, scope: Scope, state: State) -> list[AnyFact]:
        """They want no more: about this topic, for this purpose, on this medium, or at all."""
        return refusal(self._consent(scope), state)

    def start(self, scope: Scope, state: State) -> list[AnyFact]:
        """They take that stop back. It permits nothing that was not permitted before, and lifts no other refusal."""
        return taken_back(self._consent(scope), state)

    def feel(self, mood: Mood, state: State, words: str | None = None) -> list[AnyFact]:
        """How they feel. The same again, on the same day and without words, says nothing new."""
        last = state.feedback[-1][1] if state.feedback else None
        department, today = self.message.department, self.now.date()
        said = last is not None and (last.mood, last.department, last.at.date()) == (mood, department, today)
        if said and not words:
            return []
        return [Feedback(**self._common, mood=mood, department=department, about=self.message.key, words=words)]

    def withdraw_links(self) -> list[AnyFact]:
        """Somebody else has their messages: all links until now lead nowhere. It answers no message."""
        return [Reply(**self._common, medium=self.medium, text="links withdrawn", meaning="links_withdrawn")]

    def replied(self, text: str) -> Reply:
        """That they answered this message."""
        return Reply(**self._common, medium=self.medium, key=self.message.key, text=text)

    @property
    def _common(self) -> Stated:
        return stated(self.message.customer, self.now, self.now)

    def _appointment(self, status: AppointmentStatus, **fields: Unpack[_Changed]) -> Appointment:
        return Appointment(**self._common, id=self.about, status=status, **fields)

    def _consent(self, scope: Scope) -> Consent:
        """A refusal. What is narrower than a medium holds on all of them: they do not want it at all."""
        purpose = self.message.purpose if scope == "purpose" else "*"
        topic = self.message.topic if scope == "topic" else None
        medium = self.medium if scope == "medium" else "*"
        return no_more(self.message.customer, self.now, f"by {self.by}", medium=medium, purpose=purpose, topic=topic)


def stated(customer: str | None, at: datetime, learnt: datetime) -> Stated:
    """What every fact says that a customer states: whose it is, when it was said and when it was learnt."""
    return Stated(at=at, recorded_at=learnt, customer=customer, source=SOURCE, stated_by="customer")


def no_more(
    customer: str, now: datetime, method: str, *, medium: str = "*", purpose: str = "*", topic: str | None = None
) -> Consent:
    """A refusal by the customer's own hand, under a name by which the same hand can take it back."""
    name = f"no-more:{medium}:{purpose}:{topic or '*'}"
    common = stated(customer, now, now)
    return Consent(**common, id=name, medium=medium, purpose=purpose, topic=topic, granted=False, method=method)


def refusal(new: Consent, state: State) -> list[AnyFact]:
    """The refusal, unless it stands already."""
    return [] if _stands(new, state) else [new]


def taken_back(new: Consent, state: State) -> list[AnyFact]:
    """The end of a refusal, if it stands."""
    return [replace(new, granted=True, withdrawn=True)] if _stands(new, state) else []


def _stands(refused: Consent, state: State) -> bool:
    return any(one.id == refused.id and not one.granted for one in standing(state.consents))
