"""The timing proof of a deployment: what ``check`` says of steps without an answer, with an example each (story 15)."""

from __future__ import annotations

import re
from datetime import timedelta
from shutil import rmtree

import pytest

from commsched.check.proof import lead_in_words

CONFIG = """
[deployment]
name = "Clinic"
timezone = "America/Chicago"
region = "US-IL"
locale = "en_US"
sender = "Clinic <desk@clinic.example>"

[departments.desk]
title = "Desk"
calendar = "hours"

[[calendars]]
name = "hours"
kind = "opening_hours"
weekly = { "mon-fri" = ["08:00-17:00"] }
holidays = "US-IL"

[[channels]]
name = "mail"
kind = "outbox"
medium = "email"

[[policies]]
kind = "quiet_hours"
media = ["email"]
opens = "08:00"
closes = "18:00"

[[policies]]
kind = "opt_out"
"""
SERVICES = """
services:
  scope:
    name: Colonoscopy
    duration: 45m
    calendar: hours
    prep:
      - {id: diet, begins: start - 72h, notice: 24h}
"""
RULE = """
rule: prepare
why: "It works only if you prepare."
purpose: transactional
topic: appointment
department: desk
trigger: {appointment: {status: [booked, confirmed]}}
steps:
  - step: tell
    prep: diet
    at: prep - 3d at 10:00
    not_before: prep - 30d
    template: tell
    media: [email]
    too_late: {task: "Call them"}
    on_veto: {task: "Tell them"}
"""
FILES = {
    "config/commsched.toml": CONFIG,
    "config/vocabulary.yaml": "topics: {appointment: []}\nevents: {alarm: {}}\n",
    "config/services.yaml": SERVICES,
    "config/rules/prepare.yaml": RULE,
    "templates/plain/email.txt": "Subject: A word\n\n{{ why }}\n",
    "templates/tell/email.txt": "Subject: Please prepare\n\n{{ why }} {{ prep }}\n",
}
ALARM = """
rule: alarm
why: "Something is wrong."
purpose: transactional
topic: appointment
department: desk
trigger: {event: alarm}
steps:
  - {step: warn, at: event, deadline: event + 1h, template: plain, media: [email]}
"""
# As in: booked on Fri 27 Nov 2026 at 17:10 for Mon 30 Nov 2026 at 09:00.
BOOKED = r"booked \w{3} \d+ \w{3} \d{4} \d\d:\d\d for \w{3} \d+ \w{3} \d{4} \d\d:\d\d"


@pytest.fixture
def clinic(shell):
    """A clinic in the place of the garage; ``change`` edits a file, ``check`` is what the command says."""
    for folder in ("config/rules", "templates"):
        rmtree(shell.folder / folder)
    return Clinic(shell)


class Clinic:
    def __init__(self, shell):
        self.shell = shell
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.shell.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def change(self, name, old, new):
        path = self.shell.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def check(self, code=0):
        return self.shell.json("check", code=code)

    def counterexample(self, code):
        (found,) = [one["counterexample"] for one in self.check(1)["problems"] if one["code"] == code]
        return found


def test_a_sound_deployment_has_its_least_leads(clinic):
    """Told at the latest at 18:00 before the last day, less the two minutes of a second thought; over holidays too."""
    found = clinic.check()
    (proof,) = found["proofs"]
    assert found["ok"], found
    assert (proof["rule"], proof["step"], proof["service"], proof["otherwise"]) == ("prepare", "tell", "scope", "task")
    assert proof["may_refuse"] == ["opt_out"]
    # A start at 08:00 must be told by 08:00 four days before, or better by 18:00 on the day before that: 96 h or 110 h.
    hours, minutes = re.fullmatch(r"(\d+)h(?: (\d+)m)?", proof["least_lead"]).groups()
    assert timedelta(hours=109) < timedelta(hours=int(hours), minutes=int(minutes or 0)) < timedelta(hours=112)


def test_a_preparation_that_nobody_tells_is_found(clinic):
    drink = "prep:\n      - {id: drink, begins: start - 1d at 18:00, notice: 12h}\n"
    clinic.change("config/services.yaml", "prep:\n", drink)
    words = clinic.counterexample("prep_untold")
    assert re.match(rf"{BOOKED} \(Colonoscopy\): drink begins .*; nothing tells the customer", words)


def test_a_step_that_says_nothing_to_late_bookings_is_found(clinic):
    """Without `too_late` the deployment cannot run, and check says for whom."""
    clinic.change("config/rules/prepare.yaml", '    too_late: {task: "Call them"}\n', "")
    words = clinic.counterexample("no_answer")
    assert re.match(rf"{BOOKED} \(Colonoscopy\): diet begins .* and must be told by .*; on email nothing tells", words)
    assert "The step 'tell' needs `too_late`" in clinic.shell("plan", code=2).stderr


def test_a_fallback_that_cannot_go_in_time_is_no_answer(clinic):
    """Mail goes from 8 to 18: whoever books at 7 for 8 on the same morning gets none before they come."""
    clinic.change("config/rules/prepare.yaml", '{task: "Call them"}', "{template: plain}")
    words = clinic.counterexample("no_answer")
    assert re.match(BOOKED, words)
    assert "nothing tells the customer" in words


