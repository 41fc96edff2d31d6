"""Story 03: service urged every 2,000 miles."""

from people import car, driver, odometer, serviced

STEADY = (("2026-03-01", 20000), ("2026-05-01", 21000), ("2026-07-01", 22000), ("2026-09-01", 23000))


def test_nothing_is_urged_before_the_interval(story):
    """Two thousand miles after the oil change nobody is told that the next one is due."""
    tale = odometer(car(driver(story("2026-09-02 09:00"))), *STEADY)
    serviced(tale, "oil_change", "2026-07-01", 22000)
    tale.until("2026-11-01")
    tale.nothing(rule="oil-change-due")


def test_work_done_elsewhere_stops_the_reminder(story):
    """Whoever had it done elsewhere is not reminded of it."""
    tale = odometer(car(driver(story("2026-09-02 09:00"))), *STEADY)
    serviced(tale, "oil_change", "2026-01-10", 19200)
    serviced(tale, "oil_change", "2026-09-01", 23000, outcome="done_elsewhere", stated_by="customer")
    tale.until("2026-12-31")
    tale.nothing(rule="oil-change-due")


def test_declined_work_stops_but_an_advised_recheck_stays(story):
    """Declining the brakes ends the asking; the technician's advice to look at them again is still told."""
    tale = odometer(car(driver(story("2026-09-02 09:00"))), *STEADY)
    serviced(tale, "brake_inspection", "2026-08-20", 22800, outcome="declined")
    serviced(tale, "brake_inspection", "2026-08-20", 22800, outcome="advised", severity="safety", id="adv-1")
    tale.until("2026-11-10")
    tale.sent(rule="advised-recheck", step="recheck", between=("2026-09-15 08:00", "2026-09-25 20:00"))
    assert not [m for m in tale.messages if m.rule == "routine-service-due" and "brake_inspection" in m.subject]


def test_a_vague_forecast_asks_for_a_reading(story):
    """Readings that say little lead to a question for the mileage, never to a claim that service is due."""
    wild = (("2026-02-01", 20000), ("2026-03-15", 20100), ("2026-06-01", 24500), ("2026-08-30", 24600))
    tale = odometer(car(driver(story("2026-08-31 09:00"))), *wild)
    serviced(tale, "oil_change", "2026-06-01", 24500)
    tale.until("2027-07-15")
    sent = [m for m in tale.messages if m.rule == "oil-change-due" and m.state == "sent"]
    assert {m.template for m in sent} == {"ask-mileage"}


def test_counterpart_due_by_real_mileage_goes(story):
    """At 5,000 miles since the last oil change, by steady readings, the invitation goes, with the mileage."""
    tale = odometer(car(driver(story("2026-09-02 09:00"))), *STEADY)
    serviced(tale, "oil_change", "2026-01-01", 19000)
    tale.until("2026-12-31")
    invite = tale.sent(rule="oil-change-due", step="invite", between=("2026-09-20 08:00", "2026-11-15 20:00"))
    assert "24,000" in invite.body


def test_a_recheck_that_was_advised_for_a_date_is_spoken_of_once(story):
    """The technician's advice has a rule of its own; the schedule does not speak of the same brakes beside it."""
    tale = odometer(car(driver(story("2026-09-02 09:00"))), *STEADY)
    serviced(tale, "brake_inspection", "2026-08-20", 22800)
    serviced(
        tale, "brake_inspection", "2026-08-20", 22800,
        outcome="advised", severity="soon", id="adv-1", recheck_on="2026-10-20",
    )  # fmt: skip
    tale.until("2026-11-20")
    tale.sent(rule="advised-recheck", step="dated", between=("2026-10-06 09:59", "2026-10-06 10:01"))
    assert len([one for one in tale.messages if one.rule == "advised-recheck" and one.state == "sent"]) == 1
    tale.nothing(rule="routine-service-due")
