"""Erasing a customer: nothing of theirs stays anywhere, their refusals go on holding, and nothing comes back."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import text

from commsched.delivery.events import Origin, take
from commsched.delivery.late import settle_late
from commsched.delivery.receipts import Result, settle
from commsched.engine import erasing, flight
from commsched.engine.erasing import erase
from commsched.errors import Erased, StoreError
from commsched.model.consents import permission
from commsched.model.facts import Sent
from commsched.planning.fold import fold
from commsched.plugin.channel import Accepted, Ambiguous, ChannelEvent, Refused
from commsched.store import queries
from commsched.store import store as stores
from commsched.store.access import export
from commsched.store.erasure import come_back, forget
from commsched.store.ledgers import load
from commsched.store.messages import load_record
from commsched.store.store import Store, micros
from commsched.store.suppression import Gone, ensure_key
from commsched.store.tables import metadata
from commsched.testing.strategies import VOCABULARY

HOME = {"kind": "email", "address": "Home@x.example"}
OWN = {"kind": "phone", "address": "+18475550142"}
STOP = {"medium": "*", "purpose": "*", "granted": False, "method": "by word", "stated_by": "customer"}
# What tells nothing about a person, table by table, with the reason; every other column must be covered by an erasure.
IMPERSONAL = {
    "alembic_version": "the version",
    "closure": "calendars",
    "pause": "rules",
    "breaker": "policies",
    "rule": "rules",
    "pace": "rules",
    "rate": "channels",
    "outage": "channels",
    "heard": "the providers' own ids of events",
    "unmatched": "the providers' own ids of messages, and digests, for as long as an answer may be late",
    "setting": "keys and instants",
    "suppression": "hashes",
}
BY_NAME = {"ledger": "subject", "fact": "subject", "claim": "subject", "audit": "detail"}


def everything(store: Store) -> str:
    """Every value in every table, as text."""
    with store.read() as connection:
        rows = [row for table in metadata.sorted_tables for row in connection.execute(table.select())]
    values = [value for row in rows for value in row]
    return "\n".join(
        bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)
        for value in values
    )


def found(words, content: str) -> list[str]:
    """Those of the words that occur, and where the first of them does; "channel" is not Ann."""
    places = {word: re.search(rf"(?<!\w){re.escape(word)}(?!\w)", content) for word in words}
    return [content[max(0, at.start() - 60) : at.end() + 60] for at in places.values() if at]


def erased(store, noon, customer="ann"):
    with store.write() as connection:
        return forget(connection, customer, noon, "pat")


def answer(store, customer, noon, medium="email", purpose="marketing"):
    with store.read() as connection:
        state = fold(load(connection, [customer])[customer].ledger, noon)
    said = [one for found in state.address_consents.values() for one in found]
    return permission(said, medium=medium, purpose=purpose, topic="oil", vocabulary=VOCABULARY)


@pytest.fixture
def family(fact):
    """Ann, with a phone of her own and a mailbox that she shares with Bob, whose guardian she is."""
    return [
        fact("customer", name="Ann Ruiz-Ortega", organisation="firm", household="h1"),
        fact("contact_point", **HOME),
        fact("contact_point", **OWN),
        fact("asset", id="VIN-77", kind="car", model="Zephyr", in_use=True),
        fact("consent", **STOP, text="leave me alone"),
        fact("case", id="K-9", kind="repair", status="open", summary="the brakes squeal"),
        fact(
            "appointment", id="A-1", service="oil", start="2026-07-01T15:00:00Z", end="2026-07-01T16:00:00Z",
            status="booked", calendar="bays",
        ),
        fact("wish", id="W-1", service="oil", between=["2026-07-01", "2026-07-09"]),
        fact("customer", customer="bob", name="Bob Lee", guardian="ann", organisation="firm"),
        fact("contact_point", customer="bob", **HOME),
        fact("event", customer="bob", kind="order", id="order-bob"),
    ]  # fmt: skip


STRINGS = (
    "ann", "Ruiz-Ortega", "+18475550142", "VIN-77", "Zephyr", "leave me alone", "K-9", "squeal", "A-1", "W-1",
)  # fmt: skip


def test_every_table_is_covered():
    """A table with a customer is erased and exported by that column; any other must be looked at by somebody."""
    tables = {name: table for name, table in metadata.tables.items() if "customer" not in table.c}
    assert tables.keys() <= IMPERSONAL.keys() | BY_NAME.keys()
    owned = {table.name for table in queries.OWNED} | {"calendar_entry"}
    assert owned == {name for name, table in metadata.tables.items() if "customer" in table.c}


def test_nothing_of_theirs_stays(store, learn, family, noon):
    """Not a name, an id, an address, a word or a thing of theirs is left in any table."""
    learn(store, *family)
    with store.write() as connection:
        queries.put_claim(connection, "c:ann", "pat", "sales", 0, 9)
        queries.note(connection, 5, "pat", "settle", "ann/thanks/say/-/order-1 sent")
    done = erased(store, noon)
    assert done is not None
    assert done.rows["fact"] >= 8
    left = everything(store)
    assert found(STRINGS, left) == []
    assert "Bob Lee" in left
    assert "home@x.example" in left


def test_the_file_has_no_bytes_of_theirs(tmp_path, learn, family, noon):
    """Neither do the free pages of SQLite and its log, once it was scrubbed."""
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.prepare()
    learn(store, *family)
    assert b"Ruiz-Ortega" in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    erased(store, noon)
    assert store.scrub()
    found = b"".join(path.read_bytes() for path in sorted(tmp_path.iterdir()))
    assert [word for word in STRINGS[1:] if word.encode() in found] == []
    store.close()


def test_a_file_in_use_is_said_to_be(tmp_path, monkeypatch):
    """Where somebody else is writing, the file cannot be scrubbed, and that is known."""
    monkeypatch.setattr(stores, "BUSY_SECONDS", 0)
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.prepare()
    with closing(sqlite3.connect(tmp_path / "store.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not store.scrub()
    assert store.scrub()
    store.close()


def test_twice_is_once(store, learn, family, noon):
    """Erasing somebody who was erased finds nothing, and changes nothing."""
    learn(store, *family)
    erased(store, noon)
    before = everything(store)
    assert erased(store, noon + timedelta(days=1)) is None
    assert everything(store) == before


def test_nobody_else_is_touched(store, learn, family, fact, noon):
    """What is known of others is as it was, but for the name of the guardian they had."""
    learn(store, *family, fact("customer", customer="joanna", name="Jo"))
    with store.read() as connection:
        before = load(connection, ["bob", "joanna"])
    erased(store, noon)
    with store.read() as connection:
        after = load(connection, ["bob", "joanna"])
    assert after["joanna"] == before["joanna"]
    old, new = fold(before["bob"].ledger, noon), fold(after["bob"].ledger, noon)
    assert msgspec.structs.replace(old.profile, guardian=None) == new.profile
    assert new.contacts == old.contacts
    assert new.guardian is None


def test_a_refusal_binds_the_address_when_it_comes_again(store, learn, family, fact, noon):
    """Under another id, from another source, later: the phone says no, and nobody knows whose no it was."""
    learn(store, *family)
    erased(store, noon)
    learn(store, fact("customer", customer="x7", name="A. R."), fact("contact_point", customer="x7", **OWN))
    assert answer(store, "x7", noon, "sms", "transactional") is False
    assert "leave me alone" not in everything(store)


def test_a_refusal_goes_on_binding_whom_it_bound(store, learn, family, noon):
    """What Ann refused at the mailbox that Bob has, too, is refused there still, without her name."""
    learn(store, *family)
    assert answer(store, "bob", noon, purpose="transactional") is False
    erased(store, noon)
    assert answer(store, "bob", noon, purpose="transactional") is False


def test_whoever_asked_to_be_forgotten_is_not_advertised_to(store, learn, fact, noon):
    """An address without refusals refuses advertising when it comes again, and its owner can lift that."""
    learn(store, fact("customer", name="Ann"), fact("contact_point", **OWN))
    erased(store, noon)
    learn(store, fact("customer", customer="x7"), fact("contact_point", customer="x7", **OWN))
    assert answer(store, "x7", noon, "sms", "sales") is False
    assert answer(store, "x7", noon, "sms", "service") is None
    later = noon + timedelta(days=30)
    yes = {"medium": "sms", "purpose": "sales", "granted": True, "method": "form", "stated_by": "customer"}
    learn(store, fact("consent", customer="x7", at=later.isoformat(), **yes), now=later)
    assert answer(store, "x7", later, "sms", "sales") is True


def test_a_start_takes_back_its_stop(store, learn, fact, noon):
    """A STOP by text outlives the erasure, and a START by the same channel takes it back."""
    origin = Origin("text", "sms", "desk")
    learn(store, fact("customer", name="Ann"), fact("contact_point", **OWN))
    with store.write() as connection:
        take(connection, origin, [ChannelEvent("opt_out", noon, address=OWN["address"], id="1")], noon)
    erased(store, noon)
    learn(store, fact("customer", customer="x7"), fact("contact_point", customer="x7", **OWN))
    assert answer(store, "x7", noon, "sms", "service") is False
    later = noon + timedelta(hours=1)
    with store.write() as connection:
        take(connection, origin, [ChannelEvent("opt_in", later, address=OWN["address"], id="2")], later)
    assert answer(store, "x7", later, "sms", "service") is None


def test_a_refusal_that_was_lifted_does_not_come_back(store, learn, fact, noon):
    """Who refused and then agreed has not refused, once erased, but for advertising."""
    yes = {**STOP, "granted": True, "at": "2026-05-20T12:00:00Z"}
    learn(store, fact("customer"), fact("contact_point", **OWN), fact("consent", **STOP), fact("consent", **yes))
    erased(store, noon)
    learn(store, fact("customer", customer="x7"), fact("contact_point", customer="x7", **OWN))
    assert answer(store, "x7", noon, "sms", "service") is None


def test_an_erased_customer_does_not_come_back_by_itself(store, learn, family, noon):
    """The next night's export of the same facts changes nothing, and whoever asks is told why."""
    learn(store, *family)
    done = erased(store, noon)
    before = everything(store)
    assert learn(store, *(one for one in family if one.customer == "ann")) == []
    assert everything(store) == before
    with pytest.raises(Erased, match=rf"erased on 2026-06-15 \(erasure {done.number}\)"):
        Gone(lambda: store)("ann", noon)
    Gone(lambda: store)("bob", noon)


