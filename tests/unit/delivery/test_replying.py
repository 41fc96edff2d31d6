"""What a reply does: the facts that a press would make, or a task; nothing is guessed."""

import pytest
from people import car, driver, odometer, serviced

from commsched.plugin.channel import ChannelEvent

PHONE = "+13125550164"
STEADY = [("2025-11-03", 18_000.0), ("2026-03-02", 20_000.0), ("2026-07-06", 22_000.0)]


@pytest.fixture
def by_text(story):
    """``by_text(start)``: Ana has a car, and gets texts."""

    def tell(starts="2026-12-01 09:00"):
        tale = car(driver(story(starts)))
        tale.given("contact_point", customer="C1", kind="phone", address=PHONE, media=["sms"])
        return tale.given("preference", customer="C1", media=["sms"])

    return tell


@pytest.fixture
def booked(by_text):
    """``booked(status)``: an appointment of hers, and the text that told her."""

    def tell(status="booked"):
        tale = by_text()
        who = "system" if status == "proposed" else "staff"
        tale.given(
            "appointment", customer="C1", id="A1", service="oil_change", asset="V1", status=status, booked_by=who,
            stated_by="import" if status == "proposed" else "staff", start="2026-12-15 09:00", end="2026-12-15 09:45",
            calendar="service-bays",
        )  # fmt: skip
        return tale.until("2026-12-02 09:00")

    return tell


def writes(tale, text, kind="reply", channel="text", address=PHONE):
    """Somebody writes to the number or address of a channel."""
    event = ChannelEvent(kind, tale.clock.at, address=address, text=text, id=f"{channel}-{text}")
    return tale.app.hearing.take(tale.app.channels[channel], [event], tale.clock.at)


def appointment(tale, name="A1"):
    from commsched.planning.fold import fold
    from commsched.store.ledgers import load

    with tale.app.store.read() as connection:
        return fold(load(connection, ["C1"])["C1"].ledger, tale.clock.at).appointments.get(name)


@pytest.mark.parametrize("text", ["Yes", "sí, allí estaré", "Ja, passt mir", "YES!"])
def test_yes_confirms(booked, text):
    """It is confirmed, the question of the day before is spared her, and nobody has a task."""
    tale = booked()
    writes(tale, text)
    assert appointment(tale).status == "confirmed"
    tale.until("2026-12-20").nothing(rule="appointment-reminders", step="day-before")
    tale.no_task(rule="reply-for-a-person")


def test_yes_takes_what_was_proposed(booked):
    """A proposal becomes an appointment by her word, as long as the time is free."""
    tale = booked("proposed")
    writes(tale, "yes please")
    assert (appointment(tale).status, appointment(tale).booked_by) == ("booked", "customer")


def test_no_calendar_is_read_while_others_cannot_write(booked, monkeypatch):
    """Calendars may come over the network: another process writes at each moment at which a yes has one read."""
    tale = booked("proposed")
    written = []

    def read(names, now, reading=tale.app.reader.standing):
        with tale.app.store.write():
            written.append(now)
        return reading(names, now)

    monkeypatch.setattr(tale.app.reader, "standing", read)
    tale.app.reader.forget()
    writes(tale, "yes please")
    assert appointment(tale).status == "booked"
    assert written


def test_yes_to_a_time_that_is_gone_is_for_a_person(booked):
    """Three others have taken the bays since: nothing is booked, and somebody answers her."""
    tale = booked("proposed")
    for number in range(3):
        tale.given("customer", id=f"X{number}", name="Somebody", kind="person")
        tale.given(
            "appointment", customer=f"X{number}", id=f"B{number}", service="oil_change", status="booked",
            booked_by="customer", stated_by="customer", start="2026-12-15 09:00", end="2026-12-15 09:45",
        )  # fmt: skip
    writes(tale, "yes")
    assert appointment(tale).status == "proposed"
    tale.until("2026-12-03").task(rule="reply-for-a-person", words='"yes"')


def test_cancel_my_appointment_is_no_opt_out(booked):
    """It is cancelled; texts about other things still come."""
    tale = booked()
    writes(tale, "Please cancel my appointment, sorry")
    assert appointment(tale).status == "cancelled"
    with tale.app.store.read() as connection:
        assert connection.exec_driver_sql("select count(*) from fact where body like '%consent%'").scalar() == 0


def test_i_did_not_make_this(booked):
    """The same as a press on the page."""
    tale = booked()
    writes(tale, "I never made this appointment")
    assert appointment(tale).disowned
    tale.until("2026-12-03").task(rule="appointment-disowned")


