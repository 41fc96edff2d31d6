"""What providers tell: each event once, in any order, and to whom it belongs; on both databases."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec.structs import replace as changed
from sqlalchemy import select
from sqlalchemy.event import listen

from commsched.delivery.events import Origin, identity, take, take_kept
from commsched.delivery.receipts import Result, settle
from commsched.model.facts import Appointment, Consent, ContactPoint, Delivered, Reply
from commsched.planning.fold import fold
from commsched.plugin.channel import Accepted, Ambiguous, Capabilities, ChannelEvent, Receipt, Refused
from commsched.store import queries
from commsched.store.ledgers import load
from commsched.store.messages import load_task
from commsched.store.tables import unmatched

MAIL = Origin("mail", "email", "desk")
TEXT = Origin("text", "sms", "desk")
# A mailbox, where anybody can write whatever they like.
BOX = replace(MAIL, proven=False)
SECOND = timedelta(seconds=1)


@pytest.fixture
def shop(garage, customer):
    """One message went to ann by mail."""
    found = garage()
    found.learn(*customer())
    found.tick()
    return found


def attempt_of(shop):
    with shop.store.read() as connection:
        return queries.attempts(connection)[-1].id


def heard(shop, *events, origin=MAIL):
    with shop.store.write() as connection:
        return take(connection, origin, events, shop.clock.at)


def event(shop, kind, number=1, **fields):
    return ChannelEvent(kind, shop.clock.at, attempt=attempt_of(shop), id=f"{kind}-{number}", **fields)


def state_of(shop, customer="ann"):
    with shop.store.read() as connection:
        return fold(load(connection, [customer])[customer].ledger, shop.clock.at)


def tasks(shop):
    with shop.store.read() as connection:
        return [load_task(row.body) for row in queries.tasks(connection)]


@pytest.mark.parametrize("kinds", list(itertools.permutations(["accepted", "delivered", "undelivered"])))
def test_any_order_gives_one_state(shop, kinds):
    """Whatever comes first, what was delivered stays delivered."""
    for kind in kinds:
        heard(shop, event(shop, kind))
    assert shop.messages["ann/say"].state == "delivered"


def test_the_same_46_times(shop):
    """The same event, 46 times, in one call or in several, has one effect."""
    once = event(shop, "reply", text="Thank you")
    assert heard(shop, *[once] * 23).new == 1
    assert [heard(shop, once).new for _ in range(23)] == [0] * 23
    assert len(state_of(shop).replies) == 1


def test_without_an_id_it_is_known_by_what_it_says(shop):
    """Where a provider gives none, equal events are one, and different ones are two."""
    one = replace(event(shop, "reply", text="Yes"), id="")
    assert identity(one) == identity(replace(one))
    assert identity(one) != identity(replace(one, text="No"))


@pytest.mark.parametrize("kind", ["accepted", "delivered", "undelivered", "bounced"])
def test_a_callback_ends_doubt(garage, customer, kind):
    """What the provider reports on, it had taken: the attempt counts as accepted, and nothing goes again."""
    shop = garage()
    shop.mail.answers["ann@x.example"] = Ambiguous("reset")
    shop.learn(*customer())
    shop.tick()
    assert shop.messages["ann/say"].state == "in_doubt"
    heard(shop, event(shop, kind))
    assert shop.attempts == [("ann", "accepted")]
    shop.tick(hours=2)
    assert len(shop.mail.calls) == 1
    said = {"accepted": "sent", "bounced": "undelivered"}.get(kind, kind)
    assert shop.messages["ann/say"].state == said


@pytest.mark.parametrize("state", ["accepted", "delivered", "undelivered"])
def test_a_lookup_tells_as_much_as_a_callback(garage, customer, state):
    """What the provider answers when it is asked about an attempt counts as if it had called."""
    shop = garage()
    shop.mail.capabilities = Capabilities(lookup="hint")
    shop.mail.answers["ann@x.example"] = Ambiguous("reset")
    shop.learn(*customer())
    shop.tick()
    shop.mail.knows["ann@x.example"] = Receipt(attempt_of(shop), state, "ref", "unknown subscriber")
    shop.tick(minutes=3)
    assert shop.messages["ann/say"].state == ("sent" if state == "accepted" else state)
    details = [one.detail for one in state_of(shop).undelivered]
    assert details == (["unknown subscriber"] if state == "undelivered" else [])


def test_the_workers_own_result_comes_after_the_callback(shop):
    """A worker that reports late that the message was accepted takes nothing back."""
    heard(shop, event(shop, "delivered"))
    with shop.store.write() as connection:
        row = queries.attempts(connection)[0]
        record = changed(shop.messages["ann/say"], state="sending")
        (sent,) = state_of(shop).sent
        settle(connection, [Result(row.id, record, sent, Accepted("x"))], shop.clock.at)
    assert shop.messages["ann/say"].state == "delivered"


def test_a_bounce_marks_the_address(shop):
    """A hard bounce makes the address unusable; a soft one is counted, and no more."""
    heard(shop, event(shop, "undelivered", detail="mailbox full"))
    assert all(one.valid for one in state_of(shop).contacts)
    heard(shop, event(shop, "bounced", detail="no such mailbox", address="ann@x.example"))
    assert not any(one.valid for one in state_of(shop).contacts)
    assert [one.detail for one in state_of(shop).undelivered] == ["mailbox full"]


def test_stop_and_start(shop, customer, fact):
    """STOP closes the medium there for everybody; START takes that back, and no other refusal."""
    shop.learn(*customer("bob", email="ann@x.example"))
    stop = ChannelEvent("opt_out", shop.clock.at, address="ann@x.example", id="1", text="STOP")
    heard(shop, stop)
    shop.tick()
    assert shop.messages["bob/say"].state == "refused"
    said = {"medium": "email", "purpose": "survey", "granted": False, "method": "at the desk", "stated_by": "customer"}
    shop.learn(fact("consent", customer="bob", **said))
    shop.clock.at += SECOND
    heard(shop, ChannelEvent("opt_in", shop.clock.at, address="ann@x.example", id="2", text="START"))
    shop.tick()
    assert shop.messages["bob/say"].state == "sent"
    left = state_of(shop, "bob").consents
    assert [(one.purpose, one.granted) for one in left] == [("survey", False)]


def test_start_late_and_before_its_stop(shop):
    """What counts is when they were said, not when they were heard."""
    later = shop.clock.at
    heard(shop, ChannelEvent("opt_in", later, address="ann@x.example", id="2"))
    heard(shop, ChannelEvent("opt_out", later - SECOND, address="ann@x.example", id="1"))
    assert state_of(shop).consents == ()


def test_another_channels_start_is_no_start(shop):
    """A START by one channel leaves the STOP that came by another."""
    heard(shop, ChannelEvent("opt_out", shop.clock.at, address="ann@x.example", id="1"))
    heard(
        shop,
        ChannelEvent("opt_in", shop.clock.at, address="ann@x.example", id="1"),
        origin=replace(MAIL, channel="spare"),
    )
    assert len(state_of(shop).consents) == 1


def test_stop_of_nobody_known_binds_whoever_has_the_address(shop, customer):
    """A STOP from an address that nobody has binds it, should it become somebody's."""
    heard(shop, ChannelEvent("opt_out", shop.clock.at, address="new@x.example", id="1"))
    shop.learn(*customer("new"))
    shop.tick()
    assert shop.messages["new/say"].state == "refused"


