"""plan, preview, tick, simulate, explain, timeline, pause, settle, demo."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from commsched.store import queries
from commsched.store.store import Store

AT = "2027-03-01T17:00:00Z"
NOT_HER = """
[[policies]]
kind = "expression"
name = "nobody"
code = "nobody"
deny_when = 'customer.id == "ana"'
detail = "not her"
"""
KEYS = ["key", "parts", "customer", "rule", "step", "subject", "purpose", "topic", "medium", "channel", "to", "state",
        "final", "at", "anchor", "ideal", "deadline", "subject_line", "body", "reasons"]  # fmt: skip


def test_plan_has_the_shape_that_tools_rely_on(told):
    """Messages, tasks and a summary; times in UTC; one goes, and the other says why it does not."""
    found = told.json("plan", "--at", AT)
    goes, held = sorted(found["messages"], key=lambda one: one["customer"])
    assert list(goes) == KEYS
    assert (goes["state"], goes["at"], goes["medium"], goes["to"]) == (
        "planned",
        "2027-03-02T16:00:00Z",
        "email",
        "ana@example.com",
    )
    assert goes["anchor"] == {"kind": "event", "at": "2027-03-01T16:00:00Z"}
    assert (held["state"], held["reasons"][0]["policy"]) == ("refused", "opt_out")
    assert found["summary"] == {"messages": 2, "states": {"planned": 1, "refused": 1}, "tasks": 0}


def test_plan_puts_one_customers_messages_into_words(told):
    """Bodies are rendered for one customer, and left empty for all."""
    (one,) = told.json("plan", "--customer", "ana", "--at", AT)["messages"]
    assert (one["subject_line"], one["body"]) == ("Thank you, Ana Ruiz", "You bought something from us.\n")
    assert {m["body"] for m in told.json("plan", "--at", AT)["messages"]} == {""}


def test_plan_writes_nothing(told):
    """Planning leaves no message in the store."""
    told("plan", "--at", AT)
    store = Store("sqlite:///var/commsched.db", folder=told.folder)
    with store.read() as connection:
        assert queries.counts(connection) == {}
    store.close()


def test_plan_ends_where_it_is_told_to(told):
    """--until leaves out what goes later."""
    assert told.json("plan", "--at", AT, "--until", "2027-03-02T15:00:00Z")["messages"] == []


def test_people_see_masked_addresses_and_reasons(told):
    """The table names whom, when with the zone, and why not; no address is told in full."""
    text = told("plan", "--at", AT).stdout
    assert "a…@example.com" in text
    assert "ana@example.com" not in text
    assert "Tue 2 Mar 2027 10:00 CST" in text
    assert "opt_out:" in text


def test_a_plan_as_csv_is_safe_in_a_spreadsheet(told, tmp_path):
    """A cell that a spreadsheet would run gets a quote before it."""
    (told.folder / "more.jsonl").write_text(
        '{"type":"customer","id":"ana","at":"2026-09-01T12:00:00Z","name":"=HYPERLINK(1)"}\n', "utf-8"
    )
    told("import", str(told.folder / "more.jsonl"))
    told("plan", "--at", AT, "--csv", str(tmp_path / "plan.csv"))
    assert "'=HYPERLINK(1)" in (tmp_path / "plan.csv").read_text("utf-8")


def test_against_shows_exactly_what_other_rules_change(told, tmp_path):
    """A later hour moves the one message; nothing else is mentioned. The same rules change nothing."""
    other = shutil.copytree(told.folder, tmp_path / "other", ignore=shutil.ignore_patterns("var"))
    assert "Nothing would change." in told("plan", "--at", AT, "--against", str(other)).stdout
    rule = other / "config" / "rules" / "thanks.yaml"
    rule.write_text(rule.read_text("utf-8").replace("at 10:00", "at 12:00"), "utf-8")
    found = told.json("plan", "--at", AT, "--against", str(other))
    (moved,) = found["moved"]
    assert (moved["before"]["at"], moved["after"]["at"]) == ("2027-03-02T16:00:00Z", "2027-03-02T18:00:00Z")
    assert sum(found["summary"].values()) == 1


def test_against_names_what_would_be_refused_and_removed(told, tmp_path):
    """A stricter policy refuses with its reason; a rule that is gone removes."""
    other = shutil.copytree(told.folder, tmp_path / "other", ignore=shutil.ignore_patterns("var"))
    config = other / "config" / "commsched.toml"
    config.write_text(config.read_text("utf-8") + NOT_HER, "utf-8")
    (refused,) = told.json("plan", "--at", AT, "--against", str(other))["refused"]
    assert refused["reasons"] == [{"policy": "nobody", "code": "nobody", "detail": "not her"}]
    (other / "config" / "rules" / "thanks.yaml").unlink()
    assert len(told.json("plan", "--at", AT, "--against", str(other))["removed"]) == 1


def test_staff_read_the_note_and_tools_get_both(told):
    """The plan and the explanation show the staff's words; JSON has them beside the customer's, where there are any."""
    config = told.folder / "config" / "commsched.toml"
    config.write_text(config.read_text("utf-8") + NOT_HER + 'note = "Call Ana, on 0142."\n', "utf-8")
    held = next(one for one in told.json("plan", "--at", AT)["messages"] if one["customer"] == "ana")
    assert held["reasons"] == [
        {"policy": "nobody", "code": "nobody", "detail": "not her", "note": "Call Ana, on 0142."}
    ]
    assert "Call Ana, on 0142." in told("plan", "--at", AT, "--customer", "ana").stdout
    told("tick", "--at", AT)
    shown = told("explain", held["key"]).stdout
    assert "Call Ana, on 0142." in shown
    assert "not her" not in shown


def test_tick_sends_what_is_due_once(told):
    """The message goes when it is due, and not again."""
    assert "0 sent" in told("tick", "--at", AT).stdout
    assert told.json("tick", "--at", "2027-03-02T16:00:01Z")["report"]["sent"] == 1
    assert told.json("tick", "--at", "2027-03-02T16:30:00Z")["report"]["sent"] == 0
    assert len(list((told.folder / "var" / "outbox").glob("*.eml"))) == 1


def test_explain_says_in_a_sentence_what_decided(told):
    """The decision comes with its time and reason, before and after it went."""
    told("tick", "--at", AT)
    ahead = told.json("explain", "ana/thanks")
    assert ahead["sentence"] == (
        "Goes Tue 2 Mar 2027 10:00 CST by e-mail: that is its ideal time, and nothing was against it."
    )
    assert {review["policy"] for review in ahead["reviews"]} == {"quiet_hours"}
    told("tick", "--at", "2027-03-02T16:00:01Z")
    assert told.json("explain", "ana/thanks")["sentence"].startswith("Went Tue 2 Mar 2027 10:00 CST by e-mail")


def test_explain_keeps_what_moved_a_message_once_it_went(told):
    """It is decided once more as it goes; the reason is that of the decision that had put it there, in every list."""
    rule = told.folder / "config" / "rules" / "thanks.yaml"
    rule.write_text(rule.read_text("utf-8").replace("at 10:00", "at 06:00"), "utf-8")
    told("tick", "--at", AT)
    assert told.json("tick", "--at", "2027-03-02T14:00:01Z")["report"]["sent"] == 1
    said = told.json("explain", "ana/thanks")["sentence"]
    assert said.startswith(
        "Went Tue 2 Mar 2027 08:00 CST by e-mail: its ideal time was Tue 2 Mar 06:00; what moved it:"
    )
    assert "quiet_hours (" in said
    (listed,) = told.json("explain", "--customer", "ana")["messages"]
    assert listed["sentence"] == said


def test_explain_says_that_a_time_was_past_only_where_it_was_known_late(told):
    """First heard of hours after its ideal time, it goes at the first moment, and that is what is said."""
    told("tick", "--at", "2027-03-02T18:00:00Z")
    said = told.json("explain", "ana/thanks")["sentence"]
    assert said.endswith("its ideal time, Tue 2 Mar 10:00, was past by then; this was the first at which it could go.")


def test_explain_names_the_smallest_conflict(told):
    """Of all policies only the one that is enough is named, with what the customer said."""
    told("tick", "--at", AT)
    found = told.json("explain", "ben/thanks")
    assert found["decision"]["conflict"] == ["opt_out"]
    assert found["sentence"].startswith("Does not go: opt_out (")
    text = told("explain", "ben/thanks").stdout
    assert "▼" in text
    assert "░░░" in text


def test_explain_draws_the_whole_span(told):
    """Though planning looked at minutes only, the line shows days of quiet hours."""
    told("tick", "--at", AT)
    text = told("explain", "ana/thanks").stdout
    (bar,) = [line for line in text.splitlines() if line.startswith("quiet_hours")]
    assert "▒" in bar
    assert "●" in text
    assert "┃" in text


def test_explain_lists_what_is_against_some_of_the_time_and_nothing_else(told):
    """Hours that are open all day forbid nothing: they are drawn, and are no reason."""
    config = told.folder / "config" / "commsched.toml"
    hours = 'opens = "00:00"\ncloses = "24:00"\nmedia = ["email"]\n'
    whole = f'\n[[policies]]\nkind = "quiet_hours"\nname = "never_quiet"\n{hours}'
    config.write_text(config.read_text("utf-8") + whole, "utf-8")
    told("tick", "--at", AT)
    lines = told("explain", "ana/thanks").stdout.splitlines()
    assert any(line.startswith("never_quiet ") for line in lines)
    assert [line.split(":")[0] for line in lines if line.endswith("(could not be)")] == ["  quiet_hours"]
    assert any("`otherwise` may take its place" in line for line in lines)
    assert any(line.endswith("(a veto)") for line in told("explain", "ben/thanks").stdout.splitlines())


def test_explain_names_the_facts_that_were_read_only_if_asked(told):
    """The long list is for whoever looks into policies."""
    told("tick", "--at", AT)
    assert ", read: " not in told("explain", "ana/thanks").stdout
    assert ", read: " in told("-v", "explain", "ana/thanks").stdout


def test_explain_says_when_the_rules_have_changed_since(told):
    """In another world nothing is replayed: what was stored is shown, and said to be that."""
    told("tick", "--at", AT)
    rule = told.folder / "config" / "rules" / "thanks.yaml"
    rule.write_text(rule.read_text("utf-8").replace("at 10:00", "at 12:00"), "utf-8")
    assert "have changed since" in told.json("explain", "ana/thanks")["note"]
    text = told("explain", "ana/thanks").stdout
    (bar,) = [line.split()[-1] for line in text.splitlines() if line.startswith("quiet_hours")]
    assert bar.count("█") == 1, "of the minutes that were looked at, all was allowed"
    assert set(bar) == {"·", "█"}
    assert "· not looked at" in text


def test_explain_lists_a_customers_messages(told):
    """--customer gives each message with its sentence; neither or both is misuse."""
    told("tick", "--at", AT)
    (one,) = told.json("explain", "--customer", "ben")["messages"]
    assert one["state"] == "refused"
    told("explain", code=2)
    told("explain", "ana/thanks", "--customer", "ana", code=2)


def test_an_unknown_message_comes_with_those_that_are_near(told):
    """A mistyped key exits with 2 and the nearest one."""
    told("tick", "--at", AT)
    assert "ana/thanks/thank/" in told("explain", "ana/thanx/thank", code=2).stderr


def test_the_timeline_masks_addresses_unless_they_are_wanted(told):
    """Addresses are masked, and shown in full only when that is asked for."""
    assert "ana@example.com" not in told("timeline", "ana").stdout
    assert "ana@example.com" in told("timeline", "ana", "--show").stdout


def test_preview_shows_a_message_that_is_not_due(told, tmp_path):
    """The text is shown as it would be, though days are left; it can be sent to oneself, and nothing is recorded."""
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=20)
    booked = {"type": "appointment", "customer": "ana", "at": "2026-11-01T12:00:00Z", "id": "A1", "status": "booked"}
    fact = {**booked, "service": "oil_change", "start": start.isoformat(), "booked_by": "customer"}
    (told.folder / "now.jsonl").write_text(json.dumps(fact), "utf-8")
    told("import", str(told.folder / "now.jsonl"))
    (found,) = told.json("preview", "reminder", "--customer", "ana", "--to", "me@example.com")["messages"]
    assert (found["subject_line"], found["medium"]) == ("See you soon", "email")
    (mail,) = (told.folder / "var" / "outbox").glob("*.eml")
    assert "Subject: [Preview] See you soon" in mail.read_text("utf-8")
    assert "me@example.com" in mail.read_text("utf-8")
    assert told.json("explain", "--customer", "ana")["messages"] == []


def test_preview_says_why_there_is_nothing(told):
    """A rule with nothing to say exits with 1 and the reason; one that there is not, with 2 and the nearest."""
    assert "has nothing to say to ana" in told("preview", "thanks", "--customer", "ana", code=1).stdout
    assert "Did you mean 'thanks'?" in told("preview", "thank", "--customer", "ana", code=2).stderr


def test_pause_stops_and_resume_lets_go_on(told):
    """A paused rule sends nothing, however due; when it goes on, the message goes."""
    told("pause", "thanks", "--by", "Dana")
    assert told.json("tick", "--at", "2027-03-02T16:00:01Z")["report"]["sent"] == 0
    assert told.json("pause")["pauses"][0]["by"] == "Dana"
    told("resume", "thanks")
    assert told.json("tick", "--at", "2027-03-02T16:10:00Z")["report"]["sent"] == 1
    assert "was not stopped" in told("resume", "thanks", code=1).stdout


def test_pause_knows_what_there_is(told):
    """A scope that there is not is refused with the nearest."""
    assert "Did you mean 'thanks'?" in told("pause", "thankz", code=2).stderr


def test_settle_needs_doubt_and_an_answer(told):
    """What was sent is not in doubt; and what became of it must be said."""
    told("tick", "--at", "2027-03-02T16:00:01Z")
    assert "--sent or --not-sent" in told("settle", "ana/thanks", code=2).stderr
    assert "is not in doubt; it is sent" in told("settle", "ana/thanks", "--sent", code=2).stderr


@pytest.mark.parametrize(("answer", "state"), [("--sent", "sent"), ("--not-sent", "planned")])
def test_settle_ends_doubt(told, answer, state):
    """A person's answer is written down, and the message is sent or planned accordingly."""
    _in_doubt(told)
    told("settle", "ana/thanks", answer, "--by", "Dana")
    store = Store("sqlite:///var/commsched.db", folder=told.folder)
    with store.read() as connection:
        assert queries.counts(connection)[state] == 1
        assert queries.attempts(connection, states=("in_doubt",)) == []
    store.close()


