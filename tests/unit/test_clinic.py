"""The second deployment, `examples/clinic/`: its facts, its check, and what `check` says of it broken."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import phonenumbers
import pytest
import yaml
from click.testing import CliRunner
from sample_tools import decoded, load, of

from commsched.cli import cli
from commsched.model.facts import Appointment, ContactPoint, Customer, Fact, ServiceRecord, Wish

ROOT = Path(__file__).resolve().parents[2]
CLINIC = ROOT / "examples" / "clinic"
COLONOSCOPY = "config/rules/colonoscopy-preparation.yaml"
BOOKED = r"booked \w{3} \d+ \w{3} \d{4} \d\d:\d\d for \w{3} \d+ \w{3} \d{4} \d\d:\d\d \(Colonoscopy\): "
BEGINS = r"low-fibre begins \w{3} \d+ \w{3} \d\d:\d\d and must be told by \w{3} \d+ \w{3} \d\d:\d\d; "


@pytest.fixture(scope="module")
def tool():
    return load("sample_clinic")


@pytest.fixture(scope="module")
def files(tool):
    return tool.sample()


@pytest.fixture(scope="module")
def facts(files) -> list[Fact]:
    return decoded(files)


def checked(folder):
    """What `commsched check` says of a deployment, and its exit code."""
    done = CliRunner().invoke(cli, ["--deployment", str(folder), "--json", "check"])
    return json.loads(done.stdout), done.exit_code


def copy_of(tmp_path):
    """The clinic with only the rules that tell preparations, which is what breaks here; checking all takes long."""
    folder = tmp_path / "clinic"
    shutil.copytree(CLINIC, folder, ignore=shutil.ignore_patterns("var", "facts", "__pycache__"))
    for rule in (folder / "config" / "rules").glob("*.yaml"):
        if not rule.stem.endswith("-preparation"):
            rule.unlink()
    return folder


def edit(folder, name, old, new):
    path = folder / name
    text = path.read_text()
    assert len(re.findall(old, text, re.DOTALL)) == 1, f"{old} is not once in {name}"
    path.write_text(re.sub(old, new, text, flags=re.DOTALL))


def unanswered(folder):
    """The counterexamples of steps without an answer, by rule file."""
    said, code = checked(folder)
    assert code == 1
    return {one["file"]: one["counterexample"] for one in said["problems"] if one["code"] == "no_answer"}


def test_the_clinic_holds_together():
    """`check` finds nothing wrong, has nothing to note, and proved every preparation."""
    said, code = checked(CLINIC)
    assert (code, said["problems"], said["warnings"]) == (0, [], [])
    proved = {proof["service"] for proof in said["proofs"] if proof["step"] == "instructions"}
    assert proved == {"colonoscopy", "capsule_endoscopy", "gastroscopy"}


def test_without_too_late_a_booking_is_named_that_nobody_is_told_of(tmp_path):
    """(a) Take away what happens when it is too late: the counterexample is a booking."""
    folder = copy_of(tmp_path)
    edit(folder, COLONOSCOPY, r"    too_late:.*?(?=    on_veto:)", "")
    assert re.fullmatch(
        BOOKED + BEGINS + r"on (email|sms) nothing tells the customer.*", unanswered(folder)[COLONOSCOPY]
    )


def test_a_preparation_that_no_step_covers_is_untold(tmp_path):
    """(b) The instructions no longer cover the drink: nobody tells it, whenever one books."""
    folder = copy_of(tmp_path)
    edit(folder, COLONOSCOPY, r"    covers: \[drink\]\n", "")
    said, code = checked(folder)
    (untold,) = [one for one in said["problems"] if one["code"] == "prep_untold"]
    assert code == 1
    assert untold["file"] == "config/services.yaml"
    assert "`prep: drink`" in untold["message"]
    begins = r"drink begins \w{3} \d+ \w{3} 18:00; nothing tells the customer"
    assert re.fullmatch(BOOKED + begins, untold["counterexample"])


def test_a_message_is_no_answer_where_no_message_may_go(tmp_path):
    """(c) Another message in place of the task: it cannot go in time either, over a weekend or a holiday."""
    folder = copy_of(tmp_path)
    edit(
        folder,
        COLONOSCOPY,
        r"    too_late:.*?(?=    on_veto:)",
        "    too_late: {template: prep-colonoscopy-drink}\n",
    )
    assert re.fullmatch(BOOKED + BEGINS + r"on sms nothing tells the customer.*", unanswered(folder)[COLONOSCOPY])


def test_quiet_hours_that_leave_no_time_leave_somebody_untold(tmp_path):
    """(d) Texts go from five to six only, when nobody is here to be called: whoever has no mail is never told."""
    folder = copy_of(tmp_path)
    edit(folder, "config/commsched.toml", 'opens = "08:00"\ncloses = "20:00"', 'opens = "05:00"\ncloses = "06:00"')
    edit(folder, COLONOSCOPY, r"    too_late:.*?(?=    on_veto:)", "    too_late: {template: prep-colonoscopy}\n")
    found = unanswered(folder)
    assert list(found) == [COLONOSCOPY]
    assert re.fullmatch(BOOKED + BEGINS + r"on sms nothing tells the customer.*", found[COLONOSCOPY])


def test_the_committed_files_are_what_the_tool_makes_by_default(files):
    """The facts in the repository are those that the tool writes, byte for byte."""
    committed = {path.name: path.read_bytes() for path in (CLINIC / "facts").glob("*.jsonl")}
    assert sorted(committed) == sorted(files)
    assert [name for name in files if committed[name] != files[name]] == []


def test_the_same_arguments_give_the_same_bytes(tool):
    """Two runs with the same seed agree, and another seed gives other patients."""
    assert tool.sample(patients=30) == tool.sample(patients=30) != tool.sample(patients=30, seed=12)


def test_every_kind_of_story_is_there(facts):
    """Bookings long before and inside the notice, moved, cancelled, missed; opt-outs, minors, zones, wishes."""
    appointments = of(facts, Appointment)
    assert {fact.status for fact in appointments} >= {
        "proposed",
        "booked",
        "confirmed",
        "cancelled",
        "completed",
        "no_show",
    }
    leads = [(fact.start - fact.at).days for fact in appointments if fact.service == "colonoscopy"]
    assert (min(leads) < 2, max(leads) > 30) == (True, True)
    people = of(facts, Customer)
    assert {fact.status for fact in people} >= {"former", "deceased"}
    assert sum(isinstance(fact.guardian, str) for fact in people) == 3
    assert len({fact.timezone for fact in people if isinstance(fact.timezone, str)}) >= 5
    assert len(of(facts, Wish)) >= 10
    assert len({fact.type for fact in facts}) >= 14


def test_nobody_is_in_two_states_at_once(facts):
    """Each record was an appointment that was completed, and nothing is said of an appointment after it ended so."""
    ends = {}
    for fact in sorted(of(facts, Appointment), key=lambda fact: (fact.at, fact.recorded_at)):
        assert ends.get(fact.id) is None, f"{fact.id} goes on after it was {ends[fact.id]}"
        if fact.status in {"completed", "cancelled", "no_show"}:
            ends[fact.id] = fact.status
    done = Counter(ends.values())["completed"]
    assert done == sum(record.service != "check_up" for record in of(facts, ServiceRecord)) + sum(
        fact.service == "check_up" and ends.get(fact.id) == "completed" for fact in of(facts, Appointment)
    )


def test_addresses_are_made_up_and_possible(facts):
    """Phones are those kept for fiction, mail goes to reserved domains."""
    kept = r"\+4917604069\d{3}|\+491713920\d{3}|\+498999998\d{3}|\+447700900\d{3}|\+1\d{3}55501\d\d"
    for point in of(facts, ContactPoint):
        if point.kind == "phone":
            assert re.fullmatch(kept, point.address)
            assert phonenumbers.is_possible_number(phonenumbers.parse(point.address))
        else:
            assert re.search(r"@example\.(com|org|net)$", point.address)


def test_no_text_and_no_subject_says_what_is_treated():
    """Whoever looks over a shoulder learns that there is an appointment, not which."""
    services = yaml.safe_load((CLINIC / "config" / "services.yaml").read_text())["services"]
    procedures = [word for name in services if "scopy" in name for word in (name, services[name]["name"].lower())]
    telling = [*procedures, "service.name", "{{ why", "fibre", "bowel", "laxative", "stomach", "iron", "fasting"]
    seen = 0
    for path in sorted((CLINIC / "templates").rglob("*.txt")):
        text = path.read_text().lower()
        open_to_all = text if path.name == "sms.txt" else text.partition("\n")[0]
        if path.name == "sms.txt" or open_to_all.startswith("subject:"):
            seen += 1
            assert [word for word in telling if word in open_to_all] == [], path
    assert seen > 30
