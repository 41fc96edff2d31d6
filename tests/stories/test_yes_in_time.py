"""A "yes" by reply takes a proposed time by the measure of the page: free, and with time left to prepare for it."""

import pytest
from people import car, driver
from reader import Reader

from commsched.planning.fold import fold
from commsched.plugin.channel import ChannelEvent
from commsched.store import queries
from commsched.store.ledgers import load


@pytest.fixture
def proposed(story):
    """An emissions test on the fifteenth is proposed; the car must be driven as usual from the twelfth."""
    tale = car(driver(story("2026-12-01 09:00")))
    return tale.given(
        "appointment", customer="C1", id="A1", service="emissions_test", asset="V1", status="proposed",
        booked_by="system", stated_by="import", start="2026-12-15 09:00", end="2026-12-15 09:30",
    ).until("2026-12-02 09:00")  # fmt: skip


def replied(tale, text):
    """What a reply to the invitation was taken to mean, and how the appointment stands after it."""
    with tale.app.store.read() as connection:
        (attempt,) = queries.attempts(connection)
    now = tale.clock.at
    event = ChannelEvent("reply", now, attempt=attempt.id, address="ana@example.com", text=text, id="r1")
    tale.app.hearing.take(tale.app.channels["mail"], [event], now)
    with tale.app.store.read() as connection:
        state = fold(load(connection, ["C1"])["C1"].ledger, now)
    return state.replies[-1].meaning, state.appointments["A1"].status


def test_yes_in_time(proposed):
    """While there is time to tell what must be prepared, a yes books it."""
    assert replied(proposed, "Yes") == ("confirm", "booked")


def test_yes_too_late_to_prepare(proposed):
    """Afterwards it books nothing, by a reply as by a press; a person reads what they wrote."""
    proposed.until("2026-12-13 12:00")
    reader = Reader(proposed, proposed.sent(rule="appointment-proposal", step="invite"))
    assert "too late" in reader.presses("confirm")
    assert replied(proposed, "Yes") == ("unclear", "proposed")
    proposed.until("2026-12-13 13:00").task(rule="reply-for-a-person", words="Yes")


def test_yes_to_what_is_taken(proposed):
    """What has been given to others meanwhile is not booked."""
    for number in range(1, 7):
        proposed.given("customer", id=f"D{number}", name="Somebody", kind="person")
        proposed.given(
            "appointment", customer=f"D{number}", id=f"B{number}", service="diagnosis", status="booked",
            booked_by="staff", start="2026-12-15 09:00", end="2026-12-15 10:00",
        )  # fmt: skip
    assert replied(proposed, "Yes") == ("unclear", "proposed")