def test_simulate_is_deterministic_and_leaves_nothing(shell, tmp_path):
    """Twice the same bytes; each fact counts from when it was recorded; nothing is sent or kept."""
    arguments = ("--json", "simulate", shell.facts(), "--from", "2027-02-01", "--to", "2027-04-01")
    first = shell(*arguments).stdout
    assert shell(*arguments).stdout == first
    found = json.loads(first)
    assert found["summary"]["states"] == {"refused": 1, "sent": 1}
    assert found["rules"][0]["sent"] == 1
    assert not (shell.folder / "var").exists()


def test_simulate_writes_a_page_without_script(shell, tmp_path):
    """The report is one file with bars, in light and dark, and no script."""
    page = tmp_path / "report.html"
    shell("simulate", shell.facts(), "--from", "2027-02-01", "--to", "2027-04-01", "--report", str(page))
    text = page.read_text("utf-8")
    assert "<svg" in text
    assert "prefers-color-scheme: dark" in text
    assert "<script" not in text


def test_simulate_needs_time_to_pass(shell):
    """An end before the beginning is misuse."""
    arguments = ("simulate", shell.facts(), "--from", "2027-04-01", "--to", "2027-02-01")
    assert "--to must be after --from" in shell(*arguments, code=2).stderr


def test_demo_works_on_any_deployment_with_facts(shell):
    """It starts thirty days before the facts end, lays messages down, and says what to try; and it can be repeated."""
    (shell.folder / "facts").mkdir()
    shutil.move(shell.facts(), shell.folder / "facts" / "all.jsonl")
    (shell.folder / "facts" / "as-of.txt").write_text("2027-02-20\n", "utf-8")
    text = shell("demo").stdout
    assert "Corner Garage, 21 Jan 2027 to 22 Mar 2027: 1 message to 1 customer" in text
    assert "COMMSCHED_STORE=sqlite:///var/demo/commsched.db" in text
    shell("demo")
    assert len(list((shell.folder / "var" / "outbox").glob("*.eml"))) == 1


