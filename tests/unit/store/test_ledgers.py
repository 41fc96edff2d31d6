"""Appending facts, with everything that follows from them, and loading a batch of customers; on both databases."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from postgres import until_waiting
from sqlalchemy import text

from commsched.model.facts import Consent, Sent
from commsched.planning.fold import fold
from commsched.store import queries
from commsched.store.erasure import forget
from commsched.store.ledgers import append, ledgers, load, wake_for
from commsched.store.store import Store, micros
from commsched.store.tables import FLAG_COLLEAGUE, FLAG_CORRECTED, FLAG_REFUSED
from commsched.testing.strategies import VOCABULARY

TABLES = ("ledger", "fact", "member", "appointment")
MAIL = {"kind": "email", "address": "home@x.example"}
STOP = {"medium": "email", "purpose": "*", "granted": False, "method": "link", "stated_by": "customer"}


def contents(store):
    """Everything that facts lead to, row for row."""
    with store.read() as connection:
        rows = {name: connection.execute(text(f"SELECT * FROM {name} ORDER BY 1, 2")).all() for name in TABLES}  # noqa: S608
        return {
            name: [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in found]
            for name, found in rows.items()
        }


def loaded(store, *customers):
    with store.read() as connection:
        found = load(connection, customers)
        # Whoever only looks reads the same, without the versions.
        assert list(ledgers(connection, customers)) == [one.ledger for one in found.values()]
        return found


def versions(store, *subjects):
    with store.read() as connection:
        return queries.versions(connection, subjects)


@pytest.fixture
def family(fact):
    """Facts of two people who share a mailbox, one of whom wants no mail."""
    return [
        fact("customer", name="Ann", household="h1", organisation="firm"),
        fact("contact_point", **MAIL),
        fact("consent", **STOP),
        fact("asset", id="car-1", kind="car", in_use=True),
        fact(
            "appointment",
            id="a1",
            service="oil",
            start="2026-07-01T15:00:00Z",
            end="2026-07-01T16:00:00Z",
            status="booked",
        ),
        fact("appointment", id="a1", at="2026-05-16T12:00:00Z", start="2026-07-02T15:00:00Z"),
        fact("reading", asset="car-1", value=100, unit="km"),
        fact("customer", customer="bob", name="Bob", household="h1"),
        fact("contact_point", customer="bob", **MAIL),
        fact("event", customer=None, household="h1", kind="fair"),
    ]


def test_the_same_facts_twice_are_there_once(store, learn, family):
    """A second import of the same facts changes nothing, and says that nothing was new."""
    assert len(learn(store, *family)) == len(family)
    before = contents(store)
    assert learn(store, *family) == []
    assert contents(store) == before


def test_learning_again_wakes_nobody(store, learn, family, noon):
    """A repeated import is no news."""
    learn(store, *family)
    with store.write() as connection:
        assert queries.claim(connection, micros(noon), micros(noon + timedelta(days=9)), 10)
    learn(store, *family)
    with store.read() as connection:
        assert queries.next_due(connection) == micros(noon + timedelta(days=9))


def test_any_order_and_any_pieces_give_the_same(store, open_store, learn, family):
    """Facts lead to the same rows in whatever order and pieces they come, doubled or not."""
    learn(store, *family)
    expected = contents(store)
    shuffle = random.Random(7)
    for _ in range(4):
        with store.write() as connection:
            for name in (*TABLES, "wake"):
                connection.execute(text(f"DELETE FROM {name}"))  # noqa: S608
        mixed = [*family, *shuffle.sample(family, 3)]
        shuffle.shuffle(mixed)
        while mixed:
            size = shuffle.randint(1, 4)
            learn(store, *mixed[:size])
            mixed = mixed[size:]
        assert contents(store) == expected


def test_versions_count_facts_and_flags_stay(store, learn, fact):
    """A ledger's version grows with each new fact; its flags tell of corrections and of opt-outs."""
    learn(store, fact("customer", name="Anna"), fact("contact_point", **MAIL))
    assert versions(store, "c:ann") == {"c:ann": (2, 0)}
    learn(store, fact("customer", name="Ann", stated_by="customer"))
    assert versions(store, "c:ann") == {"c:ann": (3, FLAG_CORRECTED)}
    learn(store, fact("consent", **STOP))
    assert versions(store, "c:ann") == {"c:ann": (4, FLAG_CORRECTED | FLAG_REFUSED)}
    with store.read() as connection:
        assert queries.flagged(connection, FLAG_CORRECTED) == ["c:ann"]
        assert queries.flagged(connection, FLAG_REFUSED) == ["a:email:home@x.example", "c:ann"]


