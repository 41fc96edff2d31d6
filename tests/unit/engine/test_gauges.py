"""What the store knows, as Prometheus reads it, and what reading it may cost."""

from __future__ import annotations

from datetime import timedelta
from threading import Event

import pytest
from prometheus_client import CollectorRegistry

from commsched.cli.observed import numbers_of
from commsched.engine import gauges, meters
from commsched.engine.gauges import Gauges, Reading, Watched
from commsched.engine.pulse import Crew
from commsched.errors import StoreError
from commsched.plugin.channel import Ambiguous, ChannelDown
from commsched.store import queries
from commsched.store.store import micros


def numbers(seen: Watched):
    """All samples, by name and labels."""
    registry = CollectorRegistry()
    registry.register(Gauges(seen))
    return {
        (sample.name.removeprefix("commsched_"), *sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
    }


def test_an_empty_store_has_its_zeros(garage):
    """Nobody is due, nothing is in doubt; every channel and department is there from the start."""
    found = numbers(numbers_of(garage().app))
    assert found["store_up",] == 1
    assert found["customers_due",] == found["oldest_due_seconds",] == found["customers",] == 0
    assert found["channel_closed", "mail"] == found["channel_closed", "text"] == 0
    assert found["tasks_open", "desk"] == found["messages", "sent"] == 0


def test_the_queue_doubt_and_messages(garage, customer):
    """One is due for ten minutes; one message went; of one nobody knows, for an hour."""
    shop = garage()
    shop.learn(*customer(), *customer("bob"))
    shop.mail.answers["bob@x.example"] = Ambiguous("it broke off")
    shop.tick()
    shop.clock.at += timedelta(minutes=50)
    shop.learn(*customer("cy"))
    shop.clock.at += timedelta(minutes=10)
    with shop.store.write() as connection:
        queries.wake(connection, ["ann"], micros(shop.clock.at + timedelta(days=1)))
    found = numbers(numbers_of(shop.app))
    assert found["customers",] == 3
    assert found["customers_due",] >= 1
    assert found["oldest_due_seconds",] >= 600
    assert found["messages", "sent"] == found["messages", "in_doubt"] == 1
    assert found["attempts_open", "in_doubt", "mail"] == 1
    assert found["oldest_attempt_seconds", "in_doubt", "mail"] == 3600


def test_what_is_out_of_order_or_stopped(garage, customer):
    """A closed channel, a policy that failed, a pause, an open task that is overdue: each by its name."""
    shop = garage()
    shop.learn(*customer())
    shop.mail.answers["ann@x.example"] = ChannelDown("no account", after=timedelta(hours=1))
    shop.tick()
    now = shop.clock.at
    with shop.store.write() as connection:
        queries.put_breaker(connection, "opt_out", micros(now + timedelta(minutes=5)), "it raised")
        queries.put_breaker(connection, "mended", micros(now - timedelta(minutes=5)), "it raised")
        queries.put_pause(connection, "thanks", micros(now), "ops")
        queries.put_tasks(connection, [task("new", now), task("old", now - timedelta(days=2))])
    found = numbers(numbers_of(shop.app))
    assert found["channel_closed", "mail"] == 1
    assert found["channel_closed", "text"] == 0
    assert found["policy_broken", "opt_out"] == 1
    assert ("policy_broken", "mended") not in found
    assert found["paused", "thanks"] == 1
    assert (found["tasks_open", "desk"], found["tasks_overdue", "desk"]) == (2, 1)


def task(key, at):
    return {"key": key, "customer": "ann", "department": "desk", "at": micros(at), "state": "open", "body": b"{}"}


def test_sources_and_the_queue_of_batches(garage):
    """How long a source has been silent, and how the workers stand, where there are any."""
    shop = garage()
    with shop.store.write() as connection:
        queries.put_setting(connection, "heard:dms", (shop.clock.at - timedelta(hours=5)).isoformat())
    fresh = {"dms": timedelta(days=2), "crm": timedelta(days=1)}
    seen = Watched(shop.store, shop.clock, (), {}, fresh, lambda _: Crew(4, 1, 2))
    found = numbers(seen)
    assert (found["source_age_seconds", "dms"], found["source_fresh_seconds", "dms"]) == (18_000, 172_800)
    assert ("source_age_seconds", "crm") not in found
    assert (found["jobs_waiting",], found["jobs_stuck",], found["workers",]) == (4, 1, 2)


def test_describing_does_not_read():
    """The registry asks what there is when it is put together; the store is not needed for that."""
    names = {family.name for family in Gauges(None).describe()}
    assert names == {one.name for one in meters.METERS if one.stands}


def test_a_store_that_fails_costs_its_numbers_and_not_the_answer(garage):
    """It is said to be away, and nothing that was read before is passed off as how it stands."""
    shop = garage()

    def away(_):
        raise StoreError("it is away")

    found = numbers(Watched(shop.store, shop.clock, ("mail",), {}, {}, away))
    assert found == {("store_up",): 0}


def test_it_is_read_no_more_often_than_allowed(monkeypatch):
    """Asked a hundred times within five seconds, it is read once; what takes long is read seldom."""
    at = [0.0]
    monkeypatch.setattr(gauges, "monotonic", lambda: at[0])
    reads = []

    def read():
        reads.append(at[0])
        at[0] += 3.0
        return []

    reading = Reading(read, 5.0)
    for _ in range(100):
        assert reading.latest()
    assert reads == [0.0]
    at[0] = 3.0 + 3.0 / gauges.SHARE - 1
    assert reading.latest()
    assert len(reads) == 1
    at[0] += 2
    assert reading.latest()
    assert len(reads) == 2


def test_a_reading_that_hangs_is_not_waited_for(monkeypatch):
    """The answer comes without it; no second one is begun meanwhile; when it ends, it counts."""
    monkeypatch.setattr(gauges, "PATIENCE", 0.01)
    goes_on, begun = Event(), []

    def read():
        begun.append(1)
        goes_on.wait(30)
        return [1]

    reading = Reading(read, 0.0)
    assert [reading.latest(), reading.latest()] == [False, False]
    assert (reading.found, len(begun)) == ([], 1)
    monkeypatch.setattr(gauges, "PATIENCE", 30)
    goes_on.set()
    thread = reading._thread
    if thread is not None:
        thread.join(30)
    assert reading.found == [1]


@pytest.mark.parametrize("count", [0, 1, 7])
def test_customers_who_are_due_are_counted_up_to_a_limit(garage, customer, monkeypatch, count):
    """More than the limit are not walked through."""
    monkeypatch.setattr("commsched.store.queries.vitals.MOST", 5)
    shop = garage()
    for number in range(count):
        shop.learn(*customer(f"c{number}"))
    with shop.store.read() as connection:
        due, first = queries.due_now(connection, micros(shop.clock.at))
    assert due == min(count, 5)
    assert (first is None) == (count == 0)
