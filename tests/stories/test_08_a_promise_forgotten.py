"""Story 08: a promise is made, forgotten, never spoken of again, and the next thing they hear is an offer."""

from people import car, colleague, driver, snowy

from commsched.store.messages import told as reasons_of

PROMISE = {
    "customer": "C1",
    "id": "P1",
    "what": "your guest's name on the screen",
    "owner": "Dana",
    "stated_by": "staff",
}


def promised(story, due="2026-12-04 18:00"):
    """On the Tuesday, Dana promises something for Friday evening."""
    return driver(story("2026-12-01 09:00")).given("commitment", due=due, **PROMISE)


def kept(tale):
    return tale.given("commitment", customer="C1", id="P1", kept=True, stated_by="staff")


def test_its_owner_is_reminded_before_it_is_due(story):
    """The working day before, the one who promised it has it on their list, as theirs."""
    tale = promised(story).until("2026-12-03 09:01")
    task = tale.task(rule="promise-due", step="remind-owner", words="on the screen")
    assert (task.owner, task.state) == ("Dana", "open")
    tale.no_task(step="escalate")


def test_overdue_it_escalates_and_the_customer_is_told(story):
    """Friday evening it goes to the lead of the department; two hours later the customer is told that we are late."""
    tale = promised(story).until("2026-12-05 12:00")
    assert tale.task(rule="promise-due", step="escalate", words="overdue: Dana promised").owner == "Pat Moreno"
    late = tale.sent(rule="promise-late", step="late", between=("2026-12-04 20:00", "2026-12-04 20:05"))
    assert "your guest's name on the screen" in late.body
    assert "Dana has been told" in late.body


def test_kept_in_time_the_customer_hears_of_it_and_nobody_is_chased(story):
    """On Thursday it is done: the customer is told, the reminder is withdrawn, and nothing escalates."""
    tale = kept(promised(story).until("2026-12-03 12:00")).until("2026-12-10")
    told = tale.sent(rule="promise-kept", between=("2026-12-03 12:30", "2026-12-03 12:40"))
    assert "your guest's name on the screen" in told.body
    assert tale.task(step="remind-owner").state == "withdrawn"
    tale.no_task(step="escalate")
    tale.nothing(rule="promise-late")


def test_kept_after_all_the_escalation_ends_however_late(story):
    """Three weeks late it is done: the customer is told, and the lead has nothing to do any more."""
    tale = kept(promised(story).until("2026-12-26 12:00")).until("2026-12-28")
    tale.sent(rule="promise-kept")
    assert tale.task(step="escalate").state == "withdrawn"


def test_put_off_the_customer_is_told_the_new_time_and_the_owner_is_reminded_again(story):
    """Dana says in time that it takes until Wednesday: the customer hears that, and it is late only after that."""
    tale = promised(story).until("2026-12-03 12:00")
    tale.given("commitment", customer="C1", id="P1", due="2026-12-09 18:00", stated_by="staff").until(
        "2026-12-09 12:00"
    )
    told = tale.sent(rule="promise-late", step="put-off", between=("2026-12-03 12:30", "2026-12-03 12:40"))
    assert "December 9" in told.body
    assert not [m for m in tale.messages if m.step == "late" and m.state == "sent"]
    tale.no_task(step="escalate")
    reminders = sorted(task.key for task in tale.tasks if task.step == "remind-owner" and task.state == "open")
    assert len(reminders) == 1
    assert reminders[0].endswith("~20261210T0000Z")


def test_a_slip_at_the_desk_tells_nobody(story):
    """Marked as kept by mistake and put right within minutes: the customer hears nothing."""
    tale = kept(promised(story).until("2026-12-02 12:00")).until("2026-12-02 12:10")
    tale.given("commitment", customer="C1", id="P1", kept=False, stated_by="staff").until("2026-12-03 08:00")
    tale.nothing(rule="promise-kept")


def test_counterpart_what_is_not_owed_still_goes(story):
    """A promise ahead keeps nothing from the customer: the reminder of an appointment goes as ever."""
    tale = promised(story, due="2026-12-20 18:00")
    tale.given(
        "appointment", customer="C1", id="A1", service="oil_change", status="booked", booked_by="customer",
        stated_by="customer", start="2026-12-15 09:00", end="2026-12-15 09:45",
    )  # fmt: skip
    tale.until("2026-12-16")
    tale.sent(rule="appointment-reminders", step="reminder")


# ---- And nothing is asked meanwhile


def overdue(story, customer="C1", **fields):
    return story.given(
        "commitment", customer=customer, id="P1", what="Your guest's name on the screen", owner="Rosa",
        due="2026-11-20 12:00", kept=False, stated_by="staff", **fields,
    )  # fmt: skip


def test_nothing_is_asked_while_the_promise_is_overdue(story):
    """The offer is held from the due date on, and the staff read who promised what."""
    tale = overdue(snowy(car(driver(story("2026-11-19 09:00"))))).until("2026-12-25")
    tale.nothing(rule="winter-tires")
    refusal = tale.refused(rule="winter-tires", code="commitment_overdue")
    (words,) = [words for policy, _, words in reasons_of(refusal) if policy == "commitment_overdue"]
    assert words == "Rosa promised Ana Ortiz (C1) by 2026-11-20: Your guest's name on the screen"
    tale.task(rule="promise-due", words="Rosa")


def test_nothing_is_asked_of_a_colleague_either(story):
    """It was promised to her; he, at the same company, is left in peace too, and is reminded of nothing."""
    tale = colleague(story("2026-11-19 09:00"), "C1", "Ana Ortiz", "buyer")
    snowy(car(colleague(tale, "C2", "Ben Ochs", "driver"), customer="C2"), "C2")
    overdue(tale).until("2026-12-25")
    tale.nothing(rule="winter-tires", customer="C2")
    tale.refused(rule="winter-tires", customer="C2", code="commitment_overdue")
    tale.no_task(rule="promise-due", customer="C2")


def test_what_they_must_be_told_goes_all_the_same(story):
    """A reminder of her appointment is no ask."""
    tale = overdue(car(driver(story("2026-11-19 09:00"))))
    tale.given(
        "appointment", customer="C1", id="A1", service="oil_change", asset="V1", status="booked", booked_by="customer",
        stated_by="customer", start="2026-12-15 09:00", end="2026-12-15 09:45",
    )  # fmt: skip
    tale.until("2026-12-20").sent(rule="appointment-reminders", step="reminder")


def test_counterpart_once_it_is_kept_the_offer_goes(story):
    """The promise is kept late: the offer goes after that, within its season."""
    tale = overdue(snowy(car(driver(story("2026-11-19 09:00"))))).until("2026-12-01 09:00")
    tale.nothing(rule="winter-tires")
    tale.given("commitment", customer="C1", id="P1", kept=True, stated_by="staff")
    tale.until("2026-12-25")
    tale.sent(rule="winter-tires", between=("2026-12-01 09:00", "2026-12-05 20:00"))
