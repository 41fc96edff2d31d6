"""Withdrawing a customer's links at the command line."""

from __future__ import annotations


def test_it_is_on_the_timeline_as_their_own_word(told):
    """It is recorded once, with what they said; nobody is withdrawn who is not known."""
    said = told("withdraw-links", "ana", "--words", "My phone was stolen").stdout
    assert "The links of Ana Ruiz (ana) lead nowhere any more; the next message has new ones." in said
    assert "My phone was stolen" in told("timeline", "ana").stdout
    assert "No fact is about a customer" in told("withdraw-links", "bob", code=2).stderr
