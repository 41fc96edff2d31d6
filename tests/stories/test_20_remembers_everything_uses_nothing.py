"""Story 20: a company that remembers everything and uses none of it."""

from people import car, driver

from commsched.check.used_facts import usage


def test_what_is_remembered_in_vain_is_named_with_how_often(story):
    """The color of her car and her loyalty tier are on record, and nothing ever asks for them."""
    tale = car(driver(story("2026-12-01 09:00"))).given("asset", customer="C1", id="V1", attributes={"color": "red"})
    tale.given("custom", customer="C1", facts={"loyalty_tier": "gold"})
    found = usage(tale.app)
    assert found.unread["facts.loyalty_tier"] == 1
    assert found.unread["asset.color"] == 1
    assert "asset.fuel" not in found.unread


def test_what_is_asked_for_and_never_recorded_is_named_with_who_asks(story):
    """A rule waits for recalls, and nobody has ever recorded one; once somebody does, it is not named."""
    tale = car(driver(story("2026-12-01 09:00")))
    assert usage(tale.app).unrecorded["event recall"] == ["rule recall"]
    tale.given("event", customer="C1", kind="recall", asset="V1", data={"campaign": "26V-101", "title": "Airbag"})
    assert "event recall" not in usage(tale.app).unrecorded


def test_every_decision_lists_what_it_read(story):
    """A message that was decided about says which facts that rested on, and these count as read."""
    tale = driver(story("2026-12-01 09:00"))
    tale.given("obligation", customer="C1", id="L1", kind="lease_end", due="2027-03-01")
    tale.until("2027-02-01")
    found = usage(tale.app)
    assert "obligation lease_end" not in found.unread
    assert "intent" in found.unrecorded
    assert "policies" in found.unrecorded["intent"]


def test_counterpart_what_is_used_is_not_complained_about(story):
    """What rules, policies and texts need is in neither list once it is recorded."""
    tale = car(driver(story("2026-12-01 09:00")))
    tale.given("intent", customer="C1", topic="trade_in", stance="never", stated_by="customer")
    found = usage(tale.app)
    for name in ("customer", "contact_point", "asset", "intent", "event purchase"):
        assert name not in found.unread
        assert name not in found.unrecorded