def test_the_providers_refusal_is_an_opt_out(garage, customer):
    """Refused because they opted out: that binds from then on, for all who share the address."""
    shop = garage()
    shop.mail.answers["ann@x.example"] = Refused("21610", opted_out=True)
    shop.learn(*customer(), *customer("bob", email="ann@x.example"))
    shop.tick()
    shop.tick(seconds=1)
    assert len(shop.mail.calls) == 1
    assert {one.state for one in shop.messages.values()} == {"refused"}
    assert [one.source for one in state_of(shop).consents] == ["mail"]


def test_a_complaint_refuses_marketing(shop):
    """Called spam: nothing that advertises, there; everything else goes on."""
    heard(shop, event(shop, "complaint"))
    assert [(one.purpose, one.medium, one.granted) for one in state_of(shop).consents] == [
        ("marketing", "email", False)
    ]


def test_a_reply_answers_the_last_message_there(shop):
    """By the attempt, or by the address alone, a reply is its customer's and names the message."""
    heard(shop, ChannelEvent("reply", shop.clock.at, address="Ann@X.example", id="1", text="See you"))
    heard(shop, event(shop, "digit", text="1"))
    replies = state_of(shop).replies
    assert sorted(one.text for one in replies) == ["1", "See you"]
    assert {one.key for one in replies} == {shop.messages["ann/say"].key}


