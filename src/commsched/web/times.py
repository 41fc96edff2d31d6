"""Another time: the free ones that a customer can choose from, and taking one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

from sqlalchemy import Connection

from commsched.app import App
from commsched.engine.atdesk import require_free
from commsched.engine.booking import Desk, Look, free_times, possible, tellings
from commsched.render.context import Day, When
from commsched.render.formats import Language
from commsched.web.letters import Letter, Matter

# Two weeks at a time, for half a year.
AHEAD = timedelta(days=14)
FURTHEST = 12
MOST = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """A free time; ``value`` is what its button sends, ``prepare`` when preparing for it would begin."""

    value: str
    when: When
    prepare: When | None


@dataclass(frozen=True, slots=True)
class Days:
    """The free times of one day."""

    day: str
    choices: tuple[Choice, ...]


def fortnight(letter: Letter, asked: str | None) -> int:
    """Which fortnight from now is shown: the one that was asked for, else that of the time they have."""
    if asked is not None and asked.isdecimal() and len(asked) < 3:  # noqa: PLR2004 - two digits
        return min(int(asked), FURTHEST)
    standing = letter.appointment
    ahead = standing.start - letter.now if standing is not None else timedelta()
    return min(max(ahead // AHEAD, 0), FURTHEST)


def choices(app: App, letter: Letter, matter: Matter, tongue: Language, number: int) -> list[Days]:
    """The free times for a matter in a fortnight from now, by day; none if nothing is free then."""
    desk, standing = app.desk(), letter.appointment
    begins = letter.now + number * AHEAD
    near = standing.start if standing is not None and begins <= standing.start < begins + AHEAD else None
    look = replace(_look(letter, matter, (begins, begins + AHEAD)), near=near)
    with app.store.read() as connection:
        found = [slot.start for slot in free_times(desk, connection, look, letter.now).slots]
    shown = [_choice(desk, letter, matter, start, tongue) for start in sorted(found)]
    by_day = groupby(shown, key=lambda one: one.when.local.date())
    return [Days(Day(day, tongue.name).day, tuple(those)) for day, those in by_day]


def take(app: App, letter: Letter, matter: Matter, start: datetime) -> bool:
    """Take a time, or move to it; whether it could still be had. Raises :class:`SlotTaken` if somebody was faster."""
    if not can_be_had(app, letter, matter, start):
        return False
    facts = letter.new_time.book(matter.service, matter.asset, start, str(letter.world.zone))
    customer = letter.message.customer
    app.record([(f"c:{customer}", fact) for fact in facts], partial(_guard, letter=letter, matter=matter, start=start))
    return True


def can_be_had(app: App, letter: Letter, matter: Matter, start: datetime) -> bool:
    """Whether the time could be taken by this letter; whether it is free is another question."""
    desk = app.desk()
    look = _look(letter, matter, (start, start + matter.service.duration))
    with app.store.read() as connection:
        return possible(desk, connection, look, start, letter.now)


def _guard(connection: Connection, *, letter: Letter, matter: Matter, start: datetime) -> None:
    span = (start, start + matter.service.duration)
    require_free(connection, letter.world, letter.message.customer, letter.taking, matter.service, matter.asset, span)


def _look(letter: Letter, matter: Matter, within: tuple[datetime, datetime]) -> Look:
    leaving = letter.taking if letter.taking in letter.state.appointments else None
    return Look(matter.service, within, letter.ledger, leaving=leaving, asset=matter.asset, limit=MOST)


def _choice(desk: Desk, letter: Letter, matter: Matter, start: datetime, tongue: Language) -> Choice:
    needed = tellings(desk, matter.service, start)
    first = min((one.begins for one in needed), default=None)
    place = letter.world.zone
    prepare = When.at(first, place, tongue.name) if first is not None else None
    return Choice(start.isoformat(), When.at(start, place, tongue.name), prepare)
