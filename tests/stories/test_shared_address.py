"""Two people share an address: one message is enough, a stop or a cap binds both, and replies are not mixed up."""

import pytest
from people import car, driver, serviced

from commsched.errors import FactRejected

HOME = "family@example.com"


def couple(tale, *, second=HOME):
    """Ana and Ben, each with a car of their own; Ben reads his mail at ``second``."""
    car(driver(tale, email=HOME))
    return car(driver(tale, "Ben Ortiz", customer="C2", email=second), customer="C2", asset="V2")


def both_due(tale):
    serviced(tale, "oil_change", "2025-11-15")
    return serviced(tale, "oil_change", "2025-11-15", customer="C2", asset="V2")


def went(tale, **like):
    return sorted(m.at for m in tale.messages if m.state == "sent" and all(getattr(m, k) == v for k, v in like.items()))


def test_the_same_rule_does_not_write_to_one_address_twice_within_a_week(story):
    """Both cars are due on the same day; the second of them is told a week after the first."""
    tale = both_due(couple(story("2026-10-01 09:00"))).until("2027-01-31")
    first, second = went(tale, rule="oil-change-due", step="invite")
    assert 7 <= (second - first).days <= 10


def test_each_says_whom_it_concerns(story):
    """Every message greets by name the person whose car it is about."""
    tale = both_due(couple(story("2026-10-01 09:00"))).until("2027-01-31")
    bodies = {m.customer: m.body for m in tale.messages if m.state == "sent" and m.step == "invite"}
    assert "Hello Ana Ortiz" in bodies["C1"]
    assert "Hello Ben Ortiz" in bodies["C2"]


def test_counterpart_at_addresses_of_their_own_both_hear_at_once(story):
    """Nothing is held back from people who do not share an address."""
    tale = both_due(couple(story("2026-10-01 09:00"), second="ben@example.com")).until("2027-01-31")
    first, second = went(tale, rule="oil-change-due", step="invite")
    assert (second - first).days == 0


def test_a_stop_of_one_of_them_binds_the_address(story):
    """Ana says stop: nothing that serves or sells goes to that address, to Ben neither."""
    tale = both_due(couple(story("2026-10-01 09:00")))
    tale.given(
        "consent", customer="C1", medium="email", purpose="*", granted=False, method="reply", stated_by="customer"
    )
    tale.until("2027-01-31").nothing(rule="oil-change-due", medium="email")
    assert tale.refused(rule="oil-change-due", code="opt_out", customer="C2")


def test_caps_count_what_the_other_was_sent(story):
    """Three messages to Ana in a month are three messages to that address: none to Ben within thirty days of them."""
    tale = both_due(couple(story("2026-10-01 09:00")))
    for asset in ("V3", "V4", "V5"):
        car(tale, asset=asset)
    tale.until("2027-01-31")
    times = went(tale, to=HOME)
    assert len(times) > 3
    assert {m.customer for m in tale.messages if m.state == "sent"} == {"C1", "C2"}
    assert all((after - before).days >= 30 for before, after in zip(times, times[3:], strict=False))


def test_a_reply_is_credited_to_the_person_it_answers(story):
    """Ben cannot be recorded as having answered what was asked of Ana; recorded for Ana, it counts for her alone."""
    tale = both_due(couple(story("2026-10-01 09:00"))).until("2026-11-20")
    asked = next(m for m in tale.messages if m.state == "sent" and m.customer == "C1" and m.step == "invite")
    with pytest.raises(FactRejected, match="about C1"):
        tale.given("reply", customer="C2", medium="email", key=asked.key, text="Yes", stated_by="customer")
    tale.given("reply", customer="C1", medium="email", key=asked.key, text="Yes", stated_by="customer")
    tale.until("2027-01-31")
    second = {
        m.customer for m in tale.messages if m.rule == "oil-change-due" and m.step == "second" and m.state == "sent"
    }
    assert "C1" not in second
