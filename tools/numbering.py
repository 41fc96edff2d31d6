"""Make ``timing/numbering.tsv`` afresh: which place a telephone number's first digits stand for.

    python tools/numbering.py > src/commsched/timing/numbering.tsv

The numbering plans come from the package phonenumbers; what is kept of them is a prefix (without the plus) and the
ISO 3166 codes of the places that share it. Numbers that belong to no place (toll-free, personal) are left out.
"""

from __future__ import annotations

import phonenumbers
from phonenumbers.geodata import GEOCODE_DATA

_US = """Alabama AL|Alaska AK|Arizona AZ|Arkansas AR|California CA|Colorado CO|Connecticut CT|Delaware DE|
Washington D.C. DC|Florida FL|Georgia GA|Hawaii HI|Idaho ID|Illinois IL|Indiana IN|Iowa IA|Kansas KS|Kentucky KY|
Louisiana LA|Maine ME|Maryland MD|Massachusetts MA|Michigan MI|Minnesota MN|Mississippi MS|Missouri MO|Montana MT|
Nebraska NE|Nevada NV|New Hampshire NH|New Jersey NJ|New Mexico NM|New York NY|North Carolina NC|North Dakota ND|
Ohio OH|Oklahoma OK|Oregon OR|Pennsylvania PA|Rhode Island RI|South Carolina SC|South Dakota SD|Tennessee TN|Texas TX|
Utah UT|Vermont VT|Virginia VA|Washington WA|Washington State WA|West Virginia WV|Wisconsin WI|Wyoming WY"""
_CA = """Alberta AB|British Columbia BC|Manitoba MB|New Brunswick NB|Newfoundland and Labrador NL|
Newfoundland NL|Northwest Territories NT|Nova Scotia NS|Nunavut NU|Ontario ON|Prince Edward Island PE|Quebec QC|
Saskatchewan SK|Yukon YT"""
NORTH_AMERICA = 1


def _codes(country: str, text: str) -> dict[str, str]:
    pairs = (one.strip().rpartition(" ") for one in text.replace("\n", "").split("|"))
    return {name.replace(".", "").replace(",", ""): f"{country}-{code}" for name, _, code in pairs}


NAMES = {**_codes("US", _US), **_codes("CA", _CA)}


def north_america() -> dict[str, tuple[str, ...]]:
    """Area codes of the North American plan: states and provinces where they are known, else the country."""
    found = {}
    for area in range(200, 1000):
        number = phonenumbers.parse(f"+1{area}5550123")
        country = phonenumbers.region_code_for_number(number)
        if country is None or phonenumbers.number_type(number) not in {
            phonenumbers.PhoneNumberType.FIXED_LINE,
            phonenumbers.PhoneNumberType.MOBILE,
            phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
        }:
            continue
        found[f"1{area}"] = _places(f"1{area}", country)
    return found


def _places(prefix: str, country: str) -> tuple[str, ...]:
    """The states of an area code; of its exchanges, where the plan tells only those; the country, if one is unknown."""
    own = GEOCODE_DATA.get(prefix)
    texts = [own] if own else [told for digits, told in GEOCODE_DATA.items() if digits.startswith(prefix)]
    codes = {code for told in texts for code in _named(told.get("en", ""), country)}
    return tuple(sorted(codes)) if codes and "" not in codes else (country,)


def _named(text: str, country: str) -> set[str]:
    """What a description such as ``Illinois``, ``Chicago, IL`` or ``Yukon/Nunavut`` names; empty if not known."""
    _, comma, state = text.rpartition(", ")
    if comma and f"{country}-{state}" in NAMES.values():
        return {f"{country}-{state}"}
    known = {NAMES.get(name.replace(".", "").replace(",", ""), "") for name in text.split("/")}
    return {code if code.startswith(f"{country}-") else "" for code in known}


def countries() -> dict[str, tuple[str, ...]]:
    """Country codes and all that share them; what is of no country is left out."""
    return {
        str(code): tuple(sorted(regions))
        for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
        if code != NORTH_AMERICA and "001" not in regions
    }


def table() -> str:
    """The whole file, in order of the prefix."""
    rows = sorted({**north_america(), **countries()}.items())
    return "".join(f"{prefix}\t{' '.join(places)}\n" for prefix, places in rows)


if __name__ == "__main__":
    print(table(), end="")
