"""Replies of people, and the words that providers and regulators take for a wish to stop."""

import json

import pytest
from corpora import corpus

from commsched.replies.meaning import meaning

PHRASES = json.loads(corpus("replies/phrases.json").read_text("utf-8"))
KEYWORDS = json.loads(corpus("sms/keyword_lists.json").read_text("utf-8"))
# Alone, it may mean the appointment: a person is asked. A provider that takes it for a stop says so itself.
AMBIGUOUS = {"cancel"}
STOPS = sorted(
    {
        word.casefold()
        for one in KEYWORDS.values()
        if isinstance(one, dict)
        for name in ("stop", "per_se")
        for word in one.get(name, [])
    }
    - AMBIGUOUS
)


@pytest.mark.parametrize("text", PHRASES["opt_out"])
def test_a_wish_to_be_left_alone(text):
    """Each is heard as one."""
    assert meaning(text).kind == "stop"


@pytest.mark.parametrize("text", [*PHRASES["not_opt_out"], *(one["text"] for one in PHRASES["cancel_not_opt_out"])])
def test_no_wish_to_be_left_alone(text):
    """None of these is heard as one."""
    assert meaning(text).kind != "stop"


@pytest.mark.parametrize("word", STOPS)
def test_the_reserved_words(word):
    """What any provider or regulator takes for a stop is one."""
    assert meaning(word).kind == "stop"