def test_circles_have_their_members(store, learn, family, fact):
    """Address, organisation, household and guardian know whom they concern."""
    learn(store, *family, fact("customer", customer="kid", guardian="ann"))
    with store.read() as connection:
        found = queries.members(connection, ["a:email:home@x.example", "o:firm", "h:h1", "c:ann"])
    assert found == {
        "a:email:home@x.example": ["ann", "bob"],
        "o:firm": ["ann"],
        "h:h1": ["ann", "bob"],
        "c:ann": ["kid"],
    }


@pytest.fixture
def firm(fact):
    """Two people of one firm, one of whom has a complaint and was promised something."""
    return [
        fact("customer", name="Ann", organisation="firm", roles=["driver"]),
        fact("customer", customer="bob", name="Bob", organisation="firm", roles=["buyer"], stated_by="staff"),
        fact("case", customer="bob", id="K1", kind="noise", status="open"),
        fact("commitment", customer="bob", id="P1", what="Call", owner="Rosa", due="2026-06-01T12:00:00Z", kept=False),
        fact("case", customer="cy", id="K2", kind="noise", status="open"),
    ]


def colleagues(store, customer, now):
    """Of each colleague the roles, the open cases and the promises."""
    state = fold(loaded(store, customer)[customer].ledger, now)
    assert not state.cases
    assert not state.commitments
    return {
        who: (one.profile.roles, sorted(one.cases), [name for name, _ in one.commitments])
        for who, one in state.colleagues.items()
    }


def test_colleagues_know_of_each_others_cases_and_promises(store, learn, firm, noon):
    """A case and a promise of one person are in the plans of their colleagues, and are not their colleagues' own."""
    learn(store, *firm)
    assert colleagues(store, "ann", noon) == {"bob": (("buyer",), ["K1"], ["P1"])}
    with store.read() as connection:
        assert queries.flagged(connection, FLAG_CORRECTED) == ["c:bob"]
    own = fold(loaded(store, "bob")["bob"].ledger, noon)
    assert (sorted(own.cases), own.shared) == (["K1"], frozenset())
    assert list(own.colleagues) == ["ann"]


def test_colleagues_are_the_same_in_any_order_of_import(store, learn, firm, noon):
    """Whether the case or the organisation comes to be known first makes no difference."""
    shuffle = random.Random(3)
    for _ in range(3):
        with store.write() as connection:
            for name in (*TABLES, "wake"):
                connection.execute(text(f"DELETE FROM {name}"))  # noqa: S608
        shuffle.shuffle(firm)
        for one in firm:
            learn(store, one)
        assert colleagues(store, "ann", noon) == {"bob": (("buyer",), ["K1"], ["P1"])}


def test_a_colleagues_case_wakes_the_others_and_leaving_ends_it(store, learn, firm, fact, noon):
    """What binds colleagues wakes them; whoever has left the firm binds nobody there, nor is bound by it."""
    learn(store, *firm[:2])
    with store.write() as connection:
        assert queries.claim(connection, micros(noon), micros(noon + timedelta(days=9)), 10)
    learn(store, firm[2])
    with store.read() as connection:
        assert queries.next_due(connection) == micros(noon)
    learn(store, fact("customer", customer="bob", organisation=None, at="2026-05-20T12:00:00Z", stated_by="staff"))
    assert colleagues(store, "ann", noon + timedelta(days=60)) == {}


@pytest.mark.postgres
def test_a_case_and_an_intent_do_not_block_each_other(postgres_url, learn, firm):
    """A worker that checks a customer and their organisation, and a case that comes in meanwhile, wait in one order."""
    stores = [Store(postgres_url) for _ in range(4)]
    one, two, three, watch = stores
    learn(one, *firm[:2])

    def check(store):
        with store.write() as connection:
            return queries.lock_ledgers(connection, ["c:bob", "o:firm"])

    with ThreadPoolExecutor(2) as pool:
        with one.write() as connection:
            connection.execute(text("SELECT * FROM ledger WHERE subject LIKE 'o:%' FOR UPDATE"))
            checked = pool.submit(check, two)
            until_waiting(watch, 1)
            said = pool.submit(learn, three, firm[2])
            until_waiting(watch, 2)
        assert len(checked.result(timeout=20)) == 2
        assert len(said.result(timeout=20)) == 1
    for store in stores:
        store.close()


def test_appointments_stand_by_time(store, learn, family, fact):
    """What was booked, moved and cancelled stands as it is now, even where that was booked for later."""
    learn(store, *family)
    with store.read() as connection:
        (row,) = queries.appointments_between(connection, 0, micros(family[4].start) * 2)
    assert (row.customer, row.id, row.service, row.status, row.calendar) == ("ann", "a1", "oil", "booked", None)
    assert row.start == micros(family[5].start)
    learn(store, fact("appointment", id="a1", at="2026-05-17T12:00:00Z", status="cancelled"))
    with store.read() as connection:
        (row,) = queries.appointments_between(connection, 0, micros(family[4].start) * 2)
    assert row.status == "cancelled"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
