"""The vocabulary file: what it declares, and how it is refused."""

from __future__ import annotations

import pytest

from commsched.model.vocabulary import PURPOSES
from commsched.rules.problems import Findings
from commsched.rules.vocabulary import compile_vocabulary
from commsched.rules.yamldoc import parse_document


def compiled(text):
    findings = Findings(parse_document(text, "v.yaml"))
    return compile_vocabulary(findings), [str(problem) for problem in findings.problems]


def good(text):
    vocabulary, problems = compiled(text)
    assert problems == []
    return vocabulary


def test_topics_are_a_tree():
    """A topic lies under another however the tree is written, and a root under none."""
    vocabulary = good(
        "topics: {maintenance: [oil, {brakes: [pads]}], sales: {cars: [lease]}, survey: [], misc: other, x:}"
    )
    assert vocabulary.topics == {
        "maintenance": None,
        "oil": "maintenance",
        "brakes": "maintenance",
        "pads": "brakes",
        "sales": None,
        "cars": "sales",
        "lease": "cars",
        "survey": None,
        "misc": None,
        "other": "misc",
        "x": None,
    }
    assert vocabulary.covers("maintenance", "pads")
    assert not vocabulary.covers("sales", "pads")


def test_equivalents_hold_both_ways_and_from_one_to_the_next():
    """Items that are the same thing form a group, whichever of them says so; the others stand alone."""
    vocabulary = good("items: {a: {same_as: [b]}, c: {same_as: d}, e: {same_as: [b, c]}, f: {}, g:}")
    assert vocabulary.same("a") == vocabulary.same("d") == {"a", "b", "c", "d", "e"}
    assert vocabulary.same("f") == {"f"}
    assert set(vocabulary.equivalents) == set("abcdefg")


def test_the_rest_is_as_it_is_written():
    """Events, roles, assets and facts are as declared; purposes are added to those that are built in."""
    vocabulary = good("""
events: {purchase: {amount: number}, visit: {}, call:}
roles: [owner]
assets: {car: {seats: integer}, van: {seats: integer}}
facts: {tier: string, vip: boolean}
purposes: {fun: 9}
""")
    assert vocabulary.events == {"purchase": {"amount": "number"}, "visit": {}, "call": {}}
    assert vocabulary.roles == {"owner"}
    assert vocabulary.assets == {"car": {"seats": "integer"}, "van": {"seats": "integer"}}
    assert vocabulary.facts == {"tier": "string", "vip": "boolean"}
    assert vocabulary.purposes == {**PURPOSES, "fun": 9}
    assert vocabulary.services == vocabulary.departments == frozenset()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("topic: {a: []}", ["v.yaml:1: There is no key 'topic' here; did you mean 'topics'?"]),
        (
            "xyzzy: 1",
            [
                (
                    "v.yaml:1: There is no key 'xyzzy' here; the keys are assets, events, facts, items,"
                    " purposes, roles, titles, topics."
                )
            ],
        ),
        (
            "topics:\n  a: [b]\n  c:\n    - b",
            ["v.yaml:4: The topic 'b' stands twice; a topic has one place in the tree."],
        ),
        (
            "topics: {a: [1, '*']}",
            [
                "v.yaml:1: 1 is not the name of a topic; write a word.",
                "v.yaml:1: '*' is not the name of a topic; write a word.",
            ],
        ),
        ("topics: [a]", ["v.yaml:1: `topics` must have keys of its own (`key: value`), but is ['a']."]),
        (
            "facts: {tier: text}",
            ["v.yaml:1: `tier` is 'text'; write string, number, integer or boolean."],
        ),
        (
            "facts: {tier: nunber}",
            ["v.yaml:1: `tier` is 'nunber'; write string, number, integer or boolean; did you mean 'number'?"],
        ),
        (
            "facts:\n  loyalty-tier: string",
            [
                (
                    "v.yaml:2: `loyalty-tier`: 'loyalty-tier' cannot be used in expressions; use letters,"
                    " digits and _ and begin"
                    " with a letter."
                )
            ],
        ),
        (
            "facts: {in: string}",
            ["v.yaml:1: `in`: 'in' cannot be used in expressions; use letters, digits and _ and begin with a letter."],
        ),
        (
            "assets:\n  car: {fuel: string}\n  van: {fuel: number}",
            ["v.yaml:3: 'fuel' is a number here but a string for 'car'; give both the same type."],
        ),
        ("assets: {car: {model: string}}", ["v.yaml:1: Every asset has 'model' already; leave it out."]),
        ("events: {buy: {amount: string}}", ["v.yaml:1: Every event has 'amount' already, as a number; leave it out."]),
        ("items: {a: {same: b}}", ["v.yaml:1: There is no key 'same' here; did you mean 'same_as'?"]),
        ("roles:\n  - a\n  - a", ["v.yaml:3: The role 'a' stands twice."]),
        ("roles: a", ["v.yaml:1: `roles` must be a list, such as [a, b], but is 'a'."]),
        (
            "roles: [two words]",
            [
                (
                    "v.yaml:1: `roles`: 'two words' is not a name; use letters, digits, - _ and . and begin"
                    " with a letter or a digit."
                )
            ],
        ),
        (
            "purposes: {sales: 1}",
            ["v.yaml:1: The purpose 'sales' is built in; a rule can have a `priority` of its own."],
        ),
        ("purposes: {fun: 10}", ["v.yaml:1: `fun` must be at most 9, but is 10."]),
        ("purposes: {fun: 0}", ["v.yaml:1: `fun` must be at least 1, but is 0."]),
        ("purposes: {fun: '3'}", ["v.yaml:1: `fun` must be a whole number, but is '3'."]),
    ],
)
def test_a_wrong_vocabulary_is_told_in_words(text, said):
    """Each slip has its line and what would be right."""
    assert compiled(text) == (None, said)


def test_titles_are_for_words_and_languages_that_there_are():
    """A title is taken in the first of the reader's languages that has one; what is misspelt is named with its line."""
    words = good(
        "topics: {oil: []}\ntitles: {topics: {oil: {en: Oil and filters, de: Öl}}, services: {wash: {de: Wäsche}}}"
    )
    assert words.title("topics", "oil", "Oil", "de", "en") == "Öl"
    assert words.title("topics", "oil", "Oil", "fr", "en") == "Oil and filters"
    assert words.title("topics", "oil", "Oil", "fr") == words.title("topics", "tar", "Oil", "de") == "Oil"
    assert words.untitled() == [("services", "wash")]
    _, problems = compiled("topics: {oil: []}\ntitles:\n  topics:\n    oyl: {de: Öl}\n    oil: {xx: Oil, german: Öl}\n")
    assert [one.partition(":")[2] for one in sorted(problems)] == [
        "4: There is no topic 'oyl'; did you mean 'oil'?",
        "5: There is no language 'german'; write its two letters, such as de or fr.",
        "5: There is no language 'xx'; write its two letters, such as de or fr.",
    ]
