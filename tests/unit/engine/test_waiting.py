"""The waiting list: free times and wishes, one wish at a time for each place; on both databases."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from hashlib import blake2b

import pytest

from commsched.engine.booking import Desk
from commsched.engine.seeking import Fruitless
from commsched.engine.waiting import Matched, match
from commsched.errors import CommschedError
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
def waits_at(fact):
    """Somebody who waits for an oil change at a shop this week."""

    def made(shop, name, at="2026-06-01T12:00:00Z", first="2026-06-15", last="2026-06-17", **fields):
        shop.learn(
            fact("customer", customer=name, name=name.title()),
            fact("contact_point", customer=name, kind="email", address=f"{name}@x.example"),
            fact("wish", customer=name, id=f"w-{name}", service="oil", between=[first, last], at=at, **fields),
        )

    return made


@pytest.fixture
def waits(shop, waits_at):
    """Somebody who waits at this shop."""
    return partial(waits_at, shop)


def look(shop):
    """Go through the waiting list now."""
    return match(shop.app.desk, shop.store, shop.clock.at)


@dataclass
class Watched:
    """Goes through the list like the shop does, and notes each plan and each calendar that is read for it."""

    shop: object
    fruitless: Fruitless = field(default_factory=Fruitless)
    meanwhile: object = None
    plans: int = 0
    calendars: list[str] = field(default_factory=list)

    def look(self) -> Matched:
        self.plans, self.calendars = 0, []
        return match(self._desk, self.shop.store, self.shop.clock.at, self.fruitless)

    def _desk(self):
        desk = self.shop.app.desk()

        def snapshot(name, within, now):
            self.calendars.append(name)
            return desk.snapshot(name, within, now)

        return Desk(replace(desk.world, extra_facts=(self._planned,)), snapshot)

    def _planned(self, _facts):
        self.plans += 1
        if self.meanwhile is not None:
            first, self.meanwhile = self.meanwhile, None
            first()
        return []


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


def test_nobody_is_offered_a_time_at_which_they_are_elsewhere(shop, waits, fact):
    """Not while they have another appointment then, and the offer goes back if they book one."""
    other = {"id": "b1", "service": "wash", "start": WEDNESDAY, "status": "booked", "calendar": "roof"}
    waits("ann")
    shop.learn(fact("appointment", customer="ann", **other))
    assert look(shop).offered == 0
    waits("bob")
    assert look(shop).offered == 1
    shop.clock.at += timedelta(minutes=1)
    shop.learn(fact("appointment", customer="bob", **other, at=shop.clock.at))
    assert (look(shop).withdrawn, offers(shop, "ann", "bob")) == (1, {})


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


TAKEN = {"start": WEDNESDAY, "status": "booked", "calendar": "bay", "service": "oil"}
STOP = {"medium": "email", "purpose": "*", "granted": False, "method": "link", "stated_by": "customer"}


def test_others_write_while_a_time_is_sought_and_what_they_take_is_not_offered(shop, waits, fact):
    """The search keeps nobody from booking; the next pass offers what is left."""
    waits("old", last="2026-06-18")
    looks = Watched(shop, meanwhile=lambda: shop.learn(fact("appointment", customer="cy", id="a1", **TAKEN)))
    assert looks.look().offered == 0
    assert offers(shop, "old") == {}
    assert looks.look().offered == 1
    assert offers(shop, "old") == {"old": "Thu 14:00"}


def test_who_says_something_while_a_time_is_sought_is_offered_nothing_on_an_old_plan(shop, waits, fact):
    """An opt-out that comes in between wins."""
    waits("old")
    looks = Watched(shop, meanwhile=lambda: shop.learn(fact("consent", customer="old", **STOP)))
    assert looks.look().offered == 0
    assert looks.look().offered == 0
    assert offers(shop, "old") == {}


def test_of_two_who_go_through_the_list_at_once_one_writes(shop, waits):
    """What the other has offered meanwhile is not offered to somebody else."""
    waits("old")
    waits("new", at="2026-06-02T12:00:00Z")
    looks = Watched(shop, meanwhile=lambda: look(shop))
    assert looks.look().offered == 0
    assert offers(shop, "old", "new") == {"old": "Wed 14:00"}


def test_a_search_that_found_nothing_is_not_made_again_until_something_changes(shop, waits, fact):
    """Neither is the list planned every half minute for nothing, nor does anybody miss what comes free."""
    waits("old")
    shop.learn(fact("consent", customer="old", **STOP))
    looks = Watched(shop)
    assert (looks.look().offered, looks.plans) == (0, 1)
    assert (looks.look().offered, looks.plans) == (0, 0)
    shop.learn(fact("customer", customer="old", name="Older"))
    assert (looks.look().offered, looks.plans) == (0, 1)
    shop.learn(fact("appointment", customer="cy", id="a2", **{**TAKEN, "start": THURSDAY}))
    assert (looks.look().offered, looks.plans) == (0, 0), "Thursday is none of their days"
    shop.learn(fact("appointment", customer="cy", id="a3", **TAKEN))
    assert (looks.look().offered, looks.plans) == (0, 0)
    shop.learn(fact("appointment", customer="cy", id="a3", at="2026-06-15T14:00:00Z", status="cancelled"))
    assert (looks.look().offered, looks.plans) == (0, 1)
    shop.clock.at += timedelta(minutes=16)
    assert (looks.look().offered, looks.plans) == (0, 1), "time alone may have made it possible"


def test_who_takes_no_mail_is_asked_about_one_time_only(garage, configuration, waits_at, fact):
    """Another time would change nothing; who merely cannot be reached in time may be reached for another."""
    week = BAY.replace('"wed" = ["09:00-09:45"]', '"wed" = ["09:00-18:00"]')
    shop = garage({**FILES, "config/commsched.toml": configuration + week})
    waits_at(shop, "old")
    shop.learn(fact("consent", customer="old", **STOP))
    looks = Watched(shop)
    assert (looks.look().offered, looks.plans) == (0, 1)


def test_a_calendar_that_cannot_be_read_takes_no_offer_back(shop, waits, fact):
    """Nobody knows whether the time is free: what was offered stands, and nothing new is offered."""
    waits("old")
    look(shop)
    waits("new", at="2026-06-02T12:00:00Z", last="2026-06-18")
    there = shop.app.calendars["bay"].snapshot
    shop.app.calendars["bay"].snapshot = _broken
    shop.learn(fact("appointment", customer="cy", id="a1", **TAKEN))
    done = look(shop)
    assert (done.offered, done.withdrawn) == (0, 0)
    assert offers(shop, "old", "new") == {"old": "Wed 14:00"}
    shop.app.calendars["bay"].snapshot = there
    done = look(shop)
    assert (done.offered, done.withdrawn) == (1, 1)
    assert offers(shop, "old", "new") == {"new": "Thu 14:00"}


def test_only_calendars_that_somebody_waits_for_are_read(shop, waits, fact):
    """A wish that an appointment has fulfilled, and one that rests, need none."""
    waits("old")
    looks = Watched(shop)
    looks.look()
    assert set(looks.calendars) == {"bay"}
    mine = {**TAKEN, "stated_by": "customer"}
    shop.learn(fact("appointment", customer="old", id="a1", **mine))
    looks.look()
    looks.look()
    assert looks.calendars == []


def _broken(*_):
    raise CommschedError("the server is away")
