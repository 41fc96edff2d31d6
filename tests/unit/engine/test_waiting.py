"""The waiting list: free times and wishes, one wish at a time for each place; on both databases."""

from __future__ import annotations

from datetime import timedelta
from hashlib import blake2b

import pytest

from commsched.engine.waiting import match
from commsched.planning.fold import fold
from commsched.store.ledgers import load

FILES = {
    "config/services.yaml": """\
services:
  oil: {name: Oil change, duration: 45m, calendar: bay, answer_within: 4h}
  wash: {name: Wash, duration: 45m, calendar: bay}
""",
    "config/rules/waiting.yaml": """\
rule: waiting
why: "You asked us to tell you."
purpose: transactional
topic: visit
department: desk
trigger: {offer: oil}
steps:
  - {step: offer, at: offered, deadline: expires - 1h, template: free, media: [email]}
stop_when: booked
""",
    "templates/free/email.txt": "Subject: Free\n\n{{ service.name }}: {{ offer.start }}, until {{ expires }}.\n",
}
BAY = """
[[calendars]]
name = "bay"
kind = "opening_hours"
weekly = { "wed" = ["09:00-09:45"], "thu" = ["09:00-09:45"] }
"""
WEDNESDAY, THURSDAY = "2026-06-17T14:00:00Z", "2026-06-18T14:00:00Z"


@pytest.fixture
def shop(garage, configuration):
    """A garage with one bay, open for one oil change on Wednesday and one on Thursday; it is Monday noon."""
    return garage({**FILES, "config/commsched.toml": configuration + BAY})


@pytest.fixture
def waits(shop, fact):
    """Somebody who waits for an oil change this week."""

    def made(name, at="2026-06-01T12:00:00Z", first="2026-06-15", last="2026-06-17", **fields):
        shop.learn(
            fact("customer", customer=name, name=name.title()),
            fact("contact_point", customer=name, kind="email", address=f"{name}@x.example"),
            fact("wish", customer=name, id=f"w-{name}", service="oil", between=[first, last], at=at, **fields),
        )

    return made


def look(shop):
    """Go through the waiting list now."""
    return match(shop.app.desk, shop.store, shop.clock.at)


def offers(shop, *customers):
    """Who has which live offer."""
    with shop.store.read() as connection:
        loaded = load(connection, customers)
    states = {name: fold(one.ledger, shop.clock.at) for name, one in loaded.items()}
    return {
        name: f"{offer.start:%a %H:%M}"
        for name, state in states.items()
        for offer in state.offers.values()
        if offer.expires > shop.clock.at
    }


def test_the_older_wish_is_offered_a_time_first_and_then_the_next(shop, waits):
    """One at a time: the newer hears of it when the older has not answered in time, and the older not again."""
    waits("new", at="2026-06-02T12:00:00Z")
    waits("old", at="2026-06-01T12:00:00Z")
    assert look(shop).offered == 1
    assert offers(shop, "old", "new") == {"old": "Wed 14:00"}
    assert look(shop).offered == 0
    shop.tick(minutes=1)
    assert shop.messages["old/offer"].state == "sent"
    assert "Wednesday, June 17, 2026" in shop.messages["old/offer"].body
    assert "new/offer" not in shop.messages
    shop.tick(hours=4)
    assert look(shop).offered == 1
    assert offers(shop, "old", "new") == {"new": "Wed 14:00"}
    shop.tick(minutes=1)
    assert shop.messages["new/offer"].state == "sent"
    shop.tick(hours=5)
    assert look(shop).offered == 0
    assert len(shop.attempts) == 2


def test_whose_stated_hours_it_fits_comes_before_an_older_wish(shop, waits, fact):
    """Who can come on Wednesday mornings only has fewer chances than who can come at any time."""
    waits("old")
    waits("new", at="2026-06-02T12:00:00Z", last="2026-06-30")
    shop.learn(fact("preference", customer="new", visit_hours={"wed": ["09:00-10:00"]}))
    look(shop)
    assert offers(shop, "old", "new") == {"new": "Wed 14:00"}


def test_two_wishes_get_two_different_times(shop, waits):
    """A second time goes to the second."""
    waits("old", last="2026-06-18")
    waits("new", at="2026-06-02T12:00:00Z", last="2026-06-18")
    assert look(shop).offered == 2
    assert offers(shop, "old", "new") == {"old": "Wed 14:00", "new": "Thu 14:00"}


@pytest.mark.parametrize(
    "fields",
    [{"notice": "3d"}, {"first": "2026-06-19", "last": "2026-06-20"}, {"last": "2026-06-14"}, {"withdrawn": True}],
)
def test_what_does_not_fit_is_not_offered(shop, waits, fields):
    """Too little notice, other days, days that are over, a wish that was taken back."""
    waits("old", **{"first": "2026-06-01", **fields})
    assert look(shop).offered == 0


