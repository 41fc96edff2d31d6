"""What the pages show: templates in ``pages/``, filled in the reader's language and by their clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from commsched.app import App
from commsched.model.subjects import masked
from commsched.planning.world import World
from commsched.plugin.view import Department
from commsched.render.context import When
from commsched.render.formats import Language
from commsched.web.letters import Letter
from commsched.web.texts import NAMES, catalogue, service_name, spoken, titled, topic_name, words

# A link in the text of a message, from where it tells a secret.
_LINK = re.compile(r"/m/[^\s]+")
FOLDER = Path(__file__).parent / "pages"


@dataclass(frozen=True, slots=True)
class Page:
    """A page and the status that it is answered with."""

    html: str
    status: int = 200


@lru_cache(maxsize=len(NAMES))
def _environment(code: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_translations(catalogue(code), newstyle=True)  # type: ignore[attr-defined]
    return made


def nowhere(app: App, wanted: str | None, status: int = 404) -> Page:
    """The page for every link that leads nowhere: the same, whatever the reason."""
    tongue = _tongue(app, wanted)
    return Page(_fill("nowhere.html", tongue, _frame(app, tongue, "", wanted)), status)


def page(app: App, letter: Letter, name: str, wanted: str | None = None, status: int = 200, **more: object) -> Page:
    """A page about a message; ``more`` are what it shows besides what every page may."""
    tongue = tongue_of(app, letter, wanted)
    seen = _frame(app, tongue, letter.token, wanted) | about(letter, tongue) | more
    return Page(_fill(f"{name}.html", tongue, seen), status)


def about(letter: Letter, tongue: Language) -> dict[str, object]:
    """What every page about a message may show of it."""
    standing, message = letter.appointment, letter.message
    service = letter.world.services.get(standing.service) if standing is not None else None
    return {
        "department": _named(letter.world, letter.department, tongue) if letter.department is not None else None,
        "message": message,
        "to": masked(letter.address),
        "sent": When.at(letter.sent_at, letter.zone, tongue.name),
        "why": message.why,
        "said": _LINK.sub("/m/…", f"{message.subject_line}\n\n{message.body}".strip()),
        "appointment": standing,
        "start": _when(standing.start if standing is not None else None, letter.place, tongue),
        "past": standing is not None and standing.start <= letter.now,
        "service": service_name(letter.world, service, tongue) if service is not None else "",
        "asset": _asset(letter),
        "mood": letter.state.mood,
        "live": letter.live,
        "scopes": scopes(letter, tongue),
    }


def scopes(letter: Letter, tongue: Language) -> list[tuple[str, str]]:
    """What can be stopped, the narrowest first, with the words on its button."""
    _ = words(tongue)
    medium = {"email": _("All mails"), "sms": _("All texts"), "voice": _("All calls"), "letter": _("All letters")}
    found = [
        ("topic", _("Only about: %s") % topic_name(letter.world, letter.message.topic, tongue)),
        ("purpose", _("All messages of this kind")),
    ]
    if letter.message.medium in medium:
        found.append(("medium", medium[letter.message.medium]))
    return [*found, ("everything", _("Everything"))]


def _asset(letter: Letter) -> str:
    standing = letter.appointment
    name = standing.asset if standing is not None and standing.asset else letter.message.subject
    asset = letter.state.assets.get(name)
    return (asset.model or "") if asset is not None else ""


def _when(at: datetime | None, place: ZoneInfo, tongue: Language) -> When | None:
    return When.at(at, place, tongue.name) if at is not None else None


def _tongue(app: App, *wanted: str | None) -> Language:
    home = app.configuration.deployment.locale
    return spoken(*wanted, home, home=home)


def tongue_of(app: App, letter: Letter, wanted: str | None) -> Language:
    """The language of a page: as asked for, else the reader's, else ours."""
    return _tongue(app, wanted, letter.state.profile.locale)


def _frame(app: App, tongue: Language, token: str, wanted: str | None) -> dict[str, object]:
    settings, world = app.configuration.deployment, app.base(app.clock.now())
    return {
        "organisation": settings.name,
        "locale": tongue.tag,
        "direction": tongue.direction,
        "departments": [_named(world, one, tongue) for one in world.departments.values()],
        "languages": NAMES,
        "token": token,
        "host": app.public_url.partition("://")[2],
        "home": f"/m/{token}",
        # A language that was asked for goes along.
        "query": f"?lang={tongue.tag.partition('-')[0]}" if wanted else "",
    }


def _named(world: World, department: Department, tongue: Language) -> Department:
    return replace(department, title=titled(world, "departments", department.name, department.title, tongue))


def _fill(name: str, tongue: Language, seen: Mapping[str, object]) -> str:
    return _environment(tongue.tag.partition("-")[0]).get_template(name).render(seen)