def test_several_share_the_address(shop, customer):
    """Nobody is credited with a reply that several may have written: somebody is asked, and the words are kept."""
    shop.learn(*customer("bob", email="ann@x.example"))
    shop.tick()
    taken = heard(shop, ChannelEvent("reply", shop.clock.at, address="ann@x.example", id="1", text="Not on Monday"))
    assert taken.shared == 1
    assert (state_of(shop).replies, state_of(shop, "bob").replies) == ((), ())
    (task,) = tasks(shop)
    assert (task.department, task.state) == ("desk", "open")
    assert all(word in task.text for word in ("Not on Monday", "ann, bob"))
    shop.tick(hours=1)
    assert tasks(shop) == [task], "planning leaves it to whoever does it"


def test_nobody_known(shop):
    """A reply from an address that nobody has is kept with the address, and no task is made of it."""
    taken = heard(shop, ChannelEvent("reply", shop.clock.at, address="who@x.example", id="1", text="Hello?"))
    assert (taken.new, taken.unknown, tasks(shop)) == (1, 1, [])
    with shop.store.read() as connection:
        ((_, _, body),) = queries.facts(connection, ["a:email:who@x.example"])
    assert b"Hello?" in body


def test_one_channel_has_no_say_about_anothers(shop):
    """An attempt of another channel's is as unknown as any."""
    heard(shop, event(shop, "delivered"), origin=TEXT)
    assert shop.messages["ann/say"].state == "sent"


def by_reference(shop, kind, reference, **fields):
    name = f"{kind}-{reference}-{len(fields)}"
    return ChannelEvent(kind, shop.clock.at, id=name, reference=reference, **fields)


def reference_of(shop):
    with shop.store.read() as connection:
        return queries.attempts(connection)[-1].detail


@pytest.mark.parametrize(
    ("kind", "state"), [("delivered", "delivered"), ("undelivered", "undelivered"), ("bounced", "undelivered")]
)
def test_the_providers_own_id_is_enough(shop, kind, state):
    """An event that names a message by the provider's id only is about it; a channel has no say about another's."""
    once = by_reference(shop, kind, reference_of(shop))
    heard(shop, once, origin=replace(MAIL, channel="other"))
    assert shop.messages["ann/say"].state == "sent"
    assert (heard(shop, once).unmatched, heard(shop, once).new) == (0, 0)
    assert shop.messages["ann/say"].state == state
    assert [one.valid for one in state_of(shop).contacts] == [kind != "bounced"]


