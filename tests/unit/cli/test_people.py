"""What people state and do: commit, case, and the life of tasks."""

import json

import pytest

CARL = [
    {"type": "customer", "id": "carl", "at": "2026-01-01T12:00:00Z", "name": "Carl Voss"},
    {
        "type": "appointment", "customer": "carl", "at": "2027-03-01T12:00:00Z", "id": "A9", "service": "oil_change",
        "start": "2027-03-10T15:00:00Z", "status": "booked", "booked_by": "staff", "stated_by": "staff",
    },
]  # fmt: skip


def undo_of(result):
    return result.stdout.strip().splitlines()[-1].rpartition("commsched ")[2].split()


def test_a_promise_is_noted_kept_and_not_kept(told):
    """It is echoed with its owner and its end, and each word about it can be taken back by what is printed."""
    result = told("commit", "ana", "Call about the brakes", "--owner", "Dana", "--due", "2030-12-04 18:00")
    assert "Ana Ruiz (ana) was promised by Dana, until Wed 4 Dec 2030 18:00 CST" in result.stdout
    (promise,) = told.json("commit", "ana")["promises"]
    kept = told("commit", "ana", "--kept", promise["id"])
    assert f"Kept: Call about the brakes [{promise['id']}]" in kept.stdout
    assert "kept, until Wed 4 Dec 2030" in told("commit", "ana").stdout
    assert "as you say" in told("commit", "ana", "--kept", promise["id"]).stdout
    assert "Not kept after all" in told(*undo_of(kept)).stdout
    assert "open, until Wed 4 Dec 2030" in told("commit", "ana").stdout


def test_a_promise_can_only_be_put_off(told):
    """Late needs a later time; what is kept, unknown or past is refused."""
    told("commit", "ana", "Call", "--due", "2030-12-04 18:00")
    (promise,) = told.json("commit", "ana")["promises"]
    late = ("commit", "ana", "--late", promise["id"])
    assert "needs --due" in told(*late, code=2).stderr
    assert "later than what was promised" in told(*late, "--due", "2030-12-01", code=2).stderr
    assert "Put off until Mon 9 Dec 2030 12:00" in told(*late, "--due", "2030-12-09 12:00").stdout
    assert "No promise to ana is called 'P-x'" in told("commit", "ana", "--kept", "P-x", code=2).stderr
    assert "past" in told("commit", "ana", "Call", "--due", "2020-01-01", code=2).stderr
    assert "One thing" in told("commit", "ana", "Call", "--kept", promise["id"], code=2).stderr
    told("commit", "ana", "--kept", promise["id"])
    assert "kept already" in told(*late, "--due", "2030-12-12", code=2).stderr


def test_a_case_is_opened_closed_and_reopened(told):
    """Each change says how to take it back, and that works; a case that is not there is named with those that are."""
    opened = told("case", "ana", "open", "The brakes squeal", "--severity", "high")
    assert "Opened for Ana Ruiz (ana): The brakes squeal" in opened.stdout
    closed = told(*undo_of(opened))
    assert "Closed: The brakes squeal" in closed.stdout
    assert "Open again" in told(*undo_of(closed)).stdout
    name = undo_of(opened)[-1]
    assert "open already" in told("case", "ana", "reopen", name).stdout
    assert "No case of ana is called" in told("case", "ana", "close", "K-x", code=2).stderr
    assert "for a case that is opened" in told("case", "ana", "close", name, "--kind", "x", code=2).stderr


@pytest.fixture
def todo(told):
    """A message that could not be, and the call that is to be made instead."""
    path = told.folder / "carl.jsonl"
    path.write_text("".join(json.dumps(fact) + "\n" for fact in CARL), "utf-8")
    told("import", str(path))
    told("tick", "--at", "2027-03-10T13:30:00Z")
    return told


def test_a_task_is_taken_once_and_given_back(todo):
    """Dana takes it, Eli is told that she has; it is on her list until she gives it back, whatever is planned again."""
    (task,) = todo.json("tasks")["tasks"]
    assert (task["owner"], task["outcome"]) == ("", "")
    assert "is dana's now" in todo("tasks", "--take", task["key"], "--by", "dana").stdout
    assert "is dana's already" in todo("tasks", "--take", task["key"], "--by", "eli", code=1).stderr
    assert "is dana's, not yours" in todo("tasks", "--give-back", task["key"], "--by", "eli", code=1).stderr
    todo("tick", "--at", "2027-03-10T13:40:00Z")
    (mine,) = todo.json("tasks", "--mine", "--by", "Dana")["tasks"]
    assert mine["owner"] == "dana"
    assert todo.json("tasks", "--mine", "--by", "eli")["tasks"] == []
    assert "nobody's again" in todo("tasks", "--give-back", task["key"], "--by", "dana").stdout
    todo("done", task["key"], "reached", "--by", "Dana")
    assert "nothing to take" in todo("tasks", "--take", task["key"], code=1).stderr
    (over,) = todo.json("tasks", "--all")["tasks"]
    assert (over["state"], over["outcome"], over["overdue"]) == ("done", "reached, by Dana", False)


def test_a_task_that_nobody_does_escalates(told):
    """It is due a day after it came up, and two days later it is its department's lead's, first on the list."""
    config = told.folder / "config" / "commsched.toml"
    config.write_text(
        config.read_text("utf-8").replace('title = "Service"', 'title = "Service"\nlead = "Pat"'), "utf-8"
    )
    then = {"at": "2026-01-02T12:00:00Z", "recorded_at": "2026-01-02T12:00:00Z"}
    old = [{**CARL[0], **then}, {**CARL[1], **then, "start": "2026-01-10T15:00:00Z"}]
    path = told.folder / "old.jsonl"
    path.write_text("".join(json.dumps(fact) + "\n" for fact in old), "utf-8")
    told("import", str(path))
    told("tick", "--at", "2026-01-10T13:30:00Z")
    (task,) = told.json("tasks", "--mine", "--by", "pat")["tasks"]
    assert (task["escalated"], task["overdue"], task["owner"]) == ("Pat", True, "")
    assert task["due"] > task["at"]
    assert "ESCALATED to Pat, service, was due" in told("tasks").stdout


def test_a_task_whose_reason_is_gone_is_withdrawn(todo):
    """The appointment is cancelled: nobody need call any more, and the list says so."""
    gone = {**CARL[1], "at": "2027-03-10T13:35:00Z", "status": "cancelled"}
    path = todo.folder / "gone.jsonl"
    path.write_text(json.dumps(gone) + "\n", "utf-8")
    todo("import", str(path))
    todo("tick", "--at", "2027-03-10T13:40:00Z")
    assert todo.json("tasks")["tasks"] == []
    (task,) = todo.json("tasks", "--all")["tasks"]
    assert (task["state"], task["outcome"]) == ("withdrawn", "not needed any more")
