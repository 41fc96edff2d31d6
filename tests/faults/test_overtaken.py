"""Facts that come in while a message is on its way, and what users of other systems complain of."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from deployment import DAY, HOUR, NOON, appointment, customer, give, visit

from commsched.engine.onepass import Pass
from commsched.planning.plan import plan
from commsched.store.ledgers import load

START = NOON + 10 * DAY + 3 * HOUR  # Saturday the 16th, 15:00 in Chicago
REMINDER = (START - DAY).replace(hour=15)  # 10:00 in Chicago on the day before
CANCEL = {"type": "appointment", "customer": "C1", "id": "A1", "status": "cancelled"}


def move(start, **fields):
    return {"type": "appointment", "customer": "C1", "id": "A1", "start": start.isoformat(), **fields}


def steps(broken, *states):
    return Counter(one.step for one in broken.messages if one.state in states)


@pytest.fixture
def booked(broken):
    """An appointment in ten days, known for a while."""
    broken.given(*customer(), appointment(START))
    broken.tick(NOON)
    return broken


@pytest.mark.parametrize(
    "fact", [CANCEL, move(START + DAY), move(START - 2 * HOUR)], ids=["cancelled", "moved", "sooner"]
)
def test_fault_34_a_change_after_the_claim_suppresses_the_old_message(booked, monkeypatch, fact):
    """An appointment that is cancelled or moved between planning and commit: the old message does not go."""
    app = booked.app(REMINDER)
    render = Pass._render

    def overtaken(self, plans, loaded):
        done = render(self, plans, loaded)
        monkeypatch.undo()
        give(app, fact)
        return done

    booked.ticks(NOON + HOUR, REMINDER - HOUR, 12 * HOUR)
    before = len(booked.accepted)
    monkeypatch.setattr(Pass, "_render", overtaken)
    report = app.loop().tick(REMINDER)
    assert report.overtaken == 1
    old = app.renderer and START.astimezone(app.configuration.deployment.zone)
    said = [line["text"] for line in booked.accepted[before:]]
    assert not any(
        f"{old:%-I:%M}" in text and f"{old:%b} {old.day}" in text and "cancelled" not in text for text in said
    )


def test_fault_34_cancelled_while_in_doubt_is_corrected(booked):
    """A reminder that went, as a lookup shows only after the cancellation, is followed by one correction."""
    booked.ticks(NOON + HOUR, REMINDER - HOUR, 12 * HOUR)
    booked.run("tick", "--at", REMINDER.isoformat(), crash="after-send")
    booked.given(CANCEL, at=REMINDER + timedelta(seconds=20))
    booked.ticks(REMINDER + timedelta(minutes=2), REMINDER + DAY, HOUR)
    assert Counter(line["subject"] for line in booked.accepted)["Cancelled"] == 1
    assert steps(booked, "sent")["reminder"] == 1


def test_regression_reminders_after_cancellation(booked):
    """A cancelled appointment is not reminded of (cal.com #6973, #7225, #17806)."""
    booked.given(CANCEL, at=NOON + DAY)
    booked.ticks(NOON + DAY, START + DAY, 6 * HOUR)
    assert booked.accepted == []
    assert booked.states.keys() <= {"cancelled", "expired", "skipped"}


def test_regression_cancelling_what_was_never_said_sends_nothing(broken):
    """Cancelling sends no reminder, and no word of an appointment that they were never told of (rdv #3144)."""
    broken.given(*customer(), appointment(START), CANCEL)
    broken.ticks(NOON, START + DAY, 12 * HOUR)
    assert broken.accepted == []


def test_regression_a_move_moves_the_reminder(booked):
    """A booking that is moved is reminded of at its new time only (cal.com #16872)."""
    booked.given(move(START + 4 * DAY), at=NOON + HOUR)
    booked.ticks(NOON + 2 * HOUR, START + 5 * DAY, 6 * HOUR)
    zone = booked.app().configuration.deployment.zone
    days = {(START + 4 * DAY).astimezone(zone).day}
    assert [f"May {day}" in line["text"] for line in booked.accepted for day in days] == [True, True]
    assert steps(booked, "sent") == {"week": 1, "reminder": 1}


def test_regression_moved_there_and_back_is_reminded_once(booked):
    """A → B → A before anything was said: the reminders of A go once, and no correction."""
    booked.given(move(START + 4 * DAY), at=NOON + HOUR)
    booked.tick(NOON + HOUR)
    booked.given(move(START), at=NOON + 2 * HOUR)
    booked.ticks(NOON + 2 * HOUR, START + 5 * DAY, 6 * HOUR)
    assert steps(booked, "sent") == {"week": 1, "reminder": 1}


def test_regression_moved_there_and_back_after_the_reminder(booked):
    """A → B → A after A was said and B was said: the customer is told of A again, for B stood last."""
    booked.ticks(NOON, START - 6 * DAY, 6 * HOUR)
    assert steps(booked, "sent") == {"week": 1}
    booked.given(move(START + DAY), at=START - 5 * DAY)
    booked.ticks(START - 5 * DAY, START - 4 * DAY, 6 * HOUR)
    booked.given(move(START), at=START - 3 * DAY)
    booked.ticks(START - 3 * DAY, START + 2 * DAY, 3 * HOUR)
    subjects = Counter(line["subject"] for line in booked.accepted)
    assert subjects == {"Your appointment": 2, "New time": 2}


def test_regression_not_all_offsets_fire_at_booking(broken):
    """A booking made the day before skips the reminders whose time was past (cal.com #10749, Cal-ID #1442)."""
    broken.given(*customer(), appointment(NOON + 30 * HOUR))
    broken.ticks(NOON, NOON + 2 * DAY)
    assert broken.accepted == []


def test_regression_no_past_dated_reminders(broken):
    """Appointments that are over when they come to be known yield nothing (cal.com #22353)."""
    broken.given(*customer(), *(appointment(NOON - days * DAY, id=f"A{days}") for days in (1, 2, 30, 400)))
    broken.ticks(NOON, NOON + DAY, 6 * HOUR)
    assert (broken.accepted, broken.tasks) == ([], [])


def test_regression_an_outage_releases_no_reminder_after_the_appointment(booked):
    """After an outage that spans the appointment nothing is sent about it (rdv-service-public #4351)."""
    booked.tick(START + HOUR)
    assert booked.accepted == []
    assert booked.states == {"expired": 2}


def test_regression_a_mis_click_tells_nobody(booked):
    """What staff change and put right within the hold-back tells nobody; what stands after it does (rdv #2538)."""
    booked.ticks(NOON, START - 6 * DAY, 6 * HOUR)
    told = len(booked.accepted)
    at = START - 5 * DAY
    booked.given({**CANCEL, "stated_by": "staff"}, at=at)
    booked.tick(at + timedelta(seconds=30))
    booked.given({**CANCEL, "status": "booked", "stated_by": "staff"}, at=at + timedelta(seconds=60))
    booked.ticks(at + timedelta(seconds=61), at + 10 * timedelta(minutes=1), timedelta(minutes=1))
    assert len(booked.accepted) == told
    booked.given({**CANCEL, "stated_by": "staff"}, at=at + HOUR)
    booked.ticks(at + HOUR, at + HOUR + timedelta(minutes=5), timedelta(minutes=1))
    assert [line["subject"] for line in booked.accepted[told:]] == ["Cancelled"]


def test_regression_who_cancels_themselves_is_not_told(booked):
    """A customer who cancels hears nothing of it (rdv #3345)."""
    booked.ticks(NOON, START - 6 * DAY, 6 * HOUR)
    told = len(booked.accepted)
    booked.given({**CANCEL, "stated_by": "customer"}, at=START - 5 * DAY)
    booked.ticks(START - 5 * DAY, START + DAY, 6 * HOUR)
    assert len(booked.accepted) == told == 1


def test_regression_imports_do_not_resubscribe(broken):
    """An import that claims a consent leaves a customer's own refusal standing (keila #253)."""
    consent = {"type": "consent", "customer": "C1", "medium": "*", "purpose": "*", "method": "link"}
    broken.given(*customer(), visit(), {**consent, "granted": False, "stated_by": "customer"})
    broken.given({**consent, "granted": True, "stated_by": "import", "method": "crm"}, at=NOON + HOUR)
    broken.ticks(NOON + HOUR, NOON + DAY, 6 * HOUR)
    assert broken.accepted == []
    assert {reason[1] for one in broken.messages for reason in one.reasons} == {"opt_out"}


def test_regression_what_was_planned_for_the_old_address_goes_to_the_new(booked):
    """A message that was planned for an address goes to the corrected one (cht-core #4512)."""
    contact = {"type": "contact_point", "customer": "C1", "kind": "email", "stated_by": "customer"}
    assert {one.to for one in booked.messages} == {"c1@example.com"}
    booked.given(
        {**contact, "address": "c1@example.com", "valid": False},
        {**contact, "address": "new@example.com"},
        at=NOON + HOUR,
    )
    booked.ticks(NOON + HOUR, START, 6 * HOUR)
    assert {line["to"] for line in booked.accepted} == {"new@example.com"}


CAP = """
[[policies]]
kind = "frequency_cap"
at_most = 1
per = "7d"
"""
AGAIN = """\
rule: again
why: You were here.
purpose: service
topic: news
department: desk
trigger: {event: visit}
steps:
  - {step: thanks, at: event, deadline: event + 2d, template: reminder2}
"""


@pytest.mark.parametrize("shared", [False, True], ids=["two_rules", "two_customers_at_one_address"])
def test_regression_a_cap_of_one_sends_one(broken, shared):
    """One in seven days is one: of two rules, of two customers at one address (mautic #6729, listmonk #2622)."""
    broken.configure(CAP)
    if shared:
        broken.given(*customer(email="we@example.com"), visit(), *customer("C2", "we@example.com"), visit("C2"))
    else:
        broken.rule("again", AGAIN)
        broken.template("reminder2", "Subject: Again\n\nHello.\n")
        broken.given(*customer(), visit())
    broken.ticks(NOON, NOON + 3 * DAY, 6 * HOUR)
    assert len(broken.accepted) == 1


def test_regression_the_dry_run_applies_every_check(broken):
    """What a plan says for a time is what goes then: same keys, same addresses, same refusals (connect #1747)."""
    broken.configure(CAP)
    broken.rule("again", AGAIN)
    broken.template("reminder2", "Subject: Again\n\nHello.\n")
    stop = {"type": "consent", "customer": "C2", "medium": "*", "purpose": "*", "granted": False, "method": "link"}
    broken.given(
        *(fact for name in ("C1", "C2", "C3") for fact in (*customer(name), visit(name))),
        stop,
        appointment(START, "C3"),
    )
    app = broken.app()
    with app.store.read() as connection:
        world = app.world(connection)
        plans = [plan(one.ledger, world, NOON) for one in load(connection, ["C1", "C2", "C3"]).values()]
    foreseen = {
        (d.key, d.proposal.addresses.get(d.medium or ""), tuple(r.code for r in d.reasons)): d.at == NOON
        for one in plans
        for d in one.decisions
    }
    broken.tick(NOON)
    goes = {line["key"] for line in broken.accepted}
    assert goes == {key for (key, _, _), now in foreseen.items() if now}
    stands = {(one.key, one.to, tuple(reason[1] for reason in one.reasons)) for one in broken.messages}
    assert stands == set(foreseen)
