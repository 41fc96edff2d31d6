"""Silence is an answer: after so many contacts about a topic that were never answered, the topic ends.

An answer is anything that they do: a reply, a booking, work on what they own, feedback, a purchase or a visit, a call
or a letter from them, a talk with whoever reached them for a task. Contacts within one ``patience`` are one: nobody
answers three letters about three cars in a week one by one. The topic ends softly: with the next thing that they do it
opens again, and counting starts afresh. Silence about a topic is silence about every topic under it, as a veto is: who
never answered about ``sales`` is not asked about ``trade_in`` instead. Of its siblings, and of the whole that it is a
part of, it says nothing. What people must be told is never silenced::

    [[policies]]
    kind = "silence"
    after = 3
    patience = "7d"
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from pydantic import Field

from commsched import (
    EVER,
    MUST_TELL,
    NEED_NOT_TELL,
    Length,
    Placed,
    Policy,
    Proposal,
    Settings,
    Span,
    Verdict,
    View,
    Windows,
    allow,
    hookimpl,
    in_words,
    must_not,
    only,
)

BOOKED_BY_THEM = frozenset({"customer", "staff"})


class SilenceSettings(Settings):
    """After how many, and what counts as an answer."""

    after: int = Field(default=2, ge=1, description="So many unanswered contacts about a topic end it.")
    patience: Length = Field(
        default=timedelta(days=7), description="So long somebody has for an answer; contacts within it are one."
    )
    events: frozenset[str] = Field(
        default=frozenset({"purchase", "visit"}), description="The kinds of events that are something they did."
    )


class Silence(Policy[SilenceSettings]):
    """Denies one more message about a topic on which nobody has answered the last ones."""

    kind = "silence"
    code = must_not("silence")
    depends = frozenset({"time", "facts", "history"})
    purposes = NEED_NOT_TELL

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """The times between two answers in which there is still room for one more contact about the topic."""
        if proposal.purpose in MUST_TELL:
            return allow()
        contacts = sorted((one for one in view.history if _alike(one, proposal, view)), key=lambda one: one.at)
        if len(contacts) < self.settings.after:
            return allow()
        ended = Windows(self._ended([one.at for one in contacts], sorted(self._answers(view))))
        if not ended:
            return allow()
        detail, note = self._words(contacts, proposal, view)
        return only(~ended, detail=detail, note=note)

    def _words(self, contacts: Sequence[Placed], proposal: Proposal, view: View) -> tuple[str, str]:
        """The sentence for the customer, who knows only of what was sent, and the one for the staff."""
        sent = sum(one.sent for one in contacts)
        heard = sent >= self.settings.after
        detail = "you have not answered, and that is an answer" if heard else "enough about this is on its way already"
        planned = len(contacts) - sent
        how = f"{sent} sent and {planned} planned" if sent and planned else "sent" if sent else "planned"
        topic = proposal.topic.replace("_", " ")
        last = in_words(contacts[-self.settings.after :], view.zones[0], most=self.settings.after)
        return detail, f"{len(contacts)} contacts about {topic}, {how}, and no answer: {last}"

    def _ended(self, contacts: list[datetime], answers: list[datetime]) -> Iterator[Span]:
        """From one answer to the next, where as many contacts as may be lie between them."""
        for opens, closes in zip([EVER[0], *answers], [*answers, EVER[1]], strict=True):
            counted = self._counted(at for at in contacts if opens <= at < closes)
            if opens < closes and len(counted) >= self.settings.after:
                # What goes so soon after one of them goes with it.
                free = Windows((at, at + self.settings.patience) for at in counted)
                yield from (Windows.between(opens, closes) - free).spans

    def _counted(self, contacts: Iterable[datetime]) -> list[datetime]:
        """The first of those that are one contact."""
        counted: list[datetime] = []
        for at in contacts:
            if not counted or at - counted[-1] >= self.settings.patience:
                counted.append(at)
        return counted

    def _answers(self, view: View) -> Iterator[datetime]:
        """Whenever they did something."""
        yield from (one.at for one in view.replies)
        yield from (one.at for one in view.feedback)
        yield from (one.at for one in view.records)
        yield from (one.at for one in view.interactions if one.direction == "in")
        yield from (one.at for one in view.tasks_done if one.outcome == "reached")
        yield from (one.at for one in view.events if one.kind in self.settings.events)
        for one in view.appointments.values():
            if one.booked_by in BOOKED_BY_THEM and one.status != "proposed":
                yield one.booked_at


def _alike(one: Placed, proposal: Proposal, view: View) -> bool:
    """Whether it is another message to the same person about the same topic, or about one that this lies under."""
    about = view.vocabulary.covers(one.topic, proposal.topic) if one.topic else not proposal.topic
    return about and one.key != proposal.key and _person(one.key) == _person(proposal.key)


def _person(key: str) -> str:
    return key.partition("/")[0]


@hookimpl
def register_policies() -> list[type[Silence]]:
    """Announce the kind."""
    return [Silence]