def test_somebody_who_has_come_back(store, learn, fact, noon):
    """From the day of their return facts are taken in; what is older stays erased, and refusals hold."""
    learn(store, fact("customer", name="Ann"), fact("contact_point", **OWN), fact("consent", **STOP))
    erased(store, noon)
    back = noon + timedelta(days=9)
    with store.write() as connection:
        assert come_back(connection, "ann", back, "pat")
    old, new = fact("event", kind="order"), fact("event", kind="order", at=back.isoformat())
    phone = fact("contact_point", at=back.isoformat(), **OWN)
    assert learn(store, old, new, phone, now=back) == [new, phone]
    with pytest.raises(Erased, match="older than their return"):
        Gone(lambda: store)("ann", noon)
    Gone(lambda: store)("ann", back)
    assert answer(store, "ann", back, "sms", "service") is False
    assert erased(store, back) is not None
    assert learn(store, new, now=back) == []


def test_nobody_comes_back_who_was_not_erased(store, noon):
    """Of a customer who was never erased, that is said."""
    with store.write() as connection:
        assert not come_back(connection, "ann", noon, "pat")


def in_doubt(garage, customer, outcome=None):
    """A message to Ann that is in doubt, or whose call ends with an outcome while she is being erased."""
    here = garage()
    here.learn(*customer("ann", phone=OWN["address"]))
    here.mail.answers["ann@x.example"] = outcome or Ambiguous("nobody knows")
    return here


