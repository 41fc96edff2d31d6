"""Story 01: a trade-in offer to a man who keeps cars ten years."""

from people import car, driver


def keeps_cars(story, **fields):
    return story.given(
        "intent", customer="C1", topic="trade_in", stance="never", words="I keep cars ten years.",
        at="2023-11-01 11:00", recorded_at="2023-11-01 11:00", **fields,
    )  # fmt: skip


def test_the_statement_vetoes_trade_in_offers(story):
    """He said at purchase that he keeps cars ten years: three years on, nobody offers a trade-in."""
    tale = keeps_cars(car(driver(story("2026-09-01 09:00"))), stated_by="customer", **{"for": "10y"})
    tale.until("2027-06-01")
    tale.nothing(rule="trade-in")
    refusal = tale.refused(rule="trade-in", code="stated_intent")
    assert refusal.final
    tale.no_task(rule="trade-in")


def test_a_campaign_import_does_not_outrank_him(story):
    """A later import that claims he wants an offer changes nothing."""
    tale = keeps_cars(car(driver(story("2026-09-01 09:00"))), stated_by="customer", **{"for": "10y"})
    tale.given("intent", customer="C1", topic="trade_in", stance="wants", stated_by="import", source="campaign")
    tale.until("2027-06-01")
    tale.nothing(rule="trade-in")


def test_it_survives_the_purchase_of_another_car(story):
    """The statement is about his cars, not about one of them: the second car is covered from its own purchase."""
    tale = keeps_cars(car(driver(story("2026-09-01 09:00"))), stated_by="customer", **{"for": "10y"})
    car(tale, asset="V2", bought="2023-12-01")
    tale.until("2027-09-01")
    tale.nothing(rule="trade-in")


def test_it_survives_any_import(story):
    """A night's export of everything, with a withdrawal in his name that he never made, changes nothing."""
    tale = keeps_cars(car(driver(story("2026-09-01 09:00"))), stated_by="customer", **{"for": "10y"})
    driver(car(tale, source="dms"), name="ANA ORTIZ")
    keeps_cars(tale, stated_by="import", source="dms", withdrawn=True)
    tale.until("2027-06-01")
    tale.refused(rule="trade-in", code="stated_intent")


def test_counterpart_what_he_takes_back_holds_nothing_back(story):
    """He has changed his mind, and said so: the offer goes."""
    tale = keeps_cars(car(driver(story("2026-09-01 09:00"))), stated_by="customer", **{"for": "10y"})
    tale.given("intent", customer="C1", topic="trade_in", stance="never", stated_by="customer", withdrawn=True)
    tale.until("2027-06-01").sent(rule="trade-in")


def test_counterpart_the_years_run_out(story):
    """Who keeps cars three years is asked three years after this one was bought, and not a day before."""
    tale = car(driver(story("2026-09-01 09:00")))
    keeps_cars(tale, stated_by="customer", **{"for": "3y"})
    tale.until("2027-06-01").sent(rule="trade-in", between=("2026-11-01 00:00", "2026-11-15 00:00"))


def test_counterpart_without_the_statement_one_offer_goes(story):
    """Whoever has said nothing gets one offer, about three years after the purchase, by mail."""
    tale = car(driver(story("2026-09-01 09:00"))).until("2027-06-01")
    offer = tale.sent(rule="trade-in", medium="email", between=("2026-10-30 08:00", "2026-11-10 20:00"))
    assert "Ford Escape" in offer.body
