"""Many at once, and a channel that is away for an hour: nothing silently dropped, nothing past its deadline."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep

import pytest
from deployment import HELLO, HOUR, NOON, customer, visit, visitors

from commsched.delivery import send
from commsched.engine.clock import SetClock
from commsched.engine.local import LocalEngine

AWAY = """
from pathlib import Path
from commsched import Ambiguous, TryLater, hookimpl
from commsched.builtin.channels.outbox import Outbox

class Away(Outbox):
    kind = "away"

    async def send_batch(self, messages):
        if not (self.folder / "back").exists():
            raise {error}
        return await super().send_batch(messages)

@hookimpl
def register_channels():
    return [Away]
"""
URGENT = HELLO.replace("rule: hello", "rule: urgent").replace("event + 2d", "event + 30m")


def test_fault_41_two_thousand_due_at_once(broken):
    """Two thousand messages that are due at the same instant all go, once, in one pass."""
    broken.given(*visitors(2000))
    app = broken.app()
    report = app.loop().tick(NOON)
    assert report.sent == 2000
    broken.once_each(2000)


@pytest.mark.parametrize("error", ["TryLater('closed')", "Ambiguous('reset')", "RuntimeError('no route')"])
def test_fault_41_an_outage_of_an_hour(broken, error):
    """While the channel is away nothing is lost; when it is back, what is in time goes once, and the rest says why."""
    broken.plugin("away", AWAY.format(error=error))
    broken.replace('kind = "outbox"', 'kind = "away"')
    broken.rule("urgent", URGENT)
    broken.given(*visitors(20), visit("C00003", NOON + HOUR))
    broken.ticks(NOON, NOON + HOUR, timedelta(minutes=5))
    assert broken.accepted == []
    broken.write("back", "")
    broken.ticks(NOON + HOUR + timedelta(minutes=5), NOON + 3 * HOUR, timedelta(minutes=5))
    stands = {}
    for one in broken.messages:
        stands.setdefault((one.rule, one.state), []).append(one)
    assert {name: len(found) for name, found in stands.items()} == {
        ("hello", "sent"): 21,
        ("urgent", "sent"): 1,
        ("urgent", "expired"): 20,
    }
    assert all(one.reasons for one in stands["urgent", "expired"])
    deadlines = {one.key: one.deadline for one in broken.messages}
    assert len(broken.accepted) == len({line["key"] for line in broken.accepted}) == 22
    assert all(datetime.fromisoformat(line["at"]) <= deadlines[line["key"]] for line in broken.accepted)


HANGING = """
import asyncio
from commsched import hookimpl
from commsched.builtin.channels.outbox import Outbox

class Hanging(Outbox):
    kind = "hanging"

    async def send_batch(self, messages):
        outcomes = await super().send_batch(messages)
        if not (self.folder / "well").exists():
            await asyncio.sleep(600)
        return outcomes

@hookimpl
def register_channels():
    return [Hanging]
"""


def test_fault_06_a_provider_that_accepts_and_then_hangs(broken, monkeypatch):
    """A call that does not return is ended and in doubt; a lookup finds what was accepted, and nothing goes twice."""
    monkeypatch.setattr(send, "CALL_SECONDS", 0.1)
    broken.plugin("hanging", HANGING)
    broken.replace('kind = "outbox"', 'kind = "hanging"')
    broken.given(*visitors(3))
    broken.tick(NOON)
    assert broken.states == {"in_doubt": 3}
    broken.tick(NOON + timedelta(minutes=3))
    broken.once_each(3)


UNSURE = """
from commsched import Ambiguous, Capabilities, Receipt, hookimpl
from commsched.builtin.channels.outbox import Outbox

class Unsure(Outbox):
    kind = "unsure"
    capabilities = Capabilities(lookup="hint", batch=500)

    async def send_batch(self, messages):
        await super().send_batch(messages)
        if not (self.folder / "well").exists():
            raise Ambiguous("reset")
        return await super().send_batch(messages)

    async def lookup(self, attempt):
        return Receipt(attempt.id, "accepted") if (self.folder / "known").exists() else None

@hookimpl
def register_channels():
    return [Unsure]
"""


def test_fault_04_doubt_is_looked_into_again_whatever_else_goes(broken):
    """A message in doubt is looked up again in time, even if another goes to the same customer in between."""
    broken.plugin("unsure", UNSURE)
    broken.replace('kind = "outbox"', 'kind = "unsure"')
    broken.given(*customer(), visit())
    broken.tick(NOON)
    broken.write("well", "")
    broken.given(visit(at=NOON + HOUR), at=NOON + HOUR)
    broken.tick(NOON + HOUR)
    assert broken.states == {"in_doubt": 1, "sent": 1}
    broken.write("known", "")
    broken.tick(NOON + 3 * HOUR)
    broken.once_each(2)


def test_fault_41_what_finds_no_place_today_goes_tomorrow(broken):
    """What a rule's pace has no place for goes the next day, even if something else went to the same customer."""
    broken.rule("paced", HELLO.replace("rule: hello", "rule: paced\npace: 1/day"))
    broken.given(*visitors(2))
    broken.tick(NOON)
    assert broken.states == {"sent": 3, "planned": 1}
    broken.tick(NOON + 18 * HOUR)
    assert broken.states == {"sent": 3, "planned": 1}, "not in the night: at the hour that it was meant for"
    broken.tick(NOON + 24 * HOUR)
    broken.once_each(4)


def test_fault_41_a_defect_does_not_end_the_service(broken, caplog):
    """A pass that fails for a reason nobody thought of is followed by another."""

    class Defect:
        def tick(self, now, *, limit):
            raise RuntimeError("nobody thought of this")

    app = broken.app()
    Defect.store = app.store
    engine = LocalEngine(Defect(), SetClock(NOON), print)
    engine._wake()
    assert engine.again.get_next_fire_time(NOON, NOON) > datetime.now(UTC)
    app.store.close()


def test_the_service_goes_on_with_what_comes_in_later(broken):
    """What becomes known while the service runs, again and again, goes without anybody's doing."""
    service = broken.start("run")
    for number in range(3):
        now = datetime.now(UTC)
        broken.given(*customer(f"L{number}"), visit(f"L{number}", at=now), at=now)
        until = monotonic() + 20
        while len(broken.accepted) <= number and monotonic() < until:
            sleep(0.02)  # another process does it, by its own clock
    service.signal(signal.SIGTERM)
    assert service.wait()[0] == 0
    broken.once_each(3)
