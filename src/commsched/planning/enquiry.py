"""Whether a person may get in touch: the proposal that they have in mind, put to the same policies as a message.

There is no second evaluator: the reviewer is the planner's own, in the same world. Nothing is placed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from commsched.model.decisions import Anchor, Proposal, Reason, Review, deny, must_not
from commsched.model.subjects import key_of
from commsched.planning import contact
from commsched.planning.due import asset_values, customer_values
from commsched.planning.fold import fold
from commsched.planning.isolation import watched
from commsched.planning.ledger import Ledger
from commsched.planning.plan import history_of, with_extra
from commsched.planning.review import Reviewer, against, conflict, reasons
from commsched.planning.world import World
from commsched.timing.windows import NEVER, Windows

DECEASED = must_not("deceased")


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody has in mind to say, on which medium, within ``ahead`` from now.

    ``address``: the one they are about to use; ``None`` stands for the one that a message would go to. ``about``: the
    id of an obligation, an asset or an appointment; ``offers``: the items that they would sell.
    """

    purpose: str
    topic: str
    department: str
    medium: str = "voice"
    address: str | None = None
    about: str = ""
    offers: tuple[str, ...] = ()
    ahead: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Caution:
    """What must not be raised even where the rest may: a topic, or an obligation or asset by its id."""

    kind: str
    name: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """When it may be, and what is against it now; ``address`` is the one it would go to, if there is any."""

    when: Windows
    reasons: tuple[Reason, ...]
    address: str | None = None
    cautions: tuple[Caution, ...] = ()
    reads: tuple[str, ...] = field(default=(), compare=False)

    def at(self, now: datetime) -> bool:
        """Whether it may be at that instant."""
        return now in self.when


class Enquirer:
    """Answers questions about one customer at one instant."""

    def __init__(self, ledger: Ledger, world: World, now: datetime) -> None:
        known = with_extra(ledger, world)
        self.state = fold(known, now)
        # A rehearsal is about what commsched sends, not about what people do.
        self.world, self.now = replace(world, only_to=frozenset(), down={}), now
        self._reviewer = Reviewer(self.state, self.world, now, history_of(known, self.state))

    def ask(self, question: Question) -> Answer:
        """When such a contact may be, and why not now; with what must be left out of it."""
        with watched(self.world.time_limit):
            found = self._matters(question)
            return replace(found, cautions=tuple(self._cautions(question))) if found.when else found

    def may(self, question: Question) -> Answer:
        """The same without what must be left out: many times as fast."""
        with watched(self.world.time_limit):
            return self._matters(question)

    def _matters(self, question: Question) -> Answer:
        """Collections are about what is owed: where nothing is named, about whichever open obligation may be raised."""
        owed = [one.id for one in self.state.obligations.values() if one.status in {"open", "disputed"}]
        if question.purpose != "collections" or question.about or not owed:
            return self._answer(question)
        answers = [self._answer(replace(question, about=name)) for name in owed]
        when = Windows(span for one in answers for span in one.when)
        against_now = dict.fromkeys(reason for one in answers for reason in one.reasons)
        return replace(answers[0], when=when, reasons=() if self.now in when else tuple(against_now))

    def _answer(self, question: Question) -> Answer:
        proposal = self._proposal(question)
        medium, span = question.medium, proposal.span
        address = proposal.addresses.get(medium)
        if self.state.profile.status == "deceased":
            review = Review("commsched", DECEASED, deny("they have died"))
            return Answer(NEVER, reasons([review]), address)
        allowance = self._reviewer.allowance(proposal, span)
        when = allowance.times.get(medium, NEVER)
        if self.now in when:
            return Answer(when, (), address, reads=self._reviewer.reads(proposal))
        said = against(allowance.reviews, medium, self.now) or conflict(allowance.reviews, (medium,), span)
        return Answer(when, tuple(dict.fromkeys(reasons(said))), address, reads=self._reviewer.reads(proposal))

    def _cautions(self, question: Question) -> Iterator[Caution]:
        """The narrower topics, and the things, that are closed although the question itself is not."""
        if not question.about:
            yield from self._things(question)
        for topic in self.world.vocabulary.topics:
            if topic != question.topic:
                found = self._answer(replace(question, topic=topic))
                if not found.when:
                    yield Caution("topic", topic, found.reasons)

    def _things(self, question: Question) -> Iterator[Caution]:
        things = [("obligation", name) for name in self.state.obligations]
        things += [("asset", name) for name, one in self.state.assets.items() if one.in_use]
        for kind, name in things:
            found = self._answer(replace(question, about=name))
            if not found.when:
                yield Caution(kind, name, found.reasons)

    def _proposal(self, question: Question) -> Proposal:
        customer, medium, now = self.state.profile.id, question.medium, self.now
        point = contact.best(self.state.contacts, medium)
        usable = self.state.profile.postal if medium == "letter" else point.address if point else None
        address = question.address or usable
        words = {"purpose": question.purpose, "topic": question.topic, "department": question.department}
        progress = {"sent": (), "replied": (), "booked": False, "served": False}
        asset = self.state.assets.get(question.about)
        return Proposal(
            key=key_of(customer, "contact", medium, question.about or "-", now.isoformat()),
            customer=customer,
            rule="",
            step="",
            subject=question.about,
            occurrence="",
            purpose=question.purpose,
            topic=question.topic,
            department=question.department,
            priority=self.world.vocabulary.purposes.get(question.purpose, 5),
            anchor=Anchor("event", now),
            ideal=now,
            span=(now, now + question.ahead),
            template="",
            media=(medium,),
            addresses={medium: address} if address else {},
            offers=question.offers,
            recipient=customer,
            asset=asset.id if asset else None,
            variables={**customer_values(self.state), **(asset_values(asset) if asset else {}), **progress, **words},
        )


def topic_of(world: World, purpose: str) -> str:
    """The topic of a question that names none: the one that is called like its purpose, where there is such a one."""
    return purpose if purpose in world.vocabulary.topics else ""
