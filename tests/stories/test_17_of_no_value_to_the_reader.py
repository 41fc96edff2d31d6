"""Story 17: outreach of no value to the person who gets it."""

import shutil
from pathlib import Path

import pytest
from people import car, driver

from commsched.app import App
from commsched.errors import ConfigurationError
from commsched.testing.stories import Story

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


def bought_list(deployment):
    """The trade-in offer says how many people live in the house, which is in the vocabulary and asked for first."""
    vocabulary, rule = deployment / "config" / "vocabulary.yaml", deployment / "config" / "rules" / "trade-in.yaml"
    vocabulary.write_text(vocabulary.read_text().replace("facts:\n", "facts:\n  children: integer\n", 1))
    text = rule.read_text()
    assert "asset.in_use &&" in text
    rule.write_text(text.replace("asset.in_use &&", "asset.in_use && facts.children > 1 &&", 1))
    file = deployment / "config" / "commsched.toml"
    settings = file.read_text()
    assert "ask_first = [" in settings
    file.write_text(settings.replace("ask_first = [", 'ask_first = ["facts.children", ', 1))
    return deployment


def scratch(folder):
    made = folder / "scratch"
    made.mkdir()
    return made


def told(deployment, tmp_path, stated_by):
    tale = car(driver(Story(bought_list(deployment), scratch(tmp_path), "2026-09-01 09:00")))
    tale.given("custom", customer="C1", facts={"children": 3}, stated_by=stated_by, source="a-list")
    return tale.until("2027-06-01")


def test_what_they_never_told_us_is_not_used(deployment, tmp_path):
    """The number of her children stands on a list that somebody bought: no offer rests on it."""
    tale = told(deployment, tmp_path, "import")
    tale.nothing(rule="trade-in")
    tale.refused(rule="trade-in", code="known_facts")


def test_counterpart_what_she_told_us_may_be_used(deployment, tmp_path):
    """She said it herself: the offer goes."""
    told(deployment, tmp_path, "customer").sent(rule="trade-in")
