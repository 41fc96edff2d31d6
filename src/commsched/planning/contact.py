"""To which addresses a message may go, and by whose clock."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from commsched.model.facts import RANK
from commsched.model.state import Contact, Profile, State
from commsched.model.subjects import kind_of_medium
from commsched.planning.world import World
from commsched.timing.civil import zone
from commsched.timing.places import zones_of_phone, zones_of_region


def zones(state: State, world: World) -> tuple[ZoneInfo, ...]:
    """Where the customer's clock stands: as stated, else by region, else by phone, else where the deployment is."""
    profile = state.profile
    if profile.timezone:
        return (zone(profile.timezone),)
    if profile.region and (found := zones_of_region(profile.region)):
        return found
    phone = best(state.contacts, "sms")
    return (phone is not None and zones_of_phone(phone.address)) or (world.zone,)


def media(wanted: Iterable[str], profile: Profile) -> tuple[str, ...]:
    """A step's media in order, ``preferred`` replaced by what the customer prefers."""
    order = [medium for name in wanted for medium in (profile.media if name == "preferred" else (name,))]
    return tuple(dict.fromkeys(order))


def addresses(order: Iterable[str], contacts: tuple[Contact, ...], profile: Profile, world: World) -> dict[str, str]:
    """The one address for each medium that a channel serves; a medium without a usable one is left out."""
    chosen = {}
    for medium in order:
        if medium not in world.channels:
            continue
        if medium == "letter" and profile.postal:
            chosen[medium] = profile.postal
        elif (contact := best(contacts, medium)) is not None:
            chosen[medium] = contact.address
    return chosen


def best(contacts: tuple[Contact, ...], medium: str) -> Contact | None:
    """The contact point for a medium: valid and usable; the best stated, then the primary, then the newest of them."""
    kind = kind_of_medium(medium)
    usable = [c for c in contacts if c.kind == kind and c.valid and (not c.media or medium in c.media)]
    return max(usable, key=lambda c: (RANK.get(c.stated_by, 0), c.primary, c.at, c.address), default=None)
