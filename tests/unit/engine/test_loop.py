"""The loop: claim, plan, write the intent, send, write the result; on both databases."""

from __future__ import annotations

import sys
from datetime import timedelta
from threading import Thread

import pytest

from commsched.errors import StoreError
from commsched.planning.fold import fold
from commsched.plugin.channel import Ambiguous, Receipt, Refused, TryLater
from commsched.store import queries
from commsched.store.ledgers import load
from commsched.store.store import micros

PACED = {
    "config/rules/thanks.yaml": """\
rule: thanks
why: "You ordered from us."
purpose: service
topic: visit
department: desk
trigger: {event: order}
pace: 2/day
steps:
  - {step: say, at: event, deadline: event + 10d, template: thanks, media: [email, sms]}
"""
}
STOP = {"medium": "email", "purpose": "*", "granted": False, "method": "reply", "stated_by": "customer"}


def test_a_message_goes_once(garage, customer, fact):
    """An order is thanked for: one call, one accepted attempt, the fact that it was sent, and then nothing more."""
    shop = garage()
    shop.learn(*customer())
    report = shop.tick()
    assert (report.planned, report.sent, report.problems) == (1, 1, [])
    (call,) = shop.mail.calls
    assert (call.to, call.subject, call.text.strip()) == ("ann@x.example", "Thank you", "Thank you, Ann.")
    assert b"To: Ann <ann@x.example>" in call.mime
    said = shop.messages["ann/say"]
    assert (said.state, said.final, said.channel, said.body.strip()) == ("sent", True, "mail", "Thank you, Ann.")
    for _ in range(3):
        shop.tick(days=1)
    shop.learn(fact("customer", name="Anne", stated_by="customer"))
    shop.tick()
    assert len(shop.mail.calls) == 1
    assert shop.attempts == [("ann", "accepted")]


def test_nothing_goes_before_its_time(garage, customer):
    """An order of tomorrow is thanked for tomorrow, and the customer sleeps until then."""
    shop = garage()
    tomorrow = shop.clock.at + timedelta(days=1)
    shop.learn(*customer(at=tomorrow))
    shop.tick()
    assert shop.mail.calls == []
    assert shop.due("ann") == tomorrow
    shop.tick(days=1)
    assert len(shop.mail.calls) == 1


def test_a_batch_of_customers(garage, customer):
    """Everybody who is due is done in one tick, each once; a second worker then finds nothing."""
    shop = garage()
    for number in range(30):
        shop.learn(*customer(f"c{number:02}"))
    assert shop.tick().sent == 30
    assert sorted(call.to for call in shop.mail.calls) == [f"c{number:02}@x.example" for number in range(30)]
    assert shop.worker(shop.store).tick(shop.clock.at).planned == 0


def test_an_opt_out_committed_before_the_intent_wins(garage, customer, fact, open_store, learn):
    """A refusal that comes in after planning and before the intent is seen: nothing is sent, and the reason stands."""
    shop = garage()
    shop.learn(*customer())
    render = shop.loop.composer.content
    other = open_store()

    class Late:
        """A composer during whose work the customer says stop."""

        letterhead = shop.loop.composer.letterhead
        outgoing = shop.loop.composer.outgoing

        def content(self, *arguments):
            learn(other, fact("consent", at=shop.clock.at.isoformat(), **STOP))
            return render(*arguments)

    shop.loop = shop.worker(shop.store, composer=Late())
    report = shop.tick()
    assert (report.sent, report.overtaken) == (0, 1)
    assert shop.mail.calls == []
    assert shop.messages["ann/say"].state == "refused"
    assert "opt_out" in {code for _, code, _ in shop.messages["ann/say"].reasons}


def test_an_opt_out_of_somebody_who_shares_the_address_wins_too(garage, customer, fact, open_store, learn):
    """The address is a circle: a refusal by anybody who shares it, however new the circle, stops the message."""
    shop = garage()
    shop.learn(*customer(), fact("contact_point", customer="bob", kind="email", address="ann@x.example"))
    render = shop.loop.composer.content
    other = open_store()

    class Late:
        letterhead = shop.loop.composer.letterhead
        outgoing = shop.loop.composer.outgoing

        def content(self, *arguments):
            learn(other, fact("consent", customer="bob", at=shop.clock.at.isoformat(), **STOP))
            return render(*arguments)

    shop.loop = shop.worker(shop.store, composer=Late())
    shop.tick()
    assert shop.mail.calls == []
    assert shop.messages["ann/say"].state == "refused"