@pytest.mark.parametrize("order", list(itertools.permutations(["delivered", "undelivered", "accepted"])))
def test_an_id_that_is_known_later(garage, customer, order):
    """What comes before the provider's answer is kept, counts once, in any order, and says nothing of a person."""
    shop = garage()
    shop.mail.answers["ann@x.example"] = Ambiguous("reset")
    shop.learn(*customer())
    shop.tick()
    events = [by_reference(shop, kind, "their-id", address="ann@x.example", detail="<ann@x.example>") for kind in order]
    assert [heard(shop, one).unmatched for one in events * 2] == [1, 1, 1, 0, 0, 0]
    assert b"ann@" not in everything_kept(shop)
    assert shop.messages["ann/say"].state == "in_doubt"
    heard(shop, event(shop, "accepted", reference="their-id"))
    with shop.store.write() as connection:
        take_kept(connection, MAIL, shop.clock.at)
    assert shop.messages["ann/say"].state == "delivered"
    assert everything_kept(shop) == b""
    with shop.store.write() as connection:
        assert take_kept(connection, MAIL, shop.clock.at).facts == []


def test_what_was_kept_is_announced_once_and_forgotten_within_the_hour(garage, customer):
    """It is announced when it is known whom it is about; an account that others share fills nothing up."""
    shop = garage()
    shop.mail.answers["ann@x.example"] = Ambiguous("reset")
    shop.learn(*customer())
    shop.tick()
    assert heard(shop, by_reference(shop, "delivered", "their-id")).heard == []
    heard(shop, event(shop, "accepted", reference="their-id"))
    with shop.store.write() as connection:
        assert [one.kind for one in take_kept(connection, MAIL, shop.clock.at).heard] == ["delivered"]
    heard(shop, by_reference(shop, "delivered", "another-programs"))
    assert everything_kept(shop) != b""
    shop.clock.at += timedelta(minutes=61)
    heard(shop, event(shop, "opened"))
    assert everything_kept(shop) == b""


def everything_kept(shop):
    with shop.store.read() as connection:
        return "".join(map(str, connection.execute(select(unmatched)).all())).encode()


def test_the_messages_of_one_request_share_an_id(garage, customer):
    """Of these the event is about the one that went to its address; without one nothing happens."""
    shop = garage()
    shop.mail.answers = {f"{name}@x.example": Accepted("batch") for name in ("ann", "bob")}
    shop.learn(*customer("ann"), *customer("bob"))
    shop.tick()
    assert heard(shop, by_reference(shop, "delivered", "batch")).unmatched == 1
    assert {one.state for one in shop.messages.values()} == {"sent"}
    heard(shop, by_reference(shop, "delivered", "batch", address="Bob@X.example"))
    assert {name: one.state for name, one in shop.messages.items()} == {"ann/say": "sent", "bob/say": "delivered"}


def test_an_id_that_nobody_knows_does_no_harm(shop):
    """It is counted and forgotten in time; where anybody can have written it, not even kept. Ids of any length do."""
    assert heard(shop, by_reference(shop, "delivered", "x" * 100_000)).unmatched == 1
    assert heard(shop, by_reference(shop, "bounced", "forged", address="ann@x.example"), origin=BOX).unmatched == 0
    assert shop.messages["ann/say"].state == "sent"
    shop.clock.at += timedelta(days=31)
    heard(shop, by_reference(shop, "reply", "", address="ann@x.example", text="Thanks"))
    assert everything_kept(shop) == b""


@pytest.mark.parametrize("bad", ["\x00", "\ud800", "\U0010ffff\u202e", "x" * 70_000, "'; --"])
@pytest.mark.parametrize("kind", ["reply", "bounced", "opt_out", "delivered", "unsuited", "complaint"])
@pytest.mark.parametrize("origin", [MAIL, BOX, TEXT], ids=["mail", "box", "text"])
def test_no_text_of_theirs_keeps_others_out(shop, kind, bad, origin):
    """Characters that no database takes, and texts of any length, in any field: the batch is taken all the same."""
    fields = {"address": f"ann{bad}@x.example", "detail": bad, "text": bad, "reference": bad, "data": {bad: bad}}
    hostile = [
        ChannelEvent(kind, shop.clock.at, attempt=bad, id=bad, **fields),
        ChannelEvent(kind, shop.clock.at, **fields),
        ChannelEvent(kind, shop.clock.at, id=f"{bad}2", reference=bad),
    ]
    once = event(shop, "delivered")
    assert heard(shop, *hostile, once, origin=origin).new == 4
    assert heard(shop, *hostile, once, origin=origin).new == 0
    assert shop.messages["ann/say"].state == ("sent" if origin is TEXT else "delivered")