def test_an_offer_holds_no_place_and_is_taken_back_when_somebody_books_it(shop, waits, fact):
    """Whoever books first has it; the message that has not gone does not go, and the next time is offered."""
    waits("old", last="2026-06-18")
    look(shop)
    taken = {"start": WEDNESDAY, "status": "booked", "calendar": "bay", "service": "oil"}
    shop.learn(fact("appointment", customer="cy", id="a1", **taken))
    done = look(shop)
    assert (done.withdrawn, done.offered) == (1, 1)
    assert offers(shop, "old") == {"old": "Thu 14:00"}
    shop.tick(minutes=1)
    assert "Thursday" in shop.messages["old/offer"].body
    assert len(shop.attempts) == 1


def test_who_has_booked_is_asked_no_more(shop, waits, fact):
    """An appointment within the days of the wish fulfils it: its offer is gone, and the other gets the other time."""
    waits("old")
    waits("new", at="2026-06-02T12:00:00Z", last="2026-06-18")
    look(shop)
    mine = {"start": WEDNESDAY, "status": "booked", "calendar": "bay", "service": "oil", "stated_by": "customer"}
    shop.learn(fact("appointment", customer="old", id="a1", **mine))
    assert look(shop).withdrawn == 1
    shop.tick(minutes=3)
    assert "old/offer" not in {name: one for name, one in shop.messages.items() if one.state == "sent"}
    assert offers(shop, "old", "new") == {"new": "Thu 14:00"}


def test_a_time_that_was_called_off_is_offered(shop, waits, fact):
    """A freed slot goes to whoever waits for it."""
    booked = {"start": WEDNESDAY, "status": "booked", "calendar": "bay", "service": "oil"}
    shop.learn(fact("appointment", customer="cy", id="a1", **booked))
    waits("old")
    assert look(shop).offered == 0
    shop.learn(fact("appointment", customer="cy", id="a1", at="2026-06-15T12:00:00Z", status="cancelled"))
    assert look(shop).offered == 1


def test_nobody_is_offered_what_no_message_can_tell_them(shop, waits, fact):
    """Who takes no mail does not stand in the way of the next."""
    waits("old")
    waits("new", at="2026-06-02T12:00:00Z")
    stop = {"medium": "email", "purpose": "*", "granted": False, "method": "link", "stated_by": "customer"}
    shop.learn(fact("consent", customer="old", **stop))
    look(shop)
    assert offers(shop, "old", "new") == {"new": "Wed 14:00"}


def test_without_a_rule_that_offers_nothing_is_offered(garage, configuration, fact):
    """Only what some rule speaks of is matched."""
    files = {**FILES, "config/commsched.toml": configuration + BAY, "config/rules/waiting.yaml": None}
    shop = garage(files)
    shop.learn(fact("wish", id="w1", service="oil", between=["2026-06-15", "2026-06-17"]))
    assert look(shop).offered == 0


def test_offers_are_the_same_in_every_run(shop, waits):
    """Their ids come from what they are about; the next look is due when the first expires."""
    waits("old")
    assert look(shop).again == shop.clock.at + timedelta(hours=4)
    with shop.store.read() as connection:
        (name,) = fold(load(connection, ["old"])["old"].ledger, shop.clock.at).offers
    about = blake2b(b"old|w-old|2026-06-17T14:00:00+00:00", digest_size=6).hexdigest()
    assert name == f"O-{about}"


def test_what_commsched_offers_cannot_be_imported(shop, tmp_path):
    """An offer in a file is refused: it would be somebody else's word for what we said."""
    (tmp_path / "offers.jsonl").write_text(
        '{"type":"offer","customer":"ann","at":"2026-06-01T12:00:00Z","id":"O-1","wish":"w","service":"oil",'
        '"start":"2026-06-17T14:00:00Z","end":"2026-06-17T15:00:00Z","calendar":"bay","expires":"2026-06-16T12:00:00Z"}\n'
    )
    (batch,) = shop.app.take_in(tmp_path / "offers.jsonl", None)
    assert "is what commsched itself records" in batch.rejects[0].error


def test_a_wish_must_make_sense(shop, tmp_path):
    """Dates in their order, a notice that is a length of time."""
    wish = '{"type":"wish","customer":"ann","at":"2026-06-01T12:00:00Z","service":"oil",'
    (tmp_path / "wishes.jsonl").write_text(
        f'{wish}"between":["2026-06-17","2026-06-15"]}}\n'
        f'{wish}"between":["2026-06-15","2026-06-17"],"notice":"soon"}}\n'
    )
    (batch,) = shop.app.take_in(tmp_path / "wishes.jsonl", None)
    assert [reject.field for reject in batch.rejects] == ["between", "notice"]
