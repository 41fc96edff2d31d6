"""What a customer never told us is not used, where they would wonder how we know."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from commsched.builtin.policies.known_facts import KnownFacts, KnownFactsSettings

ASKED = {"ask_first": ["facts.income", "asset.plate"]}


@pytest.mark.parametrize(
    ("uses", "said_by", "goes"),
    [
        ({"facts.income"}, {"facts.income": "import"}, False),
        ({"facts.income"}, {"facts.income": "staff"}, False),
        ({"facts.income"}, {"facts.income": "customer"}, True),
        ({"facts.income"}, {}, True),
        ({"asset.model"}, {"facts.income": "import"}, True),
        ({"asset.plate"}, {"car-1.plate": "import"}, False),
        ({"asset.plate"}, {"car-1.plate": "customer", "car-2.plate": "import"}, True),
    ],
)
def test_a_fact_that_is_used_must_be_the_customers_own_word(ask, may, proposal, uses, said_by, goes):
    """Used and not theirs: it does not go. Theirs, unknown or unused: nothing against it."""
    verdict = ask(KnownFacts, ASKED, proposal=proposal(uses=frozenset(uses), asset="car-1"), said_by=said_by)
    assert may(verdict) is goes
    assert goes or "did not tell us" in verdict.detail


def test_a_name_that_is_no_fact_is_refused():
    """A slip in the configuration would otherwise hold nothing."""
    with pytest.raises(ValidationError, match=r"facts\.NAME"):
        KnownFactsSettings(ask_first=["income"])
