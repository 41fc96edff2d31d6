"""Which channel carries a message: preference, pauses, breakers, rates; on both databases."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from commsched.delivery.breakers import FAILURES, LONGEST
from commsched.plugin.channel import Ambiguous, ChannelDown, Refused
from commsched.store import queries
from commsched.store.store import instant, micros

SECOND = timedelta(seconds=1)
DOWN = ChannelDown("401, the key is wrong")


@pytest.fixture
def shop(garage, provider, configuration):
    """The deployment with two channels for mail, of which the first may have a rate."""

    def made(rate: str = "", spare: str = ""):
        config = configuration.replace('name = "mail"', f'name = "mail"\n{rate}')
        config += '\n[[channels]]\nname = "spare"\nkind = "outbox"\nmedium = "email"\n' + spare
        found = garage({"config/commsched.toml": config})
        found.spare = provider("spare")
        found.loop = found.worker(found.store)
        found.loop.channels["spare"] = found.spare
        return found

    return made


def pause(shop, scope):
    with shop.store.write() as connection:
        queries.put_pause(connection, scope, micros(shop.clock.at), "ann")
        queries.wake_messages(connection, "all", ("planned", "refused"), micros(shop.clock.at))


def carried(shop):
    return Counter(one.channel for one in shop.messages.values())


def outages(shop):
    with shop.store.read() as connection:
        return queries.outages(connection)


def test_the_first_that_is_configured(shop, customer):
    """With nothing in the way the first channel carries all, and the message says so."""
    garage = shop()
    garage.learn(*customer(), *customer("bob"))
    garage.tick()
    assert (len(garage.mail.calls), len(garage.spare.calls)) == (2, 0)
    assert carried(garage) == {"mail": 2}


def test_a_paused_channel_is_passed_over(shop, customer):
    """Stopped, the first is passed over, and the second carries; with both stopped nothing goes by mail."""
    garage = shop()
    pause(garage, "mail")
    garage.learn(*customer())
    garage.tick()
    assert garage.messages["ann/say"].channel == "spare"
    assert [row.channel for row in _attempts(garage)] == ["spare"]
    pause(garage, "spare")
    garage.learn(*customer("bob"))
    garage.tick()
    assert garage.messages["bob/say"].state == "refused"


def _attempts(shop):
    with shop.store.read() as connection:
        return queries.attempts(connection)


def test_down_at_once_and_the_next_takes_over(shop, customer):
    """A channel that says it is down is closed at once; within the second its message goes by the next."""
    garage = shop()
    garage.mail.answers = {"ann@x.example": DOWN}
    garage.learn(*customer(), *customer("bob"))
    garage.tick()
    garage.tick(seconds=1)
    assert {one.state for one in garage.messages.values()} == {"sent"}
    assert garage.messages["ann/say"].channel == "spare"
    (row,) = outages(garage)
    assert (row.channel, row.detail) == ("mail", "401, the key is wrong")


def test_tried_with_one_message_and_well_again(shop, customer):
    """When its time has come one message tries it; with a good answer it is open for all."""
    garage = shop()
    garage.mail.answers = {"ann@x.example": DOWN}
    garage.learn(*customer())
    garage.tick()
    garage.tick(seconds=1)
    garage.mail.answers = {}
    garage.learn(*(fact for n in range(4) for fact in customer(f"c{n}")))
    garage.tick(minutes=1)
    assert carried(garage) == {"mail": 1, "spare": 4}
    assert outages(garage) == []
    garage.learn(*customer("dan"))
    garage.tick()
    assert garage.messages["dan/say"].channel == "mail"


def test_still_down_when_tried(shop, customer):
    """A try that fails closes it for twice as long, and at most for a quarter of an hour."""
    garage = shop()
    lengths = []
    for number in range(7):
        name = f"c{number}"
        garage.mail.answers[f"{name}@x.example"] = DOWN
        garage.learn(*customer(name))
        garage.tick()
        garage.tick(seconds=1)
        (row,) = outages(garage)
        lengths.append(instant(row.until) - garage.clock.at + SECOND)
        garage.clock.at = instant(row.until)
    assert [round(one.total_seconds() / 60) for one in lengths] == [1, 2, 4, 8, 15, 15, 15]
    assert max(lengths) == LONGEST


def test_unclear_answers_in_a_row(shop, customer):
    """Some unclear answers in a row close it; any clear one in between, also a refusal, begins anew."""
    garage = shop()
    garage.mail.answers["batch"] = Ambiguous("500")
    unclear = Ambiguous("500")
    for number in range(FAILURES - 1):
        garage.mail.answers[f"c{number}@x.example"] = unclear
        garage.learn(*customer(f"c{number}"))
        garage.tick()
    assert outages(garage) == []
    garage.mail.answers["no@x.example"] = Refused("no such person")
    garage.learn(*customer("no"))
    garage.tick()
    for number in range(FAILURES):
        garage.mail.answers[f"d{number}@x.example"] = unclear
        garage.learn(*customer(f"d{number}"))
        garage.tick()
        assert bool(outages(garage)) == (number == FAILURES - 1)


def test_no_channel_left_and_the_next_medium_takes_over(garage, customer):
    """With its only channel down a message waits for the try; where that is too late, it goes by the next medium."""
    found = garage()
    found.mail.answers = dict.fromkeys(("ann@x.example", "bob@x.example"), DOWN)
    found.learn(*customer(phone="+13125550123"))
    found.tick()
    found.tick(seconds=1)
    said = found.messages["ann/say"]
    assert (said.state, said.medium, said.at) == ("planned", "email", found.clock.at - SECOND + timedelta(minutes=1))
    assert said.reasons[0][1] == "channel_down"
    found.clock.at += timedelta(days=10) - timedelta(seconds=30)
    found.tick()
    found.tick(seconds=1)
    assert (found.messages["ann/say"].state, found.messages["ann/say"].medium) == ("sent", "sms")


@pytest.mark.parametrize("rate", ['rate = "1/s"', 'rate = "60/min"'])
def test_a_rate_is_kept(shop, customer, rate):
    """So many in two seconds go, distinct, by the first; for what has no place there, the next one carries it."""
    garage = shop(rate)
    garage.learn(*(fact for n in range(9) for fact in customer(f"c{n}")))
    garage.tick()
    assert carried(garage) == {"mail": 3, "spare": 6}


def test_what_the_next_one_carries_stands_in_no_line(shop, customer):
    """What went by the second channel keeps no place of the first from those who come later."""
    garage = shop('rate = "60/min"')
    garage.learn(*(fact for n in range(60) for fact in customer(f"c{n}")))
    garage.tick()
    assert carried(garage) == {"mail": 3, "spare": 57}
    assert queue_of(garage) == []
    for number in range(9):
        garage.learn(*customer(f"d{number}"))
        garage.tick(seconds=3)
    assert carried(garage) == {"mail": 12, "spare": 57}


def test_what_finds_no_place_at_two_stands_in_both_lines(shop, customer):
    """Where no channel has a place it waits for each, goes by whichever has one first, and then for none any more."""
    garage = shop('rate = "1/s"', spare='rate = "1/s"')
    garage.learn(*(fact for n in range(9) for fact in customer(f"c{n}")))
    garage.tick()
    assert carried(garage)["spare"] == 3
    assert Counter(queue_of(garage)) == {"mail": 3, "spare": 3}
    for _ in range(6):
        garage.tick(seconds=1)
    assert {one.state for one in garage.messages.values()} == {"sent"}
    assert queue_of(garage) == []


def test_what_finds_no_place_is_planned_afresh(garage, configuration, customer):
    """Without another channel it waits for its turn, one each second, and costs no attempt by that."""
    config = configuration.replace('name = "mail"', 'name = "mail"\nrate = "1/s"')
    found = garage({"config/commsched.toml": config})
    found.learn(*(fact for n in range(9) for fact in customer(f"c{n}")))
    found.tick()
    assert Counter(one.state for one in found.messages.values()) == {"sent": 3, "planned": 6}
    waiting = next(one for one in found.messages.values() if one.state == "planned")
    assert waiting.reasons[-1][:2] == ("commsched", "rate")
    for second in range(1, 9):
        found.tick(seconds=1)
        assert len(found.mail.calls) <= second + 3
    assert Counter(one.state for one in found.messages.values()) == {"sent": 9}
    assert len(found.attempts) == 9


def test_the_most_urgent_first(garage, configuration, customer, fact):
    """Of many that are due, those whose time runs out first get the places."""
    config = configuration.replace('name = "mail"', 'name = "mail"\nrate = "1/s"')
    urgent = """\
