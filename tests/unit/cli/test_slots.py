"""Free times, bookings that ask for them, and calendars that are closed."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from commsched.app import App
from commsched.cli.booked import Booking, book_then
from commsched.errors import Misuse
from commsched.store.ledgers import load

CALENDAR = """
[[calendars]]
name = "couch"
kind = "opening_hours"
weekly = { "mon-fri" = ["08:00-10:00"] }
capacity = 2
"""
SERVICES = """
services:
  oil_change: {name: Oil change, duration: 45m, calendar: hours, min_notice: 2h}
  scope:
    name: Colonoscopy
    duration: 60m
    calendar: couch
    prep:
      - {id: drink, begins: start - 1d at 18:00, notice: 12h}
      - {id: diet, begins: start - 72h, notice: 24h}
  advice: {name: Advice}
  voyage: {name: Voyage, calendar: hours, min_notice: 20000d}
  fast: {name: Fast, calendar: hours, prep: [{id: vow, begins: start - 72h, notice: 20000d}]}
"""
TELL = """
rule: tell
why: "You have an appointment with us."
purpose: transactional
topic: appointment
department: service
trigger: {appointment: {service: [scope], status: [booked]}}
steps:
  - step: diet
    prep: diet
    at: prep - 2d at 10:00
    template: reminder
    media: [email]
    too_late: {task: "Call {{ customer.name }} about the diet: {{ reason }}"}
"""
WAITING = """
rule: waiting
why: "You asked us to tell you."
purpose: transactional
topic: appointment
department: service
trigger: {offer: [scope]}
steps:
  - {step: offer, at: offered, deadline: expires - 1h, template: freed, media: [email]}
