"""Folders and files: what is loaded, in which order, and that every problem of every file is told."""

from __future__ import annotations

import copy
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commsched.errors import ConfigurationError
from commsched.rules.compile import compile_rule
from commsched.rules.loading import load_rules, load_services, load_vocabulary
from commsched.rules.problems import Findings
from commsched.rules.yamldoc import Document, parse_document

ROOT = Path(__file__).parents[3]
RULE = """rule: {}
why: Because.
purpose: service
topic: oil
department: service
trigger: {{service_due: [oil_change]}}
steps:
  - {{step: one, at: due, deadline: due + 1d, template: t}}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("rules").mkdir()
    return Path("rules")


@pytest.fixture
def load(folder, vocabulary, services):
    def loaded(**files):
        for name, text in files.items():
            (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        return load_rules(folder, vocabulary, services)

    return loaded


def problems(load, **files):
    with pytest.raises(ConfigurationError) as caught:
        load(**files)
    return [str(problem) for problem in caught.value.problems]


def test_rules_come_in_the_order_of_their_files(load, folder):
    """The order is that of the file names; what is no rule file is left alone."""
    (folder / ".#a.yaml").write_text("an editor's lock", encoding="utf-8")
    (folder / "README.md").write_text("words", encoding="utf-8")
    rules = load(b=RULE.format("first"), a=RULE.format("second"))
    assert [(rule.name, rule.file) for rule in rules] == [("second", "rules/a.yaml"), ("first", "rules/b.yaml")]


def test_no_rules_are_fine(load):
    """A folder without rules is a deployment that says nothing."""
    assert load() == ()


def test_every_problem_of_every_file_is_told(load, folder):
    """One bad file does not hide another, be it bad as YAML, in its keys or in its words."""
    (folder / "e.yml").write_text("rule: e", encoding="utf-8")
    found = problems(
        load,
        a="a: [",
        b=RULE.format("b").replace("topic: oil", "topic: oyl"),
        c=RULE.format("c"),
        d=RULE.format("d").replace("steps", "stepps"),
        f="",
    )
    assert found == [
        "rules/a.yaml:1: This is not valid YAML: expected the node content, but found '<stream end>' (column 5).",
        "rules/b.yaml:4: There is no topic 'oyl'; did you mean 'oil'?",
        "rules/d.yaml:1: The key `steps` is missing.",
        "rules/d.yaml:7: There is no key 'stepps' here; did you mean 'steps'?",
        "rules/e.yml: Rule files end in .yaml; rename this one.",
        "rules/f.yaml:1: The file is empty; delete it or fill it.",
    ]


def test_two_rules_of_one_name_are_refused(load):
    """Messages of two rules of one name could not be told apart; nor those of a former name that is taken."""
    assert problems(load, a=RULE.format("x"), b="# again\n" + RULE.format("x"), c=RULE.format("y") + "was: [x]\n") == [
        "rules/b.yaml:2: The rule 'x' is in rules/a.yaml already; give one of them another name.",
        "rules/c.yaml:9: `was` names 'x', but that is the name of a rule in rules/a.yaml.",
    ]
    assert problems(load, a=RULE.format("x") + "was: old\n", b=RULE.format("z") + "was: old\n", c=RULE.format("y")) == [
        "rules/b.yaml:9: `was` names 'old', but that is the name of a rule in rules/a.yaml.",
    ]


def test_a_missing_folder_is_told(vocabulary, services, folder):
    """A folder that is not there is a sentence, not a stack trace."""
    with pytest.raises(ConfigurationError) as caught:
        load_rules(Path("config/ruels"), vocabulary, services)
    assert [str(problem) for problem in caught.value.problems] == [
        "config/ruels: There is no such folder; create it, even if empty."
    ]


def test_problems_have_codes(load):
    """Tools tell problems apart by their code."""
    with pytest.raises(ConfigurationError) as caught:
        load(a=RULE.format("a").replace("topic: oil", "topic: oyl") + "when: mood\n")
    assert [problem.code for problem in caught.value.problems] == ["unknown", "expression"]


def test_vocabulary_and_services_load_from_files(folder):
    """Both files load by path, and name themselves in their problems."""
    Path("v.yaml").write_text("assets: {car: {fuel: string}}", encoding="utf-8")
    Path("s.yaml").write_text('services: {oil: {name: Oil, for: asset.fuel != ""}}', encoding="utf-8")
    vocabulary = load_vocabulary(Path("v.yaml"))
    assert vocabulary.assets == {"car": {"fuel": "string"}}
    assert load_services(Path("s.yaml"), vocabulary)["oil"].name == "Oil"
    Path("s.yaml").write_text("services:\n  oil: {nam: Oil, for: asset.fual}", encoding="utf-8")
    Path("v.yaml").write_text("asets: {}", encoding="utf-8")
    for load, said in (
        (lambda: load_vocabulary(Path("v.yaml")), ["v.yaml:1: There is no key 'asets' here; did you mean 'assets'?"]),
        (
            lambda: load_services(Path("s.yaml"), vocabulary),
            ["s.yaml:2: The key `name` is missing.", "s.yaml:2: There is no key 'nam' here; did you mean 'name'?"],
        ),
    ):
        assert problems(load) == said


def test_the_shipped_deployment_loads(tmp_path):
    """The rules that are shipped are valid against the words that are shipped."""
    vocabulary = load_vocabulary(ROOT / "config" / "vocabulary.yaml")
    services = load_services(ROOT / "config" / "services.yaml", vocabulary)
    vocabulary = replace(vocabulary, services=frozenset(services), departments=frozenset({"service", "sales"}))
    shutil.copytree(ROOT / "config" / "rules", tmp_path / "rules")
    rules = load_rules(tmp_path / "rules", vocabulary, services)
    assert {rule.name for rule in rules} >= {"oil-change-due", "appointment-reminders", "recall"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.text(max_size=12),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=6), inside, max_size=3),
    max_leaves=5,
)
FULL = {
    "rule": "r",
    "why": "{{ asset.model }}",
    "purpose": "service",
    "topic": "oil",
    "department": "service",
    "trigger": {"appointment": {"service": ["exam"], "status": ["booked"]}},
    "when": "asset.in_use",
    "steps": [
        {
            "step": "a",
            "at": "prep - 2d",
            "prep": "diet",
            "template": "t",
            "too_late": {"task": "x"},
            "on_veto": {"task": "x"},
        },
        {"step": "b", "at": "start - 1d", "deadline": "start", "task": "x", "after": "a", "unless": '"a" in sent'},
    ],
    "otherwise": {"task": "x"},
    "bundle": {"within": "1d", "template": "t"},
    "to": {"role": "buyer", "at_most": 1},
    "repeat": {"every": "1d", "at_most": 2},
    "catch_up": {"per_day": 1},
    "was": ["q"],
}


def _paths(value, path=()):
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield from _paths(item, (*path, key))


@given(st.sampled_from([path for path in _paths(FULL) if path]), VALUES, st.booleans())
def test_no_value_anywhere_gives_more_than_problems(vocabulary, services, path, value, rename):
    """Whatever stands where something else is expected, or beside it, ends in problems or in"
    " a rule, never in a crash."""
    values = copy.deepcopy(FULL)
    place = values
    for key in path[:-1]:
        place = place[key]
    if rename and isinstance(place, dict):
        place[str(value)] = place.pop(path[-1])
    else:
        place[path[-1]] = value
    findings = Findings(Document("r.yaml", values, {}))
    rule = compile_rule(findings, vocabulary, services)
    assert (rule is None) == bool(findings.problems)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_no_text_gives_more_than_problems(text):
    """Whatever a file holds, reading it gives a document or problems."""
    try:
        values = parse_document(text, "f.yaml").values
    except ConfigurationError:
        return
    assert isinstance(values, dict)
