"""Story 16: "just checking if you got my last mail"."""

from people import car, driver, odometer, serviced

from commsched.store.messages import told

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


def told_yearly(story):
    tale = driver(story("2023-11-02 09:00"))
    return tale.given("custom", customer="C1", facts={"shares_mileage": True}, stated_by="customer")


def asked(tale):
    return [m.at.year for m in tale.messages if m.rule == "yearly-mileage" and m.state == "sent"]


def test_after_three_unanswered_years_a_topic_ends(story):
    """Nobody answered three years running: the fourth year nothing goes, and the staff can see why."""
    tale = told_yearly(story).until("2027-12-31")
    assert sorted(asked(tale)) == [2023, 2024, 2025]
    refusal = tale.refused(rule="yearly-mileage", code="silence")
    assert "3 contacts about mileage" in told(refusal)[0][2]
    tale.no_task(rule="yearly-mileage")


def test_counterpart_the_next_thing_they_do_opens_the_topic_again(story):
    """After three silent years they come in: that is an answer, and the year after they are asked again."""
    tale = told_yearly(story).until("2026-12-31")
    assert sorted(asked(tale)) == [2023, 2024, 2025]
    tale.given("event", customer="C1", kind="visit", id="visit").until("2027-12-31")
    assert sorted(asked(tale)) == [2023, 2024, 2025, 2027]
