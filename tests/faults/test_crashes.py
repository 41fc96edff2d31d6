"""Killed at any point: nothing lost, nothing sent twice."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest
from deployment import NOON, visitors

SOON = NOON + timedelta(seconds=5)
MANY = 20


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("before-claim", id="fault_01_before_the_claim"),
        pytest.param("after-claim", id="fault_02_after_the_claim"),
        pytest.param("after-intent", id="fault_03_after_the_intent"),
        pytest.param("outbox-before-accept", id="fault_03_just_before_the_provider_takes_it"),
        pytest.param("outbox-after-accept", id="fault_04_just_after_the_provider_took_it"),
        pytest.param("after-send", id="fault_04_before_the_result_is_written_down"),
        pytest.param("after-result", id="fault_04_after_the_result_is_written_down"),
    ],
)
def test_killed(broken, place):
    """Killed there, every message still goes exactly once after the restart."""
    broken.given(*visitors(MANY))
    code, _, _ = broken.run("tick", "--at", NOON.isoformat(), crash=place)
    assert code == -signal.SIGKILL
    code, out, err = broken.run("tick", "--at", SOON.isoformat())
    assert (code, err) == (0, ""), out
    broken.once_each(MANY)
