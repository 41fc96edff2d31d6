"""The local engine's presence: who is alone takes back the leases of workers that died."""

from __future__ import annotations

from datetime import timedelta

from commsched.engine.local import presence
from commsched.store import queries
from commsched.store.store import micros

LEASE = timedelta(seconds=60)


def claimed(store, noon):
    with store.write() as connection:
        queries.wake(connection, ["ann"], micros(noon))
        assert queries.claim(connection, micros(noon), micros(noon + LEASE), 10)


def next_claim(store, at):
    with store.write() as connection:
        return queries.claim(connection, micros(at), micros(at + LEASE), 10)


def test_a_worker_that_is_alone_takes_over_at_once(store, tmp_path, noon):
    """On SQLite the lock tells that nobody else lives, so that nobody waits for a lease; elsewhere leases run out."""
    claimed(store, noon)
    soon = noon + timedelta(seconds=1)
    with presence(store, tmp_path, soon, LEASE) as alone:
        assert alone is store.sqlite
        assert (next_claim(store, soon) != []) is store.sqlite
    assert next_claim(store, noon + 3 * LEASE) != []


def test_a_second_worker_leaves_the_first_ones_leases(store, tmp_path, noon):
    """While another worker is here, its leases stand; when both are gone, the next one is alone again."""
    soon = noon + timedelta(seconds=1)
    with presence(store, tmp_path, noon, LEASE):
        claimed(store, noon)
        with presence(store, tmp_path, soon, LEASE) as alone:
            assert alone is False
            assert next_claim(store, soon) == []
    with presence(store, tmp_path, soon, LEASE) as alone:
        assert alone is store.sqlite
