"""Story 22: only the person one knows can help; the next one starts from zero."""

import pytest
from people import car, driver, odometer

from commsched.cli.briefed import HEIGHT, WIDTH, briefed, page
from commsched.store.ledgers import load


def brief(tale):
    with tale.app.store.read() as connection:
        return briefed(tale.app, load(connection, ["C1"])["C1"])


def text(tale):
    return "\n".join(page(brief(tale)))


@pytest.fixture
def known(story):
    """Ana, of whom Dana knows everything: her car, her complaint, a promise, how she feels, what was said."""
    tale = odometer(car(driver(story("2026-12-01 10:00"))), ("2026-11-01", 41200))
    tale.given("contact_point", customer="C1", kind="phone", address="+18475550188", stated_by="customer")
    tale.given("case", customer="C1", id="K1", kind="complaint", status="open", severity="high",
               summary="The brakes squeal again", at="2026-11-20 10:00")  # fmt: skip
    tale.given("commitment", customer="C1", id="P1", what="a call about the brakes", owner="Dana",
               due="2026-11-30 12:00", stated_by="staff", at="2026-11-20 10:00")  # fmt: skip
    tale.given("feedback", customer="C1", mood="annoyed", words="Third time now", stated_by="customer",
               at="2026-11-21 10:00")  # fmt: skip
    tale.given("interaction", customer="C1", direction="in", medium="voice", by="Dana", at="2026-11-22 10:00",
               summary="Asked who looks at the brakes", stated_by="staff")  # fmt: skip
    tale.given("intent", customer="C1", topic="trade_in", stance="never", stated_by="customer", at="2026-11-22 10:00")
    return tale.until("2026-12-01 10:00")


def test_whoever_picks_up_the_phone_knows_what_dana_knows(known):
    """Who, what they own, what is open, promised and overdue, how they feel, what was said last."""
    shown = text(known)
    for words in (
        "Ana Ortiz (C1)",
        "Ford Escape (V1), since Nov 2023, 41,200 mi on 01 Nov 2026",
        "case K1 since 20 Nov, high: The brakes squeal again",
        "OVERDUE since Mon 30 Nov 12:00, Dana: a call about the brakes [P1]",
        'annoyed since 21 Nov: "Third time now"',
        "22 Nov voice from them, Dana: Asked who looks at the brakes",
    ):
        assert words in shown


def test_it_says_what_must_not_be_raised_and_why(known):
    """While her case is open she is asked for nothing; and nobody brings up a trade-in."""
    answers = brief(known).answers
    now = known.clock.at
    assert not any(answers[purpose].at(now) for purpose in ("sales", "marketing", "survey"))
    assert "May not" in text(known)
    assert "trade_in" in text(known)


def test_it_fits_one_page_however_much_there_is(known):
    """Forty of everything: the page still has 24 lines of 80 characters, and counts what it leaves out."""
    for number in range(40):
        fields = {"customer": "C1", "id": f"X{number}", "stated_by": "staff"}
        known.given("case", kind="complaint", status="open", summary="a long story " * 20, **fields)
        known.given("commitment", what="much " * 40, owner="Dana", due="2026-12-24 12:00", **fields)
        known.given("asset", kind="car", model="Ford Transit", **fields)
        known.given("feedback", customer="C1", mood="annoyed", words=f"No {number}", stated_by="customer")
    lines = page(brief(known))
    assert len(lines) <= HEIGHT
    assert max(map(len, lines)) <= WIDTH
    assert any("more (commsched timeline)" in line for line in lines)
    assert any(line.startswith("May not") for line in lines)


def test_counterpart_what_may_be_raised_is_said(known):
    """Service may be spoken of; once all is settled for long enough, so may sales."""
    assert brief(known).answers["service"].at(known.clock.at)
    known.given("case", customer="C1", id="K1", status="closed", stated_by="staff")
    known.given("commitment", customer="C1", id="P1", kept=True, stated_by="staff")
    known.given("feedback", customer="C1", mood="fine", stated_by="customer")
    known.until("2027-02-16 10:00")
    assert brief(known).answers["sales"].at(known.clock.at)
