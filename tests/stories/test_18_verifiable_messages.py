"""Story 18: the same automation serves scammers, so every message can be checked by whoever gets it."""

import re
from datetime import timedelta

import pytest
from litestar.testing import TestClient
from people import car, driver
from reader import Reader, words

from commsched.render.links import Links
from commsched.web.site import site


def told(story, *, phone=False):
    """A confirmation that went, by mail or by text."""
    tale = car(driver(story("2026-12-01 09:00")))
    if phone:
        tale.given("contact_point", customer="C1", kind="phone", address="+13125550164", media=["sms"])
        tale.given("preference", customer="C1", media=["sms"])
    tale.given(
        "appointment", customer="C1", id="A1", service="oil_change", asset="V1", status="booked", booked_by="customer",
        stated_by="customer", start="2026-12-15 09:00", end="2026-12-15 09:45",
    ).until("2026-12-02 09:00")  # fmt: skip
    return tale, tale.sent(rule="appointment-reminders", step="confirmation")


@pytest.mark.parametrize("phone", [False, True], ids=["mail", "text"])
def test_the_page_shows_which_message_this_was_why_and_from_whom(story, phone):
    """The link in the message leads to our own domain, to this very message: its text, its reason, its sender."""
    tale, message = told(story, phone=phone)
    assert message.medium == ("sms" if phone else "email")
    assert set(re.findall(r"https://([^/\s]+)/", message.body)) == {"my.northside-motors.example"}
    status, page = Reader(tale, message).opens("/verify")
    assert status == 200
    assert "Yes, this message is from us" in page
    for shown in ("Service, Northside Motors", "You made this appointment.", "December 1, 2026", message.body[:40]):
        assert " ".join(shown.split()) in page
    assert message.to not in page, "a link that was passed on does not tell the address"


def test_a_forged_link_leads_nowhere_and_says_so(story):
    """What nobody here has signed shows the same page, whatever it claims to be, and says whom to call."""
    tale, message = told(story)
    token = Reader(tale, message).home.removeprefix("/m/")
    attempt = token.partition(".")[0]
    others = Links("https://scam.example", ("another key",)).token(attempt, "email")
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    with TestClient(site(tale.app)) as client:
        pages = {client.get(f"/m/{one}/verify").text for one in (others, changed, attempt, "0" * 16, "nonsense")}
        assert {client.get(f"/m/{one}/verify").status_code for one in (others, changed)} == {404}
    assert len(pages) == 1
    assert "Call us at a number that you know" in words(pages.pop())


def test_opening_a_link_changes_nothing(story):
    """A program that opens every link a hundred times confirms nothing, stops nothing, and tells nobody."""
    tale, message = told(story)
    with tale.app.store.read() as connection:
        before = connection.exec_driver_sql("select count(*) from fact").scalar()
    with TestClient(site(tale.app)) as client:
        for link in Reader(tale, message).links * 20:
            assert client.get(link).status_code == 200
            assert client.head(link).status_code == 200
    with tale.app.store.read() as connection:
        assert connection.exec_driver_sql("select count(*) from fact").scalar() == before


def test_the_key_may_change_and_the_old_one_is_believed_for_a_while(story):
    """A message that went under the last key can still be checked; one of a key that was withdrawn cannot."""
    links = Links("https://my.northside-motors.example", ("old", "new"))
    under_old = Links(links.base, ("old",)).token("a1", "email")
    assert links.attempt(under_old) == "a1"
    assert Links(links.base, ("new",)).attempt(under_old) is None
    tale, message = told(story)
    assert Reader(tale, message).opens("/verify")[0] == 200


def test_counterpart_whoever_has_checked_it_can_answer_it(story):
    """The same link confirms by one press, and the question of the day before is not asked any more."""
    tale, message = told(story, phone=True)
    assert "We expect you" in Reader(tale, message).presses("confirm")
    tale.until("2026-12-20")
    tale.nothing(rule="appointment-reminders", step="day-before")
    tale.sent(rule="appointment-reminders", step="reminder")
    assert tale.clock.at - message.at > timedelta(days=10)
    assert Reader(tale, message).opens("/verify")[0] == 200, "a link still tells what it was"
