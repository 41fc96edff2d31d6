"""Breakers and the queue: who was put off is woken apart from what makes results durable; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commsched.delivery import breakers
from commsched.plugin.channel import Accepted, ChannelDown

SOON = timedelta(minutes=5)


@pytest.fixture
def closed(garage, customer):
    """The mail channel is closed; bob and ann have messages planned in five minutes."""
    shop = garage()
    with shop.store.write() as connection:
        breakers.note(connection, {"mail": [ChannelDown("401")]}, shop.clock.at)
    for name in ("bob", "ann"):
        shop.learn(*customer(name))
    shop.tick()
    return shop


def test_results_wait_for_nobodys_place_in_the_queue(closed):
    """A channel that is well again is said to be; those put off are woken afterwards, in a transaction of its own."""
    before = {name: closed.due(name) for name in ("ann", "bob")}
    assert all(due > closed.clock.at for due in before.values())
    with closed.store.write() as connection:
        found = breakers.note(connection, {"mail": [Accepted("ref")]}, closed.clock.at)
    assert found == ([], ["mail"])
    assert {name: closed.due(name) for name in before} == before
    with closed.store.write() as connection:
        breakers.wake(connection, closed.clock.at)
    assert {closed.due(name) for name in before} == {closed.clock.at}
