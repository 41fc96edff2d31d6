"""Poison templates, and plugins that fail: quarantined and named, and the others go on."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic

import pytest
from deployment import NOON, Deployment, customer, give, visit, visitors

from commsched.store import queries

SECOND = """\
rule: second
why: You were here.
purpose: {purpose}
topic: news
department: desk
trigger: {{event: visit}}
steps:
  - {{step: thanks, at: event, deadline: event + 2d, template: {template}}}
"""
POISON = {
    "undefined": "Subject: x\n\n{{ nobody.knows }}\n",
    "endless": "Subject: x\n\n{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}\n",
    "huge": "Subject: x\n\n{{ 'x' * 10000000 }}\n",
    "raises": "Subject: x\n\n{{ 1 / 0 }}\n",
}


@pytest.mark.parametrize("poison", POISON)
def test_fault_31_poison_templates_are_quarantined(broken, poison):
    """A message that cannot be rendered is refused with the reason, and the batch goes on."""
    broken.rule("second", SECOND.format(purpose="service", template="poison"))
    broken.template("poison", POISON[poison])
    broken.given(*visitors(5))
    code, out, err = broken.run("tick", "--at", NOON.isoformat())
    assert code == 1, err
    assert "5 sent" in out
    assert "poison" in err
    assert {one.rule: one.state for one in broken.messages} == {"hello": "sent", "second": "refused"}
    assert {reason[1] for one in broken.messages for reason in one.reasons} == {"template_failed"}
    broken.template("poison", "Subject: Now well\n\nThank you.\n")
    app = broken.app(NOON + timedelta(minutes=1))
    loop = app.loop()
    assert loop.sweep(app.clock.now(), 100) == 5
    loop.tick(app.clock.now())
    assert broken.states == {"sent": 10}


def test_fault_31_a_name_that_would_forge_a_header(broken):
    """A customer whose name has a line break in it takes nobody else with them, and adds no header."""
    forged = {"type": "customer", "id": "C1", "name": "Ana\r\nBcc: thief@example.com"}
    broken.given(*customer("C1"), forged, visit("C1"), *customer("C2"), visit("C2"))
    broken.run("tick", "--at", NOON.isoformat())
    assert {one.customer for one in broken.messages if one.state == "sent"} >= {"C2"}
    heads = [line["mime"].replace("\r\n", "\n").partition("\n\n")[0] for line in broken.accepted]
    assert not any("Bcc:" in line for head in heads for line in head.splitlines() if not line.startswith((" ", "To:")))


POLICY = """
import time
from commsched import Policy, allow, hookimpl, must_not

class Bad(Policy):
    kind = "bad"
    code = must_not("bad")
    depends = frozenset()

    def review(self, proposal, view):
        {body}

@hookimpl
def register_policies():
    return [Bad]
"""
APPLIED = """
[[policies]]
kind = "bad"
purposes = ["survey"]
"""


def bad_policy(broken: Deployment, body: str) -> None:
    broken.plugin("bad", POLICY.format(body=body))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param("raise RuntimeError('no database')", "no database", id="raises"),
        pytest.param("while True: pass", "0.2 s", id="spins"),
        pytest.param("time.sleep(60)", "0.2 s", id="sleeps"),
        pytest.param("return 'yes'", "'yes'", id="says_yes"),
        pytest.param("return None", "None", id="says_nothing"),
    ],
)
def test_fault_32_a_policy_that_fails_refuses(broken, body, words):
    """A policy that raises, hangs or answers nonsense refuses: it is named, its breaker opens, the others go on."""
    bad_policy(broken, body)
    broken.configure(APPLIED)
    broken.rule("second", SECOND.format(purpose="survey", template="hello"))
    broken.given(*visitors(4))
    began = monotonic()
    code, _, err = broken.run("tick", "--at", NOON.isoformat())
    assert (code, monotonic() - began < 10) == (1, True)
    assert "bad" in err
    assert words in err
    states = {(one.rule, one.state) for one in broken.messages}
    assert states == {("hello", "sent"), ("second", "refused")}
    refused = [one for one in broken.messages if one.rule == "second"]
    assert {reason[:2] for one in refused for reason in one.reasons} == {("bad", "plugin_failed")}
    app = broken.app()
    with app.store.read() as connection:
        assert [row.policy for row in queries.breakers(connection)] == ["bad"]
    bad_policy(broken, "return allow()")
    broken.tick(NOON + timedelta(minutes=5))
    assert broken.states == {"sent": 4, "refused": 4}, "the breaker is open for a quarter of an hour"
    broken.tick(NOON + timedelta(minutes=16))
    assert broken.states == {"sent": 8}


OBSERVER = """
import time
from commsched import hookimpl

@hookimpl
def {hook}({argument}):
    {body}
"""


@pytest.mark.parametrize("hook", ["decided", "attempted", "received"])
@pytest.mark.parametrize("body", ["raise RuntimeError('no')", "time.sleep(60)", "while True: pass"])
def test_fault_33_observers_that_fail_do_not_touch_sending(broken, hook, body):
    """An observer that raises or hangs is named, and every message goes all the same, soon."""
    argument = {"decided": "decision", "attempted": "attempt", "received": "event"}[hook]
    broken.plugin("watcher", OBSERVER.format(hook=hook, argument=argument, body=body))
    app = broken.app()
    app.plugins.patience = 0.1
    began = monotonic()
    give(app, *visitors(20))
    app.loop().tick(NOON)
    assert monotonic() - began < 5
    broken.once_each(20)
    assert list(app.plugins.failed_observers) == [f"plugins/watcher.py.{hook}"]


def test_fault_33_derived_facts_that_fail_stop_only_their_customer(broken):
    """A plugin that cannot derive a customer's facts keeps that customer back; the others go on."""
    text = """
from commsched import hookimpl

@hookimpl
def extra_facts(facts):
    if any(fact.customer == "C00001" for fact in facts):
        raise RuntimeError("no")
    return []
"""
    broken.plugin("derive", text)
    broken.given(*visitors(4))
    code, out, err = broken.run("tick", "--at", NOON.isoformat())
    assert code == 1
    assert "3 sent" in out
    assert "C00001 cannot be planned: RuntimeError: no" in err
    (broken.folder / "plugins/derive.py").unlink()
    broken.tick(NOON + timedelta(minutes=16))
    broken.once_each(4)