def test_a_fact_that_comes_in_while_sending_is_not_forgotten(garage, customer, fact, open_store, learn):
    """Whoever is sent to while something new is learnt about them is looked at again."""
    shop = garage()
    shop.learn(*customer())
    other = open_store()
    order = fact("event", kind="order", id="second", at=shop.clock.at.isoformat())
    shop.mail.before = lambda message: learn(other, order, now=shop.clock.at) if len(shop.mail.calls) == 0 else None
    shop.tick()
    assert len(shop.mail.calls) == 2


def test_two_workers_at_once_send_once(garage, customer, open_store):
    """A worker that claims while another is sending for the same customer sends nothing a second time."""
    shop = garage()
    shop.learn(*customer())
    second = shop.worker(open_store())

    def barge_in(message):
        with second.store.write() as connection:
            queries.wake(connection, ["ann"], micros(shop.clock.at))
        if len(shop.mail.calls) == 0:
            shop.mail.before = lambda _: None
            thread = Thread(target=second.tick, args=(shop.clock.at,))
            thread.start()
            thread.join()

    shop.mail.before = barge_in
    shop.tick()
    for _ in range(4):
        shop.tick(minutes=3)
    assert len(shop.mail.calls) == 1
    assert shop.messages["ann/say"].state == "sent"


def test_a_worker_past_its_lease_changes_nothing(garage, customer, open_store):
    """Once another worker has taken over, the first one's plan is not written."""
    shop = garage()
    shop.learn(*customer())
    with shop.store.write() as connection:
        ((name, fence),) = queries.claim(connection, micros(shop.clock.at), micros(shop.clock.at), 10)
    shop.tick()
    assert (name, fence) == ("ann", 1)
    assert [state for _, state in shop.attempts] == ["accepted"]
    with shop.store.write() as connection:
        row = {"who": "ann", "held": 1, "leased": 0, "next_due": 0, "hash": ""}
        queries.finish(connection, [row])
    assert shop.due("ann") > shop.clock.at


@pytest.mark.parametrize("state", ["sms", "none"])
def test_a_refusal_goes_to_the_next_medium(garage, customer, state):
    """What the mail provider refuses for good is sent as a text; without a phone it is refused, and stays so."""
    shop = garage()
    shop.mail.answers["ann@x.example"] = Refused("we do not serve this domain")
    shop.learn(*customer(phone="+13125550142" if state == "sms" else ""))
    shop.tick()
    assert len(shop.mail.calls) == 1
    if state == "sms":
        assert [call.to for call in shop.text.calls] == ["+13125550142"]
        assert shop.messages["ann/say"].medium == "sms"
    else:
        assert (shop.messages["ann/say"].state, shop.messages["ann/say"].reasons[0][1]) == ("refused", "unreachable")
    shop.tick(days=2)
    assert len(shop.mail.calls) == 1


def test_a_bad_address_is_not_used_again(garage, customer, fact):
    """An address that the provider calls wrong is marked, so that the next message does not go there either."""
    shop = garage()
    shop.mail.answers["ann@x.example"] = Refused("no such mailbox", bad_address=True)
    shop.learn(*customer(phone="+13125550142"))
    shop.tick()
    shop.learn(fact("event", kind="order", id="second", at=shop.clock.at.isoformat()))
    shop.tick()
    assert (len(shop.mail.calls), len(shop.text.calls)) == (1, 2)


def test_try_later_is_tried_later(garage, customer):
    """A provider that asks to wait is asked again after that time, and the message goes then; never sooner."""
    shop = garage()
    shop.mail.answers["ann@x.example"] = TryLater("busy", after=timedelta(minutes=7))
    shop.learn(*customer())
    assert shop.tick().later == 1
    assert shop.messages["ann/say"].state == "planned"
    assert shop.due("ann") == shop.clock.at + timedelta(minutes=7)
    shop.mail.answers.clear()
    assert shop.tick(minutes=6).sent == 0
    assert shop.tick(minutes=1).sent == 1


def test_try_later_ends_at_the_deadline(garage, customer):
    """What never gets through expires, with its reason, instead of going late."""
    shop = garage()
    shop.mail.answers["ann@x.example"] = TryLater("busy", after=timedelta(days=1))
    shop.learn(*customer())
    for _ in range(14):
        shop.tick(days=1)
    assert len(shop.mail.calls) <= 11
    assert shop.messages["ann/say"].state == "expired"
    shop.mail.answers.clear()
    assert shop.tick(days=1).sent == 0


