"""Story 17: outreach of no value to the person who gets it."""

import shutil
from pathlib import Path

import pytest
from people import car, driver

from commsched.app import App
from commsched.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
RULE = """
rule: spring-sale
{why}
purpose: marketing
topic: trade_in
department: sales
trigger: {{event: purchase}}
steps:
  - step: offer
    at: event + 12mo at 10:00
    deadline: event + 13mo
    template: trade-in
"""


@pytest.fixture
def deployment(tmp_path):
    """A copy of the shipped deployment to which a rule can be added."""
    for name in ("config", "plugins", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def with_rule(folder, why):
    (folder / "config" / "rules" / "spring-sale.yaml").write_text(RULE.format(why=why))
    return folder


def test_a_rule_without_why_does_not_load(deployment):
    """No reason in the customer's terms: no rule."""
    with pytest.raises(ConfigurationError, match="why"):
        App(with_rule(deployment, ""))


def test_marketing_must_name_a_fact_of_this_customer(deployment):
    """A reason that would fit anybody is none."""
    with pytest.raises(ConfigurationError, match="why"):
        App(with_rule(deployment, "why: Great offers for you, {{ customer.name }}!"))


def test_counterpart_a_reason_from_their_own_facts_loads_and_is_in_the_message(deployment, story):
    """A reason that rests on the customer's own car loads; and every message that goes says its reason."""
    App(with_rule(deployment, 'why: "Your {{ asset.model }} is a year old."'))
    tale = car(driver(story("2026-09-01 09:00"))).until("2027-06-01")
    offer = tale.sent(rule="trade-in")
    assert "You bought your Ford Escape from us about three years ago" in offer.body
