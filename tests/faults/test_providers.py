"""A provider that fails in every way, over HTTP, and commsched as a process of its own: not lost, not twice, seen."""

from __future__ import annotations

import random
import signal
from collections import Counter
from datetime import datetime, timedelta

import pytest
from deployment import DAY, HELLO, HOUR, NOON, customer, visit, visitors
from wired import MINUTE, ended, forked

from commsched.model.facts import Consent
from commsched.planning.fold import fold
from commsched.plugin.channel import Forged, WebhookRequest
from commsched.store.ledgers import load

LATER = NOON + 3 * MINUTE
STOP = {"kind": "opt_out", "at": NOON.isoformat(), "address": "c00000@example.com", "id": "stop-1", "text": "STOP"}


def tick(wired, at, crash=""):
    code, out, err = wired.run("tick", "--at", at.isoformat(), crash=crash)
    assert code == (-signal.SIGKILL if crash else 0), out + err
    return out


def ticks(wired, start, count, step=MINUTE):
    for number in range(count):
        tick(wired, start + number * step)


@pytest.mark.parametrize(
    ("place", "states"),
    [
        pytest.param("before-claim", {"sent": 3}, id="fault_01_before_the_claim"),
        pytest.param("after-claim", {"sent": 3}, id="fault_02_after_the_claim"),
        pytest.param("after-intent", {"in_doubt": 3}, id="fault_03_after_the_intent"),
        pytest.param("wire-before-send", {"in_doubt": 3}, id="fault_03_just_before_any_byte_left"),
        pytest.param("wire-after-send", None, id="fault_04_after_the_providers_2xx"),
        pytest.param("after-send", {"sent": 3}, id="fault_04_before_the_result_is_written_down"),
        pytest.param("after-result", {"sent": 3}, id="fault_04_after_the_result_is_written_down"),
    ],
)
def test_killed(wired, place, states):
    """Killed anywhere: what the provider has is found there; what it has not is in doubt, for it proves nothing."""
    wired.given(*visitors(3))
    tick(wired, NOON, crash=place)
    tick(wired, LATER)
    wired.holds(3)
    accepted = len(wired.accepted)
    assert wired.states == (Counter(states) if states else Counter(sent=accepted, in_doubt=3 - accepted))


@pytest.mark.parametrize(
    ("mode", "found"),
    [
        pytest.param("accept-then-hang", "sent", id="fault_06_accepts_then_hangs"),
        pytest.param("slow-drip", "sent", id="fault_06_answers_a_letter_at_a_time"),
        pytest.param("accept-then-500", "sent", id="fault_07_accepts_then_500"),
        pytest.param("reset-after", "sent", id="fault_07_accepts_then_resets"),
        pytest.param("garbage", "sent", id="fault_11_200_with_garbage"),
        pytest.param("reset-before", "in_doubt", id="fault_11_resets_without_a_word"),
    ],
)
def test_unclear(wired, mode, found):
    """No clear answer is no reason to try again: in doubt, with its age, until the provider can say."""
    wired.provider.mode(mode)
    wired.given(*visitors(3))
    tick(wired, NOON)
    assert wired.states == {"in_doubt": 3}
    wired.holds(3)
    wired.provider.mode("ok")
    tick(wired, NOON + MINUTE)
    tick(wired, LATER)
    wired.holds(3)
    assert wired.states == {found: 3}
    assert len(wired.provider.calls) == 3


def test_fault_08_429_for_ten_minutes(wired):
    """It is asked again when it wants to be; then all goes once, and what was too urgent says why it did not."""
    wired.rule("urgent", HELLO.replace("rule: hello", "rule: urgent").replace("event + 2d", "event + 5m"))
    wired.given(*visitors(3))
    wired.provider.mode("429:120")
    ticks(wired, NOON, 10)
    assert max(Counter(one["key"] for one in wired.provider.calls).values()) <= 5
    wired.provider.mode("ok")
    ticks(wired, NOON + 10 * MINUTE, 3)
    wired.holds(6)
    assert wired.states == {"sent": 3, "expired": 3}
    assert all(one.reasons for one in wired.messages if one.state == "expired")


