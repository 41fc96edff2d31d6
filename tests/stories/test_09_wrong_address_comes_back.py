"""Story 09: a wrong address that comes back however often it is corrected."""

import json
import shutil
from pathlib import Path

import pytest
from people import car, driver
from webhook_server import receiver

from commsched.engine.feedback import Feedback
from commsched.planning.fold import fold
from commsched.plugin.web import signature_of
from commsched.store.ledgers import load
from commsched.testing.stories import Story

ROOT = Path(__file__).resolve().parents[2]
SECRET = "between-us-and-the-dms"


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


@pytest.fixture
def dms(tmp_path):
    """The dealer's management system, which takes corrections: a server of its own."""
    with receiver(tmp_path / "dms") as server:
        yield server


@pytest.fixture
def telling(tmp_path, dms, monkeypatch):
    """The shipped deployment, which tells the management system what it has wrong."""
    monkeypatch.setenv("DMS_SECRET", SECRET)
    folder = tmp_path / "dealer"
    for part in ("config", "plugins", "templates"):
        shutil.copytree(ROOT / part, folder / part)
    table = f'\n[feedback.dms]\nreport_to = "{dms.url}"\nsecret = "env:DMS_SECRET"\nallow_private = true\n'
    with (folder / "config" / "commsched.toml").open("a", encoding="utf-8") as file:
        file.write(table)
    return driver(Story(folder, tmp_path, "2026-12-01 09:00"), "Anna Ortis")


def tell(tale):
    return Feedback(tale.app.store, tale.app.configuration.feedback).send(tale.clock.at)


def test_the_system_that_sends_it_is_told_once(telling, dms):
    """The old name comes back night after night; the system hears of it once, signed, with what is right."""
    telling.given("customer", id="C1", name="Ana Ortiz", stated_by="customer")
    for night in ("2026-12-02", "2026-12-03", "2026-12-04"):
        telling.until(night)
        telling.given("customer", id="C1", name="Anna Ortis", source="dms", at="2026-12-02 00:00")
        tell(telling)
    (got,) = dms.got
    body = json.loads(got["body"])
    assert (body["customer"], body["field"]) == ("C1", "name")
    assert (body["refused"], body["stands"]) == ("Anna Ortis", "Ana Ortiz")
    stamp = got["headers"]["commsched-timestamp"]
    assert got["headers"]["commsched-signature"] == f"sha256={signature_of(SECRET, stamp, got['body'].encode())}"


def test_a_system_that_is_down_hears_of_it_later(telling, dms):
    """What it could not take is not forgotten."""
    telling.given("customer", id="C1", name="Ana Ortiz", stated_by="customer").until("2026-12-02")
    telling.given("customer", id="C1", name="Anna Ortis", source="dms")
    dms.answers(503)
    assert tell(telling).problems == ["dms takes no corrections: the server answered 503"]
    dms.answers(200)
    telling.until("2026-12-02 01:00")
    assert tell(telling).told == 1


def test_counterpart_an_import_that_is_right_is_nobodys_fault(telling, dms):
    """Where nobody corrected anything, and where the system has it right by now, it is told nothing."""
    telling.given("customer", id="C1", name="Anna Ortiz", source="dms").until("2026-12-02")
    telling.given("customer", id="C1", name="Ana Ortiz", stated_by="customer").until("2026-12-03")
    telling.given("customer", id="C1", name="Ana Ortiz", source="dms")
    assert tell(telling).told == 0
    assert dms.got == []
