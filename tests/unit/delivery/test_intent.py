"""The intent: a batch's versions and fences are checked at the last moment; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commsched.delivery.intent import current
from commsched.store import queries
from commsched.store.ledgers import load
from commsched.store.store import micros

HOME = {"kind": "email", "address": "home@x.example"}


@pytest.fixture
def batch(store, learn, fact, noon):
    """Ann and Bob at one address, Cy at another, claimed and loaded: what was read, and the fences held."""
    people = [fact("contact_point", customer=who, **HOME) for who in ("ann", "bob")]
    learn(store, *people, fact("contact_point", customer="cy", kind="email", address="cy@x.example"))
    with store.write() as connection:
        held = dict(queries.claim(connection, micros(noon), micros(noon + timedelta(minutes=1)), 10))
        return load(connection, sorted(held)), held


def check(store, batch):
    with store.write() as connection:
        valid, lost = current(connection, *batch)
        return sorted(valid), sorted(lost)


def test_nothing_new(store, batch):
    """Where nothing happened meanwhile, all plans stand."""
    assert check(store, batch) == (["ann", "bob", "cy"], [])


def test_a_fact_of_ones_own(store, batch, learn, fact):
    """A fact overtakes the plan of its own customer only."""
    learn(store, fact("customer", customer="cy", name="Cy"))
    assert check(store, batch) == (["ann", "bob"], [])


def test_a_fact_of_a_new_circle(store, batch, learn, fact):
    """A circle that had no ledger when it was read has one now: everybody in it is overtaken."""
    learn(store, fact("consent", customer="bob", medium="email", purpose="*", granted=False, method="reply"))
    assert check(store, batch) == (["cy"], [])


def test_somebody_elses_by_now(store, batch, noon):
    """Whom another worker has claimed since is lost, not overtaken: the other one decides."""
    later = noon + timedelta(minutes=1)
    with store.write() as connection:
        queries.claim(connection, micros(later), micros(later), 1)
    assert check(store, batch) == (["bob", "cy"], ["ann"])


def test_nobody_is_made_a_customer_by_being_looked_at(store, batch):
    """Checking begins no customer that no fact is about."""
    loaded, held = batch
    with store.write() as connection:
        queries.wake(connection, ["ghost"], 0)
        ghost = load(connection, ["ghost"])
        valid, _ = current(connection, loaded | ghost, held | {"ghost": 0})
        assert "ghost" in valid
        assert queries.customers(connection) == ["ann", "bob", "cy"]


def test_one_message_at_a_time_to_an_address(garage, customer):
    """Of two who share an address, the second waits until the first one's message is known to have gone."""
    shop = garage()
    shop.learn(*customer("ann", email="home@x.example"), *customer("bob", email="home@x.example"))
    shop.tick()
    assert sorted(call.name for call in shop.mail.calls) == ["Ann", "Bob"]
    with shop.store.read() as connection:
        loaded = load(connection, ["ann", "bob"])
    seen = {name: one for name, one in loaded["bob"].ledger.circles.items() if name.startswith("a:")}
    assert len(seen["a:email:home@x.example"]) == 2
