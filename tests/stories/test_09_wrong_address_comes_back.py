"""Story 09: a wrong address that comes back however often it is corrected."""

from people import car, driver

from commsched.planning.fold import fold
from commsched.store.ledgers import load


def booked(story):
    return story.given(
        "appointment", customer="C1", id="A1", service="oil_change", asset="V1", status="booked", booked_by="customer",
        stated_by="customer", start="2026-12-15 09:00", end="2026-12-15 09:45",
    )  # fmt: skip


def corrected(story):
    story.given(
        "contact_point", customer="C1", kind="email", address="ana@example.com", valid=False, stated_by="customer"
    )
    return story.given(
        "contact_point", customer="C1", kind="email", address="ana.ortiz@example.org", stated_by="customer"
    )


def test_a_reimport_of_the_old_address_changes_nothing(story):
    """After the customer's correction, the old address comes back with every import, and nothing goes there."""
    tale = corrected(booked(car(driver(story("2026-12-01 09:00")))))
    tale.given("contact_point", customer="C1", kind="email", address="ana@example.com", valid=True, source="dms")
    tale.until("2026-12-20")
    assert {m.to for m in tale.messages if m.state == "sent"} == {"ana.ortiz@example.org"}


def test_a_queued_message_goes_to_the_corrected_address(story):
    """A reminder that was planned for the old address goes to the new one."""
    tale = booked(car(driver(story("2026-12-01 09:00")))).until("2026-12-10 09:00")
    assert {m.to for m in tale.messages if m.state == "planned" and m.step == "reminder"} == {"ana@example.com"}
    corrected(tale).until("2026-12-20")
    assert tale.sent(rule="appointment-reminders", step="reminder").to == "ana.ortiz@example.org"


def test_the_name_she_corrected_stays(story):
    """A re-import of the misspelt name does not win over the customer's own."""
    tale = driver(story("2026-12-01 09:00"), "Anna Ortis")
    tale.given("customer", id="C1", name="Ana Ortiz", stated_by="customer")
    tale.until("2026-12-02")
    tale.given("customer", id="C1", name="Anna Ortis", source="dms")
    with tale.app.store.read() as connection:
        ledger = load(connection, ["C1"])["C1"].ledger
    assert fold(ledger, tale.clock.at).profile.name == "Ana Ortiz"


def test_counterpart_without_a_correction_the_newest_import_counts(story):
    """Where nobody has corrected anything, a new address from an import is used."""
    tale = booked(car(driver(story("2026-12-01 09:00"))))
    tale.given("contact_point", customer="C1", kind="email", address="ana@new.example", source="dms")
    tale.until("2026-12-20")
    assert {m.to for m in tale.messages if m.state == "sent"} == {"ana@new.example"}