def test_demo_does_not_touch_messages_that_it_did_not_write(told):
    """An outbox with real messages is refused, and --fresh says that it may go."""
    told("tick", "--at", "2027-03-02T16:00:01Z")
    (told.folder / "facts").mkdir()
    shutil.move(told.facts(), told.folder / "facts" / "all.jsonl")
    assert "no demo wrote" in told("demo", code=2).stderr
    assert len(list((told.folder / "var" / "outbox").glob("*.eml"))) == 1
    told("demo", "--fresh")


def _in_doubt(shell) -> None:
    """Send through a channel that cannot say what became of the message."""
    (shell.folder / "plugins").mkdir()
    (shell.folder / "plugins" / "unsure.py").write_text(
        "from commsched import Ambiguous, Channel, NoSettings, hookimpl\n\n\n"
        "class Unsure(Channel[NoSettings]):\n"
        '    kind = "unsure"\n    medium = "email"\n\n'
        "    async def send(self, message):\n"
        '        raise Ambiguous("nobody knows.")\n\n\n'
        "@hookimpl\ndef register_channels():\n    return [Unsure]\n",
        "utf-8",
    )
    path = shell.folder / "config" / "commsched.toml"
    path.write_text(path.read_text("utf-8").replace('kind = "outbox"\nmedium = "email"', 'kind = "unsure"'), "utf-8")
    assert shell.json("tick", "--at", "2027-03-02T16:00:01Z")["report"]["in_doubt"] == 1