def test_an_event_of_the_future(shop):
    """A provider's clock that is ahead makes nothing wait: it counts as heard now."""
    ahead = replace(event(shop, "reply", text="Hi"), at=shop.clock.at + timedelta(days=1))
    heard(shop, ahead)
    assert [one.at for one in state_of(shop).replies] == [shop.clock.at]


def test_the_facts_that_were_new_are_told(shop):
    """What is given back is what observers hear: every kind once."""
    taken = heard(shop, event(shop, "bounced", address="ann@x.example"), event(shop, "opt_out"), event(shop, "reply"))
    kinds = {type(fact) for fact in taken.facts}
    assert kinds == {Delivered, ContactPoint, Consent, Reply}


def test_a_bounce_of_an_address_with_capitals(garage, customer):
    """Mail systems write it in small letters; it is the same address, and is marked as no good."""
    shop = garage()
    shop.learn(*customer(email="Ann.Lee@x.example"))
    shop.tick()
    heard(shop, event(shop, "bounced", address="ann.lee@x.example"))
    assert [(one.address, one.valid) for one in state_of(shop).contacts] == [("Ann.Lee@x.example", False)]


def from_nowhere(shop, kind, **fields):
    return ChannelEvent(kind, shop.clock.at, **{"address": "ann@x.example", "id": f"forged {kind}"} | fields)


def circle_of_ann(shop):
    with shop.store.read() as connection:
        return list(queries.facts(connection, ["a:email:ann@x.example"]))


@pytest.mark.parametrize("kind", ["bounced", "complaint", "opt_out", "opt_in"])
@pytest.mark.parametrize("attempt", ["", "made-up"])
def test_forged_reports_do_nothing(shop, kind, attempt):
    """A report that names no message of ours says nothing of anybody, where anybody can have written it."""
    heard(shop, from_nowhere(shop, "opt_out", id="proven"))
    before, shared = state_of(shop), circle_of_ann(shop)
    heard(shop, from_nowhere(shop, kind, attempt=attempt), origin=BOX)
    after = state_of(shop)
    assert (after.contacts, after.consents) == (before.contacts, before.consents)
    assert (circle_of_ann(shop), len(before.consents)) == (shared, 1)


@pytest.mark.parametrize("kind", ["bounced", "complaint", "opt_out"])
@pytest.mark.parametrize(("address", "counts"), [("", True), ("Ann@x.example", True), ("bob@x.example", False)])
def test_a_report_of_our_own_message_counts_for_its_address(shop, customer, kind, address, counts):
    """Whoever has the message has its attempt's id; of another address than it went to they say nothing."""
    shop.learn(*customer("bob"))
    heard(shop, event(shop, kind, address=address), origin=BOX)
    ann, bob = state_of(shop), state_of(shop, "bob")
    changed = bool(ann.consents) or not all(one.valid for one in ann.contacts)
    assert changed == counts
    assert (bob.consents, all(one.valid for one in bob.contacts)) == ((), True)


def booked(shop, fact):
    start = (shop.clock.at + timedelta(days=3)).isoformat()
    said = {"id": "A1", "service": "oil", "status": "booked", "booked_by": "staff", "stated_by": "staff"}
    shop.learn(fact("appointment", start=start, **said))


