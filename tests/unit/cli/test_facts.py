"""import, conflicts, and what people state: note, hold, book, cancel, tasks, done."""

import json

from click.testing import CliRunner

from commsched.cli import cli


def test_import_is_idempotent(shell):
    """The same file a second time brings nothing new."""
    assert "7 facts new, 0 known already" in shell("import", shell.facts()).stdout
    assert "0 facts new, 7 known already" in shell("import", shell.facts()).stdout


def test_a_folder_means_all_its_files(shell):
    """Naming a folder imports the fact files in it."""
    (shell.folder / "facts").mkdir()
    (shell.folder / "facts.jsonl").rename(shell.folder / "facts" / "all.jsonl")
    assert shell.json("import", str(shell.folder / "facts"))["files"][0]["new"] == 7


def test_what_cannot_be_taken_is_named_and_kept(shell):
    """A bad line is told with number and field, kept in the rejects file, and the rest goes in with exit code 1."""
    with (shell.folder / "facts.jsonl").open("a", encoding="utf-8") as file:
        bad = {"type": "contact_point", "customer": "ana", "at": "2026-01-01T12:00:00Z", "kind": "email"}
        file.write(json.dumps({**bad, "address": "ana@"}) + "\n")
    result = shell("import", shell.facts(), code=1)
    assert "facts.jsonl:8: address: 'ana@' is no e-mail address" in result.stdout
    assert "7 facts new, 0 known already, 1 rejected" in result.stdout
    (line,) = (shell.folder / "var" / "rejects" / "facts.jsonl.rejects.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line)["field"] == "address"


def test_a_missing_file_is_misuse(shell):
    """A file that is not there exits with 2, and nothing is imported."""
    assert "There is no file" in shell("import", str(shell.folder / "nothing.jsonl"), code=2).stderr


def test_an_import_does_not_overwrite_what_a_customer_said(told):
    """A refused overwrite is told when it is imported, and listed for the source's owner afterwards."""
    _write(told, "said.jsonl", [_name("Anna Ruiz", "2026-05-01", "customer"), _email("2026-05-01")])
    told("import", str(told.folder / "said.jsonl"))
    _write(told, "crm.jsonl", [_name("ANNA R", "2026-06-01", "import")])
    result = told("import", str(told.folder / "crm.jsonl"), "--source", "crm")
    assert "name stays 'Anna Ruiz', as the customer said; crm says 'ANNA R'" in result.stdout
    (conflict,) = told.json("conflicts", "--source", "crm")["conflicts"]
    assert (conflict["field"], conflict["refused"]) == ("name", "'ANNA R'")
    assert told.json("conflicts", "--source", "dms")["conflicts"] == []
    assert conflict["reported"] == "no"
    assert "For whoever looks after crm" in told("conflicts").stdout
    assert "No import was refused" in told("conflicts", "--source", "dms").stdout
    file = told.folder / "wrong.csv"
    assert "1 refused overwrite written" in told("conflicts", "--export", str(file)).stdout
    head, row = file.read_text("utf-8").splitlines()
    assert head == "source,customer,field,stands,said by,refused,learnt,reported"
    assert row.startswith("crm,")


def test_a_note_is_everybodys(told):
    """A call that was noted stands in the customer's timeline."""
    told("note", "ana", "Wants no calls before noon", "--in", "--customer-said", "--by", "Dana")
    texts = [one["text"] for one in told.json("timeline", "ana")["timeline"]]
    assert "voice from them, Dana: Wants no calls before noon" in texts


def test_a_customer_nobody_knows_is_named_with_who_is_near(told):
    """A mistyped customer exits with 2 and the nearest id."""
    assert "Did you mean ana?" in told("note", "anna", "hello", code=2).stderr


def test_a_hold_echoes_its_end_and_can_be_released(told):
    """A hold says until when in the deployment's zone, and how to take it back; that works."""
    result = told("hold", "ana", "--purpose", "sales", "--until", "2030-12-01", "--reason", "busy")
    assert "until Mon 2 Dec 2030 00:00 CST: busy" in result.stdout
    undo = result.stdout.strip().splitlines()[-1].rpartition("commsched ")[2].split()
    assert "has ended" in told(*undo).stdout


def test_a_hold_needs_an_end_that_lies_ahead(told):
    """A hold without an end, or with one that is past, is refused."""
    assert "--until" in told("hold", "ana", "--purpose", "sales", "--reason", "x", code=2).stderr
    past = ("hold", "ana", "--purpose", "sales", "--until", "2020-01-01", "--reason", "x")
    assert "past" in told(*past, code=2).stderr


def test_a_purpose_that_is_not_declared_is_rejected(told):
    """A fact that does not fit the vocabulary exits with 1 and a hint."""
    result = told("hold", "ana", "--purpose", "saels", "--until", "2030-12-01", "--reason", "x", code=1)
    assert "did you mean 'sales'?" in result.stderr


def test_booking_and_cancelling(told):
    """A booking has the service's length and our zone, and the way back that it names works."""
    result = told.json("book", "ana", "oil_change", "--start", "2030-12-02 09:00", "--id", "A1", "--customer-said")
    assert result["fact"]["start"] == "2030-12-02T15:00:00Z"
    assert result["fact"]["end"] == "2030-12-02T15:45:00Z"
    assert result["undo"] == "commsched cancel ana A1"
    said = told("cancel", "ana", "A1").stdout
    assert "Cancelled A1, oil_change on Mon 2 Dec 2030 09:00 CST." in said
    assert '--start "2030-12-02 09:00" --id A1 --customer-said' in said, "it was the customer's booking"
    assert "already" in told("cancel", "ana", "A1").stdout


def test_a_booking_outside_the_hours_needs_to_be_wanted(told):
    """Three in the morning is refused, unless it is forced."""
    early = ("book", "ana", "oil_change", "--start", "2030-12-02 03:00")
    assert "outside the hours of hours" in told(*early, code=2).stderr
    told(*early, "--force")


def test_a_booking_in_the_past_is_refused(told):
    """Appointments begin in the future."""
    assert "is past" in told("book", "ana", "oil_change", "--start", "2020-01-01 09:00", code=2).stderr


def test_times_that_are_none_are_explained(told):
    """What is no time is refused with the forms that are."""
    assert "is no time; write 2026-12-01" in told("book", "ana", "oil_change", "--start", "soon", code=2).stderr


def test_an_appointment_is_moved_and_moved_back(told):
    """A move says from where to where, and how to undo it; what does not exist is not moved."""
    told("book", "ana", "oil_change", "--start", "2030-12-02 09:00", "--id", "A1")
    moved = told("book", "ana", "oil_change", "--start", "2030-12-03 10:00", "--move", "A1").stdout
    assert "Moved Oil change of Ana Ruiz (ana), A1: Mon 2 Dec 2030 09:00 CST -> Tue 3 Dec 2030 10:00 CST." in moved
    assert 'commsched book ana oil_change --start "2030-12-02 09:00" --move A1' in moved
    wrong = told("book", "ana", "oil_change", "--start", "2030-12-04 10:00", "--move", "A2", code=2).stderr
    assert "No appointment of ana is called 'A2'. There is A1." in wrong


def test_tasks_are_listed_and_done(told):
    """What could not be said becomes a task; once somebody has done it, it is gone."""
    (told.folder / "carl.jsonl").write_text(
        '{"type":"customer","id":"carl","at":"2026-01-01T12:00:00Z","name":"Carl Voss"}\n'
        '{"type":"appointment","customer":"carl","at":"2027-03-01T12:00:00Z","id":"A9","service":"oil_change",'
        '"start":"2027-03-10T15:00:00Z","status":"booked","booked_by":"staff","stated_by":"staff"}\n',
        "utf-8",
    )
    told("import", str(told.folder / "carl.jsonl"))
    told("tick", "--at", "2027-03-10T13:30:00Z")
    (task,) = told.json("tasks", "--department", "service")["tasks"]
    assert task["text"].startswith("Call Carl Voss: ")
    assert task["due"] == "2027-03-10T15:00:00Z", "no later than what it is about"
    wrong = told("done", task["key"], "reached", "--told", "remid", code=2).stderr
    assert "No step or preparation of reminder is called 'remid'. Did you mean 'remind'?" in wrong
    assert "was told nothing" in told("done", task["key"], "unreached", "--told", "remind", code=2).stderr
    assert "stays to be done" in told("done", task["key"], "unreached").stdout
    told("tick", "--at", task["at"])
    assert told.json("tasks")["tasks"][0]["state"] == "open"
    told("done", task["key"], "reached", "--by", "Dana")
    assert told.json("tasks")["tasks"] == []
    assert told.json("tasks", "--all")["tasks"][0]["state"] == "done"
    again = told("done", task["key"], "done", code=1)
    assert f"{task['key']} is done already: reached, by Dana on " in again.stderr
    assert again.stdout == ""
    assert "called 'nothing'" in told("done", "nothing", "done", code=2).stderr


def _write(shell, name: str, facts: list[dict[str, object]]) -> None:
    (shell.folder / name).write_text("".join(json.dumps(fact) + "\n" for fact in facts), "utf-8")


def _name(name: str, day: str, stated_by: str) -> dict[str, object]:
    return {"type": "customer", "id": "ana", "at": f"{day}T12:00:00Z", "name": name, "stated_by": stated_by}


def _email(day: str) -> dict[str, object]:
    return {"type": "contact_point", "customer": "ana", "at": f"{day}T12:00:00Z", "kind": "email",
            "address": "anna@example.com", "stated_by": "customer"}  # fmt: skip


def test_a_task_is_named_by_as_much_of_its_key_as_is_enough(told):
    """Its key stands on one line, however narrow the screen; what fits several tasks lists them."""
    facts = [
        fact
        for name in ("carl", "carla")
        for fact in (
            {"type": "customer", "id": name, "at": "2026-01-01T12:00:00Z", "name": name.title()},
            {"type": "appointment", "customer": name, "at": "2027-03-01T12:00:00Z", "id": "A9", "service": "oil_change",
             "start": "2027-03-10T15:00:00Z", "status": "booked", "booked_by": "staff", "stated_by": "staff"},
        )
    ]  # fmt: skip
    _write(told, "people.jsonl", facts)
    told("import", str(told.folder / "people.jsonl"))
    told("tick", "--at", "2027-03-10T13:30:00Z")
    keys = [task["key"] for task in told.json("tasks")["tasks"]]
    narrow = CliRunner(env={"COLUMNS": "80"}).invoke(cli, ["--deployment", str(told.folder), "tasks"]).stdout
    assert all(key in narrow for key in keys)
    several = told("done", "carl", "done", code=2).stderr
    assert "everal tasks begin with 'carl'" in several
    assert all(key in several for key in keys)
    assert f"{keys[0]}: done." in told("done", keys[0][:12], "done").stdout
    assert f"{keys[1]}: done." in told("done", "carl", "done").stdout, "only one is open still"