stop_when: booked
"""


@pytest.fixture
def clinic(told):
    """The garage with a couch for two that needs preparation, and people who have stated when they come."""
    (told.folder / "config/services.yaml").write_text(SERVICES)
    (told.folder / "config/rules/tell.yaml").write_text(TELL)
    (told.folder / "config/rules/waiting.yaml").write_text(WAITING)
    (told.folder / "templates/freed").mkdir()
    (told.folder / "templates/freed/email.txt").write_text("Subject: Free\n\n{{ offer.start }}, until {{ expires }}.\n")
    config = told.folder / "config/commsched.toml"
    config.write_text(config.read_text().replace("[[channels]]", f"{CALENDAR}\n[[channels]]", 1))
    (told.folder / "said.jsonl").write_text(
        json.dumps(
            {
                "type": "preference",
                "customer": "ben",
                "at": "2026-01-01T12:00:00Z",
                "stated_by": "customer",
                "visit_hours": {"wed": ["08:00-10:00"]},
            }
        )
        + '\n{"type":"customer","id":"cy","at":"2026-01-01T12:00:00Z","name":"Cy Voss"}\n'
        + '{"type":"contact_point","customer":"cy","at":"2026-01-01T12:00:00Z","kind":"email",'
        + '"address":"cy@x.example"}\n'
        + '{"type":"asset","customer":"cy","at":"2026-01-01T12:00:00Z","id":"v1","kind":"car"}\n'
        + '{"type":"asset","customer":"cy","at":"2026-01-01T12:00:00Z","id":"v2","kind":"car"}\n'
    )
    told("import", str(told.folder / "said.jsonl"))
    return told


def starts(found):
    return [slot["start"] for slot in found["slots"]]


WEEK = ("--from", "2030-12-02", "--to", "2030-12-07")


def test_free_times_come_from_hours_and_what_is_booked(clinic):
    """Monday at eight is free twice, then once, then not at all; what is taken is counted."""
    first = clinic.json("slots", "scope", *WEEK, "--limit", "1")["slots"][0]
    assert (first["start"], first["end"], first["free"]) == ("2030-12-02T14:00:00Z", "2030-12-02T15:00:00Z", 2)
    assert [prep["id"] for prep in first["prep"]] == ["diet", "drink"]
    assert first["prep"][0]["begins"] == "2030-11-29T14:00:00Z"
    assert first["prep"][0]["tell_by"] == "2030-11-28T14:00:00Z"
    for customer in ("ana", "ben"):
        clinic("book", customer, "scope", "--start", "2030-12-02 08:00")
    found = clinic.json("slots", "scope", *WEEK, "--limit", "50")
    assert "2030-12-02T14:00:00Z" not in starts(found)
    assert "2030-12-02T15:00:00Z" in starts(found)
    assert {"code": "full", "detail": "4 of 25 times are taken"} in found["reasons"]


def test_the_customers_hours_come_first_and_others_are_flagged(clinic):
    """Wednesdays suit; if only other days are free, that is said."""
    found = clinic.json("slots", "scope", *WEEK, "--customer", "ben")
    assert starts(found)[0] == "2030-12-04T14:00:00Z"
    assert [slot["suits"] for slot in found["slots"][:6]] == [True] * 5 + [False]
    monday = clinic.json("slots", "scope", "--from", "2030-12-02", "--to", "2030-12-03", "--customer", "ben")
    assert {slot["suits"] for slot in monday["slots"]} == {False}
    assert [reason["code"] for reason in monday["reasons"]] == ["hours"]
    assert (
        "outside their hours" in clinic("slots", "scope", *WEEK[:2], "--to", "2030-12-03", "--customer", "ben").stdout
    )


def test_nothing_free_is_explained(clinic):
    """A weekend has no hours; the exit code says no."""
    found = clinic.json("slots", "scope", "--from", "2030-12-07", "--to", "2030-12-08", code=1)
    assert found["slots"] == []
    assert found["reasons"] == [{"code": "closed", "detail": "couch is not open long enough for scope then"}]
    assert (
        "There is no free time" in clinic("slots", "scope", "--from", "2030-12-07", "--to", "2030-12-08", code=1).stdout
    )
    assert "has no calendar" in clinic.json("slots", "advice", code=1)["reasons"][0]["detail"]
    assert "must lie after" in clinic("slots", "scope", "--from", "2030-12-07", "--to", "2030-12-06", code=2).stderr


def test_times_whose_preparation_cannot_be_told_are_not_free(clinic):
    """The next days leave no time for a diet that begins three days before, and must be told a day before that."""
    found = clinic.json("slots", "scope", "--limit", "1000", code=0)
    assert "prep" in [reason["code"] for reason in found["reasons"]]
    from_cli = clinic("book", "ana", "scope", "--first")
    assert "Booked Colonoscopy" in from_cli.stdout


def test_a_calendar_that_cannot_be_read_has_no_times(clinic, shell):
    """Nobody knows what is free, and that is said."""
    config = clinic.folder / "config/commsched.toml"
    config.write_text(
        config.read_text().replace(
            'name = "couch"\nkind = "opening_hours"\nweekly = { "mon-fri" = ["08:00-10:00"] }',
            'name = "couch"\nkind = "ics_file"\npath = "gone.ics"',
        )
    )
    found = clinic.json("slots", "scope", code=1)
    assert [reason["code"] for reason in found["reasons"]] == ["stale"]
    refused = clinic("book", "ana", "scope", "--start", "2030-12-02 08:00", code=2).stderr
    assert "cannot be read" in refused
    assert "Booked all the same" in clinic("book", "ana", "scope", "--start", "2030-12-02 08:00", "--force").stderr


def test_a_taken_time_is_refused_with_the_next_best(clinic):
    """The third of two at once is told three others; --force books all the same, and doctor says so."""
    for customer in ("ana", "ben"):
        clinic("book", customer, "scope", "--start", "2030-12-02 08:00")
    late = ("book", "cy", "scope", "--start", "2030-12-02 08:00")
    said = clinic(*late, code=2).stderr
    assert "it is taken. Free instead: Mon 2 Dec 2030 09:00 CST; " in said
    assert said.count("CST") == 4
    assert "though it is taken" in clinic(*late, "--id", "A9", "--force").stderr
    assert "couch has no room for A9 of cy" in clinic("doctor", code=1).stdout


def test_nobody_is_booked_twice_at_one_time(clinic):
    """It is one person; the other appointment is named, and times beside it are. Two cars may come at once."""
    clinic("book", "ana", "scope", "--start", "2030-12-02 08:00", "--id", "A1")
    twice = ("book", "ana", "oil_change", "--start", "2030-12-02 08:15")
    said = clinic(*twice, code=2).stderr
    assert "ana has scope then already, as A1 (Mon 2 Dec 2030 08:00 CST to 09:00)" in said
    assert "Free instead: Mon 2 Dec 2030 09:00 CST; " in said
    assert "though ana has scope then already" in clinic(*twice, "--force").stderr
    clinic("book", "ana", "scope", "--start", "2030-12-02 09:00")
    clinic("book", "cy", "oil_change", "--start", "2030-12-03 08:00", "--asset", "v1", "--id", "C1")
    clinic("book", "cy", "scope", "--start", "2030-12-03 08:00", "--asset", "v2", "--id", "C2")
    assert "as C1" in clinic("book", "cy", "scope", "--start", "2030-12-03 08:30", "--asset", "v1", code=2).stderr
    clinic("book", "cy", "oil_change", "--start", "2030-12-03 08:15", "--move", "C1")


def test_what_somebody_booked_for_them_meanwhile_is_seen_when_it_is_written(clinic):
    """Their ledger was read before it: the refusal names it, and who forces it books all the same."""
    app = App(clinic.folder)
    with closing(app.store):
        with app.store.read() as connection:
            before = load(connection, ["ana"])["ana"]
        clinic("book", "ana", "oil_change", "--start", "2030-12-02 08:15", "--id", "A1")
        start = datetime(2030, 12, 2, 14, tzinfo=UTC)
        meant = Booking(before, app.services["scope"], "A2", None, "staff", force=True, told=True)
        with pytest.raises(Misuse, match="ana has oil_change then already, as A1"):
            book_then(Warned(), app, replace(meant, force=False), start)
        session = Warned()
        fact, at = book_then(session, app, meant, start)
        assert (fact.id, at) == ("A2", start)
        assert "though ana has oil_change then already, as A1" in session.said[0]


class Warned:
    """A session of which only the warnings matter."""

    def __init__(self):
        self.said = []

    def warn(self, words):
        self.said.append(words)


def test_times_off_the_grid_and_years_ahead_are_mistyped(clinic):
    """Both are refused with what is free, unless they are meant."""
    odd = ("book", "ana", "scope", "--start", "2030-12-02 08:07")
    said = clinic(*odd, code=2).stderr
    assert "appointments begin on full quarters of an hour. Free instead: Mon 2 Dec 2030 08:00 CST; " in said
    assert "though appointments begin on full quarters" in clinic(*odd, "--force").stderr
    far = ("book", "ben", "scope", "--start", "2099-12-02 08:00")
    assert "it is more than five years ahead" in clinic(*far, code=2).stderr
    assert "though it is more than five years ahead" in clinic(*far, "--force").stderr


def test_a_refusal_names_what_is_closed_and_why(clinic):
    """A whole calendar, and the one place that would have been free; times that are sought say it too."""
    clinic("disrupt", "couch", "--from", "2030-12-02", "--to", "2030-12-02", "--reason", "The nurse is ill")
    said = clinic("book", "ana", "scope", "--start", "2030-12-02 08:00", code=2).stderr
    assert "cannot be booked: couch is closed then: The nurse is ill (CL-" in said
    found = clinic.json("slots", "scope", "--from", "2030-12-02", "--to", "2030-12-02 10:00", code=1)
    assert any("couch is closed then: The nurse is ill" in one["detail"] for one in found["reasons"])
    clinic("book", "ben", "scope", "--start", "2030-12-03 08:00")
    clinic("disrupt", "couch#2", "--from", "2030-12-03", "--to", "2030-12-03")
    said = clinic("book", "ana", "scope", "--start", "2030-12-03 08:00", code=2).stderr
    assert "cannot be booked: it is taken; couch#2 is closed then (CL-" in said


def test_what_is_told_at_the_desk_need_not_be_told_again(clinic):
    """Booking says so as a call does: the diet is told, by whoever booked; without it a message goes."""
    clinic("book", "ana", "scope", "--start", "2030-12-02 08:00", "--id", "A1", "--told")
    clinic("book", "ben", "scope", "--start", "2030-12-02 08:00", "--id", "B1")
    clinic("book", "cy", "scope", "--start", "2030-12-03 08:00", "--id", "C1")
    at = ("--at", "2030-11-27 12:00")
    assert [one for one in clinic.json("plan", "--customer", "ana", *at)["messages"] if one["rule"] == "tell"] == []
    assert [one for one in clinic.json("plan", "--customer", "cy", *at)["messages"] if one["rule"] == "tell"]
    clinic("book", "ana", "scope", "--start", "2030-12-05 08:00", "--move", "A1")
    moved = [one for one in clinic.json("plan", "--customer", "ana", *at)["messages"] if one["rule"] == "tell"]
    assert moved, "it begins at another time, so that it is owed again"
    assert "needs no preparation" in clinic(
        "book", "ana", "oil_change", "--start", "2030-12-09 08:00", "--told", code=2
    ).stderr  # fmt: skip


def test_moving_an_appointment_frees_its_own_time(clinic):
    """--id of an appointment moves it: also by a little, into time that it holds itself."""
    clinic("book", "ben", "scope", "--start", "2030-12-02 08:00")
    clinic("book", "ana", "scope", "--start", "2030-12-02 08:00", "--id", "A1")
    clinic("book", "ana", "scope", "--start", "2030-12-02 08:30", "--id", "A1")
    clinic("book", "ana", "scope", "--start", "2030-12-02 09:30", "--id", "A1", code=2)
    full = ("slots", "scope", "--from", "2030-12-02 08:00", "--to", "2030-12-02 09:00")
    assert clinic.json(*full, code=1)["reasons"] == [{"code": "full", "detail": "1 of 1 times are taken"}]


def test_a_booking_inside_the_notice_is_refused(clinic):
    """What must be booked a long time before cannot be booked a few years before."""
    refused = clinic("book", "ana", "voyage", "--start", "2030-12-02 09:00", code=2).stderr
    assert "cannot be booked: voyage must be booked 480000 h before it begins" in refused
    assert "There is no free time within two weeks of it" in refused
    assert clinic.json("slots", "voyage", code=1)["reasons"][0]["code"] == "notice"


def test_a_booking_whose_preparation_is_too_late_is_refused(clinic):
    """It says what begins when, and until when that had to be told."""
    refused = clinic("book", "ana", "fast", "--start", "2030-12-02 09:00", code=2).stderr
    assert "vow begins Fri 29 Nov 2030 09:00 CST and must be told by" in refused
    assert "which is past" in refused
    assert "prep" in [reason["code"] for reason in clinic.json("slots", "fast", code=1)["reasons"]]
    assert "though vow begins" in clinic("book", "ana", "fast", "--start", "2030-12-02 09:00", "--force").stderr


def test_start_or_first(clinic):
    """One of the two says when."""
    assert "either --start TIME or --first" in clinic("book", "ana", "scope", code=2).stderr
    assert "either --start" in clinic("book", "ana", "scope", "--first", "--start", "2030-12-02 08:00", code=2).stderr


def test_a_closed_place_moves_who_fits_elsewhere_and_tells_nobody(clinic):
    """One of two places is closed: its appointment goes to the other at the same time."""
    clinic("book", "ana", "scope", "--start", "2030-12-02 08:00", "--id", "A1")
    found = clinic.json("disrupt", "couch#1", "--from", "2030-12-02", "--to", "2030-12-02")
    assert (found["moved"], found["affected"]) == (1, [])
    assert clinic.json("slots", "scope", *WEEK, "--limit", "1")["slots"][0]["start"] == "2030-12-02T15:00:00Z"
    clinic("disrupt", "--undo", found["closing"]["id"])
    assert clinic.json("slots", "scope", *WEEK, "--limit", "1")["slots"][0]["start"] == "2030-12-02T14:00:00Z"


def test_a_closed_calendar_lists_the_hardest_preparation_first(clinic):
    """Whose preparation begins first is called first; each is offered other times, and nothing is moved."""
    clinic("book", "ana", "oil_change", "--start", "2030-12-02 08:00", "--id", "A0")
    clinic("book", "ana", "scope", "--start", "2030-12-03 08:00", "--id", "A2")
    clinic("book", "ben", "scope", "--start", "2030-12-02 09:00", "--id", "A1")
    closing = ("disrupt", "couch", "--from", "2030-12-02", "--to", "2030-12-03", "--reason", "The nurse is ill")
    dry = clinic.json(*closing, "--dry-run")
    assert dry["closing"] is None
    assert clinic.json("tasks")["tasks"] == []
    found = clinic.json(*closing)
    assert (
        [one["appointment"] for one in found["affected"]] == ["A1", "A2"] == [o["appointment"] for o in dry["affected"]]
    )
    assert found["affected"][0]["slots"][0]["start"] == "2030-12-04T14:00:00Z"
    offered = [slot["start"] for one in found["affected"] for slot in one["slots"]]
    assert len(offered) == 6
    assert not [start for start in offered if "2030-12-02" < start < "2030-12-04"]
    tasks = clinic.json("tasks")["tasks"]
    assert len(tasks) == 2
    assert "Call Ana Ruiz: Colonoscopy on Tue 3 Dec 2030 08:00 CST cannot be kept (The nurse is ill)." in {
        task["text"].partition(" diet")[0] for task in tasks
    }
    assert clinic.json("slots", "scope", *WEEK, "--limit", "1")["slots"][0]["start"] == "2030-12-04T14:00:00Z"
    assert (
        "couch is closed then: The nurse is ill"
        in clinic("book", "ana", "scope", "--start", "2030-12-02 08:00", code=2).stderr
    )
    clinic("done", tasks[0]["key"], "reached", "--by", "Dana")
    clinic("disrupt", "--undo", found["closing"]["id"])
    assert clinic.json("tasks")["tasks"] == []
    assert "called 'CL-nothing'" in clinic("disrupt", "--undo", "CL-nothing", code=2).stderr


def test_what_is_known_only_from_tomorrow_on_is_affected_too(clinic):
    """An appointment takes its place as soon as its fact is here, even if the fact is true later."""
    later = {"type": "appointment", "customer": "ana", "at": "2030-12-01T12:00:00Z", "id": "A1", "service": "scope",
             "start": "2030-12-02T14:00:00Z", "end": "2030-12-02T15:00:00Z", "status": "booked",
             "calendar": "couch"}  # fmt: skip
    (clinic.folder / "later.jsonl").write_text(json.dumps(later) + "\n")
    clinic("import", str(clinic.folder / "later.jsonl"))
    found = clinic.json("disrupt", "couch", "--from", "2030-12-02", "--to", "2030-12-02")
    assert [one["appointment"] for one in found["affected"]] == ["A1"]


def test_closing_needs_a_calendar_that_there_is_and_an_end(clinic):
    """A mistyped calendar, a place that it does not have, and a time that is over are refused."""
    assert "Did you mean 'couch'?" in clinic("disrupt", "coach", "--to", "2030-12-02", code=2).stderr
    assert "couch#2" in clinic("disrupt", "couch#3", "--to", "2030-12-02", code=2).stderr
    assert "--to" in clinic("disrupt", "couch", code=2).stderr
    assert "ahead" in clinic("disrupt", "couch", "--to", "2020-12-02", code=2).stderr
    shown = clinic("disrupt", "couch", "--from", "2030-12-02", "--to", "2030-12-02 09:00").stdout
    assert "0 appointments affected" in shown
    assert "commsched disrupt --undo CL-" in shown


def test_a_last_day_that_is_given_as_a_date_belongs_to_it(clinic):
    """As everywhere else: until Monday is Monday too."""
    found = clinic.json("slots", "scope", "--from", "2030-12-02", "--to", "2030-12-02", "--limit", "50")
    assert (len(starts(found)), max(starts(found))) == (5, "2030-12-02T15:00:00Z")


def test_what_is_closed_is_not_closed_twice(clinic):
    """The second time it says so, and as what; part of it, and one place of it, are closed already too."""
    closing = ("disrupt", "couch", "--from", "2030-12-02", "--to", "2030-12-03", "--reason", "The nurse is ill")
    first = clinic.json(*closing)["closing"]
    again = clinic.json(*closing)
    assert (again["closing"], again["affected"]) == (first, [])
    name = first["id"]
    said = clinic("disrupt", "couch#2", "--from", "2030-12-03", "--to", "2030-12-03").stdout
    assert f"couch is closed for all of that time already, as {name}: The nurse is ill." in said
    assert clinic.json("disrupt", "couch", "--from", "2030-12-03", "--to", "2030-12-04")["closing"]["id"] != name


def test_a_wish_that_nothing_can_answer_is_refused(clinic):
    """Each with what to do instead; nothing is recorded."""
    days = ("--from", "2030-12-02", "--to", "2030-12-06")
    assert "No rule offers free times for oil_change (trigger `offer`); there is scope." in (
        clinic("wish", "ana", "oil_change", *days, code=2).stderr
    )
    assert "With a notice of 9999d no time until 2030-12-06 is left" in (
        clinic("wish", "ana", "scope", *days, "--notice", "9999d", code=2).stderr
    )
    clinic("wish", "ana", "scope", *days, "--id", "W1")
    assert "between 2030-12-02 and 2030-12-06 already, as W1; --id W1 changes that" in (
        clinic("wish", "ana", "scope", "--from", "2030-12-06", "--to", "2030-12-09", code=2).stderr
    )
    clinic("wish", "ana", "scope", *days, "--id", "W1", "--notice", "48h")
    clinic("wish", "ana", "scope", "--from", "2030-12-09", "--to", "2030-12-13")
    clinic("book", "ben", "scope", "--start", "2030-12-02 08:00")
    assert (
        "They have an appointment for scope within these days" in clinic("wish", "ben", "scope", *days, code=2).stderr
    )


def test_the_waiting_list_takes_and_gives_back(clinic):
    """A wish is recorded with its days, and the way back that it names works."""
    made = clinic.json("wish", "ana", "scope", "--from", "2030-12-02", "--to", "2030-12-06", "--id", "W1")
    assert made["fact"]["between"] == ["2030-12-02", "2030-12-06"]
    back = clinic.json("wish", "ana", "--withdraw", "W1")
    assert back["fact"]["withdrawn"] is True
    assert "called 'W1'" in clinic("wish", "ana", "--withdraw", "W1", code=2).stderr
    again = back["undo"].removeprefix("commsched ").split()
    assert "waits for scope between 2030-12-02 and 2030-12-06, as W1" in clinic(*again).stdout
    assert "--to" in clinic("wish", "ana", "scope", code=2).stderr
    assert "is past" in clinic("wish", "ana", "scope", "--to", "2020-01-01", code=2).stderr
    assert "Did you mean 'scope'?" in clinic("wish", "ana", "scop", "--to", "2030-12-06", code=2).stderr
    assert (
        "is no length of time" in clinic("wish", "ana", "scope", "--to", "2030-12-06", "--notice", "x", code=1).stderr
    )