@pytest.mark.parametrize("together", [True, False])
def test_an_opt_out_binds_the_address_in_either_order(store, learn, fact, order, together):
    """Whether the address or the refusal was known first, whoever shares the address sees the refusal."""
    facts = [fact("contact_point", **MAIL), fact("consent", **STOP), fact("contact_point", customer="bob", **MAIL)]
    if together:
        learn(store, *(facts[number] for number in order))
    else:
        for number in order:
            learn(store, facts[number])
    ledger = loaded(store, "bob")["bob"].ledger
    assert [one for _, one in ledger.circles["a:email:home@x.example"]] == [facts[1]]
    said = fold(ledger, facts[1].at).address_consents
    assert said == {"home@x.example": (facts[1],)}
    assert isinstance(facts[1], Consent)
    assert VOCABULARY is not None


def test_an_opt_out_binds_only_addresses_that_it_is_about(store, learn, fact):
    """No more text messages is said of the phone; everything, of every address."""
    phone = {"kind": "phone", "address": "+13125550142"}
    learn(
        store,
        fact("contact_point", **MAIL),
        fact("contact_point", **phone),
        fact("consent", **{**STOP, "medium": "sms"}),
    )
    assert versions(store, "a:email:home@x.example").get("a:email:home@x.example", (0, 0)) == (0, 0)
    learn(store, fact("consent", **{**STOP, "medium": "*"}))
    assert versions(store, "a:email:home@x.example", "a:phone:+13125550142") == {
        "a:email:home@x.example": (1, FLAG_REFUSED),
        "a:phone:+13125550142": (2, FLAG_REFUSED),
    }


def test_a_circles_fact_wakes_its_members(store, learn, family, fact, noon):
    """What happens to a household or a shared address is looked at for everybody in it, and nobody else."""
    learn(store, *family, fact("customer", customer="cy"))

    def woken_by(*facts):
        with store.write() as connection:
            connection.execute(text("DELETE FROM wake"))
        learn(store, *facts)
        with store.write() as connection:
            return [name for name, _ in queries.claim(connection, micros(noon), micros(noon), 10)]

    assert woken_by(fact("event", customer=None, household="h1", kind="fair", id="f2")) == ["ann", "bob"]
    assert woken_by(fact("event", customer="cy", kind="fair", id="f3")) == ["cy"]
    with store.write() as connection:
        connection.execute(text("DELETE FROM wake"))
        wake_for(connection, ["a:email:home@x.example"], noon)
        assert [name for name, _ in queries.claim(connection, micros(noon), micros(noon), 10)] == ["ann", "bob"]


def test_the_ledger_as_it_was_known(store, learn, fact, noon):
    """What was learnt later is not in the ledger of an earlier instant, however long it had been true."""
    early, late = "2026-06-01T12:00:00Z", "2026-06-10T12:00:00Z"
    learn(store, fact("customer", name="Anna", recorded_at=early), fact("contact_point", recorded_at=early, **MAIL))
    learn(store, fact("customer", name="Ann", at="2026-05-16T12:00:00Z", recorded_at=late))
    learn(store, fact("consent", recorded_at=late, **STOP))
    ledger = loaded(store, "ann")["ann"].ledger
    then = noon - timedelta(days=7)
    assert [fold(one, noon).profile.name for one in (ledger, ledger.known_by(then))] == ["Ann", "Anna"]
    assert ledger.circles["a:email:home@x.example"] != ()
    assert ledger.known_by(then).circles["a:email:home@x.example"] == ()


def test_a_batch_is_loaded_with_its_circles(store, learn, family, fact):
    """Each customer of a batch gets their own facts, those of their circles, and the versions of both."""
    learn(store, *family, fact("customer", customer="kid", guardian="ann"))
    found = loaded(store, "bob", "kid", "nobody")
    assert list(found) == ["bob", "kid", "nobody"]
    assert {one.customer for _, one in found["bob"].ledger.entries} == {"bob"}
    assert set(found["bob"].ledger.circles) == {"a:email:home@x.example", "h:h1"}
    assert found["bob"].versions == {"c:bob": 2, "a:email:home@x.example": 1, "h:h1": 1}
    assert found["kid"].versions == {"c:kid": 1, "c:ann": 7}
    assert (found["nobody"].ledger.entries, found["nobody"].versions) == ((), {"c:nobody": 0})


def test_entries_stand_in_the_order_of_their_digests(store, learn, family):
    """The order of import leaves no trace in what the planner is handed."""
    learn(store, *reversed(family))
    entries = loaded(store, "ann")["ann"].ledger.entries
    assert [digest for digest, _ in entries] == sorted(digest for digest, _ in entries)


