"""Virtual time: a clock that jumps, and the same result every time; on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from commsched.app import App
from commsched.engine.clock import SetClock, SystemClock
from commsched.engine.virtual import Counter, Recording, RecordingSettings, run_virtual
from commsched.plugin.channel import Attempt, Outgoing
from commsched.store import queries
from commsched.store.ledgers import append
from commsched.store.messages import load_record
from commsched.store.store import Store


def named(facts):
    return [(f"c:{fact.customer}", fact) for fact in facts]


def run(folder, store, facts, start, end):
    """What became of these facts, as rows of bytes."""
    clock = SetClock(start)
    app = App(folder, clock=clock, store=store, recording=True)
    app.remember_rules()
    report = run_virtual(app.loop(Counter()), clock, named(facts), end)
    with store.read() as connection:
        rows = [bytes(row.body) for row in queries.all_messages(connection)]
    return report, rows, clock.at


def test_facts_become_known_in_their_turn(deploy, store, customer, noon):
    """A fact is acted on when it is learnt, not when the run begins; the run ends at its end."""
    start, end = noon - timedelta(days=30), noon + timedelta(days=30)
    report, rows, at = run(deploy(), store, [*customer(), *customer("bob", at=noon + timedelta(days=2))], start, end)
    assert (report.sent, at) == (2, end)
    sent = {one.customer: one.at for one in map(load_record, rows)}
    assert sent == {"ann": noon, "bob": noon + timedelta(days=2)}


def test_the_same_facts_give_the_same_bytes(deploy, open_store, store_url, sqlite_template, tmp_path, customer, noon):
    """Whatever the order in which facts stand, the kind of database, or the run, the messages are the same."""
    facts = [*customer(phone="+13125550142"), *customer("bob"), *customer("cy", at=noon + timedelta(days=1))]
    other = tmp_path / "other.db"
    other.write_bytes(sqlite_template.read_bytes())
    first = run(deploy(), open_store(), facts, noon, noon + timedelta(days=30))
    second_store = Store(f"sqlite:///{other}")
    second = run(deploy(), second_store, facts[::-1], noon, noon + timedelta(days=30))
    second_store.close()
    assert first[1] == second[1]
    assert len(first[1]) == 3


def test_the_whole_shipped_deployment(store, shipped, sample_facts):
    """The shipped rules on sample customers go through the whole loop; no policy and no template fails."""
    names = [subject[2:] for subject in sorted(sample_facts) if subject.startswith("c:")][:25]
    clock = SetClock(datetime(2026, 11, 22, 15, tzinfo=UTC))
    app = App(shipped.folder, clock=clock, store=store, recording=True)
    app.remember_rules()
    facts = [(f"c:{name}", fact) for name in names for fact in sample_facts[f"c:{name}"]]
    with store.write() as connection:
        append(connection, facts, clock.at)
    report = run_virtual(app.loop(Counter()), clock, [], clock.at + timedelta(days=20))
    with store.read() as connection:
        states = queries.counts(connection)
        attempts = queries.attempts(connection)
    assert report.problems == []
    assert report.sent == states["sent"] == len(attempts) > 2
    assert {row.state for row in attempts} == {"accepted"}
    assert len({row.key for row in attempts}) == len(attempts)


def test_the_recording_channel_knows_what_it_has(noon):
    """A recorded message is found again; another is not."""
    channel = Recording(RecordingSettings(medium="sms"), name="text")
    message = Outgoing("a1", "k", "sms", "+13125550142", "Ann", "", "Hi", "", noon, noon)
    attempts = [Attempt(name, "k", "ann", "text", "+13125550142", noon, noon) for name in ("a1", "a2")]

    async def ask():
        await channel.send_batch([message])
        return [await channel.lookup(attempt) for attempt in attempts]

    found = asyncio.run(ask())
    assert (found[0].state, found[1]) == ("accepted", None)


def test_attempt_ids_are_those_of_the_key_and_the_try():
    """The same key and try has the same id in every run; another try another one."""
    one, two = Counter(), Counter()
    assert [one("k"), one("k"), one("l")] == [two("k"), two("k"), two("l")]
    assert len({two("k"), two("k"), two("l"), one("m")}) == 4


def test_clocks(noon):
    """A clock that is set stands still; the machine's tells UTC."""
    assert SetClock(noon).now() == noon
    assert SystemClock().now().utcoffset() == timedelta()
