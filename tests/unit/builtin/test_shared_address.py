"""People who share an address are not written to twice because they are two."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commsched.builtin.policies.shared_address import SharedAddress

WEEK, SECOND = timedelta(days=7), timedelta(seconds=1)


def by(placed, at, **fields):
    """What the same rule says to Ben at the address that he shares with Ann."""
    return placed(at, **{"key": "ben/oil/invite/car-2/1", "rule": "oil"} | fields)


def test_the_same_words_at_one_address_are_said_once(ask, may, placed, proposal, noon):
    """What the first of them was told is not told to the second, on any medium, at any time."""
    history = [by(placed, noon, content="tires|2026")]
    verdict = ask(SharedAddress, proposal=proposal(content="tires|2026"), history=history)
    assert not may(verdict, "email")
    assert not may(verdict, "sms", noon + 4 * WEEK)
    assert "ben, at the same address" in verdict.note
    assert "ben" not in verdict.detail


def test_what_is_about_their_own_things_keeps_a_distance_on_both_sides(ask, may, placed, proposal, noon):
    """Seven days before and after, at that address; another address of theirs is free."""
    verdict = ask(SharedAddress, proposal=proposal(content="mine"), history=[by(placed, noon, content="his")])
    assert not may(verdict, "email", noon + WEEK - SECOND)
    assert not may(verdict, "email", noon - WEEK + SECOND)
    assert may(verdict, "email", noon + WEEK)
    assert may(verdict, "email", noon - WEEK)
    assert may(verdict, "sms", noon)
    assert verdict.force == "could_not"  # to wait is no veto; to say the same again is one
    same = ask(SharedAddress, proposal=proposal(content="his"), history=[by(placed, noon, content="his")])
    assert same.force is None


@pytest.mark.parametrize(
    "fields",
    [{"key": "ann/oil/second/car-1/1"}, {"rule": "other"}, {"address": "ben@mail.example"}],
    ids=["her own", "another rule", "another address"],
)
def test_only_the_same_rule_to_another_person_at_that_address_counts(ask, may, placed, proposal, noon, fields):
    """Everything else is other policies' business."""
    history = [by(placed, noon, content="tires|2026", **fields)]
    assert may(ask(SharedAddress, proposal=proposal(content="tires|2026"), history=history), "email")


def test_an_address_is_the_same_in_any_case(ask, may, placed, proposal, noon):
    """Upper and lower case make no other mailbox."""
    history = [by(placed, noon, address="Ann@Mail.example")]
    assert not may(ask(SharedAddress, proposal=proposal(), history=history), "email")
