"""The SQL: the queue and its fences, and everything that is kept beside the facts; on both databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from postgres import until_waiting
from sqlalchemy import text

from commsched.store import queries
from commsched.store.queries.base import CHUNK
from commsched.store.store import Store, micros

MINUTE = 60_000_000
NOW = 1_000_000 * MINUTE
LEASE = NOW + MINUTE


@pytest.fixture
def woken(store) -> Callable[..., Store]:
    """A store with customers to wake: name and instant."""

    def queue(**due: int) -> Store:
        with store.write() as connection:
            for customer, at in due.items():
                queries.wake(connection, [customer], at)
        return store

    return queue


def claim(store, now=NOW, lease_end=LEASE, limit=10, lines=()):
    with store.write() as connection:
        return queries.claim(connection, now, lease_end, limit, lines)


def finish(store, customer, fence, due, world="w", lease_end=LEASE):
    row = {"who": customer, "held": fence, "leased": lease_end, "next_due": due, "hash": world}
    with store.write() as connection:
        queries.finish(connection, [row])


def queue(store):
    with store.read() as connection:
        rows = connection.execute(text("SELECT customer, due, fence, world FROM wake ORDER BY customer"))
        return {row.customer: (row.due, row.fence, row.world) for row in rows}


def test_waking_only_brings_forward(woken):
    """Who is to be looked at soon is not put off by a later wish."""
    store = woken(ann=NOW)
    for at in (NOW + 5, NOW - 5, NOW + 9):
        with store.write() as connection:
            queries.wake(connection, ["ann", "ann", "bob"], at)
    assert {name: row[0] for name, row in queue(store).items()} == {"ann": NOW - 5, "bob": NOW - 5}


def test_the_soonest_due_are_claimed(woken):
    """A claim takes those who are due, the soonest first, at most as many as asked, each once."""
    store = woken(late=NOW, early=NOW - 9, middle=NOW - 5, future=NOW + 1)
    assert claim(store, limit=2) == [("early", 1), ("middle", 1)]
    assert claim(store, limit=2) == [("late", 1)]
    assert claim(store) == []


def in_line(store, customer, turn, channel="mail"):
    rank = {"due": 0, "priority": 0, "until": 0, "units": 1}
    row = {"channel": channel, "customer": customer, "key": f"{customer}/k", "turn": turn, **rank}
    with store.write() as connection:
        queries.join_line(connection, [row])


def test_whose_turn_has_come_is_not_behind_a_long_queue(woken):
    """Of those in a line whose turn it is the most urgent come before all who are due for longer; these have half."""
    queue = {f"c{number:02}": NOW - 90 + number for number in range(20)}
    store = woken(**queue, x1=NOW, x2=NOW - 1, x3=NOW - 2, later=NOW + 5, held=LEASE)
    in_line(store, "x3", NOW - 9)  # the least urgent, whose turn came first
    for name in ("x1", "x2"):
        in_line(store, name, NOW - 1)
    in_line(store, "x3", NOW, "text")
    in_line(store, "later", NOW - 9)  # not to be looked at yet, whatever the line says
    in_line(store, "c19", NOW + 1)  # whose turn has not come
    lines = ("text", "mail")
    assert claim(store, limit=2) == [("c00", 1), ("c01", 1)]
    assert claim(store, limit=4, lines=["mail"]) == [("c02", 1), ("c03", 1), ("x1", 1), ("x2", 1)]
    assert claim(store, limit=1, lines=lines) == [("x3", 1)]
    assert claim(store, limit=2, lines=lines) == [("c04", 1), ("c05", 1)]
    assert len(claim(store, limit=90, lines=lines)) == 14


@pytest.mark.parametrize("limit", [1, 7, 40])
def test_a_claim_never_takes_more_than_asked(woken, limit):
    """However the database goes about it, a large queue gives as many as were asked for."""
    store = woken(**{f"c{number:03}": NOW - number for number in range(200)})
    if not store.sqlite:
        with store.write() as connection:
            connection.execute(text("SET LOCAL enable_hashjoin = off"))
            connection.execute(text("SET LOCAL enable_hashagg = off"))
            connection.execute(text("SET LOCAL enable_mergejoin = off"))
            connection.execute(text("SET LOCAL enable_sort = off"))
            connection.execute(text("SET LOCAL enable_material = off"))
            assert len(queries.claim(connection, NOW, LEASE, limit)) == limit
    else:
        assert len(claim(store, limit=limit)) == limit


def test_a_lease_that_ran_out_can_be_claimed_again(woken):
    """Once the lease is over, the next claimer has the higher fence, and the first one's word no longer counts."""
    store = woken(ann=NOW)
    assert claim(store) == [("ann", 1)]
    assert claim(store, now=LEASE, lease_end=LEASE + MINUTE) == [("ann", 2)]
    finish(store, "ann", 1, NOW + 500 * MINUTE)
    assert queue(store)["ann"] == (LEASE + MINUTE, 2, "")
    finish(store, "ann", 2, NOW + 500 * MINUTE, lease_end=LEASE + MINUTE)
    assert queue(store)["ann"] == (NOW + 500 * MINUTE, 2, "w")


