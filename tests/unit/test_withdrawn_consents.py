"""A word that is taken back counts no more, and by that nothing is permitted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commsched.errors import FactRejected
from commsched.model.consents import permission, standing
from commsched.model.vocabulary import Vocabulary

NO = {"medium": "sms", "purpose": "*", "granted": False, "method": "STOP", "id": "stop", "stated_by": "customer"}
BACK = {**NO, "granted": True, "method": "START", "withdrawn": True}


@pytest.fixture
def say(fact, noon):
    """A consent, so many minutes after noon."""
    return lambda values, minutes=0, **more: fact(
        "consent", **{**values, **more}, at=(noon + timedelta(minutes=minutes)).isoformat()
    )


def asked(said):
    return permission(standing(said), medium="sms", purpose="service", topic="", vocabulary=Vocabulary())


def test_taken_back(say):
    """Taken back, a refusal is as if it had not been; a later one stands again."""
    assert asked([say(NO)]) is False
    assert asked([say(NO), say(BACK, 1)]) is None
    assert asked([say(NO), say(BACK, 1), say(NO, 2)]) is False


def test_the_order_of_hearing_makes_no_difference(say):
    """What counts is when each was said."""
    assert standing([say(BACK, 1), say(NO)]) == ()
    assert len(standing([say(BACK), say(NO, 1)])) == 1


def test_only_that_one(say):
    """Another's word, and another of one's own, stand."""
    others = [say(NO, customer="bob"), say(NO, id="desk"), say({**NO, "id": None})]
    assert standing([*others, say(BACK, 1)]) == tuple(others)


@pytest.mark.parametrize("wrong", [{"id": None}, {"granted": False}])
def test_what_is_taken_back_has_a_name(garage, say, wrong):
    """Without an id, or as a refusal, it is no such word, and is turned away."""
    with pytest.raises(FactRejected, match="taken back"):
        garage().app.checker.check(say(BACK, **wrong))
