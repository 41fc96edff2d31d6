"""What a colleague put on hold, and the hours that customers ask for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commsched import Hold
from commsched.builtin.policies.contact_hours import ContactHours
from commsched.builtin.policies.hold import HoldPolicy
from commsched.model.state import Profile


@pytest.mark.parametrize(
    ("purposes", "about", "goes"),
    [
        (["collections"], None, True),
        (["service"], None, False),
        (["*"], None, False),
        (["service"], "car-1", False),
        (["service"], "car-2", True),
    ],
)
def test_a_hold_binds_its_purposes_and_its_matter(ask, may, proposal, noon, purposes, about, goes):
    """A hold on these purposes, about this thing or about everything, keeps a message away while it lasts."""
    hold = Hold(
        at=noon - timedelta(days=60), purposes=purposes, about=about, reason="explained", by="Tom",
        until=noon + timedelta(days=60),
    )  # fmt: skip
    assert may(ask(HoldPolicy, proposal=proposal(asset="car-1"), holds=(hold,))) is goes


def test_after_the_hold_the_message_may_go(ask, proposal, noon):
    """A hold that ends within the span leaves the time after it."""
    until = noon + timedelta(days=2)
    hold = Hold(at=noon - timedelta(days=60), purposes=["*"], reason="explained", by="Tom", until=until)
    verdict = ask(HoldPolicy, proposal=proposal(), holds=(hold,))
    assert until in verdict.windows
    assert until - timedelta(seconds=1) not in verdict.windows


def test_the_hours_they_asked_for(ask, may, proposal, noon):
    """Evenings only means evenings only, by their clock; a recall does not wait."""
    evenings = Profile("ann", contact_hours={"mon-fri": ["18:00-20:00"]})
    verdict = ask(ContactHours, proposal=proposal(), profile=evenings, zones=("UTC",))
    assert noon not in verdict.windows
    assert noon + timedelta(hours=6) in verdict.windows
    assert may(ask(ContactHours, proposal=proposal(purpose="safety"), profile=evenings))
    assert may(ask(ContactHours, proposal=proposal(), profile=Profile("ann")))
