"""Story 14: a text the day before describes preparation that had to start 72 hours before."""

from people import car, driver


def books_a_test(tale, start, **fields):
    """An emissions test is booked now, at the customer's wish."""
    return tale.given(
        "appointment", customer="C1", id="A1", service="emissions_test", asset="V1", status="booked",
        booked_by="customer", stated_by="customer", start=start, **fields,
    )  # fmt: skip


def test_who_books_inside_the_notice_is_called_at_once(story):
    """Booked on Friday for Monday, three days of preparation: no text on Sunday, but a call on Friday."""
    tale = car(driver(story("2026-12-04 16:10")))
    books_a_test(tale, "2026-12-07 09:00")
    tale.until("2026-12-04 16:20")
    assert tale.task(rule="emissions-preparation", words="Call Ana Ortiz").at <= tale.time("2026-12-04 16:20")
    tale.until("2026-12-07 09:00")
    tale.nothing(rule="emissions-preparation")


def test_who_moves_it_into_the_notice_is_called_too(story):
    """Told in time for the eleventh; moved to the eighth, what they were told no longer holds."""
    tale = car(driver(story("2026-11-30 09:00")))
    books_a_test(tale, "2026-12-11 09:00")
    tale.until("2026-12-06 12:00")
    tale.sent(rule="emissions-preparation", step="tell", between=("2026-12-06 09:59", "2026-12-06 10:01"))
    tale.given("appointment", customer="C1", id="A1", start="2026-12-08 09:00", stated_by="staff")
    tale.until("2026-12-06 12:10")
    tale.task(rule="emissions-preparation", words="offer another day")


def test_who_cancels_need_not_be_called(story):
    """The call that was to be made about the preparation is withdrawn with the appointment, and comes back with it."""
    tale = car(driver(story("2026-12-04 16:10")))
    books_a_test(tale, "2026-12-07 09:00")
    tale.until("2026-12-04 16:20")
    assert tale.task(rule="emissions-preparation").state == "open"
    tale.given("appointment", customer="C1", id="A1", status="cancelled", stated_by="customer")
    tale.until("2026-12-04 16:30")
    assert tale.task(rule="emissions-preparation").state == "withdrawn"
    tale.given("appointment", customer="C1", id="A1", status="booked", stated_by="customer")
    tale.until("2026-12-04 16:40")
    assert tale.task(rule="emissions-preparation").state == "open"


def test_a_veto_hands_it_to_a_person(story):
    """Whoever wants no messages is told in person, and not left to fail the test."""
    tale = car(driver(story("2026-11-30 09:00")))
    tale.given("consent", customer="C1", medium="*", purpose="*", granted=False, method="reply", stated_by="customer")
    books_a_test(tale, "2026-12-11 09:00")
    tale.until("2026-12-01 09:00")
    tale.nothing(rule="emissions-preparation").task(rule="emissions-preparation", words="in person")


def test_counterpart_whoever_books_in_time_is_told_in_time(story):
    """Booked ten days before: told two days before the preparation begins, once, and nobody needs to call."""
    tale = car(driver(story("2026-11-30 09:00")))
    books_a_test(tale, "2026-12-10 09:00")
    tale.until("2026-12-10 09:00")
    tale.sent(rule="emissions-preparation", step="tell", between=("2026-12-05 09:59", "2026-12-05 10:01"))
    tale.no_task(rule="emissions-preparation")
