"""What a customer has told us that they want, as the page of preferences shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from commsched.app import App
from commsched.model.consents import permission
from commsched.model.state import Asset
from commsched.model.subjects import masked
from commsched.planning import contact
from commsched.render import formats
from commsched.render.formats import Language, language
from commsched.timing.civil import WEEKDAYS, parse_week
from commsched.web.letters import Letter
from commsched.web.texts import titled, topic_name, words

MONDAY = date(2026, 11, 23)
YEARS = (2, 3, 5, 8, 10, 15)
ALWAYS_TOLD = frozenset({"safety"})


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that we write about; ``wanted`` unless they have said no."""

    id: str
    name: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class Thing:
    """Something of theirs that is served; ``reading`` is what its meter showed last, in words."""

    id: str
    name: str
    reading: str
    kept: int | None


@dataclass(frozen=True, slots=True)
class Wishes:
    """Everything that the page of preferences shows."""

    topics: list[Topic]
    media: list[tuple[str, str, bool]]
    days: list[tuple[str, str, bool]]
    begins: str
    ends: str
    languages: list[tuple[str, str, bool]]
    things: list[Thing]
    name: str
    email: str
    phone: str
    unit: str


def wishes(app: App, letter: Letter, tongue: Language) -> Wishes:
    """What they have told us so far."""
    profile = letter.state.profile
    days, begins, ends = _hours(profile.contact_hours)
    return Wishes(
        list(_topics(letter, tongue)),
        list(_media(letter, tongue)),
        [
            (day, formats.weekday(MONDAY + timedelta(number), tongue.name), day in days)
            for number, day in enumerate(WEEKDAYS)
        ],
        begins,
        ends,
        list(_languages(app, tongue)),
        [_thing(app, letter, one, tongue) for one in letter.state.assets.values() if one.in_use],
        profile.name,
        _address(letter, "email"),
        _address(letter, "sms"),
        formats.unit_name(app.configuration.deployment.units, tongue.name),
    )


def _day(number: int, tongue: Language) -> str:
    return formats.weekday(MONDAY + timedelta(number), tongue.name)


def _topics(letter: Letter, tongue: Language) -> Iterator[Topic]:
    vocabulary = letter.world.vocabulary
    for name, parent in vocabulary.topics.items():
        if parent is None and name not in ALWAYS_TOLD:
            said = permission(letter.state.consents, medium="*", purpose="*", topic=name, vocabulary=vocabulary)
            yield Topic(name, topic_name(letter.world, name, tongue), said is not False)


def _media(letter: Letter, tongue: Language) -> Iterator[tuple[str, str, bool]]:
    _ = words(tongue)
    names = {"email": _("Mail"), "sms": _("Text"), "voice": _("Call"), "letter": _("Letter")}
    first = letter.state.profile.media[0] if letter.state.profile.media else ""
    for medium, name in names.items():
        if medium in letter.world.channels:
            yield medium, name, medium == first


def _languages(app: App, tongue: Language) -> Iterator[tuple[str, str, bool]]:
    settings = app.configuration.deployment
    for tag in settings.locales or (settings.locale,):
        found = language(tag, settings.locale)
        if found is not None:
            yield tag, formats.language_name(found.name), found.tag.partition("-")[0] == tongue.tag.partition("-")[0]


def _thing(app: App, letter: Letter, asset: Asset, tongue: Language) -> Thing:
    readings = letter.state.readings.get(asset.id)
    last = max(readings, key=lambda one: one.at) if readings else None
    shown = f"{formats.number(last.value, tongue.name)} {formats.unit_name(last.unit, tongue.name)}" if last else ""
    topic = app.configuration.pages.keeping
    said = [one for one in letter.state.intents if one.topic == topic and one.asset == asset.id and one.for_]
    kept = said[-1].for_ if said and not said[-1].withdrawn else None
    years = int(kept[:-1]) if kept and kept.endswith("y") and kept[:-1].isdecimal() else None
    kind = titled(letter.world, "assets", asset.kind, asset.kind.replace("_", " ").capitalize(), tongue)
    return Thing(asset.id, asset.model or kind, shown, years)


def _address(letter: Letter, medium: str) -> str:
    best = contact.best(letter.state.contacts, medium)
    return masked(best.address) if best is not None else ""


def _hours(stated: Mapping[str, list[str]] | None) -> tuple[frozenset[str], str, str]:
    """The days and the first range of hours that were stated; every day, and no hours, if none were."""
    if not stated:
        return frozenset(WEEKDAYS), "", ""
    week = parse_week(stated)
    first = next((ranges[0] for ranges in week.values() if ranges), None)
    begins, ends = (f"{at:%H:%M}" for at in first) if first is not None else ("", "")
    return frozenset(day for number, day in enumerate(WEEKDAYS) if week.get(number)), begins, ends