def test_a_doubt_without_lookup_stays_in_sight(garage, customer):
    """Where the provider cannot be asked, a message in doubt is never sent again, and shows as in doubt."""
    shop = garage()
    shop.mail.answers["ann@x.example"] = Ambiguous("the connection was reset")
    shop.learn(*customer())
    assert shop.tick().in_doubt == 1
    shop.mail.answers.clear()
    for minutes in (2, 15, 60, 600, 6000):
        shop.tick(minutes=minutes)
    assert len(shop.mail.calls) == 1
    assert shop.messages["ann/say"].state == "in_doubt"
    assert shop.attempts == [("ann", "in_doubt")]


def test_an_exception_of_a_channel_is_a_doubt(garage, customer):
    """A channel that breaks says nothing about what the provider has: others go on, this one is in doubt."""
    shop = garage()
    shop.mail.answers["ann@x.example"] = ZeroDivisionError("oh")
    shop.learn(*customer(), *customer("bob"))
    report = shop.tick()
    assert (report.sent, report.in_doubt) == (1, 1)


@pytest.mark.parametrize(
    ("kind", "knows", "state", "calls"),
    [
        ("hint", True, "sent", 1),
        ("hint", False, "in_doubt", 1),
        ("hint", None, "in_doubt", 1),
        ("proof", True, "sent", 1),
        ("proof", False, "sent", 2),
        ("proof", None, "in_doubt", 1),
    ],
)
def test_a_doubt_is_looked_up(garage, customer, provider, kind, knows, state, calls):
    """What the provider knows is sent; what it provably never had is sent anew; else the doubt stays."""
    shop = garage()
    shop.mail = provider("mail", lookup=kind)
    shop.loop = shop.worker(shop.store)
    shop.mail.answers["ann@x.example"] = Ambiguous("a timeout")
    shop.learn(*customer())
    shop.tick()
    shop.mail.answers.clear()
    if knows is not False:
        shop.mail.knows["ann@x.example"] = Receipt("x", "accepted", "ref") if knows else TimeoutError()
    shop.tick(minutes=2)
    assert len(shop.mail.lookups) == 1
    assert (shop.messages["ann/say"].state, len(shop.mail.calls)) == (state, calls)
    shop.tick(days=1)
    assert len(shop.mail.calls) == calls


def test_what_a_dead_worker_was_sending_is_in_doubt_first(garage, customer):
    """After a crash between intent and result, the next worker sends nothing on trust."""
    shop = garage()
    shop.learn(*customer())

    class Killed(BaseException):
        """Stands for the end of the process."""

    def die(_message):
        raise Killed

    shop.mail.before = die
    with pytest.raises(Killed):
        shop.tick()
    assert shop.messages["ann/say"].state == "sending"
    shop.mail.before = lambda _: None
    shop.loop = shop.worker(shop.store)
    shop.tick(minutes=2)
    assert shop.mail.calls == []
    assert shop.messages["ann/say"].state == "in_doubt"


def test_a_rules_pace(garage, customer):
    """A rule with so many places a day sends so many a day, and the others the next days; nobody is lost."""
    shop = garage(PACED)
    shop.learn(*[one for name in ("ann", "bob", "cy", "dan", "eve") for one in customer(name)])
    sent = [shop.tick().sent, shop.tick().sent, shop.tick(days=1).sent, shop.tick(days=1).sent, shop.tick(days=1).sent]
    assert sent == [2, 0, 2, 1, 0]
    assert sorted(call.name for call in shop.mail.calls) == ["Ann", "Bob", "Cy", "Dan", "Eve"]


def test_only_the_messages_that_found_no_place_are_put_off(garage, customer, fact):
    """What else is to happen to the customer has its own time; what hangs on the message waits with it."""
    rule = PACED["config/rules/thanks.yaml"].replace("2/day", "1/day")
    again = "  - {step: again, at: event + 10m, deadline: event + 30h, template: thanks, media: [email], after: say}\n"
    shop = garage({"config/rules/thanks.yaml": rule + again})
    shop.learn(*customer("ann"), *customer("bob"), *customer("cy"))
    soon = shop.clock.at + timedelta(minutes=20)
    shop.learn(fact("customer", customer="cy", name="Cyrus", at=soon), fact("customer", customer="bob", name="Bobby"))
    assert shop.tick().sent == 1
    assert shop.due("cy") == soon
    assert shop.due("bob") == shop.clock.at + timedelta(days=1)


def test_another_step_is_not_put_off_with_the_one_that_found_no_place(garage, customer):
    """A step with a time of its own goes then, though an earlier one of the same rule still waits for its turn."""
    second = (
        "  - {step: second, at: event + 1d at 10:00, deadline: event + 1d at 12:00, template: thanks, media: [email]}\n"
    )
    shop = garage({"config/rules/thanks.yaml": PACED["config/rules/thanks.yaml"].replace("2/day", "1/day") + second})
    shop.learn(*customer("ann"), *customer("bob"))
    assert shop.tick().sent == 1
    assert shop.due("bob") == shop.messages["bob/second"].at


