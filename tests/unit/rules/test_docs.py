"""docs/rules.md is true: its examples load, its tables are those of the code, and no key is missing."""

from __future__ import annotations

import re
import runpy
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from commsched.rules.compile import compile_rule
from commsched.rules.declarations import markdown
from commsched.rules.problems import Findings
from commsched.rules.rule import ANCHORS, TriggerKind
from commsched.rules.schema import RuleEntry, StepEntry
from commsched.rules.services import compile_services
from commsched.rules.vocabulary import compile_vocabulary
from commsched.rules.yamldoc import parse_document

TEXT = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
RULES = [block for block in BLOCKS if block.startswith("rule:")]


def block(name):
    (found,) = [block for block in BLOCKS if block.startswith(f"# config/{name}\n")]
    return Findings(parse_document(found, name))


@pytest.fixture(scope="module")
def deployment():
    findings = block("vocabulary.yaml")
    vocabulary = compile_vocabulary(findings)
    assert findings.problems == []
    findings = block("services.yaml")
    services = compile_services(findings, vocabulary)
    assert findings.problems == []
    departments = frozenset({"service", "sales", "clinic"})
    return replace(vocabulary, services=frozenset(services), departments=departments), services


@pytest.mark.parametrize("text", RULES, ids=lambda text: text.split("\n", 1)[0])
def test_the_examples_load(text, deployment):
    """What an operator copies from the reference works."""
    findings = Findings(parse_document(text, "docs/rules.md"))
    compile_rule(findings, *deployment)
    assert findings.problems == []


def test_every_block_is_an_example():
    """There are rules among the examples, and no block that nobody loads."""
    assert len(RULES) >= 5
    assert len(BLOCKS) == len(RULES) + 2


def test_the_table_of_names_is_that_of_the_code(capsys):
    """The table of variables is generated, and the module prints it."""
    assert markdown() in TEXT
    with pytest.warns(RuntimeWarning, match="unpredictable"):
        runpy.run_module("commsched.rules.declarations", run_name="__main__")
    assert capsys.readouterr().out == markdown()


@pytest.mark.parametrize(("heading", "model"), [("Keys of a rule", RuleEntry), ("Keys of a step", StepEntry)])
def test_every_key_is_documented(heading, model):
    """The tables of keys have all the keys that there are, and no other."""
    section = TEXT.split(f"### {heading}\n")[1].split("\n#")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(model.model_fields)


@pytest.mark.parametrize("kind", get_args(TriggerKind))
def test_every_trigger_is_documented_with_its_anchors(kind):
    """The table of triggers names the anchors of each."""
    (row,) = re.findall(rf"^\| `{{{kind}: .*$", TEXT, re.MULTILINE)
    assert set(ANCHORS[kind]) <= set(re.findall(r"`(\w+)`", row.rpartition(" | ")[2]))
