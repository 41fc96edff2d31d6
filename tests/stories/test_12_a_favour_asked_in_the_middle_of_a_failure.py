"""Story 12: a salesman asks for a favour while something that we sold them is failing."""

from people import car, colleague, driver, snowy

from commsched.store.messages import told


def case(story, status, customer="C1"):
    return story.given(
        "case", customer=customer, id="K1", kind="complaint", severity="high", status=status, stated_by="staff",
        summary="The transmission fails for the third time",
    )  # fmt: skip


def test_nothing_is_asked_while_the_case_is_open(story):
    """The offer is refused, and the staff read which case it is."""
    tale = case(snowy(car(driver(story("2026-11-20 09:00")))), "open").until("2026-12-25")
    tale.nothing(rule="winter-tires")
    refusal = tale.refused(rule="winter-tires", code="open_case")
    assert "case K1 of Ana Ortiz (C1), complaint, high, has been open since 2026-11-20" in told(refusal)[0][2]
    tale.no_task(rule="winter-tires")


def test_nor_is_anything_asked_of_a_colleague(story):
    """Her case is her company's: he is not asked either, and nobody tells him that her case was closed."""
    tale = colleague(story("2026-11-20 09:00"), "C1", "Ana Ortiz", "buyer")
    snowy(car(colleague(tale, "C2", "Ben Ochs", "driver"), customer="C2"), "C2")
    case(tale, "open").until("2026-12-12")
    tale.refused(rule="winter-tires", customer="C2", code="open_case")
    case(tale, "closed").until("2026-12-25")
    tale.nothing(rule="winter-tires", customer="C2")
    tale.nothing(rule="case-closed", customer="C2")
    tale.sent(rule="case-closed", customer="C1")


def test_a_case_opened_just_before_it_goes_still_stops_it(story):
    """The offer was planned; the complaint comes in just before."""
    tale = snowy(car(driver(story("2026-11-20 09:00")))).until("2026-11-25 10:59")
    assert [m.state for m in tale.messages if m.rule == "winter-tires"] == ["planned"]
    case(tale, "open").until("2026-12-25")
    tale.nothing(rule="winter-tires")


def test_counterpart_two_weeks_after_it_was_closed_the_offer_goes(story):
    """The case is closed early in the season: after the cooling-off time the offer goes, and not before."""
    tale = case(snowy(car(driver(story("2026-11-20 09:00")))), "open").until("2026-11-26 10:00")
    case(tale, "closed").until("2026-12-20")
    tale.sent(rule="winter-tires", between=("2026-12-10 10:00", "2026-12-15 20:00"))


def test_counterpart_a_colleague_elsewhere_is_not_bound(story):
    """The case of somebody at another company is none of theirs."""
    tale = colleague(story("2026-11-20 09:00"), "C1", "Ana Ortiz", "buyer", organisation="O2")
    snowy(car(colleague(tale, "C2", "Ben Ochs", "driver"), customer="C2"), "C2")
    case(tale, "open").until("2026-12-25")
    tale.sent(rule="winter-tires", customer="C2")
