"""Story 19: the same transactions, one customer delighted and one who feels trapped; the system cannot tell."""

from people import car, driver, snowy

from commsched.store.messages import told


def both(story, starts="2026-11-20 09:00"):
    """Two people with the same car, bought on the same day, and the same winters."""
    tale = story(starts)
    for customer in ("C1", "C2"):
        driver(tale, f"Customer {customer}", customer=customer, email=f"{customer.lower()}@example.com")
        snowy(car(tale, customer=customer, asset=f"V-{customer}"), customer)
    return tale


def feels(story, customer, mood, **fields):
    return story.given("feedback", customer=customer, mood=mood, stated_by="customer", **fields)


def test_who_feels_trapped_gets_a_person_and_no_campaign(story):
    """One press on "trapped": no offer, a task for somebody to call; the staff read their words."""
    tale = feels(both(story), "C1", "trapped", words="Three visits and still broken")
    feels(tale, "C2", "delighted").until("2026-12-25")
    tale.nothing(rule="winter-tires", customer="C1")
    refusal = tale.refused(rule="winter-tires", customer="C1", code="mood")
    assert refusal.reasons[0][2] == "a person gets in touch instead"
    assert "Three visits and still broken" in told(refusal)[0][2]
    tale.task(rule="unhappy-customer", customer="C1", words="trapped")


def test_the_other_gets_the_offer_and_no_call(story):
    """The very same transactions, another mood: another plan."""
    tale = feels(feels(both(story), "C1", "trapped"), "C2", "delighted").until("2026-12-25")
    tale.sent(rule="winter-tires", customer="C2")
    tale.no_task(rule="unhappy-customer", customer="C2")


def test_a_word_just_before_it_goes_still_stops_it(story):
    """The offer is planned for both; one of them says that they are annoyed."""
    tale = both(story).until("2026-11-25 10:59")
    assert {m.customer for m in tale.messages if m.rule == "winter-tires" and m.state == "planned"} == {"C1", "C2"}
    feels(tale, "C1", "annoyed").until("2026-12-25")
    tale.nothing(rule="winter-tires", customer="C1")
    tale.sent(rule="winter-tires", customer="C2")


def test_counterpart_who_feels_better_or_said_it_long_ago_is_asked_again(story):
    """A later word counts, and half a year after the last one nobody is taken at it any more."""
    tale = feels(both(story, "2026-05-01 09:00"), "C1", "trapped")
    feels(tale, "C2", "trapped").until("2026-11-22")
    feels(tale, "C2", "fine").until("2026-12-25")
    tale.sent(rule="winter-tires", customer="C1")
    tale.sent(rule="winter-tires", customer="C2")
