"""What policies tell the staff beside what the customer may read: names, numbers, dates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from commsched import Consent, Event, Hold, Intent
from commsched.builtin.policies.already_purchased import AlreadyPurchased
from commsched.builtin.policies.consent import ConsentNeeded
from commsched.builtin.policies.contact_hours import ContactHours
from commsched.builtin.policies.frequency_cap import FrequencyCap
from commsched.builtin.policies.hold import HoldPolicy
from commsched.builtin.policies.no_repeat import NoRepeat
from commsched.builtin.policies.opt_out import OptOut
from commsched.builtin.policies.reachable import Reachable
from commsched.builtin.policies.spacing import Spacing
from commsched.builtin.policies.stated_intent import StatedIntent
from commsched.model.state import Profile

DAY = timedelta(days=1)
AT = datetime(2026, 5, 1, 17, tzinfo=UTC)


def test_a_hold_says_who_why_and_until_when(ask, noon):
    """The staff read who set the hold, its id, its reason and its end; the customer only that it is on hold."""
    hold = Hold(at=AT, id="H1", purposes=["*"], reason="her insurer pays", by="Tom", until=noon + 3 * DAY)
    verdict = ask(HoldPolicy, holds=(hold,))
    assert verdict.detail == "this is on hold until 2026-06-18"
    assert verdict.note == "on hold until 2026-06-18 by Tom (H1): her insurer pays"


def test_a_cap_names_the_messages_that_used_it_up(ask, placed, noon):
    """The messages in the way are named with their days, the first three of them."""
    verdict = ask(FrequencyCap, {"at_most": 2}, history=[placed(noon - 3 * DAY), placed(noon - DAY)])
    assert verdict.detail == "at most 2 messages in 7 days"
    assert verdict.note == "at most 2 messages in 7 days, and others go first: oil on 12 Jun 2026, oil on 14 Jun 2026"
    many = ask(FrequencyCap, {"at_most": 2}, history=[placed(noon + number * DAY) for number in range(8)])
    assert many.note.endswith(" and 4 more")


def test_spacing_names_the_nearest_message(ask, placed, noon):
    """Of several, the one nearest the ideal time is named."""
    verdict = ask(Spacing, {"gap": "3d"}, history=[placed(noon - 9 * DAY), placed(noon + DAY)])
    assert verdict.note.endswith(": oil on 16 Jun 2026")


def test_what_went_to_somebody_else_at_the_address_is_told_apart(ask, placed, noon):
    """The staff read whose message it was; the customer reads nothing of anybody else."""
    his = placed(noon + DAY, key="ben/oil/invite/car-2/1")
    verdict = ask(Spacing, {"gap": "3d"}, history=[his])
    assert verdict.note.endswith(": oil on 16 Jun 2026 to ben, at the same address")
    assert "ben" not in verdict.detail
    verdict = ask(FrequencyCap, {"at_most": 2}, history=[placed(noon - DAY), his])
    assert verdict.note.endswith(": oil on 14 Jun 2026, oil on 16 Jun 2026 to ben, at the same address")
    assert "ben" not in verdict.detail


def test_a_repeat_names_what_it_repeats(ask, placed, proposal, noon):
    """The message that said it already is named."""
    again = proposal(content="text")
    verdict = ask(NoRepeat, proposal=again, history=[placed(noon - DAY, content="text", subject=again.subject)])
    assert verdict.note.endswith("already: oil on 14 Jun 2026")


def test_a_purchase_is_named_as_it_was_recorded(ask, proposal):
    """The staff read what was bought, which may be the same thing under another name, and when."""
    bought = Event(at=AT, kind="purchase", item="blizzak-set")
    verdict = ask(AlreadyPurchased, proposal=proposal(offers=("winter-tires",)), events=(("e1", bought),))
    assert (verdict.detail, verdict.note) == (
        "you have bought this already: winter-tires",
        "they bought blizzak-set on 2026-05-01",
    )


def test_a_statement_is_told_with_who_said_it_when_and_until_when(ask, proposal):
    """What was said is told in full: by whom, on which day, for how long, in which words."""
    said = {"customer": "ann", "topic": "oil", "stance": "never", "words": "I do it myself"}
    one = Intent(at=AT, stated_by="customer", until=datetime(2027, 1, 1, tzinfo=UTC).date(), **said)
    verdict = ask(StatedIntent, intents=(one,))
    assert verdict.note == "the customer said on 2026-05-01: never oil, until 2027-01-01: I do it myself"
    ever = Intent(at=AT, stated_by="staff", **said)
    assert ask(StatedIntent, intents=(ever,)).note.startswith("staff noted on 2026-05-01: never oil, for good")


def test_a_refusal_names_who_refused_when_and_how(ask):
    """Of everybody at an address, whose refusal stands is named with its day and its way, each medium of its own."""
    stop = {"medium": "sms", "purpose": "*", "granted": False}
    refused = (
        Consent(at=AT, customer="ann", method="form", **stop),
        Consent(at=AT + DAY, customer="ann", method="reply", **stop),
    )
    assert ask(OptOut, consents=refused).note == "sms was refused by ann on 2026-05-02 (reply)"


def test_what_is_missing_is_named(ask, proposal):
    """Media without an address or a consent are named; stated hours are told as they were stated."""
    assert ask(Reachable, proposal=proposal(addresses={})).note == "no usable address for email, sms is recorded"
    asks = proposal(purpose="marketing")
    assert ask(ConsentNeeded, proposal=asks).note == "no consent to marketing by email or sms is recorded"
    evenings = Profile("ann", contact_hours={"mon-fri": ["18:00-20:00"], "sat": ["09:00-10:00", "15:00-16:00"]})
    verdict = ask(ContactHours, profile=evenings)
    assert verdict.note == "they asked for mon-fri 18:00-20:00, sat 09:00-10:00 and 15:00-16:00"
