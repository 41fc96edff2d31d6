"""What a press on a page does: the customer's answer becomes facts, and the plan follows by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Literal, cast, get_args

from sqlalchemy import Connection

from commsched.app import App
from commsched.delivery.answers import Scope
from commsched.engine.atdesk import require_free
from commsched.errors import FactRejected, SlotTaken
from commsched.model.facts import AnyFact, Mood
from commsched.store.checks import YEARS
from commsched.web.letters import Letter
from commsched.web.saving import saved, too_often
from commsched.web.times import can_be_had, take

Done = Literal[
    "confirmed", "cancelled", "disowned", "kept", "moved", "felt", "stopped", "started", "saved", "withdrawn",
]  # fmt: skip
Failed = Literal["taken", "late", "unclear", "old"]
ALWAYS = frozenset({"stop", "start"})
MOST_WORDS = 1000
SCOPES: tuple[str, ...] = get_args(Scope)
MOODS: tuple[str, ...] = get_args(Mood)


@dataclass(frozen=True, slots=True)
class Pressed:
    """What came of a press: ``to`` is the page that shows it, ``what`` more for that page."""

    done: Done | None = None
    failed: Failed | None = None
    to: str = ""
    what: str = ""


def press(app: App, letter: Letter, action: str, form: Mapping[str, str]) -> Pressed | None:
    """Do what was pressed; ``None`` if there is no such thing to press."""
    handler = ACTIONS.get(action)
    if handler is None:
        return None
    # What stops messages outlives everything else that a link can do.
    return handler(app, letter, form) if letter.live or action in ALWAYS else Pressed(failed="old")


def one_click(app: App, letter: Letter) -> None:
    """RFC 8058: the mail program says that its owner wants no more mail of this kind."""
    _record(app, letter, letter.answer.stop("purpose", letter.state))


def _confirm(app: App, letter: Letter, _: Mapping[str, str]) -> Pressed:
    standing = letter.appointment
    if standing is not None and standing.status == "confirmed":
        return Pressed("confirmed")
    facts = letter.answer.confirm(letter.state)
    # Only what was proposed takes a time by this; what is booked has it.
    if standing is not None and standing.status == "proposed":
        return _held(app, letter, facts, "confirmed")
    return _changed(app, letter, facts, "confirmed")


def _cancel(app: App, letter: Letter, _: Mapping[str, str]) -> Pressed:
    standing = letter.appointment
    if standing is not None and standing.status == "cancelled":
        return Pressed("cancelled")
    return _changed(app, letter, letter.answer.cancel(letter.state), "cancelled")


def _disown(app: App, letter: Letter, _: Mapping[str, str]) -> Pressed:
    standing = letter.appointment
    if standing is not None and standing.disowned:
        return Pressed("disowned")
    return _changed(app, letter, letter.answer.disown(letter.state), "disowned")


def _keep(app: App, letter: Letter, _: Mapping[str, str]) -> Pressed:
    standing = letter.appointment
    if standing is not None and standing.status in {"booked", "confirmed"}:
        return Pressed("kept")
    return _held(app, letter, letter.answer.keep(letter.state), "kept")


def _reschedule(app: App, letter: Letter, form: Mapping[str, str]) -> Pressed:
    matter, start = letter.matter, _instant(form.get("when", ""))
    if matter is None or start is None:
        return Pressed(failed="unclear", to="/reschedule")
    standing = letter.appointment
    if standing is not None and standing.start == start and standing.status in {"booked", "confirmed"}:
        return Pressed("moved")
    try:
        taken = take(app, letter, matter, start)
    except SlotTaken:
        taken = False
    return Pressed("moved") if taken else Pressed(failed="taken", to="/reschedule")


def _instant(text: str) -> datetime | None:
    """An instant as a page sent it; ``None`` for anything else."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None and YEARS[0] <= at.year <= YEARS[1] else None


def _feedback(app: App, letter: Letter, form: Mapping[str, str]) -> Pressed:
    mood = form.get("mood", "")
    if mood not in MOODS:
        return Pressed(failed="unclear")
    words = form.get("words", "").strip()[:MOST_WORDS] or None
    _record(app, letter, letter.answer.feel(cast("Mood", mood), letter.state, words))
    return Pressed("felt")


def _stop(app: App, letter: Letter, form: Mapping[str, str]) -> Pressed:
    scope = form.get("what", "")
    if scope not in SCOPES:
        return Pressed(failed="unclear")
    _record(app, letter, letter.answer.stop(cast("Scope", scope), letter.state))
    return Pressed("stopped", to="/stop", what=scope)


def _start(app: App, letter: Letter, form: Mapping[str, str]) -> Pressed:
    scope = form.get("what", "")
    if scope not in SCOPES:
        return Pressed(failed="unclear")
    _record(app, letter, letter.answer.start(cast("Scope", scope), letter.state))
    return Pressed("started", to="/stop")


def _withdraw(app: App, letter: Letter, _: Mapping[str, str]) -> Pressed:
    _record(app, letter, letter.answer.withdraw_links())
    return Pressed("withdrawn")


def _preferences(app: App, letter: Letter, form: Mapping[str, str]) -> Pressed:
    if too_often(letter, form):
        return Pressed(failed="old", to="/preferences")
    try:
        facts = saved(app, letter, form)
    except FactRejected:
        facts = None
    if facts is None:
        return Pressed(failed="unclear", to="/preferences")
    _record(app, letter, facts)
    return Pressed("saved", to="/preferences")


ACTIONS: Mapping[str, Callable[[App, Letter, Mapping[str, str]], Pressed]] = {
    "confirm": _confirm,
    "cancel": _cancel,
    "disown": _disown,
    "keep": _keep,
    "reschedule": _reschedule,
    "preferences": _preferences,
    "feedback": _feedback,
    "withdraw": _withdraw,
    "stop": _stop,
    "start": _start,
}


def _changed(app: App, letter: Letter, facts: list[AnyFact], done: Done) -> Pressed:
    """What came of an answer about an appointment; there are no facts if it is over."""
    if not facts:
        return Pressed(failed="late")
    _record(app, letter, facts)
    return Pressed(done)


def _held(app: App, letter: Letter, facts: list[AnyFact], done: Done) -> Pressed:
    """The same, where the time must still be one that can be taken, and free."""
    standing, matter = letter.appointment, letter.matter
    if facts and standing is not None and matter is not None and not can_be_had(app, letter, matter, standing.start):
        return Pressed(failed="late")
    try:
        if facts:
            _record(app, letter, facts, partial(_require_free, letter=letter))
    except SlotTaken:
        return Pressed(failed="taken")
    return Pressed(done) if facts else Pressed(failed="late")


def _require_free(connection: Connection, *, letter: Letter) -> None:
    standing, matter = letter.appointment, letter.matter
    if standing is None or matter is None:
        return
    span = (standing.start, standing.end or standing.start + matter.service.duration)
    customer = letter.message.customer
    require_free(connection, letter.world, customer, standing.id, matter.service, matter.asset, span)


def _record(
    app: App, letter: Letter, facts: list[AnyFact], first: Callable[[Connection], object] = lambda _: None
) -> None:
    if facts:
        app.record([(f"c:{letter.message.customer}", fact) for fact in facts], first)