def test_catching_up(garage, customer):
    """Orders from before the rule counted go a few a day, beside the places of the new ones, which they do not take."""
    rule = PACED["config/rules/thanks.yaml"] + "since: 2026-06-14\ncatch_up: {per_day: 1}\n"
    shop = garage({"config/rules/thanks.yaml": rule.replace("pace: 2/day", "pace: 3/day")})
    old = shop.clock.at - timedelta(days=3)
    shop.learn(*[one for name in ("ann", "bob", "cy", "dan") for one in customer(name, at=old)])
    shop.learn(*customer("new"), *customer("other"))
    assert shop.tick().sent == 3
    assert {"New", "Other"} < {call.name for call in shop.mail.calls}
    assert shop.tick(days=1).sent == 1


@pytest.mark.parametrize("scope", ["all", "thanks", "desk", "mail"])
def test_a_pause_stops_and_a_resume_goes_on(garage, customer, scope):
    """What is stopped does not go, and says who stopped it; let go again, it goes."""
    shop = garage()
    shop.learn(*customer())
    with shop.store.write() as connection:
        queries.put_pause(connection, scope, micros(shop.clock.at), "Tom")
    assert shop.tick().sent == 0
    said = shop.messages["ann/say"]
    assert (said.state, said.reasons[-1][1:]) == ("refused", ("paused", f"{scope} was paused by Tom"))
    with shop.store.write() as connection:
        assert queries.drop_pause(connection, scope)
        queries.wake_messages(connection, "all", ("planned", "refused"), micros(shop.clock.at))
    assert shop.tick().sent == 1


def test_a_pause_of_another_thing_stops_nothing(garage, customer):
    """A pause of a channel or rule that has no part in the message is no matter."""
    shop = garage()
    shop.learn(*customer())
    with shop.store.write() as connection:
        queries.put_pause(connection, "other", micros(shop.clock.at), "Tom")
    assert shop.tick().sent == 1


BROKEN = {
    "plugins/broken.py": """\
from commsched import Policy, NoSettings, allow, could_not, hookimpl

class Broken(Policy[NoSettings]):
    kind = "broken"
    code = could_not("broken")
    depends = {"facts"}
    fails = True

    def review(self, proposal, view):
        if type(self).fails:
            raise RuntimeError("the database of the policy is away")
        return allow()

@hookimpl
def register_policies():
    return [Broken]
""",
}


def test_a_broken_policy_refuses_and_rests(garage, customer, configuration):
    """A policy that fails refuses, is named, and is left alone for a while; mended, the message goes by itself."""
    shop = garage({**BROKEN, "config/commsched.toml": configuration + '\n[[policies]]\nkind = "broken"\n'})
    shop.learn(*customer())
    report = shop.tick()
    assert (report.sent, len(report.problems)) == (0, 1)
    assert "the policy broken failed: it raised RuntimeError" in report.problems[0]
    assert shop.messages["ann/say"].reasons[0][:2] == ("broken", "plugin_failed")
    with shop.store.read() as connection:
        assert [row.policy for row in queries.breakers(connection)] == ["broken"]
    sys.modules["commsched_plugins.broken"].Broken.fails = False
    assert shop.tick(minutes=5).sent == 0
    assert shop.tick(minutes=10).sent == 1


def test_a_message_that_cannot_be_rendered_takes_no_other_with_it(garage, customer):
    """A text that fails for one customer is refused and reported; the others get theirs."""
    bad = "Subject: Thank you\n\n{% if customer.name == 'Ann' %}{{ 1 // 0 }}{% endif %}Thanks, {{ customer.name }}.\n"
    shop = garage({"templates/thanks/email.txt": bad})
    shop.learn(*customer(), *customer("bob"))
    report = shop.tick()
    assert [call.name for call in shop.mail.calls] == ["Bob"]
    assert len(report.problems) == 1
    assert (shop.messages["ann/say"].state, shop.messages["ann/say"].reasons[0][1]) == ("refused", "template_failed")


