"""Messages on their way: what a pass has handed over, and what came of it, made durable as the answers come.

The next batch is planned meanwhile. Killed at any point, an attempt that has no result in the store is looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING

from commsched.delivery import breakers
from commsched.delivery.intent import Ready
from commsched.delivery.receipts import Result, settle, state_of
from commsched.delivery.send import Trip
from commsched.engine.report import Report
from commsched.plugin.channel import Outcome
from commsched.plugin.crash import crash_point
from commsched.store import queries

if TYPE_CHECKING:  # a flight is begun by a pass of the loop
    from commsched.engine.loop import Loop

# While calls go on, what was answered is made durable this often, in seconds: one hanging call holds up no result.
SETTLE = 0.2
WORDS = {"accepted": "sent", "refused": "refused", "try_later": "later", "in_doubt": "in_doubt"}


class Flight:
    """The messages of one pass on their way; a customer is done with once all of theirs have an answer.

    ``looks`` says when each customer is looked at again if all goes well, ``row`` makes of that what gives them back,
    ``present`` is the instant that it is by now.
    """

    def __init__(
        self,
        loop: Loop,
        sending: Sequence[Ready],
        trip: Trip,
        looks: Mapping[str, datetime],
        row: Callable[[str, datetime], dict[str, object]],
        present: Callable[[], datetime],
    ) -> None:
        self._loop, self._trip, self._looks, self._row, self._present = loop, trip, looks, row, present
        self._awaited: dict[str, list[Ready]] = {}
        for one in sending:
            self._awaited.setdefault(one.decision.proposal.customer, []).append(one)
        self._settled = monotonic()
        self._call: Future[object] = loop.calls.begin(loop.sender.send(sending, trip))
        self._call.add_done_callback(lambda _: loop.heard.set())

    @property
    def under_way(self) -> int:
        """How many messages have no answer yet."""
        return sum(len(list(self._unanswered(found))) for found in self._awaited.values())

    @property
    def over(self) -> bool:
        """Whether everything is answered and durable, or can never be: the call itself has failed."""
        return not self._awaited or (self._call.done() and self._call.exception() is not None)

    def settle(self) -> Report:
        """Make durable what came of those customers who have all their answers. Raises what the call raised."""
        ended = self._call.done()
        if not ended and monotonic() - self._settled < SETTLE:
            return Report()
        if ended:
            self._call.result()
            crash_point("after-send")
        self._settled = monotonic()
        customers = sorted(c for c, found in self._awaited.items() if not any(self._unanswered(found)))
        if not customers:
            return Report()
        results = self._write(customers)
        report = Report()
        for one, result in zip([one for c in customers for one in self._awaited.pop(c)], results, strict=True):
            report.count(WORDS[state_of(result.outcome)])
            self._loop.tell("attempted", attempt=one.attempt, outcome=state_of(result.outcome))
        return report

    def _write(self, customers: Sequence[str]) -> list[Result]:
        found = [one for customer in customers for one in self._awaited[customer]]
        outcomes = [self._trip.outcomes[one.outgoing.attempt] for one in found]
        results = [
            Result(one.outgoing.attempt, one.record, one.sent, outcome)
            for one, outcome in zip(found, outcomes, strict=True)
        ]
        answers: dict[str, list[Outcome]] = {}
        for one, outcome in zip(found, outcomes, strict=True):
            answers.setdefault(one.channel, []).append(outcome)
        now, loop = self._present(), self._loop
        with loop.store.write() as connection:
            again = settle(connection, results, now, loop.channels)
            closed, opened = breakers.note(connection, answers, now)
            rows = [self._row(c, min(self._looks[c], again.get(c, self._looks[c]))) for c in customers]
            queries.finish(connection, rows)
        crash_point("after-result")
        loop.sender.noted(answers)
        loop.changed(closed, opened, now)
        return results

    def _unanswered(self, found: Sequence[Ready]) -> Iterator[Ready]:
        return (one for one in found if one.outgoing.attempt not in self._trip.outcomes)
