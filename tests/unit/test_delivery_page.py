"""docs/delivery.md is true: the tests that it names exist, and no fault that is a test is missing from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from commsched.delivery import breakers, send
from commsched.delivery.carriers import NEAR
from commsched.delivery.events import REMEMBERED
from commsched.delivery.receipts import DOUBT
from commsched.plugin.channel import EventKind

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "delivery.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)))
# What this page is about, of the faults that have numbers.
FAULTS = {*range(1, 19), *range(22, 28), 34, 36, 37, 38, 41}


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_what_is_named_exists(file, name):
    """Each test that the page names is there."""
    text = (ROOT / file).read_text("utf-8")
    assert not name or re.search(rf"^def {name}\(", text, re.MULTILINE)


def test_every_fault_has_its_line_and_its_test():
    """Each fault has a line on the page, and a test that bears its number."""
    lined = set()
    for cell in re.findall(r"^\| ([\d, –]+) \|", PAGE, re.MULTILINE):
        for part in cell.split(", "):
            first, _, last = part.partition("–")
            lined |= set(range(int(first), int(last or first) + 1))
    assert lined == FAULTS
    tests = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests" / "faults").glob("test_*.py"))
    assert {int(number) for number in re.findall(r"fault_(\d\d)", tests)} >= FAULTS


def test_the_numbers_are_those_of_the_code():
    """The page names lengths and counts as they are."""
    assert [delay.total_seconds() / 60 for delay in DOUBT] == [2, 15, 60]
    assert (breakers.FIRST.total_seconds(), breakers.LONGEST.total_seconds(), breakers.FAILURES) == (60, 900, 5)
    assert (send.FIRST_FLIGHT, send.IN_FLIGHT, send.UNCLEAR) == (5, 50, 5)
    assert (NEAR.total_seconds(), REMEMBERED.days) == (2, 30)


def test_every_event_is_described():
    """The table of events has every kind that a channel can tell."""
    table = PAGE.partition("| event | becomes |")[2].partition("\n\n")[0]
    assert set(
        re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in table.splitlines() if "|" in line))
    ) == set(EventKind.__args__)