def test_a_text_that_is_longer_than_the_law_allows_is_not_sent(garage, customer, configuration):
    """It is refused with the policy and the law, and never cut; it is no veto. A shorter name gets its text."""
    law = '\n[[policies]]\nkind = "rules_of_place"\nsectors = { health = ["desk"] }\n'
    words = "Thank you, {{ customer.name }}. " + "a" * 140 + "\n"
    shop = garage({"templates/thanks/sms.txt": words, "config/commsched.toml": configuration + law})
    for name, phone in (("bo", "+13125550142"), ("alexandra", "+13125550143")):
        point, order = customer(name, phone=phone)[3], customer(name)[2]
        shop.learn(customer(name)[0], point, order)
    report = shop.tick()
    assert [len(call.text) for call in shop.text.calls] == [155]
    assert len(report.problems) == 1
    refused = shop.messages["alexandra/say"]
    assert (refused.state, refused.reasons[0][:2]) == ("refused", ("rules_of_place", "too_long"))
    assert "162 characters, and may have 160" in refused.reasons[0][2]
    assert "47 CFR 64.1200(a)(9)(iv)(E)" in refused.reasons[0][2]


def test_a_name_that_cannot_stand_in_a_header(garage, customer, fact):
    """Control characters in a name do not forge a header, and hold nobody up."""
    shop = garage()
    shop.learn(
        *customer(), fact("customer", name="Ann\r\nBcc: x@evil.example", at="2026-05-16T12:00:00Z"), *customer("bob")
    )
    shop.tick()
    assert {call.to for call in shop.mail.calls} == {"ann@x.example", "bob@x.example"}
    assert all(b"\nBcc:" not in call.mime.partition(b"\r\n\r\n")[0] for call in shop.mail.calls)


def test_another_world_is_swept(garage, customer, deploy):
    """When rules change, everybody is looked at again, a few at a time; when nothing has changed, nobody."""
    shop = garage()
    shop.learn(*customer(), *customer("bob"))
    shop.tick()
    assert shop.loop.sweep(shop.clock.at, 10) == 0
    deploy({"templates/thanks/email.txt": "Subject: Thanks\n\nAnother text.\n"})
    again = type(shop)(shop.app.folder, shop.store)
    assert [again.loop.sweep(shop.clock.at, 1) for _ in range(2)] == [1, 0]
    assert again.loop.tick(shop.clock.at).planned == 1
    assert [again.loop.sweep(shop.clock.at, 1) for _ in range(2)] == [1, 0]
    assert again.loop.tick(shop.clock.at).planned == 1
    assert again.loop.sweep(shop.clock.at, 1) == 0


def test_observers_hear_of_decisions_and_attempts(garage, customer):
    """Each changed decision and each ended attempt is told, after it is durable."""
    shop = garage()
    heard = []
    shop.loop = shop.worker(shop.store, tell=lambda hook, **arguments: heard.append((hook, arguments)))
    shop.learn(*customer())
    shop.tick()
    assert [hook for hook, _ in heard] == ["decided", "attempted"]
    assert heard[0][1]["decision"].state == "planned"
    assert (heard[1][1]["outcome"], heard[1][1]["attempt"].customer) == ("accepted", "ann")


def test_a_result_that_cannot_be_written_is_found_again(garage, customer, provider):
    """If the store fails after the call, the message is in doubt, is looked up, and was sent once."""
    shop = garage()
    shop.mail = provider("mail", lookup="proof")
    shop.learn(*customer())
    writes = shop.store.write

    class Failing:
        """A store whose third transaction fails: claim, intent, result."""

        count = 0
        read = shop.store.read

        def write(self, *, lasting=True):
            self.count += 1
            if self.count == 3:
                raise StoreError("it is gone")
            return writes(lasting=lasting)

    with pytest.raises(StoreError):
        shop.worker(Failing()).tick(shop.clock.at)
    shop.loop = shop.worker(shop.store)
    shop.mail.knows["ann@x.example"] = Receipt("x", "accepted", "ref")
    shop.tick(minutes=2)
    assert (shop.messages["ann/say"].state, len(shop.mail.calls)) == ("sent", 1)


def test_a_landline_that_refuses_texts_can_be_called(garage, customer):
    """The provider's refusal says so at once; the number stays good for what it can take."""
    shop = garage()
    number = "+13125550142"
    shop.mail.answers["ann@x.example"] = Refused("no", bad_address=True)
    shop.text.answers[number] = Refused("21614", unsuited=True)
    shop.learn(*customer(phone=number))
    shop.tick()
    shop.tick(seconds=1)
    assert [one.to for one in shop.text.calls] == [number]
    with shop.store.read() as connection:
        contacts = fold(load(connection, ["ann"])["ann"].ledger, shop.clock.at).contacts
    (phone,) = [one for one in contacts if one.kind == "phone"]
    assert (phone.media, phone.valid) == (("voice",), True)