rule: urgent
why: "You asked."
purpose: service
topic: visit
department: desk
trigger: {event: fair}
steps:
  - {step: now, at: event, deadline: event + 10s, template: thanks, media: [email]}
"""
    found = garage({"config/commsched.toml": config, "config/rules/urgent.yaml": urgent})
    found.learn(*(one for n in range(9) for one in customer(f"c{n}")))
    for name in ("c7", "c8"):
        found.learn(fact("event", customer=name, kind="fair", id=f"f{name}", at=found.clock.at.isoformat()))
    found.tick()
    assert {name for name, one in found.messages.items() if one.state == "sent"} >= {"c7/now", "c8/now"}


URGENT = """\
rule: urgent
why: "You asked."
purpose: service
topic: visit
department: desk
priority: {priority}
trigger: {{event: fair}}
steps:
  - {{step: now, at: event, deadline: event + 2h, template: thanks, media: [email]}}
"""


def test_the_most_urgent_first_however_late_they_come(garage, configuration, customer, fact):
    """A long line was there before, of less urgent ones: who comes later goes before all that is left of it."""
    config = configuration.replace('name = "mail"', 'name = "mail"\nrate = "1/s"')
    found = garage({"config/commsched.toml": config, "config/rules/urgent.yaml": URGENT.format(priority=1)})
    found.learn(*(one for n in range(30) for one in customer(f"c{n:02}")))
    found.tick()
    assert len(found.mail.calls) == 3
    late = [f"u{n}" for n in range(5)]
    found.learn(*(one for name in late for one in customer(name)[:2]))
    at = found.clock.at.isoformat()
    found.learn(*(fact("event", customer=name, kind="fair", id=f"f{name}", at=at) for name in late))
    for _ in range(9):
        found.tick(seconds=1)
    went = [one.to.partition("@")[0] for one in found.mail.calls][3:]
    # What is within two seconds of its turn goes.
    assert set(went[:7]) >= set(late)
    for _ in range(40):
        found.tick(seconds=1)
    assert Counter(one.state for one in found.messages.values()) == {"sent": 35}
    assert queue_of(found) == []


def test_what_is_in_the_way_keeps_nobody_waiting(garage, configuration, customer):
    """Who stands in line, and is not there when their turn comes, holds nobody else up for more than a minute."""
    config = configuration.replace('name = "mail"', 'name = "mail"\nrate = "1/s"')
    found = garage({"config/commsched.toml": config})
    found.learn(*customer("ann"))
    gone = {
        "channel": "mail",
        "customer": "nobody",
        "key": "a",
        "due": -(2**60),
        "priority": 0,
        "until": 0,
        "units": 99,
    }
    with found.store.write() as connection:
        queries.join_line(connection, [gone | {"turn": micros(found.clock.at)}])
    found.tick()
    assert found.mail.calls == []
    found.tick(minutes=2)
    assert len(found.mail.calls) == 1


def test_nobody_stands_in_line_where_nothing_has_a_rate_any_more(garage, configuration, customer):
    """The rate was taken away while many waited: they go, and what they stood in is empty."""
    config = configuration.replace('name = "mail"', 'name = "mail"\nrate = "1/s"')
    found = garage({"config/commsched.toml": config})
    found.learn(*(one for n in range(9) for one in customer(f"c{n}")))
    found.tick()
    assert len(queue_of(found)) == 6
    found.loop = replace(found.loop, rates={})
    found.tick(minutes=1)
    assert len(found.mail.calls) == 9
    assert queue_of(found) == []


def queue_of(shop):
    with shop.store.read() as connection:
        return [name for name in ("mail", "spare", "text") for _ in queries.front(connection, name, 10_000, 0)]


def test_a_number_a_day(garage, configuration, customer):
    """What a day has no room for goes the next day, at the hour that it was meant for; texts count by their parts."""
    config = configuration.replace('name = "mail"', 'name = "mail"\ndaily = "2/day"')
    found = garage({"config/commsched.toml": config})
    found.learn(*(one for n in range(3) for one in customer(f"c{n}")))
    found.tick()
    assert Counter(one.state for one in found.messages.values()) == {"sent": 2, "planned": 1}
    found.tick(hours=12)
    assert len(found.mail.calls) == 2
    found.tick(hours=12)
    assert len(found.mail.calls) == 3


def test_two_workers_share_a_rate(garage, configuration, customer, open_store):
    """Two processes over one database get distinct places: together no more than one alone."""
    config = configuration.replace('name = "mail"', 'name = "mail"\nrate = "1/s"')
    found = garage({"config/commsched.toml": config})
    other = found.worker(open_store())
    found.learn(*(one for n in range(5) for one in customer(f"c{n}")))
    found.tick()
    found.learn(*(one for n in range(5) for one in customer(f"d{n}")))
    other.tick(found.clock.at)
    assert len(found.mail.calls) == 3
