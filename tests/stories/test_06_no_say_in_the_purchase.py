"""Story 06: the person who is asked has no influence on the purchase."""

from people import car, colleague

from commsched.store.messages import told


def lease(story, customer="C1"):
    car(story, customer=customer, asset=f"V-{customer}")
    return story.given(
        "obligation", customer=customer, id=f"L-{customer}", kind="lease_end", due="2027-02-01", asset=f"V-{customer}",
        status="open",
    )  # fmt: skip


def test_the_driver_is_not_asked_and_the_staff_learn_who_signs(story):
    """He drives the car; she signs. He is asked nothing about the lease, and the refusal names her."""
    tale = colleague(story("2026-10-01 09:00"), "C1", "Dan Reyes", "driver")
    colleague(tale, "C2", "Ana Ortiz", "buyer")
    lease(tale).until("2027-01-15")
    tale.nothing(rule="lease-end")
    refusal = tale.refused(rule="lease-end", code="role")
    assert "ask Ana Ortiz (C2), buyer" in told(refusal)[0][2]
    assert "Ana" not in refusal.reasons[0][2]
    tale.no_task(rule="lease-end")


def test_where_nobody_is_known_to_sign_the_staff_are_told_to_ask(story):
    """Nobody there has the role: that is said, instead of asking somebody else."""
    tale = colleague(story("2026-10-01 09:00"), "C1", "Dan Reyes", "driver")
    lease(tale).until("2027-01-15")
    assert "ask who does" in told(tale.refused(rule="lease-end", code="role"))[0][2]


def test_once_he_may_sign_he_is_asked(story):
    """He is given the role in time: the refusal was not the last word."""
    tale = lease(colleague(story("2026-10-01 09:00"), "C1", "Dan Reyes", "driver")).until("2026-12-01")
    tale.given("customer", id="C1", roles=["driver", "fleet_manager"], stated_by="staff")
    tale.until("2027-01-25")
    tale.sent(rule="lease-end", between=("2026-12-01 09:00", "2026-12-05 20:00"))


def test_counterpart_the_buyer_is_asked(story):
    """She signs, so the message about her lease goes to her."""
    tale = colleague(story("2026-10-01 09:00"), "C2", "Ana Ortiz", "buyer")
    lease(tale, "C2").until("2027-01-15")
    assert tale.sent(rule="lease-end", medium="email").to == "c2@example.com"
