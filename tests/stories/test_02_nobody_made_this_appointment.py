"""Story 02: reminders for appointments that nobody made."""

from people import car, driver
from reader import Reader


def appointment(story, status, **fields):
    values = {"customer": "C1", "id": "A1", "service": "oil_change", "asset": "V1", "status": status, **fields}
    return story.given("appointment", start="2026-12-15 09:00", end="2026-12-15 09:45", **values)


def test_a_proposal_gets_one_invitation_and_no_reminders(story):
    """The system may only propose: one invitation, and then silence up to and past the time."""
    tale = appointment(car(driver(story("2026-12-01 09:00"))), "proposed", booked_by="system", stated_by="import")
    tale.until("2026-12-20")
    tale.sent(rule="appointment-proposal", step="invite")
    tale.nothing(rule="appointment-reminders")


def test_i_did_not_make_this_withdraws_it(story):
    """When the customer says that they never made it, the reminders vanish and nobody is told again."""
    tale = appointment(car(driver(story("2026-12-01 09:00"))), "booked", booked_by="staff", stated_by="staff")
    tale.until("2026-12-02 09:00")
    tale.sent(rule="appointment-reminders", step="confirmation")
    tale.given("appointment", customer="C1", id="A1", status="cancelled", stated_by="customer")
    tale.until("2026-12-20")
    assert not [m for m in tale.messages if m.state == "sent" and m.step != "confirmation"]


def test_one_press_withdraws_it_and_tells_the_desk(story):
    """"I didn't make this" is one press on the message's page: withdrawn, no reminder, and a task at the desk."""
    tale = appointment(car(driver(story("2026-12-01 09:00"))), "booked", booked_by="staff", stated_by="staff")
    tale.until("2026-12-02 09:00")
    reader = Reader(tale, tale.sent(rule="appointment-reminders", step="confirmation"))
    assert "It is withdrawn, and there are no more reminders." in reader.presses("disown")
    assert "It is withdrawn" in reader.presses("disown"), "a second press does no harm"
    tale.until("2026-12-20")
    assert {m.step for m in tale.messages if m.state == "sent"} == {"confirmation"}
    tale.task(rule="appointment-disowned", words="Ana Ortiz did not make the appointment on December 15, 2026")
    assert len(tale.tasks) == 1


def test_counterpart_a_booked_appointment_is_confirmed_and_reminded(story):
    """An appointment that the customer made is confirmed at once and reminded two days before, with its zone."""
    tale = appointment(car(driver(story("2026-12-01 09:00"))), "booked", booked_by="customer", stated_by="customer")
    tale.until("2026-12-20")
    tale.sent(rule="appointment-reminders", step="confirmation", between=("2026-12-01 09:02", "2026-12-01 09:10"))
    reminder = tale.sent(
        rule="appointment-reminders", step="reminder", between=("2026-12-13 10:00", "2026-12-13 10:05")
    )
    assert "9:00" in reminder.body
    assert "CST" in reminder.body
