"""The plugins in ``plugins/``: what this organisation adds to commsched."""

from __future__ import annotations

import asyncio
import importlib.util
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commsched import Anchor, Attempt, Custom, Outgoing, Proposal, Refused, ServiceRecord, View, zone
from commsched.model.state import Profile, State
from commsched.model.vocabulary import Vocabulary

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
NOON = datetime(2026, 11, 23, 18, tzinfo=UTC)
DAY = timedelta(days=1)


def plugin(name):
    spec = importlib.util.spec_from_file_location(f"shipped_{name}", PLUGINS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def proposal():
    return Proposal(
        key="C1/oil-change-due/invite/V1/first",
        customer="C1",
        rule="oil-change-due",
        step="invite",
        subject="V1",
        occurrence="first",
        purpose="service",
        topic="oil",
        department="service",
        priority=5,
        anchor=Anchor("due", NOON + 20 * DAY),
        ideal=NOON,
        span=(NOON - DAY, NOON + 30 * DAY),
        template="oil-change",
        media=("email",),
        addresses={"email": "ann@example.com"},
    )


def view(**facts):
    return View(State(Profile("C1"), **facts), (), (zone("America/Chicago"),), Vocabulary(), {}, {})


def done(at, outcome="done"):
    return ServiceRecord(customer="C1", at=at, service="oil_change", asset="V1", outcome=outcome)


def review(name, policy, shown, **settings):
    kind = next(kind for kind in plugin(name).register_policies() if kind.kind == policy)
    return kind(kind.settings_type()(**settings), name=policy).review(proposal(), shown)


def test_a_week_after_a_visit_is_kept_free():
    """Any time is allowed save the days after the visit; declined work is no visit."""
    records = (("r1", done(NOON)), ("r2", done(NOON + 9 * DAY, "declined")))
    windows = review("recently_visited", "recently_visited", view(records=records), days=7).windows
    assert [at in windows for at in (NOON - DAY, NOON, NOON + 6 * DAY, NOON + 7 * DAY, NOON + 10 * DAY)] == [
        True,
        False,
        False,
        True,
        True,
    ]


def test_visits_are_counted_by_day_and_in_any_order():
    """Several services on one day are one visit; work that was not done is none; without a visit nothing is said."""
    facts = [done(NOON), done(NOON + timedelta(hours=1)), done(NOON + 40 * DAY), done(NOON + 50 * DAY, "advised")]
    derive = plugin("visits").extra_facts
    assert list(derive(facts)) == list(derive(facts[::-1]))
    assert [(fact.facts, fact.at) for fact in derive(facts)] == [({"visits": 2}, NOON + 40 * DAY)]
    assert isinstance(next(iter(derive(facts))), Custom)
    assert list(derive(facts[3:])) == []


def letter(to="2100 Ridge Avenue\nEvanston, IL 60201"):
    return Outgoing("a1", "C1/recall/notice/V1/e1", "letter", to, "Ann", "A recall", "Please come in.", "", NOON, NOON)


def attempt(name):
    return Attempt(name, "C1/recall/notice/V1/e1", "C1", "post", "2100 Ridge Avenue", NOON, NOON)


def test_a_letter_is_printed_once_however_often_it_is_handed_over(tmp_path):
    """The same attempt twice is one file and one line of the manifest, and can be proved afterwards."""
    module = plugin("letters")
    channel = module.Letters(module.LetterSettings(), name="post", folder=tmp_path)
    first, second = (asyncio.run(channel.send(letter())) for _ in range(2))
    assert first == second
    manifest = tmp_path / "var" / "letters" / "manifest.tsv"
    assert manifest.read_text() == "a1\t2100 Ridge Avenue / Evanston, IL 60201\n"
    assert "Please come in." in (tmp_path / "var" / "letters" / "a1.txt").read_text()
    assert asyncio.run(channel.lookup(attempt("a1"))).state == "accepted"
    assert asyncio.run(channel.lookup(attempt("a2"))) is None
    channel.forget(["a1", "a2"])
    assert manifest.read_text() == "a1\t\n"
    assert [path.name for path in manifest.parent.iterdir()] == ["manifest.tsv"]
    assert asyncio.run(channel.lookup(attempt("a1"))).state == "accepted"


def test_a_letter_without_an_address_is_refused(tmp_path):
    """The refusal says that the address is the reason, and nothing is written."""
    module = plugin("letters")
    channel = module.Letters(module.LetterSettings(), name="post", folder=tmp_path)
    with pytest.raises(Refused) as refused:
        asyncio.run(channel.send(letter(to=" ")))
    assert refused.value.bad_address
    assert not (tmp_path / "var").exists()
