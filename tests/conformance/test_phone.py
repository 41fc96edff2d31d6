"""Phone numbers against the tables of libphonenumber: what is kept, in which form, and where it may be."""

from __future__ import annotations

import json

import pytest
from corpora import corpus

from commsched.errors import FactRejected
from commsched.store.phones import phone
from commsched.timing.places import zones_of_phone

TABLE = json.loads(corpus("phone/libphonenumber_half.json").read_text(encoding="utf-8"))
UNKNOWN = "Etc/Unknown"


def name(case):
    return f"{case['region']}-{case.get('input', case.get('e164'))}"


def country(case):
    """The corpus writes ZZ for no country at all."""
    return None if case["region"] == "ZZ" else case["region"]


@pytest.mark.parametrize("case", TABLE["parse_cases"], ids=map(name, TABLE["parse_cases"]))
def test_possible_numbers_are_kept_in_their_one_form(case):
    """A possible number is kept as E.164, whether or not it is given out today; anything else is refused."""
    if case.get("possible"):
        assert phone(case["input"], country(case)) == case["e164"]
        assert zones(case["e164"]) == set(case["timezones"]) - {UNKNOWN}
    else:
        with pytest.raises(FactRejected, match="is no phone number"):
            phone(case["input"], country(case))


@pytest.mark.parametrize("case", TABLE["example_numbers"], ids=map(name, TABLE["example_numbers"]))
def test_example_numbers_of_all_countries(case):
    """A country's example number is the same however it is written, and lies in that plan's zones."""
    assert phone(case["international"], None) == case["e164"]
    assert phone(case["national"], case["region"]) == case["e164"]
    assert phone(case["e164"], "US") == case["e164"]
    assert zones(case["e164"]) == set(case["timezones"]) - {UNKNOWN}


def zones(number):
    return {str(zone) for zone in zones_of_phone(number)}
