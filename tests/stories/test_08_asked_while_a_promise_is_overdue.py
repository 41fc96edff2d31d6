"""Story 08: a promise is made and forgotten, and the next thing they hear is an offer."""

from people import car, colleague, driver, snowy

from commsched.store.messages import told


def promised(story, customer="C1", **fields):
    return story.given(
        "commitment", customer=customer, id="P1", what="Your guest's name on the screen", owner="Rosa",
        due="2026-11-20 12:00", kept=False, stated_by="staff", **fields,
    )  # fmt: skip


def test_nothing_is_asked_while_the_promise_is_overdue(story):
    """The offer is held from the due date on, and the staff read who promised what."""
    tale = promised(snowy(car(driver(story("2026-11-19 09:00"))))).until("2026-12-25")
    tale.nothing(rule="winter-tires")
    refusal = tale.refused(rule="winter-tires", code="commitment_overdue")
    (words,) = [words for policy, _, words in told(refusal) if policy == "commitment_overdue"]
    assert words == "Rosa promised Ana Ortiz (C1) by 2026-11-20: Your guest's name on the screen"
    tale.task(rule="promise-due", words="Rosa")


def test_nothing_is_asked_of_a_colleague_either(story):
    """It was promised to her; he, at the same company, is left in peace too, and is reminded of nothing."""
    tale = colleague(story("2026-11-19 09:00"), "C1", "Ana Ortiz", "buyer")
    snowy(car(colleague(tale, "C2", "Ben Ochs", "driver"), customer="C2"), "C2")
    promised(tale).until("2026-12-25")
    tale.nothing(rule="winter-tires", customer="C2")
    tale.refused(rule="winter-tires", customer="C2", code="commitment_overdue")
    tale.no_task(rule="promise-due", customer="C2")


def test_what_they_must_be_told_goes_all_the_same(story):
    """A reminder of her appointment is no ask."""
    tale = promised(car(driver(story("2026-11-19 09:00"))))
    tale.given(
        "appointment", customer="C1", id="A1", service="oil_change", asset="V1", status="booked", booked_by="customer",
        stated_by="customer", start="2026-12-15 09:00", end="2026-12-15 09:45",
    )  # fmt: skip
    tale.until("2026-12-20").sent(rule="appointment-reminders", step="reminder")


def test_counterpart_once_it_is_kept_the_offer_goes(story):
    """The promise is kept late: the offer goes after that, within its season."""
    tale = promised(snowy(car(driver(story("2026-11-19 09:00"))))).until("2026-12-01 09:00")
    tale.nothing(rule="winter-tires")
    tale.given("commitment", customer="C1", id="P1", kept=True, stated_by="staff")
    tale.until("2026-12-25")
    tale.sent(rule="winter-tires", between=("2026-12-01 09:00", "2026-12-05 20:00"))
