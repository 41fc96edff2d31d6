"""What comes of attempts, made durable: late, doubled and shuffled news changes nothing; on both databases."""

from __future__ import annotations

import itertools
from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import text

from commsched.delivery.receipts import DOUBT, Result, doubt_delay, settle, state_of
from commsched.model.facts import ContactPoint, Delivered, Sent
from commsched.plugin.channel import Accepted, Ambiguous, Refused, TryLater
from commsched.store import queries
from commsched.store.ledgers import load
from commsched.store.messages import MessageRecord, load_record, message_row
from commsched.store.store import micros

OUTCOMES = {
    "accepted": Accepted("ref"),
    "refused": Refused("no"),
    "bad": Refused("no such mailbox", bad_address=True),
    "later": TryLater("busy", after=timedelta(minutes=5)),
    "doubt": Ambiguous("lost"),
}


@pytest.fixture
def sending(store, noon, fact, learn):
    """Two people at one address, and a message to ann that is being sent in these attempts; results of them."""
    learn(
        store, *(fact("contact_point", customer=who, kind="email", address="home@x.example") for who in ("ann", "bob"))
    )
    key = "ann/r/s/-/1"
    sent = Sent(
        at=noon,
        recorded_at=noon,
        customer="ann",
        source="commsched",
        stated_by="import",
        key=key,
        parts=[key],
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
    record = MessageRecord(
        key=key,
        parts=(key,),
        customer="ann",
        rule="r",
        step="s",
        subject="-",
        purpose="service",
        topic="visit",
        department="desk",
        medium="email",
        channel="mail",
        to="home@x.example",
        state="sending",
        final=False,
        at=noon,
        anchor_kind="event",
        anchor_at=noon,
        ideal=noon,
        deadline=noon + timedelta(days=9),
        template="t",
    )

    def begun(*attempts):
        rows = [
            {
                "id": name,
                "customer": "ann",
                "key": key,
                "channel": "mail",
                "address": sent.address,
                "state": "sending",
                "started_at": micros(noon),
                "send_by": micros(noon),
                "sent": msgspec.json.encode(sent),
            }
            for name in attempts
        ]
        with store.write() as connection:
            queries.add_attempts(connection, rows)
            queries.put_messages(connection, [message_row(record, signature=b"s", attempt=attempts[-1])])
        return lambda attempt, outcome: Result(attempt, record, sent, OUTCOMES[outcome])

    return begun


@pytest.fixture
def report(store, noon):
    """Settles results; says who must be looked at again, and when."""

    def settled(*results, now=noon):
        with store.write() as connection:
            return settle(connection, results, now)

    return settled


def everything(store):
    with store.read() as connection:
        rows = connection.execute(text("SELECT subject, digest FROM fact ORDER BY 1, 2")).all()
        facts = [(row[0], bytes(row[1])) for row in rows]
        attempts = [(row.id, row.state) for row in queries.attempts(connection)]
        return facts, attempts, state(store)


def state(store):
    with store.read() as connection:
        return load_record(queries.message(connection, "ann", "ann/r/s/-/1").body).state


def known(store, customer):
    with store.read() as connection:
        return load(connection, [customer])[customer].ledger


def test_accepted(store, sending, report):
    """An accepted message is a fact of its customer and of everybody at its address, and needs no further look."""
    assert report(sending("t1")("t1", "accepted")) == {}
    assert state(store) == "sent"
    assert [type(one) for _, one in known(store, "ann").entries].count(Sent) == 1
    (shared,) = known(store, "bob").circles["a:email:home@x.example"]
    assert isinstance(shared[1], Sent)
    with store.read() as connection:
        (row,) = queries.attempts(connection)
    assert (row.state, row.detail, row.finished_at is not None) == ("accepted", "ref", True)


def test_refused(store, sending, report, noon):
    """A refusal is a fact, and the customer is looked at again at once; the address stays good."""
    assert report(sending("t1")("t1", "refused")) == {"ann": noon}
    assert state(store) == "planned"
    kinds = {type(one) for _, one in known(store, "ann").entries}
    assert Delivered in kinds
    assert [one.valid for _, one in known(store, "ann").entries if isinstance(one, ContactPoint)] == [msgspec.UNSET]


def test_a_bad_address(store, sending, report):
    """An address that the provider calls wrong is marked as such, by staff's rank, for this customer."""
    report(sending("t1")("t1", "bad"))
    points = [one for _, one in known(store, "ann").entries if isinstance(one, ContactPoint)]
    assert sorted(str(one.valid) for one in points) == ["False", "UNSET"]
    assert {one.stated_by for one in points if one.valid is False} == {"staff"}


def test_try_later(store, sending, report, noon):
    """A message that was provably not taken is planned again, after the time that the provider asked for."""
    assert report(sending("t1")("t1", "later")) == {"ann": noon + timedelta(minutes=5)}
    assert state(store) == "planned"
    assert everything(store)[1] == [("t1", "try_later")]


def test_doubt(store, sending, report, noon):
    """An unknown fate is no end: the attempt stays open, without an end, and is looked at soon."""
    assert report(sending("t1")("t1", "doubt")) == {"ann": noon + DOUBT[0]}
    with store.read() as connection:
        (row,) = queries.attempts(connection)
    assert (state(store), row.state, row.finished_at) == ("in_doubt", "in_doubt", None)


@pytest.mark.parametrize("first", ["accepted", "refused", "bad", "later"])
def test_the_same_news_again(store, sending, report, noon, first):
    """A result that comes twice, together or apart, has the effect of one."""
    made = sending("t1")
    report(made("t1", first))
    before = everything(store)
    report(made("t1", first), now=noon + timedelta(hours=1))
    assert everything(store) == before


@pytest.mark.parametrize("late", ["refused", "bad", "later", "doubt"])
def test_late_news_of_an_accepted_message(store, sending, report, late):
    """Once accepted, a message is not planned again by whatever comes later."""
    made = sending("t1")
    report(made("t1", "accepted"))
    before = everything(store)
    assert report(made("t1", late)) == {}
    assert everything(store) == before


@pytest.mark.parametrize("order", list(itertools.permutations(["doubt", "accepted", "later"])))
def test_shuffled_news_never_loses_an_acceptance(store, sending, report, order):
    """In whatever order the news of one attempt comes, an acceptance among it makes the message sent."""
    made = sending("t1")
    for outcome in order:
        report(made("t1", outcome))
    assert state(store) == "sent"
    assert [type(one) for _, one in known(store, "ann").entries].count(Sent) == 1


def test_an_old_attempts_end_leaves_the_new_one_alone(store, sending, report):
    """News of an attempt that has ended does not undo what a later attempt achieved."""
    made = sending("t1", "t2")
    report(made("t1", "later"))
    report(made("t2", "accepted"))
    report(made("t1", "later"))
    assert (state(store), everything(store)[1]) == ("sent", [("t1", "try_later"), ("t2", "accepted")])


def test_names_of_outcomes():
    """Observers and attempts use one set of words."""
    assert [state_of(one) for one in OUTCOMES.values()] == ["accepted", "refused", "refused", "try_later", "in_doubt"]


def test_doubt_is_looked_into_less_and_less_often(noon):
    """After two minutes, a quarter of an hour, an hour, and then every hour."""
    ages = [timedelta(), timedelta(minutes=2), timedelta(minutes=20), timedelta(hours=5)]
    assert [doubt_delay(noon, noon + age) for age in ages] == [*DOUBT, DOUBT[-1]]


def test_a_record_keeps_its_words(sending, noon):
    """What stands in a record comes back from its bytes."""
    result = sending("t1")("t1", "accepted")
    record = replace(result.record, body="Grüße", reasons=(("a", "b", "c"),))
    assert load_record(message_row(record, signature=b"")["body"]) == record


@pytest.mark.parametrize("ended", ["refused", "later"])
def test_an_attempt_that_was_accepted_after_all(store, sending, report, ended):
    """What counted as not taken and was taken counts as taken, once, and is not told again as news."""
    made = sending("t1")
    report(made("t1", ended))
    report(made("t1", "accepted"))
    before = everything(store)
    assert (before[1], before[2]) == ([("t1", "accepted")], "sent")
    report(made("t1", "accepted"))
    assert everything(store) == before


def test_what_was_delivered_is_not_merely_sent_again(store, sending, report):
    """However late an attempt is said to have been accepted, its message stays as far as it has come."""
    made = sending("t1", "t2")
    report(made("t1", "later"), made("t2", "accepted"))
    with store.write() as connection:
        record = replace(made("t2", "accepted").record, state="delivered", final=True)
        queries.put_messages(connection, [message_row(record, signature=b"", attempt="t2")])
    report(made("t1", "accepted"))
    assert state(store) == "delivered"


def test_a_newer_attempt_under_way_keeps_its_message(store, sending, report):
    """Late news of an older attempt leaves the message to the one that is being sent, and it is not planned again."""
    made = sending("t1", "t2")
    report(made("t1", "accepted"))
    with store.read() as connection:
        row = queries.message(connection, "ann", "ann/r/s/-/1")
    assert (row.attempt, row.state) == ("t2", "sending")
    report(made("t2", "later"))
    assert state(store) == "sent"