def test_who_is_woken_during_the_lease_stays_awake(woken):
    """A fact that comes in while its customer is being worked on is not forgotten when they are given back."""
    store = woken(ann=NOW)
    claim(store)
    with store.write() as connection:
        queries.wake(connection, ["ann"], NOW + 3)
    finish(store, "ann", 1, NOW + 500 * MINUTE)
    assert queue(store)["ann"][0] == NOW + 3


def test_fences(woken):
    """The fence of each customer can be asked for; nobody has one who was never woken."""
    store = woken(ann=NOW)
    claim(store)
    with store.read() as connection:
        assert queries.fences(connection, ["ann", "nobody"]) == {"ann": 1}


def test_next_due(woken):
    """The next instant at which anybody is due; nothing in an empty queue."""
    store = woken()
    with store.read() as connection:
        assert queries.next_due(connection) is None
    woken(ann=NOW + 7, bob=NOW + 3)
    with store.read() as connection:
        assert queries.next_due(connection) == NOW + 3


def test_a_sweep_wakes_those_of_another_world(woken):
    """Whoever was planned in another world is woken, soonest due first, a few at a time, and each once."""
    store = woken(ann=NOW + 30, bob=NOW + 10, cy=NOW + 20, now=NOW)
    for customer in ("ann", "bob", "cy"):
        with store.write() as connection:
            connection.execute(text("UPDATE wake SET world = 'old' WHERE customer = :c"), {"c": customer})
    found = []
    for _ in range(3):
        with store.write() as connection:
            found.append(queries.sweep(connection, "new", NOW, 2))
    assert found == [2, 1, 0]
    assert {name: row[0] for name, row in queue(store).items()} == dict.fromkeys(("ann", "bob", "cy", "now"), NOW)


def test_a_sweep_leaves_who_was_planned_in_this_world(woken):
    """Nobody is looked at again for nothing."""
    store = woken(ann=NOW)
    claim(store)
    finish(store, "ann", 1, NOW + 30, world="new")
    with store.write() as connection:
        assert queries.sweep(connection, "new", NOW, 10) == 0


def test_release_takes_back_leases_only(woken):
    """A worker that is alone takes back what dead ones held, and leaves alone who is due later."""
    store = woken(ann=NOW, later=NOW + 50 * MINUTE)
    claim(store)
    with store.write() as connection:
        assert queries.release(connection, NOW + 1, MINUTE) == 1
    assert claim(store, now=NOW + 1) == [("ann", 3)]
    assert queue(store)["later"] == (NOW + 50 * MINUTE, 0, "")


def test_two_claimers_never_get_the_same_customer(woken, open_store):
    """Workers that claim at the same time share the customers out between them."""
    names = [f"c{number:03}" for number in range(300)]
    woken(**dict.fromkeys(names, NOW))
    start = Barrier(4)

    def work(_number):
        mine, found = open_store(), []
        start.wait()
        while got := claim(mine, limit=17):
            found += got
        return found

    with ThreadPoolExecutor(4) as pool:
        claimed = [one for found in pool.map(work, range(4)) for one in found]
    assert sorted(claimed) == [(name, 1) for name in names]


@pytest.mark.postgres
def test_a_claimer_does_not_wait_for_another(postgres_url):
    """While one transaction holds its customers, another takes the next ones at once, and sweeps pass them by."""
    one, two = Store(postgres_url), Store(postgres_url)
    with one.write() as connection:
        queries.wake(connection, ["a"], NOW - 2)
        queries.wake(connection, ["b"], NOW - 1)
        queries.wake(connection, ["c"], NOW + 5)
    with one.write() as first, two.write() as second:
        second.execute(text("SET LOCAL lock_timeout = '5s'"))
        assert queries.claim(first, NOW, LEASE, 1) == [("a", 1)]
        assert queries.claim(second, NOW, LEASE, 2) == [("b", 1)]
        first.execute(text("SELECT * FROM wake WHERE customer = 'c' FOR UPDATE"))
        assert queries.sweep(second, "new", NOW, 10) == 1
    one.close()
    two.close()


