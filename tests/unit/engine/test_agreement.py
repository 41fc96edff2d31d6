"""Every case of an appointment here and an event there, and what follows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from commsched.engine.agreement import Known, Ours, agree
from commsched.plugin.base import Entry

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hours):
    return (NOON + hours * HOUR, NOON + (hours + 1) * HOUR)


def there(hours, **more):
    return Entry("u", *at(hours), **more)


OFF = {"stands": False, "off": True}
OVER = {"stands": False}


@pytest.mark.parametrize(
    ("ours", "known", "event", "what"),
    [
        # hours of the appointment here, hours that both had and that were being written, hours of the event there
        (1, None, None, "write"),
        (1, Known(), None, "write"),
        (1, Known(None, at(1)), None, "write"),
        (1, Known(None, at(1)), there(1), "settle"),
        (1, Known(at(1)), there(1), "nothing"),
        (1, Known(at(1), at(2)), there(1), "settle"),
        (2, Known(at(1)), there(1), "write"),
        (2, Known(at(1), at(2)), there(1), "write"),
        (2, Known(at(1), at(2)), there(2), "settle"),
        (3, Known(at(1), at(2)), there(2), "write"),
        (1, Known(at(1)), there(4), "moved"),
        (2, Known(at(1)), there(4), "moved"),
        (2, Known(at(1)), there(2), "settle"),
        (1, None, there(1), "settle"),
        (1, None, there(4), "moved"),
        (1, Known(None, at(1)), there(4), "moved"),
        (1, Known(at(1)), None, "cancelled"),
        (2, Known(at(1), at(2)), None, "cancelled"),
        (1, Known(at(1)), there(1, cancelled=True), "cancelled"),
        (1, None, there(1, cancelled=True), "write"),
    ],
)
def test_an_appointment_that_is_to_come(ours, known, event, what):
    """Who changed it alone has changed it for both; where both have, the event counts."""
    assert agree(Ours("ann", "A1", "u", at(ours)), known, event) == what


@pytest.mark.parametrize(
    ("state", "known", "event", "what"),
    [
        (OFF, None, None, "nothing"),
        (OFF, None, there(1), "nothing"),
        (OFF, Known(at(1)), there(1), "remove"),
        (OFF, Known(at(1)), there(4), "remove"),
        (OFF, Known(at(1)), there(1, cancelled=True), "forget"),
        (OFF, Known(at(1)), None, "forget"),
        (OVER, Known(at(1)), there(1), "forget"),
        (OVER, Known(at(1)), there(4), "forget"),
    ],
)
def test_an_appointment_that_is_off_or_over(state, known, event, what):
    """What is cancelled here is taken away there, also when it was moved there; what is over stays as a record."""
    assert agree(Ours("ann", "A1", "u", at(1), **state), known, event) == what


def test_less_than_a_minute_is_no_move():
    """Some servers drop seconds."""
    event = Entry("u", at(1)[0] + timedelta(seconds=59), at(1)[1])
    assert agree(Ours("ann", "A1", "u", at(1)), Known(at(1)), event) == "nothing"
    event = Entry("u", at(1)[0], at(1)[1] + timedelta(seconds=60))
    assert agree(Ours("ann", "A1", "u", at(1)), Known(at(1)), event) == "moved"
