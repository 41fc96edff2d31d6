"""No customer's name, address, text or link is in the log of a whole run, whatever is logged, whatever they write."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from logs import all_logs

from commsched.app import App
from commsched.engine.chronicle import chronicle
from commsched.engine.clock import SetClock
from commsched.model.facts import ContactPoint, Customer
from commsched.model.subjects import subject_of
from commsched.plugin.channel import ChannelEvent
from commsched.signals import listening
from commsched.store.store import Store
from commsched.web.site import _Pages

ROOT = Path(__file__).parents[2]
BEGINS = datetime(2026, 11, 23, 15, tzinfo=UTC)
DAYS = 4
LEAST = 6  # shorter words are in ids and codes of ours


@pytest.fixture(scope="module")
def run(tmp_path_factory, sample_facts):
    """The shipped deployment with its sample customers: some days, every message answered, and a press on each link."""
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('log') / 'store.db'}")
    clock = SetClock(datetime(2020, 1, 1, tzinfo=UTC))
    app = App(ROOT, clock=clock, store=store, recording=True)
    app.remember_rules()
    clock.at = BEGINS
    with all_logs() as logs, listening(chronicle):
        app.record((subject_of(fact), fact) for facts in sample_facts.values() for fact in facts)
        loop = app.loop()
        for _ in range(DAYS):
            loop.tick(clock.at)
            clock.at += timedelta(days=1)
        sent = {name: list(channel.sent.values()) for name, channel in app.channels.items()}
        answered(app, sent)
        loop.tick(clock.at)
    app.store.close()
    return logs, [one for found in sent.values() for one in found]


def answered(app, sent):
    """Each message is delivered, replied to with what nobody should log, and its link pressed."""
    now, pages = app.clock.at, _Pages(app)
    for name, messages in sent.items():
        events = []
        for one in messages:
            about = {"at": now, "attempt": one.attempt, "address": one.to}
            events += [
                ChannelEvent("delivered", id=f"{one.to}/1", detail=f"250 {one.to}", **about),
                ChannelEvent("reply", id=f"{one.to}/2", text=f"It is me, {one.to}: {one.text}", **about),
            ]
        app.hearing.take(app.channels[name], events, now)
        for one in messages:
            token = one.link.rpartition("/")[2]
            pages.pressed(token, "feedback", {"mood": "angry", "words": f"from {one.to}"}, None, "203.0.113.9")


def test_the_run_has_something_to_tell(run):
    """A law about an empty log would hold by itself."""
    logs, sent = run
    told = {line["event"] for line in logs}
    assert {"fact", "decided", "attempted", "heard", "pressed"} <= told
    assert len(sent) > 20
    assert all(one.link for one in sent)


def test_nobody_can_be_recognised_in_the_log(run, sample_facts):
    """Names, mail addresses, telephone numbers, postal addresses of all sample customers; texts and links of all."""
    logs, sent = run
    facts = [fact for found in sample_facts.values() for fact in found]
    secrets = {one.name for one in facts if isinstance(one, Customer) and isinstance(one.name, str)}
    secrets |= {one.address for one in facts if isinstance(one, ContactPoint)}
    for one in sent:
        secrets |= {one.to, one.subject, one.link.rpartition("/")[2]}
        secrets |= {line.strip() for line in one.text.splitlines()}
    secrets = {one for one in secrets if one and len(one) >= LEAST}
    assert len(secrets) > 1000
    everything = "\n".join(json.dumps(line, ensure_ascii=False, default=str) for line in logs)
    assert [one for one in sorted(secrets) if one in everything] == []
    assert "203.0.113.9" not in everything
