"""One budget of questions for all departments; an answer, or a refusal, ends them for a good while.

So many surveys in so long, sent or planned, whoever asks; the cap looks to both sides. Whoever has answered one, has
told how they feel, or does not want to be asked, is left in peace for as long as ``rests`` says::

    [[policies]]
    kind = "survey_budget"
    at_most = 1
    per = "90d"
    rests = "1y"
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from pydantic import Field

from commsched import (
    Length,
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
    local_date,
    must_not,
    only,
)


class SurveyBudgetSettings(Settings):
    """How many, in how long, and what follows an answer."""

    at_most: int = Field(default=1, ge=1, description="So many surveys at most …")
    per: Length = Field(default=timedelta(days=90), description="… in any stretch of this length, e.g. `90d`.")
    rests: Length = Field(default=timedelta(days=180), description="So long after an answer or a refusal none goes.")
    counting: frozenset[str] = Field(default=frozenset({"survey"}), description="The purposes that are surveys.")


class SurveyBudget(Policy[SurveyBudgetSettings]):
    """Leaves out the times at which one more question would be one too many."""

    kind = "survey_budget"
    code = must_not("survey_budget")
    depends = frozenset({"time", "facts", "history"})
    purposes = frozenset({"survey"})

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """Any time at which the budget has room, and nobody has answered or refused a short while ago."""
        asked = [one for one in view.history if one.purpose in self.settings.counting and one.key != proposal.key]
        asked.sort(key=lambda one: one.at)
        full = Windows(self._full([one.at for one in asked]))
        answers = sorted(self._answers({one.key for one in asked}, proposal, view))
        resting = Windows((at, at + self.settings.rests) for at, _ in answers)
        if not full and not resting:
            return allow()
        place = view.zones[0]
        notes = [f"on {local_date(at, place)} they {what}" for at, what in answers[-1:]]
        notes += [f"asked already: {in_words([one], place)}" for one in asked[-1:]]
        return only(~(full | resting), detail="you have been asked, or have answered, lately", note="; ".join(notes))

    def _full(self, asked: Sequence[datetime]) -> Iterator[Span]:
        """Around each run of ``at_most`` within one stretch: where another would share a stretch with them."""
        per = self.settings.per
        for first, last in zip(asked, asked[self.settings.at_most - 1 :], strict=False):
            if last - first < per:
                yield last - per + timedelta.resolution, first + per

    def _answers(self, asked: set[str], proposal: Proposal, view: View) -> Iterator[tuple[datetime, str]]:
        """When they answered or refused, and which of these it was."""
        surveys, covers = self.settings.counting, view.vocabulary.covers
        yield from ((one.at, "replied") for one in view.replies if one.key in asked)
        yield from ((one.at, f"said that they feel {one.mood}") for one in view.feedback)
        told = (one for one in view.interactions if one.direction == "in" and one.purpose in surveys)
        yield from ((one.at, f"answered {one.by}") for one in told)
        yield from ((one.at, "refused") for one in view.consents if not one.granted and one.purpose in surveys)
        for one in view.intents:
            if one.stance != "wants" and one.topic != "*" and covers(one.topic, proposal.topic):
                yield one.at, f"said: {one.stance.replace('_', ' ')} {one.topic}"


@hookimpl
def register_policies() -> list[type[SurveyBudget]]:
    """Announce the kind."""
    return [SurveyBudget]
