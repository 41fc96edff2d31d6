"""The pages about a message, by name: each shows what stands, and nothing changes by looking at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import get_args

from commsched.app import App
from commsched.web.ahead import ahead
from commsched.web.letters import Letter
from commsched.web.pages import Page, page, tongue_of
from commsched.web.presses import MOODS, SCOPES, Done, Failed
from commsched.web.rests import known
from commsched.web.texts import service_name
from commsched.web.times import FURTHEST, choices, fortnight
from commsched.web.wishes import YEARS, wishes

Asked = Mapping[str, str]
ALWAYS_SHOWN = frozenset({"verify", "stop"})
DONE: tuple[str, ...] = get_args(Done)
FAILED: tuple[str, ...] = get_args(Failed)


def view_of(letter: Letter, action: str) -> Callable[[App, Letter, Asked], Page] | None:
    """The page of that name. By a link that is not live one sees only what the message was."""
    if not letter.live and action not in ALWAYS_SHOWN:
        return _verify if not action or action in VIEWS else None
    return VIEWS.get(action) if action else home


def home(app: App, letter: Letter, asked: Asked) -> Page:
    """Everything about the message; after a press, also what came of it and what happens now."""
    done, failed = _one_of(DONE, asked.get("done")), _one_of(FAILED, asked.get("failed"))
    coming = ahead(app, letter, tongue_of(app, letter, asked.get("lang"))) if done or failed else None
    return page(app, letter, "home", asked.get("lang"), done=done, failed=failed, next=coming)


def _sure(action: str) -> Callable[[App, Letter, Asked], Page]:
    def view(app: App, letter: Letter, asked: Asked) -> Page:
        if letter.appointment is None:
            return home(app, letter, asked)
        return page(app, letter, "sure", asked.get("lang"), action=action)

    return view


def _feeling(mood: str) -> Callable[[App, Letter, Asked], Page]:
    def view(app: App, letter: Letter, asked: Asked) -> Page:
        return page(app, letter, "feedback", asked.get("lang"), chosen=mood)

    return view


def _verify(app: App, letter: Letter, asked: Asked) -> Page:
    return page(app, letter, "verify", asked.get("lang"), failed=_one_of(FAILED, asked.get("failed")))


def _why(app: App, letter: Letter, asked: Asked) -> Page:
    facts = known(letter, tongue_of(app, letter, asked.get("lang")))
    return page(app, letter, "why", asked.get("lang"), known=facts)


def _withdraw(app: App, letter: Letter, asked: Asked) -> Page:
    return page(app, letter, "withdraw", asked.get("lang"))


def _stop(app: App, letter: Letter, asked: Asked) -> Page:
    done, what = _one_of(DONE, asked.get("done")), _one_of(SCOPES, asked.get("what"))
    return page(app, letter, "stop", asked.get("lang"), done=done, stopped=what)


def _reschedule(app: App, letter: Letter, asked: Asked) -> Page:
    failed, matter, lang = _one_of(FAILED, asked.get("failed")), letter.matter, asked.get("lang")
    number = fortnight(letter, asked.get("days"))
    days = choices(app, letter, matter, tongue_of(app, letter, lang), number) if matter is not None else []
    if not days and matter is not None and asked.get("days") is None and number < FURTHEST:
        number += 1
        days = choices(app, letter, matter, tongue_of(app, letter, lang), number)
    return page(
        app,
        letter,
        "reschedule",
        lang,
        failed=failed,
        days=days,
        matter=service_name(letter.world, matter.service, tongue_of(app, letter, lang)) if matter is not None else "",
        earlier=number - 1 if number else None,
        later=number + 1 if number < FURTHEST else None,
    )


def _preferences(app: App, letter: Letter, asked: Asked) -> Page:
    done, failed, lang = _one_of(DONE, asked.get("done")), _one_of(FAILED, asked.get("failed")), asked.get("lang")
    stated = wishes(app, letter, tongue_of(app, letter, lang))
    keeping = YEARS if app.configuration.pages.keeping else ()
    return page(app, letter, "preferences", lang, done=done, failed=failed, wishes=stated, keeping=keeping)


VIEWS: Mapping[str, Callable[[App, Letter, Asked], Page]] = {
    **{action: _sure(action) for action in ("confirm", "cancel", "disown")},
    **{mood: _feeling(mood) for mood in MOODS},
    "feedback": _feeling(""),
    "verify": _verify,
    "why": _why,
    "withdraw": _withdraw,
    "reschedule": _reschedule,
    "preferences": _preferences,
    "stop": _stop,
}


def _one_of(allowed: tuple[str, ...], said: str | None) -> str:
    """What an address says, if it is one of ours: nobody puts words in our mouth."""
    return said if said in allowed else ""
