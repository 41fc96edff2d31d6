"""Phone numbers in one form: E.164 (ITU-T E.164: + and at most 15 digits)."""

from __future__ import annotations

import re
from functools import cache, lru_cache

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

from commsched.errors import FactRejected

_IN_FULL = re.compile(r"\+([1-9][0-9]{6,14})")
_LONGEST_CODE = 3


@lru_cache(maxsize=4096)
def phone(number: str, country: str | None) -> str:
    """A phone number as E.164; refused if no plan has such numbers."""
    if _as_it_should_be(number):
        return number
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        raise FactRejected("address", f"{number!r} is no phone number; write it as +1 847 555 0142")
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def _as_it_should_be(number: str) -> bool:
    """Whether this is E.164 beyond doubt, so that it need not be parsed, which takes longer than the rest of a fact.

    Files have most numbers like this. What begins with something that its country may write before a number is for the
    library to say, as is a number whose length is possible in some places only.
    """
    if not (found := _IN_FULL.fullmatch(number)):
        return False
    digits = found[1]
    for length in range(1, _LONGEST_CODE + 1):
        plan = _plan(int(digits[:length]))
        if plan is not None:
            lengths, before = plan
            return len(digits) - length in lengths and before.match(digits, length) is None
    return False


@cache
def _plan(code: int) -> tuple[frozenset[int], re.Pattern[str]] | None:
    """How long the numbers of a country code are, and what may stand before one; none where there is no such code."""
    if code not in COUNTRY_CODE_TO_REGION_CODE:
        return None
    region = COUNTRY_CODE_TO_REGION_CODE[code][0]
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    if metadata is None or metadata.general_desc is None:
        return None
    before = metadata.national_prefix_for_parsing
    return frozenset(metadata.general_desc.possible_length), re.compile(f"0|{before}" if before else "0")