def test_places_of_the_day_are_counted(store):
    """A rule has so many places a day, and the next day as many again."""
    with store.write() as connection:
        taken = [queries.take_pace(connection, "r", "2026-06-15", 2) for _ in range(3)]
        assert taken == [True, True, False]
        assert queries.take_pace(connection, "r", "2026-06-16", 2)
        assert queries.take_pace(connection, "other", "2026-06-15", 2)


def test_workers_never_take_more_places_than_there_are(store, open_store):
    """Places taken at the same time by several workers are counted once each, from the first one on."""
    start = Barrier(4)

    def work(_number):
        mine, taken = open_store(), 0
        start.wait()
        for _ in range(5):
            with mine.write() as connection:
                taken += queries.take_pace(connection, "r", "2026-06-15", 7)
        return taken

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 7


def test_versions_add_up_and_flags_stay(store):
    """What is written a second time raises the version by its facts, and takes no flag away."""
    with store.write() as connection:
        queries.bump(connection, {"c:ana": (2, 1), "o:acme": (1, 0)})
    with store.write() as connection:
        queries.bump(connection, {"c:ana": (3, 4)})
        assert queries.versions(connection, ["c:ana", "o:acme", "c:ben"]) == {"c:ana": (5, 5), "o:acme": (1, 0)}


def test_a_decision_of_one_instant_is_replaced_and_a_message_stands_once(store):
    """Written twice, the later one stands."""
    message = {"customer": "ana", "key": "k", "rule": "r", "state": "planned", "at": 1, "attempt": None}
    with store.write() as connection:
        for body in (b"one", b"two"):
            queries.put_messages(connection, [{**message, "signature": body, "body": body}])
            queries.add_decisions(connection, [{"customer": "ana", "key": "k", "decided_at": 1, "body": body}])
        (stands,) = queries.messages(connection, ["ana"])["ana"]
        assert (stands.body, stands.signature, stands.state) == (b"two", b"two", "planned")
        assert [row.body for row in queries.decisions(connection, "ana")] == [b"two"]


def test_members_of_circles(store):
    """Circles hold whoever was ever put in, each once."""
    with store.write() as connection:
        queries.add_members(connection, [("h:1", "bob"), ("h:1", "ann"), ("h:1", "bob")])
        queries.add_members(connection, [("h:1", "ann"), ("o:1", "ann")])
        assert queries.members(connection, ["h:1", "o:1", "h:2"]) == {"h:1": ["ann", "bob"], "o:1": ["ann"]}


def test_more_keys_than_one_statement_takes(store):
    """Lists longer than a database binds at once are read in pieces, and nothing is lost between them."""
    names = [f"c{number:05}" for number in range(CHUNK * 2 + 3)]
    with store.write() as connection:
        queries.add_members(connection, (("h:all", name) for name in names))
        queries.bump(connection, {f"c:{name}": (1, 0) for name in names})
        assert queries.members(connection, ["h:all"])["h:all"] == names
        assert len(queries.versions(connection, (f"c:{name}" for name in names), lock=True)) == len(names)
        assert queries.customers(connection) == names


def test_customers_stand_in_the_order_of_their_bytes(store):
    """Whatever language the database speaks, the order is the same, and ids of any script are found."""
    names = ["Zoë", "a-b", "ab", "a b", "ähm", "b", "C", "Ω", ":", ";"]
    with store.write() as connection:
        queries.bump(connection, {f"c:{name}": (1, 0) for name in names} | {"a:email:x": (1, 0), "h:1": (1, 0)})
        assert queries.customers(connection) == sorted(names)


def test_appointments_by_time(store):
    """Appointments that overlap a time are found, in order, one without a length at its start; the rest is not."""
    rows = [
        {
            "customer": "ann",
            "id": name,
            "start": start,
            "end": end,
            "service": "oil",
            "status": "booked",
            "calendar": None,
        }
        for name, start, end in (
            ("before", 1, 10),
            ("into", 5, 11),
            ("point", 10, 10),
            ("in", 12, 13),
            ("after", 20, 30),
        )
    ]
    with store.write() as connection:
        queries.put_appointments(connection, rows)
        assert [row.id for row in queries.appointments_between(connection, 10, 20)] == ["into", "point", "in"]
        queries.put_appointments(connection, [rows[4] | {"start": 15, "status": "cancelled"}])
        found = queries.appointments_between(connection, 14, 20)
        assert [(row.id, row.status) for row in found] == [("after", "cancelled")]