def test_fault_37_doubt_outlives_the_erasure_without_personal_data(garage, customer, noon):
    """An attempt in doubt keeps its id, and can be settled; of the customer it says nothing."""
    here = in_doubt(garage, customer)
    here.tick()
    assert here.attempts == [("ann", "in_doubt")]
    done = erased(here.store, noon)
    assert done.under_way == 1
    left = everything(here.store)
    assert found(("ann", "Ann", OWN["address"], "order-ann"), left) == []
    with here.store.write() as connection:
        (row,) = queries.attempts(connection, states=("in_doubt",))
        message = queries.message(connection, row.customer, row.key)
        sent = msgspec.json.decode(row.sent, type=Sent)
        settle(connection, [Result(row.id, load_record(message.body), sent, Accepted("found"))], noon)
    assert here.attempts == [(f"erased:{done.number}", "accepted")]
    assert found(("ann",), everything(here.store)) == []
    here.tick(hours=3)
    assert len(here.mail.calls) == 1


@pytest.mark.parametrize("answered", [Accepted("ref"), Refused("no", opted_out=True, bad_address=True)])
def test_a_worker_that_was_sending_brings_nothing_back(garage, customer, noon, answered):
    """Erased while the call runs, the customer stays erased when the worker writes down what came of it."""
    here = in_doubt(garage, customer, answered)
    here.mail.before = lambda _: erased(here.store, noon)
    here.tick()
    left = everything(here.store)
    assert found(("ann", "Ann", "order-ann", OWN["address"]), left) == []
    with here.store.read() as connection:
        assert not list(queries.facts(connection, ["a:email:"]))
    assert [state for _, state in here.attempts] == ["accepted" if isinstance(answered, Accepted) else "refused"]


