"""Deleting facts by age: what is older than wanted goes, but never the last of its kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commsched.errors import ConfigurationError
from commsched.keeping import LEAST, RetentionSettings
from commsched.model.facts import FACT_TYPES
from commsched.store import queries, retention
from commsched.store.ledgers import load
from commsched.store.retention import before, retain
from commsched.timing.durations import parse_duration

LIMIT = datetime(2024, 6, 15, tzinfo=UTC)
OLD, OLDER, NEW = "2020-01-01T12:00:00Z", "2019-01-01T12:00:00Z", "2026-01-01T12:00:00Z"


def kept(store, customer="ann"):
    with store.read() as connection:
        entries = load(connection, [customer])[customer].ledger.entries
    return sorted((fact.type, str(fact.at.date())) for _, fact in entries)


def test_what_is_old_goes_and_the_last_stays(store, learn, fact, noon):
    """Of each asset's readings the last stays, even a very old one; what is new enough stays anyway."""
    learn(
        store,
        *(fact("reading", asset="a", value=100, unit="km", at=at) for at in (OLDER, OLD)),
        *(fact("reading", asset="b", value=100, unit="km", at=at) for at in (OLDER, OLD, NEW)),
        fact("consent", medium="*", purpose="*", granted=False, method="phone", at=OLDER),
    )
    assert retain(store, {"reading": LIMIT}, noon) == {"reading": 3}
    assert kept(store) == [("consent", "2019-01-01"), ("reading", "2020-01-01"), ("reading", "2026-01-01")]
    assert retain(store, {"reading": LIMIT}, noon) == {"reading": 0}


def test_a_reading_that_was_taken_back_is_not_the_last(store, learn, fact, noon):
    """What a void takes back goes with it, and leaves the last that counts."""
    learn(
        store,
        fact("reading", asset="a", value=1, unit="km", at=OLDER),
        *(fact("reading", asset="a", value=2, unit="km", at=OLD, void=void) for void in (False, True)),
    )
    assert retain(store, {"reading": LIMIT}, noon) == {"reading": 0}
    learn(store, fact("reading", asset="a", value=3, unit="km", at=NEW))
    assert retain(store, {"reading": LIMIT}, noon) == {"reading": 3}


@pytest.mark.parametrize(
    ("kind", "fields", "other"),
    [
        ("service_record", {"service": "oil", "outcome": "done"}, {"outcome": "declined"}),
        ("event", {"kind": "order", "item": "x"}, {"item": "y"}),
        ("interaction", {"direction": "in", "medium": "voice", "by": "Pat", "summary": "-"}, {"direction": "out"}),
        ("feedback", {"mood": "fine"}, {"department": "desk"}),
    ],
)
def test_each_kind_has_its_last(store, learn, fact, noon, kind, fields, other):
    """Of two kinds with two facts each, one of each stays."""
    learn(store, *(fact(kind, at=at, **{**fields, **more}) for at in (OLDER, OLD) for more in ({}, other)))
    assert retain(store, {kind: LIMIT}, noon) == {kind: 2}
    assert kept(store) == [(kind, "2020-01-01")] * 2


def test_whose_facts_went_is_looked_at_again(store, learn, fact, noon):
    """The version moves, so that no plan rests on what is gone, and the customer is awake."""
    learn(store, *(fact("reading", asset="a", value=1, unit="km", at=at) for at in (OLDER, OLD)))
    with store.write() as connection:
        before_that = queries.versions(connection, ["c:ann"])["c:ann"][0]
        queries.finish(connection, [{"who": "ann", "held": 0, "leased": 0, "next_due": 9 * 10**17, "hash": ""}])
    retain(store, {"reading": LIMIT}, noon)
    with store.read() as connection:
        assert queries.versions(connection, ["c:ann"])["c:ann"][0] == before_that + 1
        assert queries.next_due(connection) < 9 * 10**17


@given(st.sampled_from(["1y", "5y", "730d", "18mo"]), st.integers(0, 90_000))
def test_the_limit_is_a_day_of_the_place(text, hours):
    """It is the first instant of the day that is so long ago, by the clock of the place."""
    zone = ZoneInfo("America/Chicago")
    at = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    limit = before(parse_duration(text), at, zone)
    assert limit.astimezone(zone).strftime("%H:%M") == "00:00"
    assert abs((at - limit - parse_duration(text).rough()).days) <= 6


def test_only_types_without_force_are_deleted():
    """What is deleted by age is no state, binds nobody, and keeps nothing from going twice; each has its kinds."""
    named = set(RetentionSettings.model_fields)
    assert named == {"reading", "service_record", "event", "interaction", "feedback"}
    assert {FACT_TYPES[name] for name in named} == set(retention._KINDS)
    assert LEAST.days == 365


@pytest.mark.parametrize(
    ("line", "words"),
    [("consent = '9y'", "retention.consent is not a setting"), ("reading = '3mo'", "a year at least"),
     ("event = 'long'", "is not a duration")],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(deploy, configuration, line, words):
    """A consent is never deleted by age, and nothing within a year."""
    from commsched.config import load_configuration

    with pytest.raises(ConfigurationError, match=words):
        load_configuration(deploy({"config/commsched.toml": f"{configuration}\n[retention]\n{line}\n"}))
