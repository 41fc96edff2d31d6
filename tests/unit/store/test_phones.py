"""Phone numbers that are in their one form already, and need no parsing."""

from __future__ import annotations

import phonenumbers
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumberFormat

from commsched.errors import FactRejected
from commsched.store.phones import phone

codes = st.sampled_from(sorted(COUNTRY_CODE_TO_REGION_CODE))
nationals = st.text("0123456789", min_size=3, max_size=12)


def by_the_library(number):
    try:
        parsed = phonenumbers.parse(number, "US")
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.is_possible_number(parsed)
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164) if possible else None


@given(codes, nationals)
def test_a_number_in_full_is_what_the_library_makes_of_it(code, national):
    """Of every country's numbers, possible or not, the short way and the library say the same."""
    number = f"+{code}{national}"
    try:
        found = phone(number, "US")
    except FactRejected:
        found = None
    assert found == by_the_library(number)
