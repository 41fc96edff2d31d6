"""A new or edited rule says how many it would write to on its first day, and asks above a limit."""

from __future__ import annotations

import json

import pytest

NEW = """
rule: hello
why: "You bought something from us on {{ event.date }}."
purpose: service
topic: oil
department: service
trigger: {event: purchase}
since: 2026-01-01
steps:
  - {step: greet, at: event + 1h, deadline: event + 20d, template: thanks, media: [email]}
"""
MAIL = {"type": "contact_point", "kind": "email", "at": "2026-01-01T12:00:00Z"}
AT = ("--at", "2027-03-02T15:00:00Z")


@pytest.fixture
def running(told):
    """A deployment that has started once, whose limit is two customers, and which knows three more by now."""
    config = told.folder / "config" / "commsched.toml"
    config.write_text(
        config.read_text("utf-8").replace('horizon = "60d"', 'horizon = "60d"\nfirst_day = 2', 1), "utf-8"
    )
    told("tick", "--at", "2027-02-01T15:00:00Z")
    lines = []
    for name in ("cy", "dee", "eve"):
        lines += [
            {"type": "customer", "id": name, "at": "2026-01-01T12:00:00Z", "name": name.title(), "kind": "person"},
            {**MAIL, "customer": name, "address": f"{name}@example.com"},
            {"type": "event", "kind": "purchase", "customer": name, "at": "2027-03-01T16:00:00Z"},
        ]  # fmt: skip
    (told.folder / "more.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    told("import", str(told.folder / "more.jsonl"))
    return told


def add(shell, text=NEW):
    (shell.folder / "config" / "rules" / "hello.yaml").write_text(text, "utf-8")


def test_above_the_limit_nothing_goes_without_a_word(running):
    """It is named with its count; with --accept it goes, and the next start asks nothing."""
    add(running)
    running("import", str(running.folder / "more.jsonl"))  # which only looks at the rules
    refused = running("tick", *AT, code=2).stderr
    assert "he rule hello is new, and would write to 4 customers on its first day, which is more than 2" in refused
    assert "--accept 4" in refused
    assert "more than 3" in running("tick", *AT, "--accept", "3", code=2).stderr
    assert not (running.folder / "var" / "outbox").exists()
    assert "sent" in running("tick", *AT, "--accept", "4").stdout
    assert "hello" not in running("tick", "--at", "2027-03-03T16:00:00Z").stderr


def test_an_edited_rule_is_asked_about_too(running):
    """A change of a word in a rule is a change of what goes."""
    path = running.folder / "config" / "rules" / "thanks.yaml"
    path.write_text(path.read_text("utf-8").replace("event + 1d at 10:00", "event + 20h"), "utf-8")
    said = running("tick", *AT, code=2).stderr
    assert "he rule thanks is not what it was, and would write to 4 customers" in said


def test_below_the_limit_it_is_said_and_goes(running):
    """A rule with a pace writes to no more than that."""
    add(running, NEW.replace("steps:", "pace: 2/day\nsteps:"))
    result = running("tick", *AT)
    assert "The rule hello is new, and would write to 2 customers on its first day." in result.stderr


def test_check_notes_what_is_to_come(running):
    """Without starting anything, and without a store it notes nothing."""
    add(running)
    notes = running.json("check")["warnings"]
    assert [one for one in notes if "the rule hello is new" in one]


def test_the_first_start_asks_nothing(told):
    """Every rule is new then; what is old stays silent by itself."""
    assert "is new" not in told("tick", "--at", "2027-03-03T15:00:00Z").stderr
