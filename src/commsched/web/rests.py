"""What a message rests on: the facts about its reader, each with who said so and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from commsched.render import formats
from commsched.render.context import Day, When
from commsched.render.formats import Language
from commsched.web.letters import Letter
from commsched.web.texts import service_name, words


@dataclass(frozen=True, slots=True)
class Known:
    """One thing that we know, in words; ``source`` says from whom."""

    name: str
    value: str
    source: str


def known(letter: Letter, tongue: Language) -> list[Known]:
    """The facts that the message was about, those that its reader can judge."""
    return [*_appointment(letter, tongue), *_asset(letter, tongue)]


def _appointment(letter: Letter, tongue: Language) -> list[Known]:
    standing, _ = letter.appointment, words(tongue)
    if standing is None:
        return []
    by = {
        "customer": _("you made it"),
        "staff": _("you made it with us"),
        "system": _("our system proposed it"),
    }[standing.booked_by]
    when = When.at(standing.start, letter.place, tongue.name)
    return [Known(_("Your appointment"), str(when), f"{by}, {_day(standing.booked_at, letter, tongue)}")]


def _asset(letter: Letter, tongue: Language) -> list[Known]:
    _, state = words(tongue), letter.state
    standing = letter.appointment
    name = (standing.asset if standing is not None else None) or letter.message.subject
    asset = state.assets.get(name)
    if asset is None:
        return []
    found = []
    if asset.model:
        found.append(Known(_("What it is about"), asset.model, _said(state.said_by.get(f"{name}.model", ""), tongue)))
    if readings := state.readings.get(name):
        last = max(readings, key=lambda one: one.at)
        value = f"{formats.number(last.value, tongue.name)} {formats.unit_name(last.unit, tongue.name)}"
        source = f"{_said(last.stated_by or '', tongue)}, {_day(last.at, letter, tongue)}"
        found.append(Known(_("The last reading"), value, source))
    done = [one for _id, one in state.records if one.asset == name and one.outcome == "done"]
    if done:
        last_done = max(done, key=lambda one: one.at)
        service = letter.world.services.get(last_done.service)
        value = service_name(letter.world, service, tongue) if service is not None else last_done.service
        source = f"{_said(last_done.stated_by or '', tongue)}, {_day(last_done.at, letter, tongue)}"
        found.append(Known(_("The last work"), value, source))
    return found


def _said(who: str, tongue: Language) -> str:
    _ = words(tongue)
    return {"customer": _("you told us"), "staff": _("our people noted it")}.get(who, _("from our records"))


def _day(at: datetime, letter: Letter, tongue: Language) -> str:
    return str(Day(at.astimezone(letter.zone).date(), tongue.name))
