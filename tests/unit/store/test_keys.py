"""The keys of links: two live ones, and none of the old where a key is known to others."""

from __future__ import annotations

from commsched.render.links import Links
from commsched.store import queries
from commsched.store.keys import ensure_link_keys, link_keys, rotate
from commsched.store.suppression import KEY, ensure_key

BASE = "https://my.x.example"


def test_a_third_key_ends_the_first(store):
    """A link works through one rotation, and not through two."""
    ensure_link_keys(store)
    token = Links(BASE, link_keys(store)).token("attempt-1", "email")
    assert rotate(store, 5, "pat") == 0
    assert Links(BASE, link_keys(store)).attempt(token) == "attempt-1"
    assert Links(BASE, link_keys(store)).token("attempt-1", "email") != token
    assert rotate(store, 6, "pat") == 1
    assert len(link_keys(store)) == 2
    assert Links(BASE, link_keys(store)).attempt(token) is None


def test_a_key_that_is_known_ends_at_once(store):
    """With it every link that was signed, and every short one."""
    ensure_link_keys(store)
    ensure_key(store)
    token = Links(BASE, link_keys(store)).token("attempt-1", "email")
    row = {"id": "a1", "customer": "ann", "key": "ann/k", "channel": "text", "address": "+1", "state": "accepted",
           "started_at": 1, "send_by": 2, "sent": b"{}", "code": "x" * 16}  # fmt: skip
    with store.write() as connection:
        queries.add_attempts(connection, [row])
        kept = queries.setting(connection, KEY)
    assert rotate(store, 5, "pat", at_once=True) == 1
    assert len(link_keys(store)) == 1
    assert Links(BASE, link_keys(store)).attempt(token) is None
    with store.read() as connection:
        assert queries.attempt_by(connection, code="x" * 16) is None
        assert queries.setting(connection, KEY) == kept


def test_the_first_rotation_makes_the_first_key(store):
    """Where nothing was ever sent there is one key afterwards, and the log says who made it."""
    assert rotate(store, 5, "pat") == 0
    assert len(link_keys(store)) == 1
    with store.read() as connection:
        assert [(row.who, row.action) for row in queries.audited(connection, "")] == [("pat", "keys rotate")]