def test_a_worker_that_had_planned_sends_nothing(garage, customer, noon):
    """Erased between the plan and the intent, the customer is not written to, and not even a name is left."""
    here = in_doubt(garage, customer)
    compose = here.loop.composer

    class Late:
        def __getattr__(self, name):
            return getattr(compose, name)

        def content(self, *arguments):
            erased(here.store, noon)
            return compose.content(*arguments)

    here.loop = here.worker(here.store, composer=Late())
    here.tick()
    assert here.mail.calls == []
    assert found(("ann",), everything(here.store)) == []


def test_a_late_answer_about_an_attempt_that_is_gone(garage, customer, noon):
    """A worker that comes back after the attempt had ended and was erased writes nothing, not even a ledger's name."""
    here = in_doubt(garage, customer, Accepted("ref"))
    here.tick()
    with here.store.read() as connection:
        (row,) = queries.attempts(connection)
        record = load_record(queries.message(connection, "ann", row.key).body)
    erased(here.store, noon)
    result = Result(row.id, record, msgspec.json.decode(row.sent, type=Sent), Accepted("ref"))
    with here.store.write() as connection:
        settle_late(connection, [result], noon)
    assert found(("ann", "Ann"), everything(here.store)) == []


@pytest.mark.parametrize(("kind", "address"), [("delivered", ""), ("bounced", "ann@x.example")])
def test_an_event_about_an_erased_attempt_changes_nothing(garage, customer, noon, kind, address):
    """A provider that calls long afterwards names an attempt that is gone, and perhaps an address."""
    here = in_doubt(garage, customer, Accepted("ref"))
    here.tick()
    with here.store.read() as connection:
        (row,) = queries.attempts(connection)
    erased(here.store, noon)
    before = everything(here.store)
    with here.store.write() as connection:
        take(connection, Origin("mail", "email", "desk"), [ChannelEvent(kind, noon, row.id, address, id="d1")], noon)
    assert everything(here.store).replace("d1", "").count("ann") == before.count("ann") == 0


def test_whoever_is_erased_while_an_event_waits_for_them_is_in_no_task(garage, customer, store, noon, monkeypatch):
    """A reply to an address that two share waits for its ledgers; one of the two is erased first."""
    if store.sqlite:
        pytest.skip("SQLite has one writer at a time")
    here = garage()
    here.learn(*customer("ann", email="both@x.example", phone=OWN["address"]), *customer("bob", email="both@x.example"))
    locked = queries.lock_ledgers

    def late(connection, ledgers):
        monkeypatch.setattr(queries, "lock_ledgers", locked)
        erased(here.store, noon)
        locked(connection, ledgers)

    monkeypatch.setattr(queries, "lock_ledgers", late)
    event = ChannelEvent("reply", noon, address="both@x.example", text="Who was that?", id="r1")
    with here.store.write() as connection:
        take(connection, Origin("mail", "email", "desk"), [event], noon)
    left = everything(here.store)
    assert "Who was that?" in left
    assert found(("ann", "Ann", OWN["address"]), left) == []


def test_an_event_about_what_was_under_way_tells_the_channel_to_forget(garage, customer, noon):
    """The worker died after the provider had taken the message; the provider's call is the first to tell of it."""
    here = in_doubt(garage, customer)
    here.tick()
    erased(here.store, noon)
    with here.store.read() as connection:
        (row,) = queries.attempts(connection)
    told = []
    here.mail.forget = told.extend
    here.app.hearing.channels["mail"] = here.mail
    here.app.hearing.take(here.mail, [ChannelEvent("delivered", noon, row.id, id="d1")], noon)
    assert told == [row.id]
    assert [state for _, state in here.attempts] == ["accepted"]


def test_the_copies_of_a_channel_go(garage, customer, noon):
    """The outbox keeps that it took the message, and neither its text nor to whom it went."""
    here = garage()
    loop = here.app.loop(here.counter)
    here.learn(*customer("ann"))
    loop.tick(noon)
    folder = here.app.folder / "var" / "outbox"
    assert list(folder.glob("*.eml"))
    erase(here.store, here.app.channels, here.app.folder, "ann", noon, "pat")
    assert [path.name for path in folder.iterdir()] == ["outbox.jsonl"]
    assert "ann" not in (folder / "outbox.jsonl").read_text("utf-8").lower()
    loop.tick(noon + timedelta(days=1))


