"""A small deployment for the tests of the rule language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from commsched.errors import ConfigurationError
from commsched.model.vocabulary import Vocabulary
from commsched.rules.loading import load_rules
from commsched.rules.problems import Findings
from commsched.rules.rule import Rule, Service
from commsched.rules.services import compile_services
from commsched.rules.vocabulary import compile_vocabulary
from commsched.rules.yamldoc import parse_document

VOCABULARY = """
topics: {maintenance: [oil, brakes], sales: [trade_in], appointment: [], safety: []}
events: {purchase: {amount: number}, visit: {reason: string, nights: integer}}
items: {next-car: {same_as: [trade-in]}}
roles: [owner, buyer]
assets: {car: {fuel: string, value: number, seats: integer}, dog: {breed: string}}
facts: {loyalty_tier: string, shares_mileage: boolean}
"""
SERVICES = """
services:
  oil_change:
    name: Oil change
    for: asset.kind == "car"
    every: {months: 12, distance: 10000 mi}
  exam:
    name: Exam
    prep:
      - {id: diet, begins: start - 72h, notice: 24h}
      - {id: drink, begins: start - 1d at 18:00, notice: 12h}
"""


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    words = compile_vocabulary(Findings(parse_document(VOCABULARY, "vocabulary.yaml")))
    assert words is not None
    return replace(words, services=frozenset({"oil_change", "exam"}), departments=frozenset({"service", "sales"}))


@pytest.fixture(scope="session")
def services(vocabulary: Vocabulary) -> dict[str, Service]:
    findings = Findings(parse_document(SERVICES, "services.yaml"))
    found = compile_services(findings, vocabulary)
    assert findings.problems == []
    return found


Load = Callable[[str], Rule]
Wrong = Callable[[str], list[str]]


@pytest.fixture
def load(tmp_path: Path, vocabulary: Vocabulary, services: dict[str, Service], monkeypatch) -> Load:
    """Loads the text of one rule file, as ``r.yaml``."""

    def loaded(text: str) -> Rule:
        monkeypatch.chdir(tmp_path)
        Path("r.yaml").write_text(text, encoding="utf-8")
        (rule,) = load_rules(Path(), vocabulary, services)
        return rule

    return loaded


@pytest.fixture
def wrong(load: Load) -> Wrong:
    """All that is wrong with the text of one rule file, as lines that a person reads."""

    def problems(text: str) -> list[str]:
        with pytest.raises(ConfigurationError) as caught:
            load(text)
        return [str(problem) for problem in caught.value.problems]

    return problems
