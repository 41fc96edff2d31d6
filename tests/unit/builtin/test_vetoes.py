"""No repeats, no offers of what they have, nobody unreachable, gone or dead, and rules of one line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from commsched import Event
from commsched.builtin.policies.already_purchased import AlreadyPurchased
from commsched.builtin.policies.expression import Expression, ExpressionSettings
from commsched.builtin.policies.no_repeat import NoRepeat
from commsched.builtin.policies.reachable import Reachable
from commsched.builtin.policies.status import Status
from commsched.model.state import Profile
from commsched.rules.expressions import Declarations, compile_expression

AT = datetime(2026, 5, 1, tzinfo=UTC)


def test_the_same_text_about_the_same_thing_goes_once(ask, may, placed, proposal, noon):
    """A text that was sent, or is planned, about the same subject is not sent again under another key."""
    again = proposal(content="text")
    for sent in (True, False):
        history = [placed(noon, content="text", subject=again.subject, sent=sent)]
        assert not may(ask(NoRepeat, proposal=again, history=history))


def test_a_text_may_come_back_about_another_thing_or_with_new_words(ask, may, placed, proposal, noon):
    """Another subject, another text, or the message itself is no repetition."""
    new = proposal(content="text")
    for other in (
        placed(noon, content="text", subject="car-2"),
        placed(noon, content="new", subject=new.subject),
        placed(noon, content="text", subject=new.subject, key=new.key),
    ):
        assert may(ask(NoRepeat, proposal=new, history=[other]))
    assert may(ask(NoRepeat, proposal=proposal(), history=[placed(noon, content="", subject="car-1")]))


def bought(item: str | None, kind: str = "purchase") -> tuple[str, Event]:
    """A purchase."""
    return item or "-", Event(at=AT, kind=kind, item=item)


@pytest.mark.parametrize(
    ("event", "goes"),
    [
        (bought("winter-tires"), False),
        (bought("blizzak-set"), False),
        (bought("floor-mats"), True),
        (bought(None), True),
        (bought("winter-tires", "visit"), True),
    ],
)
def test_what_they_have_is_not_offered(ask, may, proposal, event, goes):
    """A purchase of the item, or of its equivalent, ends its offers; others go on."""
    assert may(ask(AlreadyPurchased, proposal=proposal(offers=("winter-tires",)), events=(event,))) is goes


def test_one_of_several_offers_is_enough(ask, may, proposal):
    """A message that offers several things goes only if they have none of them."""
    both = proposal(offers=("floor-mats", "winter-tires"))
    assert not may(ask(AlreadyPurchased, proposal=both, events=(bought("winter-tires"),)))


def test_messages_without_offers_go(ask, may):
    """Who has bought something still hears about everything else."""
    assert may(ask(AlreadyPurchased, events=(bought("winter-tires"),)))


def test_media_without_an_address_are_left_out(ask, may, proposal):
    """The media with an address stay open; with none at all nothing does."""
    verdict = ask(Reachable, proposal=proposal(addresses={"sms": "+13125550142"}))
    assert may(verdict, "sms")
    assert not may(verdict, "email")
    assert ask(Reachable).windows is None
    nowhere = ask(Reachable, proposal=proposal(addresses={}))
    assert not may(nowhere, "sms")
    assert not may(nowhere, "email")


@pytest.mark.parametrize(
    ("status", "purpose", "goes"),
    [
        ("deceased", "service", False),
        ("deceased", "safety", False),
        ("former", "sales", False),
        ("former", "survey", False),
        ("former", "safety", True),
        ("former", "collections", True),
        ("active", "sales", True),
        ("prospect", "sales", True),
    ],
)
def test_the_dead_and_those_who_left_are_left_alone(ask, may, proposal, status, purpose, goes):
    """The dead get nothing; who has left is not asked for anything."""
    verdict = ask(Status, proposal=proposal(purpose=purpose), profile=Profile("ann", status=status))
    assert may(verdict) is goes


NAMES = Declarations({"mood": "string", "purpose": "string", "facts.tier": "string"})
TRAPPED = {"deny_when": 'mood == "trapped" && purpose == "service"', "detail": "a person gets in touch"}


def compiled(text: str) -> dict[str, object]:
    """What the loader hands back for an expression."""
    return {"deny_when": compile_expression(text, NAMES, where="deny_when")}


@pytest.mark.parametrize(("mood", "goes"), [("trapped", False), ("fine", True), ("", True)])
def test_an_expression_denies_where_it_is_true(ask, may, proposal, mood, goes):
    """The message is refused with the configured sentence where the expression holds, and goes where it does not."""
    one = proposal(variables={"mood": mood})
    verdict = ask(Expression, TRAPPED, proposal=one, compiled=compiled(TRAPPED["deny_when"]))
    assert may(verdict) is goes
    assert verdict.detail == ("" if goes else "a person gets in touch")


def test_no_answer_denies(ask, may, proposal):
    """Where a fact that the expression names is not recorded, there is no answer, and nothing goes."""
    settings = {"deny_when": 'facts.tier == "blue"', "detail": "unknown"}
    made = compiled(settings["deny_when"])
    assert not may(ask(Expression, settings, proposal=proposal(variables={}), compiled=made))
    assert may(ask(Expression, settings, proposal=proposal(variables={"facts.tier": "gold"}), compiled=made))


def test_an_expression_has_the_code_that_it_was_given():
    """Code and force come from the settings: `must_not` unless they say otherwise."""
    own = Expression(ExpressionSettings(**TRAPPED, code="trapped", force="could_not"), name="trapped")
    assert (own.code.name, own.code.force) == ("trapped", "could_not")
    plain = Expression(ExpressionSettings(**TRAPPED), name="trapped")
    assert (plain.code.name, plain.code.force) == ("expression", "must_not")
    assert plain.expressions == {"deny_when": TRAPPED["deny_when"]}


def test_an_expression_needs_a_sentence():
    """A refusal without a reason is a configuration error."""
    with pytest.raises(ValidationError, match="detail"):
        ExpressionSettings(deny_when="true")