@pytest.mark.parametrize("answers", ["the engine", "a call that nobody waits for any more"])
def test_what_a_channel_writes_after_the_erasure_goes(garage, customer, noon, monkeypatch, answers):
    """Erased between the intent and the outbox's own writing: nothing of theirs stays in the folder afterwards."""
    here = garage()
    loop = here.app.loop(here.counter)
    channels, folder = here.app.channels, here.app.folder / "var" / "outbox"
    here.learn(*customer("ann"))
    late = []

    def forgetting(*arguments):
        _, results, *_ = arguments
        late.extend(results)
        return {} if answers != "the engine" else settle(*arguments)

    for channel in channels.values():

        async def send(message, sending=channel.send):
            erase(here.store, channels, here.app.folder, "ann", noon, "pat")
            return await sending(message)

        async def send_batch(messages, sending=channel.send_batch):
            erase(here.store, channels, here.app.folder, "ann", noon, "pat")
            return await sending(messages)

        monkeypatch.setattr(channel, "send", send)
        monkeypatch.setattr(channel, "send_batch", send_batch)
    monkeypatch.setattr(flight, "settle", forgetting)
    loop.tick(noon)
    if answers != "the engine":
        assert list(folder.glob("*.eml"))
        with here.store.write() as connection:
            settle_late(connection, late, noon, channels)
    assert [path.name for path in folder.iterdir()] == ["outbox.jsonl"]
    assert "ann" not in (folder / "outbox.jsonl").read_text("utf-8").lower()


def test_what_was_settled_between_the_files_and_the_rows_goes(garage, customer, noon, monkeypatch):
    """The erasure has looked through the folder; then a message is written and accepted, and only then rows go."""
    here = garage()
    loop = here.app.loop(here.counter)
    here.learn(*customer("ann"))
    monkeypatch.setattr(erasing, "_drop_rejects", lambda *_: loop.tick(noon))
    erase(here.store, here.app.channels, here.app.folder, "ann", noon, "pat")
    assert [path.name for path in (here.app.folder / "var" / "outbox").iterdir()] == ["outbox.jsonl"]


def test_another_secret_is_refused(tmp_path, learn, fact, noon):
    """With another secret than that of the hashes nothing is appended: refusals would be lost without a word."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    first, second = Store(url, secret="one secret of ours"), Store(url, secret="another one, later")
    first.prepare()
    ensure_key(first)
    ensure_key(second)
    learn(first, fact("customer"), fact("contact_point", **OWN))
    erased(first, noon)
    with pytest.raises(StoreError, match="another \\[erasure\\] secret"):
        learn(second, fact("customer", customer="bob"))
    assert learn(first, fact("customer", customer="bob"))
    first.close()
    second.close()


def test_nobody_is_found_by_a_hash_alone(store, learn, fact, noon):
    """The hashes of two stores differ, as their keys do."""
    learn(store, fact("customer"), fact("contact_point", **OWN))
    erased(store, noon)
    with store.write() as connection:
        first = {bytes(row.digest) for row in queries.all_suppressed(connection)}
        connection.execute(text("DELETE FROM suppression"))
        connection.execute(text("DELETE FROM setting"))
    learn(store, fact("customer"), fact("contact_point", **OWN))
    erased(store, noon)
    with store.read() as connection:
        assert not first & {bytes(row.digest) for row in queries.all_suppressed(connection)}


def test_an_export_has_all_that_is_theirs_and_nothing_of_others(garage, customer, family, noon):
    """Facts, messages, decisions and the rest, without Bob, and the same each time."""
    here = garage()
    here.learn(*family, *customer("ann"), *customer("cat"))
    here.tick()
    with here.store.read() as connection:
        given = export(connection, "ann")
        assert export(connection, "ann") == given
    told = msgspec.json.encode(given).decode()
    assert [word for word in STRINGS if word not in told] == []
    assert found(("bob", "Bob", "cat", "Cat"), told) == []
    owned = {"calendar_entry", *(table.name for table in queries.OWNED)} - {"member"}
    assert owned <= {*given} | {"message", "attempt", "decision", "task", "correction"}


def test_an_export_has_no_secret_of_a_link(store, learn, fact, noon):
    """Texts lead to the pages of nobody: whoever reads the export could press what stands there."""
    learn(store, fact("customer"), fact("interaction", direction="in", medium="voice", by="Pat", summary="hello"))
    body = b'{"key":"ann/k","body":"see https://my.x.example/m/SECRET9 now","notes":["about Bob"]}'
    row = {"key": "ann/k", "customer": "ann", "rule": "r", "state": "sent", "at": micros(noon), "attempt": None}
    with store.write() as connection:
        queries.put_messages(connection, [{**row, "signature": b"", "body": body}])
        given = export(connection, "ann", "https://my.x.example")
    told = msgspec.json.encode(given).decode()
    assert "SECRET9" not in told
    assert "about Bob" not in told
    assert "https://my.x.example/" in told
