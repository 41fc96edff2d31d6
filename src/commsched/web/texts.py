"""The pages' own words, in the languages that they are shipped in; the catalogues are the ``.po`` files beside this."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from commsched.planning.world import World
from commsched.render.formats import Language, language
from commsched.rules.rule import Service

CATALOGUES = Path(__file__).parent / "locale"
# Each by its own name, since whoever looks for it cannot read the others.
NAMES = {"en": "English", "es": "Español", "de": "Deutsch", "fr": "Français"}


@lru_cache(maxsize=len(NAMES))
def catalogue(code: str) -> NullTranslations:
    """The words of a language; English ones where there is none of that name."""
    path = CATALOGUES / f"{code}.po"
    if code not in NAMES or not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=code))
    compiled.seek(0)
    return GNUTranslations(compiled)


def words(tongue: Language) -> Callable[[str], str]:
    """What translates a text of the pages."""
    return catalogue(tongue.tag.partition("-")[0]).gettext


def titled(world: World, kind: str, word: str, own: str, tongue: Language) -> str:
    """A word of the deployment as readers see it: its title in their language, else in ours, else its own name."""
    spoken_here = (tag.replace("_", "-").partition("-")[0] for tag in (tongue.tag, world.locale))
    return world.vocabulary.title(kind, word, own, *spoken_here)


def topic_name(world: World, topic: str, tongue: Language) -> str:
    """A topic as readers see it."""
    return titled(world, "topics", topic, topic.replace("_", " ").capitalize(), tongue)


def service_name(world: World, service: Service, tongue: Language) -> str:
    """A service as readers see it."""
    return titled(world, "services", service.id, service.name, tongue)


def spoken(*wanted: str | None, home: str) -> Language:
    """The first of some locales that the pages speak; English where they speak none."""
    for tag in wanted:
        found = language(tag, home) if tag else None
        if found is not None and found.tag.partition("-")[0] in NAMES:
            return found
    english = language("en", home)
    if english is None:  # pragma: no cover - Babel knows English
        raise LookupError(home)
    return english
