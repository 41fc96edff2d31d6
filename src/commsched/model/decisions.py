"""Proposals, verdicts and plans: what one would like to say, what policies allow, and what comes of it.

These are structs rather than dataclasses because thousands are made each second: a frozen struct is made ten times as
fast, and ``msgspec.structs.replace`` changes a copy as ``dataclasses.replace`` would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from commsched.model.subjects import customer_of
from commsched.timing.windows import NEVER, Span, Windows

# What a reason's code means for fallbacks (DESIGN §7): a veto must never turn into a phone call.
Force = Literal["must_not", "could_not"]

MessageState = Literal[
    "planned",
    "sending",
    "sent",
    "delivered",
    "undelivered",
    "refused",
    "cancelled",
    "expired",
    "skipped",
    "in_doubt",
]
IN_FLIGHT = frozenset({"sending", "in_doubt"})
ACCEPTED = frozenset({"sent", "delivered", "undelivered"})


class Code(msgspec.Struct, frozen=True, gc=False):
    """A reason's code: a word from a closed set, and whether it says *must not* or *could not*."""

    name: str
    force: Force


def must_not(name: str) -> Code:
    """A code for what may not be said: nothing else is tried in its place."""
    return Code(name, "must_not")


def could_not(name: str) -> Code:
    """A code for what cannot be said in time or at all: the rule's fallback runs."""
    return Code(name, "could_not")


class Reason(msgspec.Struct, frozen=True, gc=False):
    """Why a message goes when it goes, or does not: the policy's instance name, its code, a sentence for the customer.

    ``note`` is the sentence for the staff, where it is another.
    """

    policy: str
    code: str
    detail: str
    force: Force = "could_not"
    note: str = ""

    @property
    def told(self) -> str:
        """What the staff are told."""
        return self.note or self.detail


class Anchor(msgspec.Struct, frozen=True, gc=False):
    """The moment that a message is about: its kind (``due``, ``start``, ``event``, …) and its instant."""

    kind: str
    at: datetime


class Proposal(msgspec.Struct, frozen=True, gc=False):
    """A message that a rule would like to send.

    ``span`` is where it may be placed at all, ``[not_before, deadline]``. ``addresses`` has the one address for each
    medium, chosen beforehand, in order of preference; a medium without a usable address is not in it. ``offers`` are
    items that it would sell. ``recipient`` is the customer it goes to, who may be another than the one it is about.
    ``tells`` are the preparations that it speaks of, as ``appointment/prep``, each with its beginning. ``uses`` are the
    names of the variables that its texts, its reason and its rule's conditions rest on.
    """

    key: str
    customer: str
    rule: str
    step: str
    subject: str
    occurrence: str
    purpose: str
    topic: str
    department: str
    priority: int
    anchor: Anchor
    ideal: datetime
    span: Span
    template: str
    media: tuple[str, ...]
    addresses: Mapping[str, str]
    offers: tuple[str, ...] = ()
    content: str = ""
    recipient: str = ""
    asset: str | None = None
    tells: Mapping[str, datetime] = msgspec.field(default_factory=dict)
    variables: Mapping[str, object] = msgspec.field(default_factory=dict)
    uses: frozenset[str] = frozenset()

    @property
    def deadline(self) -> datetime:
        """The last instant at which it may go."""
        return self.span[1]


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """A policy's answer: the times at which the message may go, on ``media`` (``None``: on every medium).

    Media that it does not name are left as they are, so verdicts combine by intersection in any order. ``detail`` is
    a sentence that the customer may read, ``note`` one for the staff alone: numbers, names, what to do. ``force`` is
    that of this answer, where it is another than that of the policy's code: a policy that vetoes may also merely ask
    for certain hours. ``also`` are further answers of the same policy, for other media or other reasons: see
    :func:`together`.
    """

    windows: Windows | None = None
    media: frozenset[str] | None = None
    detail: str = ""
    note: str = ""
    also: tuple[Verdict, ...] = ()
    force: Force | None = None

    def on(self, medium: str) -> Windows | None:
        """The allowed times on a medium; ``None`` means that this verdict takes nothing away there."""
        here = self.windows if self.media is None or medium in self.media else None
        for other in self.also:
            there = other.on(medium)
            if there is not None:
                here = there if here is None else here & there
        return here


ALLOW = Verdict()


def allow() -> Verdict:
    """This policy has nothing against the message."""
    return ALLOW


def deny(detail: str, *, note: str = "", media: frozenset[str] | set[str] | None = None) -> Verdict:
    """Not at any time (on these media; default: on none).

    ``detail`` is a sentence that a customer may read; ``note`` tells the staff more, where there is more to tell.
    """
    return Verdict(NEVER, None if media is None else frozenset(media), detail, note)


def only(
    windows: Windows,
    *,
    detail: str,
    note: str = "",
    media: frozenset[str] | set[str] | None = None,
    force: Force | None = None,
) -> Verdict:
    """Only at these times (on these media; the others are left as they are); sentences as in :func:`deny`.

    ``force``: ``must_not`` or ``could_not``, if this answer has another than the policy's code.
    """
    return Verdict(windows, None if media is None else frozenset(media), detail, note, force=force)


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """Several answers of one policy, each with its own media and its own detail; all of them count."""
    narrowing = [one for one in verdicts if one.windows is not None]
    if not narrowing:
        return ALLOW
    first, *rest = narrowing
    return msgspec.structs.replace(first, also=(*first.also, *rest)) if rest else first


class Placed(msgspec.Struct, frozen=True, gc=False):
    """A message on the plan, or one sent already: the history that a policy weighs a proposal against."""

    key: str
    at: datetime
    rule: str
    step: str
    subject: str
    occurrence: str
    purpose: str
    topic: str
    department: str
    medium: str
    address: str
    template: str
    content: str
    sent: bool

    @property
    def customer(self) -> str:
        """The id of the customer whom it is about, who may share an address with the reader of the history."""
        return customer_of(self.key)


class Review(msgspec.Struct, frozen=True, gc=False):
    """One policy's verdict on one proposal, as it was weighed."""

    policy: str
    code: Code
    verdict: Verdict
    failed: bool = False


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What the plan says of one message, and why."""

    key: str
    parts: tuple[str, ...]
    proposal: Proposal
    state: MessageState
    final: bool
    at: datetime | None
    medium: str | None
    reasons: tuple[Reason, ...]
    reviews: tuple[Review, ...]
    conflict: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    template: str = ""
    send_by: datetime | None = None


class TaskDecision(msgspec.Struct, frozen=True, gc=False):
    """Something that a person must do, and why; ``owner``: whose it is, the department's where it is empty.

    ``until``: it is of no use from then on, since what it is about has begun.
    """

    key: str
    customer: str
    rule: str
    step: str
    department: str
    at: datetime
    text: str
    state: Literal["open", "done"]
    reasons: tuple[Reason, ...]
    owner: str = ""
    until: datetime | None = None


class Failure(msgspec.Struct, frozen=True, gc=False):
    """A policy that raised, hung or answered nonsense: it refuses, and its breaker opens."""

    policy: str
    detail: str


class Plan(msgspec.Struct, frozen=True, gc=False):
    """What goes to a customer, what does not, what people must do, and when to look again.

    ``rest_at``: when to look again if there were no decisions.
    """

    customer: str
    now: datetime
    decisions: tuple[Decision, ...]
    tasks: tuple[TaskDecision, ...]
    wake_at: datetime
    rest_at: datetime
    failures: tuple[Failure, ...] = ()
