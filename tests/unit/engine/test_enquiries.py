"""Whether a person may get in touch: the same policies as for messages, shared addresses, and claims that expire."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from commsched.engine.enquiries import claim, claim_of_others, claimed_subjects, enquire, sharing
from commsched.planning.enquiry import Question
from commsched.store import queries
from commsched.store.store import micros

SALES = Question("sales", "sales", "sales")
LONG_AGO = {"at": "2024-01-01 10:00", "recorded_at": "2024-01-01 10:00"}
PHONE = "+18475550188"


@pytest.fixture
def tale(story):
    """Ana and Bo in Evanston, who share a phone, on a Tuesday morning."""
    made = story("2026-12-01 10:00")
    for name, full in (("ana", "Ana Ruiz"), ("bo", "Bo Ruiz")):
        made.given("customer", id=name, name=full, region="US-IL", **LONG_AGO)
        made.given("contact_point", customer=name, kind="phone", address=PHONE, **LONG_AGO)
    return made


def ask(tale, *customers, question=SALES):
    with tale.app.store.read() as connection:
        return enquire(connection, tale.app.world(connection), tale.clock.at, customers, question)


def codes(reply):
    return [reason.code for reason in reply.reasons]


def test_yes_until_the_evening(tale):
    """Nothing is against it: the answer is yes, and says until when."""
    reply = ask(tale, "ana")
    assert reply.allowed
    assert reply.reasons == ()
    assert reply.when.spans[0][1] == tale.time("2026-12-01 21:00")
    assert reply.people[0].answer.address == PHONE


def test_at_night_the_answer_is_not_now_and_when(tale):
    """Quiet hours, and the law of the place, say no for now, with the time from which it may be."""
    tale.clock.at = tale.time("2026-12-01 23:00")
    reply = ask(tale, "ana")
    assert not reply.allowed
    assert set(codes(reply)) == {"quiet_hours", "rules_of_place"}
    assert reply.when.spans[0][0] == tale.time("2026-12-02 08:00")


def test_a_refusal_of_one_closes_the_shared_phone(tale):
    """Bo said no to sales on the phone; that closes the number for Ana too, at once and in the days ahead."""
    tale.given("consent", customer="bo", medium="voice", purpose="sales", granted=False, method="phone",
               stated_by="customer")  # fmt: skip
    reply = ask(tale, "ana")
    assert not reply.when
    assert "opt_out" in codes(reply)
    assert ask(tale, "ana", question=replace(SALES, purpose="service", topic="")).allowed


def test_who_shares_an_address_answers_together(tale):
    """Both are named, and what one of them must not be asked is not allowed for the number."""
    with tale.app.store.read() as connection:
        both = sharing(connection, "phone", PHONE, tale.clock.at)
    assert both == ["ana", "bo"]
    tale.given("feedback", customer="bo", mood="trapped", stated_by="customer")
    reply = ask(tale, *both)
    assert [person.id for person in reply.people] == ["ana", "bo"]
    assert not reply.allowed
    assert ask(tale, "ana").allowed


def test_a_corrected_number_is_nobodys_once_somebody_has_it(tale):
    """Who says that a number is not theirs any more is not named for it, as long as somebody else is."""
    tale.given("contact_point", customer="bo", kind="phone", address=PHONE, valid=False, stated_by="customer")
    with tale.app.store.read() as connection:
        assert sharing(connection, "phone", PHONE, tale.clock.at) == ["ana"]


def test_an_unknown_address_is_a_no_that_says_so(tale):
    """Nobody is known: the answer is no, for that reason."""
    reply = ask(tale)
    assert not reply.allowed
    assert codes(reply) == ["unknown"]


def test_the_dead_are_not_called(tale):
    """Whatever the policies are, nobody calls the dead."""
    tale.given("customer", id="ana", status="deceased", stated_by="staff")
    assert codes(ask(tale, "ana", question=replace(SALES, purpose="service"))) == ["deceased"]


def test_what_must_be_left_out_is_named(tale):
    """Sales in general may be raised; the trade-in that she never wants is named with its reason."""
    tale.given("intent", customer="ana", topic="trade_in", stance="never", stated_by="customer")
    (caution,) = [one for one in ask(tale, "ana").people[0].answer.cautions if one.name != "prospecting"]
    assert (caution.kind, caution.name) == ("topic", "trade_in")
    assert [reason.code for reason in caution.reasons] == ["stated_intent"]
    assert not ask(tale, "ana", question=replace(SALES, topic="trade_in")).when


def test_collections_are_about_what_is_owed(tale):
    """A hold on the only thing that is owed means no, although nothing was named; with a second, it is a caution."""
    collections = Question("collections", "", "service")
    owed = {"customer": "ana", "kind": "payment", "due": "2026-11-20"}
    tale.given("obligation", id="O1", **owed)
    tale.given("hold", customer="ana", purposes=["collections"], about="O1", reason="her insurer pays",
               until="2027-02-01 00:00", by="Dana", stated_by="staff")  # fmt: skip
    reply = ask(tale, "ana", question=collections)
    assert (reply.allowed, codes(reply)) == (False, ["hold"])
    tale.given("obligation", id="O2", **owed)
    reply = ask(tale, "ana", question=collections)
    assert reply.allowed
    assert [caution.name for caution in reply.people[0].answer.cautions] == ["O1"]


def test_without_a_phone_a_colleague_who_has_one_is_named(tale):
    """Who cannot be reached leads to a colleague who can; a veto does not."""
    for name in ("ana", "cy"):
        tale.given("customer", id=name, organisation="ACME", stated_by="staff")
    reply = ask(tale, "cy")
    assert [person.id for person in reply.instead] == ["ana"]
    tale.given("consent", customer="cy", medium="*", purpose="*", granted=False, method="mail", stated_by="customer")
    assert ask(tale, "cy").instead == ()


def test_a_claim_is_told_to_a_colleague_and_expires(tale):
    """Dana's claim on Ana is on her phone too; it ends by itself, or when she gives it back."""
    now, end = tale.clock.at, tale.clock.at + timedelta(minutes=30)
    subjects = claimed_subjects(ask(tale, "ana").people, "voice")
    assert subjects == {"c:ana", f"a:phone:{PHONE}"}
    shared = claimed_subjects(ask(tale, "bo").people, "voice")
    with tale.app.store.write() as connection:
        assert claim(connection, subjects, "dana", "sales", (now, end)) is None
        assert claim(connection, shared, "eli", "sales", (now, end)) == ("dana", end)
        assert claim_of_others(connection, subjects, "dana", now) is None
        assert claim_of_others(connection, {"c:bo"}, "eli", now) is None
        assert claim(connection, subjects, "eli", "sales", (end, end + timedelta(minutes=5))) is None
        assert queries.drop_claims(connection, subjects, "dana") == 0
        assert queries.drop_claims(connection, subjects, "eli") == 2
        assert queries.claims(connection, subjects, micros(now)) == []


def test_of_two_who_claim_only_one_succeeds(tale):
    """A row that a faster colleague wrote is not overwritten, and nothing half-claimed stays."""
    now, end = tale.clock.at, tale.clock.at + timedelta(minutes=30)
    with tale.app.store.write() as connection:
        assert queries.put_claim(connection, "c:ana", "dana", "sales", micros(now), micros(end))
        assert not queries.put_claim(connection, "c:ana", "eli", "sales", micros(now), micros(end))
        assert claim(connection, {"a:phone:1", "c:ana"}, "eli", "sales", (now, end)) == ("dana", end)
        assert queries.claims(connection, {"a:phone:1"}, micros(now)) == []
