"""Where a customer may be, and where their clock stands: from a stated zone, a region, an address or a phone number.

Several candidates are all kept: what is allowed must be allowed in each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from commsched.timing.civil import zone

# ISO 3166-2 subdivisions of countries with several zones; a state that is split has all of its zones.
# Source: the zone boundaries of 49 CFR part 71 (US) and the tz database's zone1970.tab (Canada, Australia).
SUBDIVISIONS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("US-CT", "US-DC", "US-DE", "US-GA", "US-MA", "US-MD", "US-ME", "US-NC", "US-NH", "US-NJ", "US-NY", "US-OH"),
        ("America/New_York",),
    ),
    **dict.fromkeys(("US-PA", "US-RI", "US-SC", "US-VA", "US-VT", "US-WV"), ("America/New_York",)),
    **dict.fromkeys(("US-FL", "US-KY", "US-MI", "US-TN", "US-IN"), ("America/New_York", "America/Chicago")),
    **dict.fromkeys(
        ("US-AL", "US-AR", "US-IA", "US-IL", "US-LA", "US-MN", "US-MO", "US-MS", "US-OK", "US-WI"), ("America/Chicago",)
    ),
    **dict.fromkeys(("US-KS", "US-ND", "US-NE", "US-SD", "US-TX"), ("America/Chicago", "America/Denver")),
    **dict.fromkeys(("US-CO", "US-MT", "US-NM", "US-UT", "US-WY"), ("America/Denver",)),
    "US-AZ": ("America/Phoenix", "America/Denver"),
    **dict.fromkeys(("US-CA", "US-NV", "US-WA"), ("America/Los_Angeles",)),
    "US-ID": ("America/Boise", "America/Los_Angeles"),
    "US-OR": ("America/Los_Angeles", "America/Boise"),
    "US-AK": ("America/Anchorage", "America/Adak"),
    "US-HI": ("Pacific/Honolulu",),
    "US-PR": ("America/Puerto_Rico",),
    "CA-AB": ("America/Edmonton",),
    "CA-BC": ("America/Vancouver", "America/Edmonton", "America/Dawson_Creek"),
    "CA-MB": ("America/Winnipeg",),
    "CA-NB": ("America/Moncton",),
    "CA-NL": ("America/St_Johns", "America/Goose_Bay"),
    "CA-NS": ("America/Halifax",),
    "CA-ON": ("America/Toronto", "America/Winnipeg"),
    "CA-PE": ("America/Halifax",),
    "CA-QC": ("America/Toronto", "America/Halifax"),
    "CA-SK": ("America/Regina", "America/Edmonton"),
    "AU-NSW": ("Australia/Sydney",),
    "AU-ACT": ("Australia/Sydney",),
    "AU-VIC": ("Australia/Melbourne",),
    "AU-QLD": ("Australia/Brisbane",),
    "AU-SA": ("Australia/Adelaide",),
    "AU-WA": ("Australia/Perth",),
    "AU-TAS": ("Australia/Hobart",),
    "AU-NT": ("Australia/Darwin",),
}


# The state before a ZIP code, the province before a Canadian postal code: "Evanston, IL 60201".
_POSTAL = (
    ("US", re.compile(r"\b([A-Z]{2})[ ,]+\d{5}(?:-\d{4})?\b")),
    ("CA", re.compile(r"\b([A-Z]{2})[ ,]+[A-Z]\d[A-Z] ?\d[A-Z]\d\b")),
)


@lru_cache(maxsize=4096)
def zones_of_region(region: str) -> tuple[ZoneInfo, ...]:
    """The zones of an ISO 3166-2 region or ISO 3166-1 country; empty if it is unknown."""
    names = SUBDIVISIONS.get(region.upper()) or _countries().get(region.upper().partition("-")[0], ())
    return tuple(zone(name) for name in names)


@cache
def _countries() -> dict[str, tuple[str, ...]]:
    """Country code to zones, from the tz database's own table."""
    table: dict[str, tuple[str, ...]] = {}
    for line in files("tzdata").joinpath("zoneinfo", "zone1970.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            codes, _, name = line.split("\t")[:3]
            for code in codes.split(","):
                table[code] = (*table.get(code, ()), name)
    return table


@lru_cache(maxsize=65536)
def zones_of_phone(number: str) -> tuple[ZoneInfo, ...]:
    """The zones in which an E.164 number may be; empty if the numbering plan does not tell."""
    # Loading the numbering plans takes a third of a second, and most deployments know where their customers live.
    import phonenumbers  # noqa: PLC0415
    from phonenumbers import timezone as plan  # noqa: PLC0415

    try:
        names = plan.time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ()
    return tuple(zone(name) for name in names if name != plan.UNKNOWN_TIMEZONE)


@lru_cache(maxsize=65536)
def places_of_phone(number: str) -> tuple[str, ...]:
    """The ISO 3166 codes of the places that an E.164 number may belong to; empty if the numbering plan does not tell.

    Of a North American number it tells the state or province, of others the country.
    """
    digits = number.removeprefix("+") if number.startswith("+") else ""
    longest = min(len(digits), _LONGEST)
    return next((_prefixes()[digits[:n]] for n in range(longest, 0, -1) if digits[:n] in _prefixes()), ())


_LONGEST = 4


@cache
def _prefixes() -> dict[str, tuple[str, ...]]:
    """The first digits of a number to its places, from the table that ``tools/numbering.py`` makes."""
    lines = files("commsched.timing").joinpath("numbering.tsv").read_text("ascii").splitlines()
    return {prefix: tuple(places.split()) for prefix, _, places in (line.partition("\t") for line in lines)}


@lru_cache(maxsize=65536)
def places_of_postal(address: str) -> tuple[str, ...]:
    """The state or province that a postal address names beside its postal code; empty if it names none."""
    found = (f"{country}-{code}" for country, form in _POSTAL for code in form.findall(address.upper()))
    return tuple(dict.fromkeys(place for place in found if place in _known_subdivisions()))


@cache
def _known_subdivisions() -> frozenset[str]:
    return frozenset(place for places in _prefixes().values() for place in places if "-" in place)


def places(region: str | None, postal: Iterable[str], phones: Iterable[str], home: str) -> tuple[str, ...]:
    """Every place, as an ISO 3166 code, where somebody may be: by region, postal addresses and phone numbers.

    Of whom nothing of that is known, they may be where the deployment is (``home``); if that is unknown too, the one
    place is ``""``: anywhere.
    """
    found: list[str] = [region.upper()] if region and zones_of_region(region) else []
    for address in postal:
        found += places_of_postal(address)
    for number in phones:
        found += places_of_phone(number)
    return tuple(dict.fromkeys(found)) or (home.upper(),)