def test_quiet_hours_that_leave_no_time_are_found(clinic):
    clinic.change("config/rules/prepare.yaml", "    not_before: prep - 30d\n", "    not_before: prep - 30h\n")
    clinic.change("config/rules/prepare.yaml", "prep - 3d at 10:00", "prep - 25h")
    clinic.change("config/commsched.toml", 'opens = "08:00"', 'opens = "17:59"')
    found = clinic.check()
    assert found["proofs"][0]["least_lead"] is None
    assert found["proofs"][0]["worst"]["for"]


def test_what_happens_at_night_and_cannot_wait_needs_an_answer(clinic):
    """An alarm may be told for an hour; at night nothing may go: a task is the answer, silence is none.

    What came up at 17:58 waits two minutes, should it have been a mis-click, and then it is night.
    """
    clinic.write("config/rules/alarm.yaml", ALARM)
    words = clinic.counterexample("no_answer")
    assert re.match(r"event on \w{3} \d+ \w{3} \d{4} 17:58: warn may go from", words)
    clinic.write("config/rules/alarm.yaml", ALARM + 'otherwise: {task: "Call them"}\n')
    assert clinic.check()["ok"]


def test_a_deadline_that_early_bookings_never_reach_is_found(clinic):
    """Whoever books more than a month ahead hears nothing: a day after the booking it is no longer worth saying."""
    rule = RULE.split("steps:", maxsplit=1)[0] + (
        "steps:\n  - {step: tell, at: start - 7d at 09:00, not_before: start - 30d, "
        "deadline: 'earliest(booked + 1d, start - 1h)', late: send, template: plain, media: [email]}\n"
        'otherwise: {task: "Call them"}\n'
    )
    clinic.write("config/rules/prepare.yaml", rule)
    clinic.change("config/services.yaml", "    prep:\n      - {id: diet, begins: start - 72h, notice: 24h}\n", "")
    assert re.match(BOOKED, clinic.counterexample("no_answer"))


def test_a_veto_that_leaves_somebody_untold_is_noted(clinic):
    clinic.change("config/rules/prepare.yaml", '    on_veto: {task: "Tell them"}\n', "")
    (warning,) = clinic.check()["warnings"]
    assert warning.startswith("the step tell of prepare has no `on_veto`: if opt_out forbids the message")


def test_a_preparation_that_is_told_to_some_only_is_noted(clinic):
    """A condition leaves somebody untold, unless another rule has its opposite."""
    only = 'when: customer.kind == "person"\nsteps:'
    clinic.change("config/rules/prepare.yaml", "steps:", only)
    (warning,) = clinic.check()["warnings"]
    assert warning == "diet of scope is told on conditions only (in prepare); nobody else is told of it"
    opposite = 'when: \'!(customer.kind == "person")\'\nsteps:'
    clinic.write("config/rules/others.yaml", RULE.replace("rule: prepare", "rule: others").replace("steps:", opposite))
    assert clinic.check()["warnings"] == []


def test_who_confirms_before_the_message_goes_is_noted(clinic):
    clinic.change("config/rules/prepare.yaml", "[booked, confirmed]", "[booked]")
    (warning,) = clinic.check()["warnings"]
    assert warning.startswith("diet of scope is not told to who confirms before the message goes")


def test_a_service_with_a_calendar_that_is_not_there_is_found(clinic):
    clinic.change("config/services.yaml", "calendar: hours", "calendar: hour")
    (problem,) = clinic.check(1)["problems"]
    assert (problem["code"], problem["file"]) == ("unknown_calendar", "config/services.yaml")
    assert problem["message"].endswith("which is not declared; did you mean 'hours'?")


def test_a_report_that_cannot_be_written_is_one_sentence(clinic):
    said = clinic.shell("check", "--report", "/nonexistent/proof.html", code=2).stderr
    assert said == "Error: /nonexistent/proof.html: No such file or directory.\n"


def test_the_clocks_of_known_customers_count(clinic):
    """Somebody in Auckland sleeps while we work: for them the message must go earlier."""
    before = clinic.check()["proofs"][0]["least_lead_seconds"]
    far = '{"type":"customer","id":"kiri","at":"2026-01-01T12:00:00Z","name":"Kiri","timezone":"Pacific/Auckland"}\n'
    facts = clinic.shell.folder / "far.jsonl"
    facts.write_text(far)
    clinic.shell("import", str(facts))
    after = clinic.check()["proofs"][0]
    assert after["least_lead_seconds"] > before
    assert after["worst"]["zones"] == ["Pacific/Auckland"]


def test_the_least_leads_are_a_table_and_a_page(clinic, tmp_path):
    page = tmp_path / "proof.html"
    shown = clinic.shell("check", "--report", str(page)).stdout
    assert f"The timing proof is in {page}." in shown.replace("\n", "")
    assert "told if known" in shown
    assert "tell (Colonoscopy)" in shown
    text = page.read_text()
    assert "<svg" in text
    assert "<script" not in text
    assert "When can it be told? Clinic" in text


@pytest.mark.parametrize(
    ("lead", "words"),
    [
        (timedelta(hours=98, minutes=1, seconds=1), "98h 2m"),
        (timedelta(hours=96), "96h"),
        (timedelta(seconds=20), "1m"),
        (timedelta(), "0m"),
        (-timedelta(hours=5, seconds=1), "-5h"),
    ],
)
def test_a_lead_is_rounded_to_the_safe_side(lead, words):
    assert lead_in_words(lead) == words
