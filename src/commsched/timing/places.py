"""Where a customer's clock stands: zones from a stated zone, a region or a phone number.

Several candidates are all kept: what is allowed must be allowed in each of them.
"""

from __future__ import annotations

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