@pytest.mark.parametrize("origin", [BOX, MAIL])
def test_a_forged_reply_cancels_nothing(shop, fact, origin):
    """Whether of a whole mailbox, or of one mail that a provider passes on, nobody can say who wrote it.

    A person reads what somebody wrote under a customer's address; the same in answer to our message counts.
    """
    booked(shop, fact)
    before = state_of(shop).appointments
    wish = replace(from_nowhere(shop, "reply", text="Please cancel my appointment"), proven=False)
    taken = heard(shop, wish, origin=origin)
    after = state_of(shop)
    assert not [one for one in taken.facts if isinstance(one, Appointment)]
    assert (after.appointments, [one.meaning for one in after.replies]) == (before, ["unclear"])
    heard(shop, event(shop, "reply", address="ann@x.example", text="Thank you, who are you?"), origin=BOX)
    assert state_of(shop).replies[-1].meaning in {"who", "unclear"}


def test_a_stop_that_nobody_can_prove(shop, customer, fact):
    """It silences what people need not be told, on that medium, and a person is asked to see to it."""
    heard(shop, from_nowhere(shop, "reply", text="STOP"), origin=BOX)
    said = state_of(shop).consents
    assert {one.medium for one in said} == {"email"}
    assert {one.purpose for one in said} == {"collections", "service", "survey", "sales", "marketing"}
    assert not any(one.granted for one in said)
    (task,) = tasks(shop)
    assert all(words in task.text for words in ("STOP", "under the address of ann"))
    shop.tick(hours=1)
    assert tasks(shop) == [task], "planning leaves it to whoever does it"


def test_a_proven_stop_needs_nobody(shop):
    """In answer to our message it stops everything that they asked to have stopped, and no task is made."""
    heard(shop, event(shop, "reply", address="ann@x.example", text="STOP"), origin=BOX)
    assert [(one.medium, one.purpose) for one in state_of(shop).consents] == [("*", "*")]
    assert tasks(shop) == []


def test_a_batch_locks_everything_first_and_in_one_order(garage, customer, fact):
    """Attempts, then ledgers, customers before circles, then calendars; afterwards nothing else is locked."""
    shop = garage()
    for name in ("ann", "bob", "zoe"):
        shop.learn(*customer(name, email="home@x.example" if name == "zoe" else None))
    shop.learn(fact("contact_point", kind="email", address="home@x.example"))
    shop.tick()
    with shop.store.read() as connection:
        rows = {row.customer: row for row in queries.attempts(connection)}
    at = shop.clock.at
    events = [
        ChannelEvent("reply", at, rows["zoe"].id, "home@x.example", id="1", text="STOP"),
        ChannelEvent("opt_out", at, rows["ann"].id, "ann@x.example", id="2"),
        ChannelEvent("complaint", at, address="home@x.example", id="3"),
        ChannelEvent("bounced", at, rows["bob"].id, "bob@x.example", id="4"),
    ]
    locked = []

    def note(_connection, _cursor, statement, parameters, *_):
        if "FROM ledger" in statement and "FOR UPDATE" in statement:
            locked.append(parameters)

    with shop.store.write() as connection:
        if connection.dialect.name != "postgresql":
            pytest.skip("SQLite has one writer at a time.")
        listen(connection, "before_cursor_execute", note)
        take(connection, MAIL, events, at)
    first = set(locked[0].values())
    assert {"c:ann", "c:bob", "c:zoe", "a:email:home@x.example", "a:email:ann@x.example"} <= first
    assert set().union(*(set(one.values()) for one in locked)) == first


@pytest.mark.parametrize(("media", "left"), [(None, ("voice",)), (["sms", "voice"], ("voice",)), (["sms"], ("sms",))])
def test_a_landline_is_called_and_not_texted(shop, fact, media, left):
    """What cannot take texts stays good for calls; where it was good for nothing else it is not valid."""
    said = {"kind": "phone", "address": "+13125550142"}
    shop.learn(fact("contact_point", **said | ({"media": media} if media else {})))
    told = ChannelEvent("unsuited", shop.clock.at, address="+13125550142", id="1", detail="Twilio 30006")
    heard(shop, told, origin=TEXT)
    (phone,) = [one for one in state_of(shop).contacts if one.kind == "phone"]
    assert (phone.media, phone.valid) == (left, left == ("voice",))