def test_fault_09_503_for_ten_minutes(wired):
    """The breaker opens, little is in doubt, the spare carries the rest; afterwards the first one does again."""
    wired.spare()
    wired.provider.mode("503", "mail")
    wired.given(*visitors(30))
    ticks(wired, NOON, 3)
    wired.holds(30)
    doubted = wired.states["in_doubt"]
    assert 5 <= doubted <= 8
    assert wired.states == {"sent": 30 - doubted, "in_doubt": doubted}
    lines = Counter(one["line"] for one in wired.provider.calls)
    assert lines == {"mail": doubted, "spare": 30 - doubted}
    assert {one.channel for one in wired.messages if one.state == "sent"} == {"spare"}
    code, out, _ = wired.run("doctor")
    assert code == 1
    assert "mail is closed since" in out
    wired.provider.mode("ok", "mail")
    wired.given(visit("C00001", NOON + HOUR), visit("C00002", NOON + HOUR), at=NOON + HOUR)
    ticks(wired, NOON + HOUR, 2)
    assert {one.channel for one in wired.messages if one.key.endswith("v-C00001-0618")} == {"mail"}


def test_fault_09_down_at_once(wired):
    """Wrong credentials: one call, no doubt, and the spare takes over in the same minute."""
    wired.spare()
    wired.provider.mode("401", "mail")
    wired.given(*visitors(3))
    ticks(wired, NOON, 3, timedelta(seconds=20))
    wired.once_each(3)
    assert {line["line"] for line in wired.accepted} == {"spare"}


def test_fault_10_connection_refused(wired):
    """Nobody listens: no doubt, tried again, one accept each."""
    wired.provider.stop()
    wired.given(*visitors(3))
    ticks(wired, NOON, 2)
    assert wired.states == {"planned": 3}
    wired.provider.start()
    ticks(wired, NOON + 10 * MINUTE, 3)
    wired.once_each(3)


def test_fault_15_three_workers_one_of_them_killed(wired):
    """Three processes at once, of which one dies with a message in its hands: no key is accepted twice."""
    wired.given(*visitors(60))
    workers = [wired.start("tick", "--at", NOON.isoformat(), crash=crash) for crash in ("wire-after-send", "", "")]
    assert sorted(worker.wait()[0] for worker in workers)[1:] == [0, 0]
    tick(wired, LATER)
    wired.holds(60)
    doubted = wired.states["in_doubt"]
    assert wired.states == Counter(sent=60 - doubted, in_doubt=doubted)


def test_fault_22_quiet_hours_begin_while_the_provider_queues(wired):
    """The provider is told until when: never past the beginning of the quiet hours, however long the message holds."""
    wired.configure('\n[[policies]]\nkind = "quiet_hours"\nopens = "08:00"\ncloses = "12:30"\nmedia = ["email"]\n')
    wired.given(*visitors(1))
    tick(wired, NOON)
    (line,) = wired.accepted
    quiet = NOON + 30 * MINUTE
    assert NOON < datetime.fromisoformat(line["send_by"]) <= quiet
    late = {"kind": "undelivered", "at": (quiet + HOUR).isoformat(), "attempt": line["attempt"], "detail": "expired"}
    assert wired.hear({**late, "id": "e-1"}) == 0
    assert wired.states == {"undelivered": 1}


def test_fault_23_stop_between_decision_and_call(wired):
    """A STOP that is durable before the intent is: nothing goes."""
    wired.given(*visitors(1))
    worker = wired.start("tick", "--at", NOON.isoformat(), PAUSE="render")
    assert worker.stopped()
    assert wired.hear(STOP) == 0
    worker.signal(signal.SIGCONT)
    assert worker.wait()[0] == 0
    tick(wired, LATER)
    assert (wired.provider.calls, wired.states) == ([], {"refused": 1})


def test_fault_24_a_stop_that_was_lost_is_listed(wired):
    """The call never came; the list of what came in tells of it before anything goes."""
    wired.provider.lists(STOP)
    wired.given(*visitors(1))
    tick(wired, NOON)
    assert (wired.provider.calls, wired.states) == ([], {"refused": 1})
    assert wired.hear(STOP) == 0
    app = wired.app()
    with app.store.read() as connection:
        entries = load(connection, ["C00000"])["C00000"].ledger.entries
    assert len([fact for _, fact in entries if isinstance(fact, Consent)]) == 1


def test_fault_24_the_providers_refusal_is_a_stop(wired):
    """Neither call nor list told of it: the provider's refusal does, from then on."""
    wired.provider.mode("opted-out")
    wired.given(*visitors(1))
    ticks(wired, NOON, 2)
    wired.provider.mode("ok")
    wired.given(visit("C00000", NOON + HOUR), at=NOON + HOUR)
    ticks(wired, NOON + HOUR, 2)
    assert len(wired.provider.calls) == 1
    assert wired.states == {"refused": 2}


