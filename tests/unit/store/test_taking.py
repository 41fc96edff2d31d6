"""Taking customers of an earlier claim: one of two who try has them, and none who was claimed since."""

from __future__ import annotations

from datetime import timedelta

from commsched.store import queries
from commsched.store.store import micros

LEASE = timedelta(seconds=60)


def claim(store, at):
    with store.write() as connection:
        return dict(queries.claim(connection, micros(at), micros(at + LEASE), 10))


def take(store, claimed, at):
    with store.write() as connection:
        return queries.take(connection, claimed, micros(at + LEASE))


def known(store, at, *customers):
    with store.write() as connection:
        queries.wake(connection, customers, micros(at))


def test_of_two_who_take_the_same_claim_one_finds_nobody(store, noon):
    """A job that runs twice is worked on once."""
    known(store, noon, "ann", "bob")
    claimed = claim(store, noon)
    assert take(store, claimed, noon) == [("ann", 2), ("bob", 2)]
    assert take(store, claimed, noon) == []


def test_whoever_was_claimed_since_is_left_out(store, noon):
    """A job that waited past the lease takes only those whom nobody else has claimed by then."""
    known(store, noon, "ann", "bob")
    claimed = claim(store, noon)
    known(store, noon + LEASE, "bob")
    later = noon + 2 * LEASE
    with store.write() as connection:
        assert len(queries.claim(connection, micros(later), micros(later + LEASE), 1)) == 1
    assert len(take(store, claimed, later)) == 1


def test_taking_renews_the_lease(store, noon):
    """What waited in the queue for most of its lease is held for a whole one from then on."""
    known(store, noon, "ann")
    claimed = claim(store, noon)
    take(store, claimed, noon + LEASE / 2)
    assert claim(store, noon + LEASE) == {}
    assert claim(store, noon + 1.5 * LEASE) == {"ann": 3}


def test_what_is_given_back_can_be_claimed_at_once(store, noon):
    """A worker that stops hands back whom it has not begun; who was taken by another meanwhile stays theirs."""
    known(store, noon, "ann", "bob")
    claimed = claim(store, noon)
    take(store, {"bob": claimed["bob"]}, noon)
    with store.write() as connection:
        queries.give_back(connection, claimed, micros(noon))
    assert claim(store, noon) == {"ann": 2}
