"""Faults at random, one upon the other: `make chaos` tries many, the test run a few. The seed makes each again."""

from __future__ import annotations

import os
import random
import signal

import pytest
from deployment import HOUR, NOON, visitors
from provider import MODES
from wired import MINUTE

ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "2"))
PLACES = ("before-claim", "after-claim", "after-intent", "wire-before-send", "wire-after-send", "after-send", "")
PEOPLE, STEPS = 12, 5


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_whatever_breaks(wired, seed):
    """Providers fail, workers are killed, people say stop: nothing is lost, nothing goes twice, nobody after a stop."""
    dice = random.Random(seed)
    wired.spare()
    wired.given(*visitors(PEOPLE))
    stopped: dict[str, int] = {}
    at = NOON
    for _ in range(STEPS):
        wired.provider.mode(dice.choice(MODES), "mail")
        wired.provider.mode(dice.choice((*MODES, "ok", "ok")), "spare")
        workers = [
            wired.start("tick", "--at", at.isoformat(), crash=dice.choice(PLACES) if number == 0 else "")
            for number in range(dice.choice((1, 2, 3)))
        ]
        assert {worker.wait()[0] for worker in workers} <= {0, -signal.SIGKILL}
        address = f"c{dice.randrange(PEOPLE):05}@example.com"
        stop = {"kind": "opt_out", "at": at.isoformat(), "address": address, "id": f"stop-{address}"}
        assert wired.hear(stop) == 0
        stopped.setdefault(address, sum(line["to"] == address for line in wired.accepted))
        at += dice.choice((1, 3, 16)) * MINUTE
    wired.provider.mode("ok", "mail")
    wired.provider.mode("ok", "spare")
    for _ in range(4):
        at += HOUR
        code, out, err = wired.run("tick", "--at", at.isoformat())
        assert code == 0, out + err
    wired.holds(PEOPLE)
    assert set(wired.states) <= {"sent", "in_doubt", "refused"}
    for address, before in stopped.items():
        assert sum(line["to"] == address for line in wired.accepted) == before, "after they said stop"
