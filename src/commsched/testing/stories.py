"""The story language: given these facts, at this time, these messages, these refusals, these tasks.

A story runs a deployment's own rules, policies and templates in virtual time on a scratch store, through the same loop
as the service; its channels keep what they are handed::

    story = Story(Path("."), starts="2026-11-23 09:00")
    story.given("customer", id="C1", name="Ana Ortiz")
    story.given("intent", customer="C1", topic="trade_in", stance="never", stated_by="customer")
    story.until("2027-03-01")
    story.refused(rule="trade-in", code="stated_intent")
    story.nothing(rule="trade-in")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from commsched.app import App
from commsched.engine.clock import SetClock
from commsched.engine.virtual import Counter, run_virtual
from commsched.model.facts import AnyFact
from commsched.model.subjects import subject_of
from commsched.store import queries
from commsched.store.intake import Origin, complete
from commsched.store.keys import ensure_link_keys
from commsched.store.messages import MessageRecord, TaskRecord, load_record, load_task
from commsched.store.store import Store

# More than any story is about: all of them are looked at again when the world has changed.
EVERYBODY = 10_000
R = TypeVar("R", MessageRecord, TaskRecord)


class StoryFailed(AssertionError):
    """The story did not go as it was told."""


class Story:
    """One story: facts in, virtual time forward, expectations out."""

    def __init__(self, folder: Path, scratch: Path, starts: str) -> None:
        self.clock = SetClock(datetime(2000, 1, 1, tzinfo=UTC))
        store = Store(f"sqlite:///{scratch / 'story.db'}", scratch=True)
        self.app = App(folder, clock=self.clock, store=store, recording=True)
        self.zone = self.app.configuration.deployment.zone
        self.clock.at = self.time(starts)
        self.app.remember_rules()
        ensure_link_keys(self.app.store, "the same in every story")
        self._loop = self.app.loop(Counter())

    def time(self, text: str) -> datetime:
        """A local time of the deployment's place, or an instant with a zone, in UTC."""
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=self.zone)).astimezone(UTC)

    def given(self, fact_type: str, /, **fields: Any) -> Story:  # noqa: ANN401 - any field of any fact
        """A fact that becomes known now, unless it says ``recorded_at``; ``at`` defaults to now."""
        values = {"type": fact_type, "at": self.clock.at.isoformat(), **fields}
        for name in ("at", "recorded_at", "start", "end", "until", "due"):
            if isinstance(values.get(name), str) and ":" in values[name]:
                values[name] = self.time(values[name]).isoformat()
        fact = msgspec.json.decode(msgspec.json.encode(values), type=AnyFact)
        complete(fact, Origin("story", self.clock.at))
        self.app.checker.check(fact)
        self.app.record([(subject_of(fact), fact)])
        return self

    def heard(self, source: str) -> Story:
        """A source could be read now, whether or not it had anything new."""
        self.app.hear(source, self.clock.at)
        return self

    def until(self, time: str) -> Story:
        """Let time pass."""
        self._loop.sweep(self.clock.at, EVERYBODY)
        run_virtual(self._loop, self.clock, [], self.time(time))
        return self

    @property
    def messages(self) -> list[MessageRecord]:
        """All messages as they stand."""
        with self.app.store.read() as connection:
            return [load_record(row.body) for row in queries.all_messages(connection)]

    @property
    def tasks(self) -> list[TaskRecord]:
        """All tasks as they stand."""
        with self.app.store.read() as connection:
            return [load_task(row.body) for row in queries.tasks(connection)]

    def sent(self, *, between: tuple[str, str] | None = None, **like: str) -> MessageRecord:
        """Exactly one message went that is like this, between these times."""
        found = [one for one in _like(self.messages, like) if one.state == "sent"]
        if len(found) != 1:
            raise StoryFailed(self._story(f"one message like {like}", f"{len(found)} of them"))
        if between is not None:
            first, last = (self.time(text) for text in between)
            if found[0].at is None or not first <= found[0].at <= last:
                raise StoryFailed(
                    self._story(f"{like} between {between[0]} and {between[1]}", f"it went {found[0].at}")
                )
        return found[0]

    def nothing(self, **like: str) -> Story:
        """No message like this went, or is planned."""
        found = [one for one in _like(self.messages, like) if one.state in {"sent", "sending", "planned", "in_doubt"}]
        if found:
            raise StoryFailed(self._story(f"no message like {like}", f"{len(found)} of them"))
        return self

    def refused(self, *, code: str, **like: str) -> MessageRecord:
        """A message like this was refused, for this reason."""
        found = [one for one in _like(self.messages, like) if one.state in {"refused", "expired"}]
        for one in found:
            if code in {reason[1] for reason in one.reasons}:
                return one
        raise StoryFailed(self._story(f"{like} refused for {code}", f"refusals: {[one.reasons for one in found]}"))

    def task(self, *, words: str = "", **like: str) -> TaskRecord:
        """There is a task like this, with these words in it."""
        for one in _like(self.tasks, like):
            if words.lower() in one.text.lower():
                return one
        raise StoryFailed(
            self._story(f"a task like {like} with {words!r}", f"tasks: {[one.text for one in self.tasks]}")
        )

    def no_task(self, **like: str) -> Story:
        """There is no task like this."""
        if _like(self.tasks, like):
            raise StoryFailed(self._story(f"no task like {like}", "there is one"))
        return self

    def _story(self, expected: str, found: str) -> str:
        lines = [f"expected {expected}, but {found}. What stands at {self.clock.at}:"]
        for one in self.messages:
            why = "; ".join(f"{policy} {code}: {detail}" for policy, code, detail in one.reasons)
            lines.append(
                f"  {one.rule}/{one.step} {one.subject} {one.state} {one.at} by {one.medium} to {one.to} {why}"
            )
        return "\n".join(lines)


def _like(records: Sequence[R], like: Mapping[str, str]) -> list[R]:
    return [one for one in records if all(getattr(one, name) == value for name, value in like.items())]
