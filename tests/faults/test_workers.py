"""Several workers, and workers that are held up: one accept each."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest
from deployment import NOON, customer, visit, visitors

LATER = (NOON + timedelta(minutes=3)).isoformat()
# Stops its own process where the environment says so: while it renders, or with the message in its hands.
PAUSING = """
import os, signal
from commsched import Receipt, hookimpl
from commsched.builtin.channels.outbox import Outbox

def pause(place):
    if os.environ.get("PAUSE") == place:
        del os.environ["PAUSE"]
        os.kill(os.getpid(), signal.SIGSTOP)
    return ""

class Pausing(Outbox):
    kind = "pausing"

    async def send_batch(self, messages):
        pause("call")
        return await super().send_batch(messages)

class Trusting(Pausing):
    kind = "trusting"

    async def lookup(self, attempt):
        with self._journal.locked():
            return Receipt(attempt.id, "accepted") if attempt.id in self._journal else None

@hookimpl
def prepare_templates(environment):
    environment.globals["pause"] = pause

@hookimpl
def register_channels():
    return [Pausing, Trusting]
"""


@pytest.fixture
def pausing(broken):
    """A deployment whose workers can be stopped while they render, and while they send."""
    broken.plugin("pausing", PAUSING)
    broken.replace('kind = "outbox"', 'kind = "pausing"')
    broken.template("hello", "Subject: Thank you\n\nThank you, {{ customer.name }}.{{ pause('render') }}\n")
    return broken


def test_fault_15_three_workers_on_the_same_rows(broken):
    """Three processes that begin at once share three hundred customers: each gets one message."""
    broken.given(*visitors(300))
    workers = [broken.start("tick", "--at", NOON.isoformat()) for _ in range(3)]
    assert [worker.wait()[0] for worker in workers] == [0, 0, 0]
    broken.once_each(300)


@pytest.mark.parametrize("place", ["render", "call"])
def test_fault_16_a_worker_paused_past_its_lease_sends_nothing_more(pausing, place):
    """A worker that stood still past its lease finds its work done by another, and sends nothing a second time."""
    pausing.given(*visitors(3))
    held_up = pausing.start("tick", "--at", NOON.isoformat(), PAUSE=place)
    assert held_up.stopped()
    assert pausing.run("tick", "--at", LATER)[0] == 0
    pausing.once_each(3)
    held_up.signal(signal.SIGCONT)
    assert held_up.wait()[0] == 0
    pausing.once_each(3)


@pytest.mark.parametrize("place", ["render", "call"])
def test_fault_16_an_opt_out_while_it_stood_still_binds_it(pausing, place):
    """Who said stop while the worker stood still hears nothing when it wakes."""
    pausing.given(*customer(), visit())
    held_up = pausing.start("tick", "--at", NOON.isoformat(), PAUSE=place)
    assert held_up.stopped()
    stop = {"type": "consent", "customer": "C1", "medium": "*", "purpose": "*", "granted": False, "method": "phone"}
    pausing.given(stop, at=NOON + timedelta(minutes=2))
    pausing.run("tick", "--at", LATER)
    held_up.signal(signal.SIGCONT)
    held_up.wait()
    assert pausing.accepted == []
    assert pausing.states == {"refused": 1}


def test_fault_16_the_fence_rejects_it_even_if_nothing_was_sent(pausing):
    """What another worker has claimed since, the worker that stood still leaves alone, whatever became of the other."""
    pausing.given(*visitors(3))
    held_up = pausing.start("tick", "--at", NOON.isoformat(), PAUSE="render")
    assert held_up.stopped()
    pausing.run("tick", "--at", LATER, crash="after-claim")
    held_up.signal(signal.SIGCONT)
    held_up.wait()
    assert pausing.accepted == []
    pausing.run("tick", "--at", (NOON + timedelta(minutes=5)).isoformat())
    pausing.once_each(3)


def test_fault_16_a_worker_that_wakes_too_late_leaves_what_nobody_took(pausing):
    """If nobody took its work while it stood still, a worker past its lease sends nothing; the next pass does."""
    pausing.replace("policy_seconds = 0.2", 'policy_seconds = 0.2\nlease = "1s"')
    pausing.given(*visitors(3))
    held_up = pausing.start("tick", "--at", NOON.isoformat(), PAUSE="render")
    assert held_up.stopped()
    signal.sigtimedwait([], 1.2)  # the lease is real time: no clock that a test sets can end it
    held_up.signal(signal.SIGCONT)
    held_up.wait()
    assert pausing.accepted == []
    pausing.run("tick", "--at", LATER)
    pausing.once_each(3)


def test_fault_16_a_fact_that_comes_in_while_a_message_is_sent(pausing):
    """A new fact wakes a customer who is being sent to: another worker takes them up, and sends nothing twice.

    It does not ask the channel about a call that may still be made: that it is not there yet would prove nothing.
    """
    pausing.replace('kind = "pausing"', 'kind = "trusting"')
    pausing.given(*customer(), visit())
    sending = pausing.start("tick", "--at", NOON.isoformat(), PAUSE="call")
    assert sending.stopped()
    pausing.given({"type": "feedback", "customer": "C1", "mood": "fine"}, at=NOON + timedelta(seconds=5))
    pausing.run("tick", "--at", (NOON + timedelta(seconds=6)).isoformat())
    sending.signal(signal.SIGCONT)
    sending.wait()
    assert len(pausing.accepted) == 1
    pausing.run("tick", "--at", LATER)
    pausing.once_each(1)
