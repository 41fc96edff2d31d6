"""Story 07: an offer of what was bought already."""

from people import car, driver


def snowy(story):
    return story.given(
        "custom", customer="C1", facts={"winter_driving": "up the hill every morning"}, stated_by="customer"
    )


def test_no_offer_to_who_has_bought_the_same_thing_under_another_name(story):
    """A winter wheel set is winter tires: whoever has one is not offered them."""
    tale = snowy(car(driver(story("2026-11-20 09:00"))))
    tale.given("event", customer="C1", kind="purchase", item="winter-wheel-set", at="2026-10-01 10:00", id="p9")
    tale.until("2026-12-25")
    tale.nothing(rule="winter-tires")
    assert tale.refused(rule="winter-tires", code="already_purchased").final
    tale.until("2027-03-01")
    assert tale.refused(rule="winter-tires", code="already_purchased").state == "refused"


def test_a_purchase_a_minute_before_sending_still_stops_it(story):
    """The offer was planned; the purchase comes in just before it would go."""
    tale = snowy(car(driver(story("2026-11-20 09:00"))))
    tale.until("2026-11-25 10:59")
    assert [m.state for m in tale.messages if m.rule == "winter-tires"] == ["planned"]
    tale.given("event", customer="C1", kind="purchase", item="winter-tires", id="p9")
    tale.until("2026-12-25")
    tale.nothing(rule="winter-tires")


def test_counterpart_the_offer_goes_to_who_has_none(story):
    """Whoever told us about their winters and has no winter tires is offered them once."""
    tale = snowy(car(driver(story("2026-11-20 09:00")))).until("2026-12-25")
    offer = tale.sent(rule="winter-tires", between=("2026-11-24 08:00", "2026-12-20 20:00"))
    assert "up the hill every morning" in offer.body
