"""A year at the clinic: whoever has to prepare for a procedure is told in time, or a person knows at once."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from sample_tools import load

from commsched.cli.virtual import Virtual
from commsched.model.facts import AnyFact, Appointment, Customer
from commsched.store import queries
from commsched.store.store import Store

ROOT = Path(__file__).resolve().parents[2]
CLINIC = ROOT / "examples" / "clinic"
MUNICH = ZoneInfo("Europe/Berlin")
BEGIN, END = (datetime(year, 1, 5, tzinfo=MUNICH).astimezone(UTC) for year in (2026, 2027))
PATIENTS = 30
SLACK = timedelta(minutes=5)
SAME = timedelta(minutes=30)
LIVE = {"booked", "confirmed"}


def day_before(start, days, hour):
    """So many days before, at that hour in Munich."""
    day = start.astimezone(MUNICH).date() - timedelta(days=days)
    return datetime.combine(day, time(hour), MUNICH).astimezone(UTC)


# By when each procedure's instructions must have gone: written down here once more, not taken from the deployment.
TELL_BY = {
    "colonoscopy": lambda start: start - timedelta(hours=72 + 24),
    "capsule_endoscopy": lambda start: day_before(start, 5, 8) - timedelta(hours=24),
    "gastroscopy": lambda start: day_before(start, 1, 20) - timedelta(hours=6),
}


@dataclass
class Stretch:
    """From when to when an appointment stood at a time, as far as anybody knew."""

    customer: str
    id: str
    service: str
    start: datetime
    known: datetime
    until: datetime = END


def stretches(facts):
    """The history of every procedure, from the facts alone: a new stretch whenever it moved by half an hour or more."""
    found, last = [], {}
    told = [fact for fact in facts if isinstance(fact, Appointment)]
    for fact in sorted(told, key=lambda fact: (fact.recorded_at, fact.at)):
        service, start, status, open_ = last.get(fact.id, (None, None, "booked", None))
        service = fact.service if isinstance(fact.service, str) else service
        start = fact.start if isinstance(fact.start, datetime) else start
        status = fact.status if isinstance(fact.status, str) else status
        stands = status in LIVE and service in TELL_BY
        if open_ is not None and (not stands or abs(open_.start - start) >= SAME):
            open_.until, open_ = fact.recorded_at, None
        if stands and open_ is None:
            open_ = Stretch(fact.customer, fact.id, service, start, fact.recorded_at)
            found.append(open_)
        last[fact.id] = (service, start, status, open_)
    return found


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    """The facts of some patients; what was sent in a year, and when each task came up."""
    files = load("sample_clinic").sample(patients=PATIENTS)
    folder = tmp_path_factory.mktemp("year")
    for name, content in files.items():
        (folder / name).write_bytes(content)
    store = Store("sqlite:///year.db", folder=folder)
    virtual = Virtual(CLINIC, BEGIN, store, record=True)
    known, rejects = virtual.facts(sorted(folder.glob("*.jsonl")))
    assert rejects == []
    raised, before = {}, BEGIN

    def look(now):
        """A task that is there now came up when the engine was last at work."""
        nonlocal before
        with store.read() as connection:
            for row in queries.tasks(connection):
                raised.setdefault(row.key, before)
        before = now

    virtual.run(known, END, look)
    messages, tasks = virtual.results()
    store.close()
    decode = msgspec.json.Decoder(AnyFact).decode
    facts = [decode(line) for content in files.values() for line in content.splitlines()]
    return facts, messages, tasks, raised


def dead(facts):
    return {fact.customer for fact in facts if isinstance(fact, Customer) and fact.status == "deceased"}


def test_nobody_has_to_prepare_without_having_been_told(year):
    """Every procedure that stood when its instructions were due was told by then, or a task came up at once."""
    facts, messages, tasks, raised = year
    told, called = defaultdict(list), defaultdict(list)
    for message in messages:
        if message.state in {"sent", "delivered"} and message.rule.endswith("-preparation"):
            told[message.customer, message.subject].append(message.at)
    for task in tasks:
        if task.rule.endswith("-preparation"):
            called[task.customer, task.key.split("/")[3]].append(raised[task.key])
    by_message = by_person = 0
    for one in stretches(facts):
        deadline = TELL_BY[one.service](one.start)
        owed = max(deadline, one.known)
        if one.known < BEGIN or owed + SLACK >= min(one.until, one.start) or one.customer in dead(facts):
            continue
        about = (one.customer, one.id)
        if any(one.known <= at <= deadline for at in told[about]):
            by_message += 1
        else:
            assert any(one.known <= at <= owed + SLACK for at in called[about]), one
            by_person += 1
    assert by_message > 10
    assert by_person > 3


def test_the_patient_is_told_of_the_time_that_holds(year):
    """The last instructions before a procedure name its time, whether it was moved or not."""
    facts, messages, _, _ = year
    # Whoever reads another English than ours is shown the clock as it is written there.
    ours = {fact.customer for fact in facts if isinstance(fact, Customer)} - {
        fact.customer for fact in facts if isinstance(fact, Customer) and isinstance(fact.locale, str)
    }
    checked = 0
    for one in stretches(facts):
        stood = one.until >= one.start
        about = [
            message
            for message in messages
            if message.rule.endswith("-preparation")
            and message.state in {"sent", "delivered"}
            and (message.customer, message.subject) == (one.customer, one.id)
            and one.known <= message.at <= one.start
        ]
        if stood and about and one.customer in ours:
            shown = one.start.astimezone(MUNICH)
            assert f"{shown.day} {shown:%b}" in about[-1].body
            assert f"{shown:%H:%M} {shown:%Z}" in about[-1].body
            checked += 1
    assert checked > 10


def test_children_are_spoken_of_to_their_guardians(year):
    """What is sent about a minor goes to the guardian's address, and greets nobody by the child's name."""
    facts, messages, _, _ = year
    people = [fact for fact in facts if isinstance(fact, Customer)]
    minors = {fact.customer: fact.guardian for fact in people if isinstance(fact.guardian, str)}
    sent = [one for one in messages if one.customer in minors and one.state in {"sent", "delivered"}]
    homes = {(fact.customer, fact.address) for fact in facts if fact.type == "contact_point"}
    assert sent
    assert all(one.rule.startswith("guardian-") and (minors[one.customer], one.to) in homes for one in sent)
    assert not any(re.match(r"Hello \w", one.body) for one in sent)


def test_after_a_second_missed_appointment_a_person_decides(year):
    """A message after the first, none after the second."""
    _, messages, tasks, _ = year
    missed = [one for one in messages if one.rule == "missed" and one.state in {"sent", "delivered"}]
    again = {task.customer: task.at for task in tasks if task.rule == "missed-again"}
    assert missed
    assert not any(one.customer in again and one.at > again[one.customer] for one in missed)


def test_tasks_name_procedures_as_people_do(year):
    """No task has a word from the configuration in it, or a blank where a name should be."""
    _, _, tasks, _ = year
    assert tasks
    for task in tasks:
        assert "_" not in task.text, task.text
        assert "  " not in task.text, task.text
