"""Rules that are renamed, split, deleted or reworded, and history that comes late: nobody is told again."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from deployment import APPOINTMENTS, DAY, HELLO, HOUR, NOON, appointment, customer, visit, visitors

START = NOON + 10 * DAY + 3 * HOUR


@pytest.fixture
def told(broken):
    """Five customers who were thanked for their visit, and one who was reminded once of two reminders."""
    broken.given(*visitors(5), *customer("C9"), appointment(START, "C9"))
    broken.ticks(NOON, START - 6 * DAY, 12 * HOUR)
    assert broken.states == {"sent": 6, "planned": 1}
    return broken


def go_on(broken):
    """Three days more, everybody looked at again."""
    app = broken.app(START - 6 * DAY)
    loop = app.loop()
    loop.sweep(app.clock.now(), 1000)
    app.store.close()
    broken.ticks(START - 6 * DAY, START - 3 * DAY, 12 * HOUR)


def test_fault_40_renamed(told):
    """A rule that is renamed with ``was`` tells nobody again, and what it had planned goes on."""
    (told.folder / "config/rules/hello.yaml").unlink()
    told.rule("thanks", HELLO.replace("rule: hello", "rule: thanks\nwas: hello"))
    (told.folder / "config/rules/appointments.yaml").unlink()
    told.rule("visits", APPOINTMENTS.replace("rule: appointments", "rule: visits\nwas: [appointments]"))
    go_on(told)
    told.ticks(START - 2 * DAY, START, 6 * HOUR)
    assert Counter(line["subject"] for line in told.accepted) == {"Thank you": 5, "Your appointment": 2}


def test_fault_40_split(told):
    """A rule whose steps are divided between one that says ``was`` and a new one tells nobody again."""
    lines = APPOINTMENTS.splitlines(keepends=True)
    for name, dropped in (("early", ("{step: reminder",)), ("late", ("{step: week", "moved", "cancelled"))):
        text = "".join(line for line in lines if not any(word in line for word in dropped))
        told.rule(name, text.replace("rule: appointments", f"rule: {name}" + "\nwas: appointments" * (name == "early")))
    (told.folder / "config/rules/appointments.yaml").unlink()
    go_on(told)
    told.ticks(START - 2 * DAY, START, 6 * HOUR)
    assert Counter(line["subject"] for line in told.accepted) == {"Thank you": 5, "Your appointment": 2}


def test_fault_40_deleted_and_put_back(told):
    """A deleted rule's plans are taken back; put back, it tells nobody again."""
    text = (told.folder / "config/rules/appointments.yaml").read_text("utf-8")
    (told.folder / "config/rules/appointments.yaml").unlink()
    (told.folder / "config/rules/hello.yaml").unlink()
    told.rule("other", HELLO.replace("rule: hello", "rule: other").replace("event: visit", "event: purchase"))
    go_on(told)
    assert told.states == {"sent": 6, "cancelled": 1}
    told.rule("appointments", text)
    told.rule("hello", HELLO)
    app = told.app(START - 3 * DAY)
    app.loop().sweep(app.clock.now(), 1000)
    told.ticks(START - 3 * DAY, START, 6 * HOUR)
    assert Counter(line["subject"] for line in told.accepted) == {"Thank you": 5, "Your appointment": 2}


def test_fault_40_check_says_what_a_vanished_rule_leaves(told):
    """``check`` fails when a rule has disappeared without ``was``, and says what becomes of its planned messages."""
    (told.folder / "config/rules/appointments.yaml").rename(told.folder / "config/rules/gone.txt")
    code, out, err = told.run("check")
    assert code == 1
    assert "appointments" in out + err


def test_fault_40_template_and_rule_edited(told):
    """Another text, time and deadline: who was told is not told again, what is planned goes (Cal-ID #790)."""
    told.template("hello", "Subject: Many thanks\n\nQuite another text.\n")
    told.rule("hello", HELLO.replace("event + 2d", "event + 20d").replace("at: event", "at: event + 1h"))
    told.rule("appointments", APPOINTMENTS.replace("start - 1d at 10:00", "start - 2d at 09:00"))
    go_on(told)
    told.ticks(START - 2 * DAY, START, HOUR)
    assert Counter(line["subject"] for line in told.accepted) == {"Thank you": 5, "Your appointment": 2}
    assert told.states == {"sent": 7}


def test_fault_39_ten_years_of_history(broken):
    """Ten years of visits and appointments imported into a live deployment: nothing old is said, no task is made."""
    broken.rule("hello", HELLO + "  - {step: call, at: event + 1h, task: 'Call {{ customer.name }}'}\n")
    broken.replace("live_from = 2020-01-01\n", "")
    broken.given(*customer("C0"), visit("C0"))
    broken.tick(NOON)
    days = range(1, 3650, 7)
    facts = [
        fact
        for number in range(1, 9)
        for fact in (
            *customer(f"C{number}"),
            *(visit(f"C{number}", NOON - day * DAY, id=f"v{number}-{day}") for day in days),
            *(appointment(NOON - day * DAY, f"C{number}", id=f"A{number}-{day}") for day in days),
        )
    ]
    broken.given(*facts, at=NOON + HOUR)
    broken.ticks(NOON + HOUR, NOON + 3 * DAY, 12 * HOUR)
    broken.once_each(1)
    assert {task.customer for task in broken.tasks} == {"C0"}


def test_fault_39_a_rule_added_later_begins_when_it_was_loaded(broken):
    """A new rule says nothing of what happened before it was first loaded."""
    broken.given(*visitors(5))
    broken.tick(NOON)
    broken.rule("more", HELLO.replace("rule: hello", "rule: more").replace("at: event", "at: event + 1h"))
    app = broken.app(NOON + 2 * HOUR)
    app.loop().sweep(app.clock.now(), 1000)
    broken.given(visit("C00001", NOON + 3 * HOUR), at=NOON + 3 * HOUR)
    broken.ticks(NOON + 2 * HOUR, NOON + 6 * HOUR, timedelta(minutes=30))
    assert Counter(line["key"].split("/")[1] for line in broken.accepted) == {"hello": 6, "more": 1}