def test_stop_texting_me(booked):
    """Texts stop, from that moment; the reminder goes by mail."""
    tale = booked()
    writes(tale, "stop texting me please")
    assert tale.until("2026-12-20").sent(rule="appointment-reminders", step="reminder").medium == "email"
    tale.nothing(rule="appointment-reminders", step="day-before")


def test_stop_and_something_else(booked):
    """The stop counts at once, and a person reads the rest."""
    tale = booked()
    writes(tale, "Stop texting me. Is my car ready?")
    assert tale.until("2026-12-20").sent(rule="appointment-reminders", step="reminder").medium == "email"
    tale.task(rule="reply-for-a-person", words="Is my car ready?")


@pytest.mark.parametrize("text", ["Could it be the blue one?", "no", "Who is this?", "can we do another day"])
def test_what_is_not_plain_is_for_a_person(booked, text):
    """Nothing changes, and the desk reads the words."""
    tale = booked()
    writes(tale, text)
    assert appointment(tale).status == "booked"
    tale.until("2026-12-03").task(rule="reply-for-a-person", words=text)


def test_a_wrong_number(booked):
    """Nothing more goes to that number."""
    tale = booked()
    writes(tale, "You have the wrong number")
    tale.until("2026-12-20")
    assert tale.sent(rule="appointment-reminders", step="reminder").medium == "email"
    tale.task(rule="reply-for-a-person", words="wrong number")


def test_a_bare_number_is_a_reading(by_text):
    """To a message about her car, it is what the meter shows; to one about an appointment, nobody can tell."""
    tale = odometer(by_text("2026-09-02 09:00"), *STEADY)
    serviced(tale, "oil_change", "2026-01-10", 19_200)
    tale.until("2026-10-28 09:00")
    assert tale.sent(rule="oil-change-due", step="invite").subject == "V1+oil_change"
    writes(tale, "22,900")
    from commsched.planning.fold import fold
    from commsched.store.ledgers import load

    with tale.app.store.read() as connection:
        readings = fold(load(connection, ["C1"])["C1"].ledger, tale.clock.at).readings["V1"]
    assert (readings[-1].value, readings[-1].unit, readings[-1].stated_by) == (22_900, "mi", "customer")


def test_a_number_about_an_appointment_is_for_a_person(booked):
    """It may be the hour."""
    tale = booked()
    writes(tale, "930")
    tale.until("2026-12-03").task(rule="reply-for-a-person", words="930")


def test_a_mail_is_read_without_what_it_quotes(booked):
    """Our own "stop" in the quotation stops nothing."""
    tale = booked()
    tale.given("preference", customer="C1", media=["email"])
    writes(
        tale,
        "Yes, I will be there\n\nOn Tue, Dec 1, 2026 at 9:02 AM Northside Motors <a@b.example> wrote:\n> Reply stop",
        channel="mail",
        address="ana@example.com",
    )
    assert [m for m in tale.until("2026-12-20").messages if m.step == "reminder" and m.state == "sent"]


def test_yes_is_an_answer_even_where_it_is_a_reserved_word(booked):
    """Twilio takes YES for coming back: it lifts no other refusal, and it confirms."""
    tale = booked()
    writes(tale, "YES", kind="opt_in")
    assert appointment(tale).status == "confirmed"


@pytest.mark.parametrize(("digit", "status"), [("1", "confirmed"), ("2", "booked"), ("9", "booked")])
def test_keys_in_a_call(booked, digit, status):
    """1 confirms, 2 asks for a call, 9 ends calls."""
    tale = booked()
    event = ChannelEvent("digit", tale.clock.at, address=PHONE, text=digit, id=digit)
    tale.app.hearing.take(tale.app.channels["text"], [event], tale.clock.at)
    assert appointment(tale).status == status
    tale.until("2026-12-03")
    if digit == "2":
        tale.task(rule="reply-for-a-person", words='"2"')


def test_somebody_at_a_shared_number_says_stop(booked):
    """Whoever it was: nothing more goes there, and somebody asks who it was."""
    tale = booked()
    tale.given("customer", id="C2", name="Ben Ortiz", kind="person", region="US-IL")
    tale.given("contact_point", customer="C2", kind="phone", address=PHONE, media=["sms"])
    writes(tale, "stop texting me")
    assert tale.until("2026-12-20").sent(rule="appointment-reminders", step="reminder").medium == "email"
