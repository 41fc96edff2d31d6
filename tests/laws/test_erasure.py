"""Erasure and access, for every customer: nothing stays, nothing of others is given away, a refusal goes on binding."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from commsched.model.consents import permission
from commsched.model.facts import Appointment, Case, Consent, ContactPoint, Customer, Event, Interaction
from commsched.model.subjects import subject_of
from commsched.planning.fold import fold
from commsched.store.access import export
from commsched.store.erasure import forget
from commsched.store.ledgers import append, ledgers
from commsched.store.store import Store
from commsched.testing.strategies import VOCABULARY

NOON = datetime(2026, 6, 15, 17, tzinfo=UTC)
# Words that occur nowhere but where a test puts them.
words = st.text("qxzjkv", min_size=6, max_size=10)
ages = st.integers(0, 2000).map(lambda hours: NOON - timedelta(hours=hours))


@st.composite
def lives(draw, person):
    """A customer's facts, and every string in them that could tell who it is."""
    secret = [f"{person}{draw(words)}" for _ in range(7)]
    who, name, mail, case, said, visit, firm = secret
    common = {"recorded_at": NOON, "source": "dms", "stated_by": "import", "customer": who}
    facts = [
        Customer(at=draw(ages), id=who, name=name, organisation=draw(st.sampled_from(["acme", firm])), **common),
        ContactPoint(at=draw(ages), kind="email", address=f"{mail}@x.example", **common),
        Event(at=draw(ages), kind="order", **common),
        Case(at=draw(ages), id=case, kind="repair", status="open", summary=said, **common),
        Interaction(at=draw(ages), direction="in", medium="voice", by="Pat", summary=said, **common),
        Appointment(at=draw(ages), id=visit, service="oil", start=NOON + timedelta(days=9), status="booked", **common),
    ]
    if draw(st.booleans()):
        facts.append(ContactPoint(at=draw(ages), kind="email", address="all@x.example", **common))
    for _ in range(draw(st.integers(0, 3))):
        medium = draw(st.sampled_from(["email", "*"]))
        granted, purpose = draw(st.booleans()), draw(st.sampled_from(["service", "*"]))
        facts.append(
            Consent(
                at=draw(ages), medium=medium, purpose=purpose, granted=granted, method=said,
                **{**common, "stated_by": draw(st.sampled_from(["customer", "import"]))},
            )
        )  # fmt: skip
    # An organisation that nobody else is at tells of itself, not of the person.
    return draw(st.permutations(facts)), who, f"{mail}@x.example", [one for one in secret if one != firm]


def opened(folder: str) -> Store:
    store = Store(f"sqlite:///{folder}/store.db")
    store.prepare()
    return store


def learn(store, facts):
    with store.write() as connection:
        append(connection, [(subject_of(fact), fact) for fact in facts], NOON)


def refused(store, who, purpose):
    with store.read() as connection:
        (ledger,) = ledgers(connection, [who])
    state = fold(ledger, NOON)
    said = [*state.consents, *(one for found in state.address_consents.values() for one in found)]
    return permission(said, medium="email", purpose=purpose, topic="oil", vocabulary=VOCABULARY) is False


@settings(max_examples=25)
@given(lives("ann"), lives("bob"))
def test_no_byte_of_theirs_stays(ann, bob):
    """After the erasure of one, the whole file has none of their strings, and all of the other's."""
    with tempfile.TemporaryDirectory() as folder:
        store = opened(folder)
        learn(store, [*ann[0], *bob[0]])
        with store.write() as connection:
            forget(connection, ann[1], NOON, "pat")
            forget(connection, ann[1], NOON, "pat")
        assert store.scrub()
        left = b"".join(path.read_bytes() for path in Path(folder).iterdir())
        assert [one for one in ann[3] if one.encode() in left] == []
        assert [one for one in bob[3] if one.encode() not in left] == []
        store.close()


@settings(max_examples=25)
@given(lives("ann"), lives("bob"))
def test_an_export_is_of_one(ann, bob):
    """It has every string of theirs and none of the other's, whatever they share."""
    with tempfile.TemporaryDirectory() as folder:
        store = opened(folder)
        learn(store, [*ann[0], *bob[0]])
        with store.read() as connection:
            told = msgspec.json.encode(export(connection, ann[1])).decode()
        assert [one for one in ann[3] if one not in told] == []
        assert [one for one in bob[3] if one in told] == []
        store.close()


@settings(max_examples=40)
@given(lives("ann"), st.sampled_from(["service", "transactional"]))
def test_a_refusal_outlives_the_erasure(ann, purpose):
    """What was refused at an address is refused there to whoever comes with it, and advertising is in any case."""
    facts, who, mail, _ = ann
    with tempfile.TemporaryDirectory() as folder:
        store = opened(folder)
        learn(store, facts)
        before = refused(store, who, purpose)
        with store.write() as connection:
            forget(connection, who, NOON, "pat")
        common = {"recorded_at": NOON, "source": "crm", "stated_by": "import", "customer": "new"}
        learn(store, [Customer(at=NOON, id="new", **common)])
        learn(store, [ContactPoint(at=NOON, kind="email", address=mail.upper(), **common)])
        assert refused(store, "new", purpose) or not before
        assert refused(store, "new", "marketing")
        learn(store, facts)
        with store.read() as connection:
            (ledger,) = ledgers(connection, [who])
        assert ledger.entries == ()
        store.close()