def test_settings(store):
    """A value is kept until another takes its place."""
    with store.write() as connection:
        assert queries.setting(connection, "x") is None
        for value in ("1", "2"):
            queries.put_setting(connection, "x", value)
        assert queries.setting(connection, "x") == "2"


def test_pauses(store):
    """What is stopped stays stopped since the first time, until it is let go."""
    with store.write() as connection:
        queries.put_pause(connection, "all", 1, "ann")
        queries.put_pause(connection, "all", 2, "bob")
        assert [(row.scope, row.since, row.by) for row in queries.pauses(connection)] == [("all", 1, "ann")]
        assert [queries.drop_pause(connection, "all") for _ in range(2)] == [True, False]
        assert queries.pauses(connection) == []


def test_breakers(store):
    """A policy's breaker can be opened for longer, and closed."""
    with store.write() as connection:
        queries.put_breaker(connection, "cap", 1, "it raised")
        queries.put_breaker(connection, "cap", 2, "it hung")
        found = [(row.policy, row.until, row.detail) for row in queries.breakers(connection)]
        assert found == [("cap", 2, "it hung")]
        assert [queries.drop_breaker(connection, "cap") for _ in range(2)] == [True, False]


def test_rules_keep_their_instant(store):
    """A rule counts from when it was first loaded, however often it changes."""
    with store.write() as connection:
        queries.put_rules(connection, [{"name": "r", "since": 1, "digest": "a"}])
        queries.put_rules(
            connection, [{"name": "r", "since": 2, "digest": "b"}, {"name": "s", "since": 2, "digest": "c"}]
        )
        assert queries.rules(connection) == {"r": 1, "s": 2}


def test_the_audit_log_only_grows(store):
    """Everything that was noted is there, in order."""
    with store.write() as connection:
        for number in range(3):
            queries.note(connection, number, "ann", "pause", "all")
        rows = connection.execute(text("SELECT at, who FROM audit ORDER BY id")).all()
    assert [tuple(row) for row in rows] == [(0, "ann"), (1, "ann"), (2, "ann")]


def attempt(name, **fields):
    row = {
        "customer": "ann",
        "key": "k",
        "channel": "mail",
        "address": "a@x.example",
        "state": "sending",
        "sent": b"{}",
    }
    return {"id": name, "started_at": NOW, "send_by": NOW + 1, **row, **fields}


def test_an_attempt_that_ended_stays_as_it_is(store):
    """The first end of an attempt counts; doubt is no end."""
    with store.write() as connection:
        queries.add_attempts(
            connection, [attempt("a1"), attempt("a2", state="in_doubt"), attempt("a3", customer="bob")]
        )
        for state in ("accepted", "refused"):
            rows = [{"attempt_id": one, "new_state": state, "ended_at": NOW, "why": ""} for one in ("a1", "a2")]
            queries.end_attempts(connection, rows)
        assert [row.state for row in queries.attempts(connection)] == ["accepted", "accepted", "sending"]
        assert [row.id for row in queries.attempts(connection, states=("sending",))] == ["a3"]
        assert [row.id for row in queries.attempts(connection, customers=["ann"])] == ["a1", "a2"]


def test_tasks_that_are_done_stay_done(store):
    """A task is written anew while it is open; once done, the plan no longer changes it."""
    row = {"key": "t", "customer": "ann", "department": "desk", "at": NOW, "state": "open", "body": b"1"}
    with store.write() as connection:
        for change in ({}, {"body": b"2"}, {"state": "done"}, {"state": "open", "body": b"3"}):
            queries.put_tasks(connection, [row | change])
        assert [(one.state, bytes(one.body)) for one in queries.tasks(connection)] == [("done", b"1")]
        assert queries.tasks(connection, state="open") == []
        assert queries.tasks(connection, department="other") == []


