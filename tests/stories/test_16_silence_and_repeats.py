"""Story 16: "just checking if you got my last mail"."""

from people import car, driver, odometer, serviced

STEADY = (("2026-03-01", 20000), ("2026-05-01", 21000), ("2026-07-01", 22000), ("2026-09-01", 23000))


def due_soon(story):
    tale = odometer(car(driver(story("2026-09-02 09:00"))), *STEADY)
    return serviced(tale, "oil_change", "2026-01-01", 19000)


def test_after_two_unanswered_messages_there_is_silence(story):
    """One invitation, one reminder that says something new, and then nothing, however long nobody answers."""
    tale = due_soon(story).until("2027-09-01")
    sent = [m for m in tale.messages if m.rule == "oil-change-due" and m.state == "sent"]
    assert [m.step for m in sorted(sent, key=lambda m: m.at)] == ["invite", "second"]
    assert len({m.body for m in sent}) == 2
    assert len({m.template for m in sent}) == 2


def test_an_answer_ends_it(story):
    """Whoever has answered the invitation is not reminded."""
    tale = due_soon(story).until("2026-10-20")
    invite = tale.sent(rule="oil-change-due", step="invite")
    tale.given("reply", customer="C1", medium="email", key=invite.key, text="I will call you.", stated_by="customer")
    tale.until("2027-09-01")
    tale.nothing(rule="oil-change-due", step="second")


def test_counterpart_a_reminder_with_something_new_goes(story):
    """A reminder a week after the due date that says something new does go."""
    tale = due_soon(story).until("2027-03-01")
    tale.sent(rule="oil-change-due", step="second", template="oil-change-overdue")