def test_fault_05_killed_inside_a_webhook(wired):
    """Before the commit nothing of it is there, and the provider got no answer; told again, it counts once."""
    wired.given(*visitors(1))
    tick(wired, NOON)
    reply = {"kind": "reply", "at": NOON.isoformat(), "address": "c00000@example.com", "id": "r-1", "text": "Thanks"}
    assert wired.hear(reply, crash="inside-heard") == -signal.SIGKILL
    assert replies(wired) == 0
    assert [wired.hear(reply) for _ in range(2)] == [0, 0]
    assert replies(wired) == 1


def replies(wired):
    app = wired.app(NOON + DAY)
    with app.store.read() as connection:
        state = fold(load(connection, ["C00000"])["C00000"].ledger, NOON + DAY)
    app.store.close()
    return len(state.replies)


@pytest.mark.parametrize("seed", range(3))
def test_fault_25_the_same_webhook_46_times_shuffled(wired, seed):
    """Forty-six calls, shuffled, from three processes at once: one effect of each event."""
    wired.given(*visitors(1))
    tick(wired, NOON)
    (attempt,) = wired.attempts()
    events = [
        {"kind": kind, "at": NOON.isoformat(), "attempt": attempt, "id": kind, "text": ""}
        for kind in ("accepted", "delivered", "undelivered", "reply")
    ]
    calls = (events * 12)[:46]
    random.Random(seed).shuffle(calls)

    def work(mine):
        return lambda: [wired.hear(one) for one in mine]

    assert [ended(child) for child in [forked(work(calls[number::3])) for number in range(3)]] == [0, 0, 0]
    assert (wired.states, replies(wired)) == ({"delivered": 1}, 1)


def test_fault_26_delivered_before_sent(wired):
    """The callback overtakes the worker that sent it: it stays delivered."""
    wired.given(*visitors(1))
    worker = wired.start("tick", "--at", NOON.isoformat(), PAUSE="answer")
    assert worker.stopped()
    (attempt,) = wired.attempts()
    assert wired.hear({"kind": "delivered", "at": NOON.isoformat(), "attempt": attempt, "id": "d"}) == 0
    worker.signal(signal.SIGCONT)
    assert worker.wait()[0] == 0
    tick(wired, LATER)
    assert wired.states == {"delivered": 1}
    wired.holds(1)


def test_fault_04_a_callback_ends_doubt(wired):
    """Where the provider cannot be asked, its callback ends the doubt."""
    wired.provider.mode("reset-before")
    wired.given(*customer(), visit())
    tick(wired, NOON)
    (attempt,) = wired.attempts()
    assert wired.states == {"in_doubt": 1}
    assert wired.hear({"kind": "delivered", "at": NOON.isoformat(), "attempt": attempt, "id": "d"}) == 0
    assert wired.states == {"delivered": 1}


def test_fault_27_a_forged_call(wired):
    """Without a valid signature nothing is written."""
    wired.given(*visitors(1))
    app = wired.app()
    with pytest.raises(Forged):
        app.heard("mail", WebhookRequest("POST", "https://x.example/", {"signature": "no"}, b"[]"))
    assert app.hearing.forged == {"mail": 1}
    app.store.close()


def test_fault_41_a_backlog_keeps_to_the_rate(wired):
    """Many due at once, at a rate: so many a second, none past its deadline, all in the end."""
    wired.replace('name = "mail"\n', 'name = "mail"\nrate = "5/s"\n')
    wired.rule("urgent", HELLO.replace("rule: hello", "rule: urgent").replace("event + 2d", "event + 10s"))
    wired.given(*visitors(60))
    app = wired.app()
    loop = app.loop()
    for second in range(40):
        app.clock.at = NOON + timedelta(seconds=second)
        loop.tick(app.clock.at)
        assert len(wired.accepted) <= 5 * (second + 2) + 1
    app.store.close()
    urgent = [one.state for one in wired.messages if one.rule == "urgent"]
    assert Counter(urgent)["sent"] >= 48
    assert wired.states["sent"] + wired.states["expired"] == 120
    deadlines = {one.key: one.deadline for one in wired.messages}
    assert all(datetime.fromisoformat(line["at"]) <= deadlines[line["key"]] for line in wired.accepted)
