"""Whether a fact may come in: addresses, regions, hours, words of the vocabulary."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from commsched.errors import FactRejected
from commsched.model.facts import AnyFact
from commsched.model.vocabulary import Vocabulary
from commsched.store.checks import Checker, email
from commsched.store.phones import phone

WORDS = Vocabulary(
    topics={"sales": None, "trade_in": "sales"},
    events={"purchase": {"pages": "integer", "total": "number", "how": "string", "gift": "boolean"}, "fair": {}},
    equivalents=dict.fromkeys(("winter-tires", "snow-tires"), frozenset({"winter-tires", "snow-tires"})),
    assets={"car": {"year": "integer"}, "dog": {"breed": "string"}},
    facts={"tier": "string"},
    roles=frozenset({"owner"}),
    services=frozenset({"oil"}),
    departments=frozenset({"desk"}),
)


@pytest.fixture
def refused():
    """Checks a fact: why it was refused, as field and sentence; nothing if it may come in."""
    checker = Checker(WORDS, region="US-IL")

    def asked(**fields):
        fact = msgspec.convert({"at": "2026-05-01T12:00:00Z", "customer": "C1", **fields}, AnyFact)
        try:
            checker.check(fact)
        except FactRejected as error:
            return error.field, str(error)
        return None

    return asked


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("ana@example.com", "ana@example.com"),
        (" Ana.Ortiz@Example.COM ", "Ana.Ortiz@example.com"),
        ("o'brien+oil@mail.example.co.uk", "o'brien+oil@mail.example.co.uk"),
        ("jürgen@example.com", "jürgen@example.com"),
        ("a@b-c.example", "a@b-c.example"),
    ],
)
def test_emails_are_kept(written, kept):
    """An address keeps its local part as it is; the domain is in lower case."""
    assert email(written) == kept


@pytest.mark.parametrize(
    "written",
    [
        "ana",
        "ana@",
        "@example.com",
        "ana@example",
        "ana@@example.com",
        "ana@exam ple.com",
        "a b@example.com",
        "ana@example..com",
        "ana@-example.com",
        "ana@example-.com",
        "Ana <ana@example.com>",
        "ana@example.com,bob@example.com",
        "ana@example.com\nBcc: bob@example.com",
        "a\x00na@example.com",
        "a\x1bna@example.com",
        "a" * 65 + "@example.com",
        "ana@" + "x" * 64 + ".com",
        "ana@example.c",
        "ana@[127.0.0.1]",
    ],
)
def test_no_emails(written):
    """What no mail system would take is refused with an example of what would be right."""
    with pytest.raises(FactRejected, match=r"is no e-mail address; write e\.g\. ana@example\.com"):
        email(written)


@pytest.mark.parametrize(
    ("written", "country", "kept"),
    [
        ("+1 847 555 0142", None, "+18475550142"),
        ("(847) 555-0142", "US", "+18475550142"),
        ("847.555.0142", "US", "+18475550142"),
        ("1-847-555-0142", "US", "+18475550142"),
        ("011 44 20 8765 4321", "US", "+442087654321"),
        ("030 123456", "DE", "+4930123456"),
        ("+49 (0)30 123456", "US", "+4930123456"),
        ("+39 06 1234 5678", None, "+390612345678"),
        ("tel:+1-847-555-0142", "US", "+18475550142"),
    ],
)
def test_phones_are_kept_in_one_form(written, country, kept):
    """However a number is written, it is the same number: + and the digits of E.164."""
    assert phone(written, country) == kept


@pytest.mark.parametrize(
    ("written", "country"),
    [
        ("847 555 0142", None),
        ("12345", "US"),
        ("call me", "US"),
        ("", "US"),
        ("+1 847 555 01421 99", None),
        ("+999 123456789", None),
        ("911", "US"),
        ("0", "DE"),
    ],
)
def test_no_phones(written, country):
    """A number that no numbering plan has is refused with an example of what would be right."""
    with pytest.raises(FactRejected, match=r"is no phone number; write it as \+1 847 555 0142"):
        phone(written, country)


def test_addresses_of_facts_take_their_one_form():
    """The region of the deployment says how numbers without a country are read."""
    fact = msgspec.convert(
        {
            "type": "contact_point",
            "at": "2026-05-01T12:00:00Z",
            "customer": "C1",
            "kind": "phone",
            "address": "030 123456",
        },
        AnyFact,
    )
    Checker(WORDS, region="DE-BE").check(fact)
    assert fact.address == "+4930123456"


WEEK = {"mon-fri": ["09:00-12:00", "13:00-17:00"], "sat": []}
GOOD = [
    {"type": "customer", "roles": ["owner"], "timezone": "America/Chicago", "region": "US-IL", "id": "C1"},
    {"type": "customer", "roles": None, "timezone": None, "region": "DE", "id": "C1", "postal": "1 Main St\nEvanston"},
    {"type": "contact_point", "kind": "phone", "address": "+13125550142", "media": ["sms", "voice"]},
    {"type": "contact_point", "kind": "postal", "address": "1 Main St\nEvanston"},
    {"type": "consent", "medium": "*", "purpose": "*", "granted": True, "method": "form"},
    {
        "type": "consent",
        "medium": "sms",
        "purpose": "marketing",
        "topic": "trade_in",
        "granted": True,
        "method": "form",
    },
    {"type": "intent", "topic": "*", "stance": "never"},
    {"type": "intent", "topic": "trade_in", "stance": "not_before", "for": "10y"},
    {"type": "preference", "media": ["email"], "contact_hours": WEEK, "visit_hours": {}, "facts": {"tier": "gold"}},
    {"type": "preference", "media": None, "contact_hours": None},
    {"type": "custom", "facts": {"tier": None}},
    {"type": "asset", "id": "V1", "kind": "car", "attributes": {"year": 2020}},
    {"type": "asset", "id": "V1", "attributes": {"year": 2020, "breed": "pug"}},
    {
        "type": "event",
        "kind": "purchase",
        "item": "snow-tires",
        "data": {"pages": 1, "total": 1, "how": "x", "gift": True},
    },
    {"type": "event", "kind": "purchase", "item": "winter-tires", "data": {"total": 1.5, "gift": None}},
    {"type": "service_record", "service": "oil", "outcome": "done"},
    {"type": "service_plan", "service": "oil", "every": {"distance": "10000 mi"}, "by": "Tom"},
    {"type": "service_plan", "service": "oil", "next_due": "2026-07-01", "by": "Tom"},
    {"type": "wish", "service": "oil", "between": ["2026-07-01", "2026-07-02"]},
    {
        "type": "appointment",
        "id": "A1",
        "service": "oil",
        "start": "2026-07-01T09:00:00-05:00",
        "place_zone": "Europe/Berlin",
    },
    {"type": "appointment", "id": "A1", "end": None},
    {"type": "hold", "purposes": ["*"], "reason": "x", "until": "2026-07-01T00:00:00Z", "by": "Tom"},
    {"type": "feedback", "mood": "fine", "department": "desk"},
    {
        "type": "interaction",
        "direction": "in",
        "medium": "voice",
        "by": "Tom",
        "summary": "x",
        "purpose": "service",
        "topic": "sales",
    },
]
BAD = [
    ({"type": "customer", "id": "C\t1", "customer": None}, "id", "control characters"),
    ({"type": "event", "kind": "fair", "customer": "C\x001"}, "customer", "control characters"),
    ({"type": "event", "kind": "fair", "customer": None, "household": "h\x001"}, "household", "control characters"),
    ({"type": "customer", "id": "C1", "organisation": "o\n1"}, "organisation", "control characters"),
    ({"type": "customer", "id": "C1", "guardian": "g\x7f"}, "guardian", "control characters"),
    ({"type": "customer", "id": "C1", "postal": "1 Main\x00St"}, "postal", "NUL"),
    ({"type": "contact_point", "kind": "postal", "address": "1 Main\x00St"}, "address", "NUL"),
    ({"type": "customer", "id": "C1", "roles": ["ownr"]}, "roles", "did you mean 'owner'?"),
    ({"type": "customer", "id": "C1", "timezone": "Chicago"}, "timezone", "no IANA zone; write e.g. America/Chicago"),
    ({"type": "customer", "id": "C1", "timezone": "../etc/passwd"}, "timezone", "no IANA zone"),
    ({"type": "customer", "id": "C1", "timezone": "America"}, "timezone", "no IANA zone"),
    ({"type": "customer", "id": "C1", "region": "Illinois"}, "region", "write e.g. US-IL or DE-BY"),
    ({"type": "customer", "id": "C1", "region": "us-il"}, "region", "no ISO 3166-2 region"),
    ({"type": "contact_point", "kind": "email", "address": "ana"}, "address", "no e-mail address"),
    ({"type": "contact_point", "kind": "phone", "address": "12345"}, "address", "no phone number"),
    (
        {"type": "contact_point", "kind": "phone", "address": "+13125550142", "media": ["fax"]},
        "media",
        "declared are: email",
    ),
    (
        {"type": "consent", "medium": "mail", "purpose": "*", "granted": True, "method": "x"},
        "medium",
        "did you mean 'email'?",
    ),
    (
        {"type": "consent", "medium": "*", "purpose": "sale", "granted": True, "method": "x"},
        "purpose",
        "did you mean 'sales'?",
    ),
    (
        {"type": "consent", "medium": "*", "purpose": "*", "topic": "x", "granted": True, "method": "x"},
        "topic",
        "not declared",
    ),
    ({"type": "intent", "topic": "tradein", "stance": "never"}, "topic", "did you mean 'trade_in'?"),
    ({"type": "intent", "topic": "*", "stance": "never", "for": "long"}, "for", "no duration; write e.g. 10y"),
    ({"type": "preference", "media": ["x"]}, "media", "not declared"),
    ({"type": "preference", "contact_hours": {"mon": ["9-12"]}}, "contact_hours", "no week of hours"),
    ({"type": "preference", "visit_hours": {"Funday": ["09:00-12:00"]}}, "visit_hours", "no week of hours"),
    ({"type": "preference", "contact_hours": {"mon": ["09:00-25:00"]}}, "contact_hours", "no week of hours"),
    ({"type": "preference", "facts": {"teir": "x"}}, "facts", "did you mean 'tier'?"),
    ({"type": "custom", "facts": {"tier": 5}}, "facts.tier", "5 is not a string"),
    ({"type": "asset", "id": "V1", "kind": "cat"}, "kind", "did you mean 'car'?"),
    ({"type": "asset", "id": "V1", "kind": "dog", "attributes": {"year": 2020}}, "attributes", "not declared"),
    (
        {"type": "asset", "id": "V1", "kind": "car", "attributes": {"year": True}},
        "attributes.year",
        "True is not a integer",
    ),
    ({"type": "event", "kind": "purchase", "data": {"gift": 1}}, "data.gift", "1 is not a boolean"),
    ({"type": "event", "kind": "purchase", "data": {"total": "1"}}, "data.total", "'1' is not a number"),
    ({"type": "event", "kind": "fair", "data": {"x": 1}}, "data", "declared are: none"),
    ({"type": "event", "kind": "purchase", "item": "tires"}, "item", "not declared"),
    ({"type": "service_record", "service": "oli", "outcome": "done"}, "service", "did you mean 'oil'?"),
    ({"type": "service_plan", "service": "oil", "by": "Tom"}, "every", "every how often, or when next"),
    (
        {"type": "service_plan", "service": "oil", "every": {"distance": "far"}, "by": "Tom"},
        "every.distance",
        "no distance",
    ),
    ({"type": "wish", "service": "x", "between": ["2026-07-01", "2026-07-02"]}, "service", "not declared"),
    ({"type": "appointment", "id": "A1", "service": "x"}, "service", "not declared"),
    ({"type": "appointment", "id": "A1", "place_zone": "Berlin"}, "place_zone", "no IANA zone"),
    (
        {"type": "appointment", "id": "A1", "start": "2026-07-01T10:00:00Z", "end": "2026-07-01T10:00:00Z"},
        "end",
        "not after",
    ),
    (
        {"type": "hold", "purposes": ["x"], "reason": "x", "until": "2026-07-01T00:00:00Z", "by": "T"},
        "purposes",
        "not declared",
    ),
    ({"type": "feedback", "mood": "fine", "department": "dek"}, "department", "did you mean 'desk'?"),
    (
        {"type": "interaction", "direction": "in", "medium": "voice", "by": "T", "summary": "x", "topic": "x"},
        "topic",
        "not declared",
    ),
    (
        {"type": "interaction", "direction": "in", "medium": "voice", "by": "T", "summary": "x", "purpose": "x"},
        "purpose",
        "not dec",
    ),
]


@pytest.mark.parametrize("fields", GOOD, ids=[one["type"] for one in GOOD])
def test_declared_facts_may_come_in(refused, fields):
    """A fact whose words are declared and whose forms are right is taken."""
    assert refused(**fields) is None


@pytest.mark.parametrize(("fields", "field", "words"), BAD, ids=[f"{one['type']}-{field}" for one, field, _ in BAD])
def test_other_facts_are_refused(refused, fields, field, words):
    """A fact with an undeclared word or a wrong form is refused, with the field and what would be right."""
    found = refused(**fields)
    assert found is not None
    assert found[0] == field
    assert words in found[1]


def test_where_nothing_is_declared_items_and_departments_are_free(refused):
    """A deployment that declares no items takes any; one without departments, any department."""
    checker = Checker(replace(WORDS, equivalents={}, departments=frozenset()), region="")
    for fields in (
        {"type": "event", "kind": "fair", "item": "x"},
        {"type": "feedback", "mood": "fine", "department": "x"},
    ):
        checker.check(msgspec.convert({"at": "2026-05-01T12:00:00Z", "customer": "C1", **fields}, AnyFact))


def test_an_appointment_says_something(refused):
    """A start or an end alone is a change; nothing at all is a mistake, and an end before the start another."""
    appointment = {"type": "appointment", "id": "A1"}
    assert refused(**appointment, start="2026-06-01T09:00:00Z") is None
    assert refused(**appointment, end="2026-06-01T09:00:00Z") is None
    assert refused(**appointment, calendar=None) is None
    field, sentence = refused(**appointment)
    assert field == ""
    assert "this says nothing of the appointment A1; write what is so, e.g. its start" in sentence
    both = refused(**appointment, start="2026-06-01T09:00:00Z", end="2026-06-01T09:00:00Z")
    assert both[0] == "end"