def test_waking_by_message(store, woken):
    """Resuming wakes those with a message of the rule that waits, and nobody else."""
    woken(ann=NOW + 50, bob=NOW + 50, cy=NOW + 50)
    row = {"key": "k", "rule": "r", "state": "planned", "at": None, "attempt": None, "signature": b"", "body": b"{}"}
    with store.write() as connection:
        people = {"ann": {}, "bob": {"rule": "other"}, "cy": {"state": "sent"}}
        queries.put_messages(connection, [{**row, "customer": name, **change} for name, change in people.items()])
        queries.wake_messages(connection, "r", ("planned", "refused"), NOW)
    assert {name: row[0] - NOW for name, row in queue(store).items()} == {"ann": 0, "bob": 50, "cy": 50}
    with store.write() as connection:
        queries.wake_messages(connection, "all", ("planned", "refused"), NOW)
        assert queries.counts(connection) == {"planned": 2, "sent": 1}
        assert [row.customer for row in queries.all_messages(connection, ("sent",))] == ["cy"]
        assert [row.customer for row in queries.all_messages(connection)] == ["ann", "bob", "cy"]
    assert {name: row[0] - NOW for name, row in queue(store).items()} == {"ann": 0, "bob": 0, "cy": 50}


def test_decisions_are_kept_in_order(store):
    """Each decision about a message is there, oldest first; the same instant twice keeps the later one."""
    rows = [
        {"customer": "ann", "key": key, "decided_at": at, "body": body}
        for key, at, body in (("k", 2, b"second"), ("k", 1, b"first"), ("other", 1, b"x"), ("k", 2, b"again"))
    ]
    with store.write() as connection:
        for row in rows:
            queries.add_decisions(connection, [row])
        assert [bytes(row.body) for row in queries.decisions(connection, "ann", "k")] == [b"first", b"again"]
        assert len(queries.decisions(connection, "ann")) == 3


def test_the_lease_is_as_long_as_said(woken, noon):
    """A claim holds to the microsecond at which its lease ends."""
    store = woken(ann=micros(noon))
    end = micros(noon + timedelta(seconds=60))
    assert claim(store, now=micros(noon), lease_end=end)
    assert claim(store, now=end - 1, lease_end=end) == []
    assert claim(store, now=end, lease_end=end + 1) == [("ann", 2)]


@pytest.mark.postgres
@pytest.mark.parametrize("how", ["by message", "by time", "leases"])
def test_those_who_wake_many_wait_for_each_other(postgres_url, how):
    """However the rows lie on the disk, they are taken in one order: nobody waits in a circle."""
    one, two, watch = (Store(postgres_url) for _ in range(3))
    row = {"rule": "r", "state": "planned", "at": NOW + 1, "attempt": None, "signature": b"", "body": b"{}"}
    with one.write() as connection:
        for name in ("b", "a"):  # on the disk, b comes first
            queries.wake(connection, [name], NOW + 50)
            queries.put_messages(connection, [{**row, "customer": name, "key": "k"}])

    def many():
        with two.write() as connection:
            if how == "by message":
                queries.wake_messages(connection, "all", ("planned",), NOW)
            elif how == "by time":
                queries.wake_planned(connection, (NOW, NOW + 9), NOW)
            else:
                queries.release(connection, NOW, 90)

    with ThreadPoolExecutor(1) as pool:
        with one.write() as connection:
            queries.wake(connection, ["a"], NOW)
            waits = pool.submit(many)
            until_waiting(watch, 1)
            queries.wake(connection, ["b"], NOW)
        waits.result(timeout=20)
    assert {name: found[0] for name, found in queue(one).items()} == {"a": NOW, "b": NOW}
    for store in (one, two, watch):
        store.close()


@pytest.mark.postgres
def test_places_are_taken_in_any_order(postgres_url):
    """Two workers that need places of the same rules, the one the other way round, wait and never cross."""
    stores = [Store(postgres_url) for _ in range(3)]
    one, two, watch = stores

    def other():
        with two.write() as connection:
            queries.lock_paces(connection, ["x", "y"], "2026-06-15")
            return [queries.take_pace(connection, name, "2026-06-15", 1) for name in ("x", "y")]

    with ThreadPoolExecutor(1) as pool:
        with one.write() as connection:
            queries.lock_paces(connection, ["y", "x"], "2026-06-15")
            assert queries.take_pace(connection, "y", "2026-06-15", 1)
            waits = pool.submit(other)
            until_waiting(watch, 1)
            assert queries.take_pace(connection, "x", "2026-06-15", 1)
        assert waits.result(timeout=20) == [False, False]
    for store in stores:
        store.close()