def test_what_is_under_way_is_loaded(store, learn, fact, noon):
    """A message that is being sent is part of its customer's ledger, and of nobody else's own."""
    sent = Sent(
        at=noon,
        customer="ann",
        key="ann/r/s/-/1",
        parts=["ann/r/s/-/1"],
        rule="r",
        step="s",
        subject="-",
        occurrence="1",
        purpose="service",
        topic="visit",
        department="desk",
        medium="email",
        address="home@x.example",
        template="t",
        content="c",
    )
    learn(store, fact("contact_point", **MAIL), fact("contact_point", customer="bob", **MAIL))
    row = {"customer": "ann", "key": sent.key, "channel": "mail", "address": sent.address, "state": "sending"}
    with store.write() as connection:
        times = {"started_at": micros(noon), "send_by": micros(noon)}
        queries.add_attempts(connection, [{"id": "t1", "sent": store_bytes(sent), **row, **times}])
    found = loaded(store, "ann", "bob")
    assert [(way.sent, way.state) for way in found["ann"].ledger.under_way] == [(sent, "sending")]
    assert found["bob"].ledger.under_way == ()


def store_bytes(sent):
    from msgspec import json

    return json.encode(sent)


def test_a_failed_append_leaves_nothing(store, fact, noon):
    """Facts, versions, circles and wakes become durable together, or not at all."""
    before = contents(store)
    with pytest.raises(RuntimeError), store.write() as connection:
        fail_after_appending(connection, fact("contact_point", **MAIL), noon)
    assert contents(store) == before


def fail_after_appending(connection, one, now):
    append(connection, [("c:ann", one)], now)
    raise RuntimeError


def test_the_same_new_facts_from_two_sides_at_once(store, open_store, learn, family):
    """Two imports of the same file at the same time go through, and each fact is there once."""
    start = Barrier(3)

    def work(_number):
        mine = open_store()
        start.wait()
        return [len(learn(mine, one)) for one in family]

    with ThreadPoolExecutor(3) as pool:
        new = list(pool.map(work, range(3)))
    assert [sum(counts) for counts in zip(*new, strict=True)] == [1] * len(family)
    learn(store, *family)
    assert versions(store, "c:ann", "o:firm", "h:h1", "a:email:home@x.example") == {
        "c:ann": (7, FLAG_REFUSED | FLAG_COLLEAGUE),
        "o:firm": (1, 0),
        "h:h1": (1, 0),
        "a:email:home@x.example": (1, FLAG_REFUSED),
    }


@pytest.mark.postgres
def test_an_opt_out_and_an_intent_do_not_block_each_other(postgres_url, learn, fact):
    """A worker that checks versions and an opt-out that comes in meanwhile wait in one order, never in a circle."""
    stores = [Store(postgres_url) for _ in range(4)]
    one, two, three, watch = stores
    learn(one, fact("contact_point", **MAIL), fact("consent", **STOP))
    subjects = ["c:ann", "a:email:home@x.example"]

    def check(store):
        with store.write() as connection:
            return queries.lock_ledgers(connection, subjects)

    with ThreadPoolExecutor(2) as pool:
        with one.write() as connection:
            connection.execute(text("SELECT * FROM ledger WHERE subject LIKE 'a:%' FOR UPDATE"))
            checked = pool.submit(check, two)
            until_waiting(watch, 1)
            said = pool.submit(learn, three, fact("consent", **{**STOP, "medium": "*"}))
            until_waiting(watch, 2)
        assert len(checked.result(timeout=20)) == 2
        assert len(said.result(timeout=20)) == 1
    for store in stores:
        store.close()


@pytest.mark.postgres
def test_a_newcomer_at_an_address_keeps_its_stop_from_an_erasure(postgres_url, learn, fact, noon):
    """Bob comes with Ann's address while she is erased: the erasure waits for him, and the refusal goes on holding."""
    one, two, watch = (Store(postgres_url) for _ in range(3))
    learn(one, fact("contact_point", **MAIL), fact("consent", **STOP))
    point = fact("contact_point", customer="bob", **MAIL)

    def erase():
        with two.write() as connection:
            return forget(connection, "ann", noon, "pat")

    with ThreadPoolExecutor(1) as pool:
        with one.write() as connection:
            append(connection, [("c:bob", point)], noon)
            erased = pool.submit(erase)
            until_waiting(watch, 1)
        assert erased.result(timeout=20) is not None
    with one.read() as connection:
        (bobs,) = ledgers(connection, ["bob"])
    assert any(not said.granted for found in fold(bobs, noon).address_consents.values() for said in found)
    for store in (one, two, watch):
        store.close()
