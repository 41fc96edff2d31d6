"""A customer on one page, for whoever is about to talk to them: what they are owed first, what to leave out last."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from commsched.app import App
from commsched.cli.enquired import department_of, said
from commsched.cli.history import history
from commsched.cli.times import local, short, short_day
from commsched.model.state import State
from commsched.model.subjects import masked
from commsched.planning.contact import zones
from commsched.planning.enquiry import Answer, Enquirer, Question, topic_of
from commsched.store import queries
from commsched.store.ledgers import Loaded
from commsched.store.messages import load_record, load_task

WIDTH, HEIGHT = 80, 24
LABEL = 9
# How many lines each part has at most; together they leave room for the head and for what may be raised.
# So far ahead the page looks for when something may be raised again; most caps and cooling-off times end within it.
AHEAD = timedelta(days=60)
LINES = {"Owns": 3, "Open": 5, "Promised": 3, "Feels": 2, "Said": 3, "Ahead": 2}
TALKS = frozenset({"interaction", "sent", "reply"})


@dataclass(frozen=True, slots=True)
class Brief:
    """What there is to know; each part in full, the most important first."""

    customer: str
    name: str
    zone: ZoneInfo
    now: datetime
    who: tuple[str, ...]
    parts: dict[str, tuple[str, ...]]
    medium: str
    answers: dict[str, Answer]


def briefed(app: App, loaded: Loaded) -> Brief:
    """Everything that belongs on the page, as known now; what may be raised is asked as ``may-contact`` asks."""
    now = app.clock.now()
    with app.store.read() as connection:
        world = app.world(connection)
        enquirer = Enquirer(loaded.ledger, world, now)
        state, zone = enquirer.state, zones(enquirer.state, world)[0]
        work = _work(connection, state.profile.id, zone)
    medium = _medium(state)
    answers = {
        purpose: enquirer.ask(
            Question(purpose, topic_of(world, purpose), department_of(world, purpose), medium, ahead=AHEAD)
        )
        for purpose in world.vocabulary.purposes
    }
    talk = [one for one in history(app, loaded, zone, show=False) if one.kind in TALKS and one.at <= now]
    parts = {
        "Owns": tuple(_owned(state)),
        "Open": (*_cases(state, now, zone), *_owed(state), *work[0]),
        "Promised": tuple(_promises(state, now, zone)),
        "Feels": tuple(_feelings(state, now, zone)),
        "Said": tuple(f"{_day(one.at, now, zone)} {_kind(one.kind)}{one.text}" for one in reversed(talk)),
        "Ahead": (*_appointments(state, now, zone), *work[1]),
    }
    profile = state.profile
    return Brief(profile.id, profile.name or profile.id, zone, now, _who(state), parts, medium, answers)


def _who(state: State) -> tuple[str, ...]:
    """Who they are, and how they can be reached."""
    profile = state.profile
    status = "" if profile.status == "active" else profile.status.upper()
    what = [profile.kind, status, *profile.roles, f"of {profile.organisation}" if profile.organisation else ""]
    words = [f"speaks {profile.locale}" if profile.locale else "", profile.region or ""]
    reach = [masked(one.address) for one in state.contacts if one.valid]
    guardian = f"guardian: {state.guardian.profile.name}" if state.guardian else ""
    return tuple(word for word in (*what, guardian, *words, *reach) if word)


def _medium(state: State) -> str:
    kinds = {one.kind for one in state.contacts if one.valid}
    return "voice" if "phone" in kinds else "email" if "email" in kinds else "letter"


def _owned(state: State) -> Iterator[str]:
    for asset in sorted(state.assets.values(), key=lambda one: (not one.in_use, one.id)):
        since = f", since {asset.acquired_on:%b %Y}" if asset.acquired_on else ""
        last = [one for one in state.readings.get(asset.id, ()) if not one.void][-1:]
        meter = "".join(f", {one.value:,.0f} {one.unit} on {one.at:%d %b %Y}" for one in last)
        yield f"{asset.model or asset.kind} ({asset.id}){since}{meter}{'' if asset.in_use else ', not any more'}"


def _day(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """The day, with its year where that is not this one."""
    year = at.astimezone(zone).year
    return short_day(at, zone) + (f" {year}" if year != now.astimezone(zone).year else "")


def _cases(state: State, now: datetime, zone: ZoneInfo) -> Iterator[str]:
    for case in sorted(state.cases.values(), key=lambda one: one.changed, reverse=True):
        if case.status == "open":
            how = f", {case.severity}" if case.severity else ""
            yield f"case {case.id} since {_day(case.changed, now, zone)}{how}: {case.summary or case.kind}"


def _owed(state: State) -> Iterator[str]:
    for one in sorted(state.obligations.values(), key=lambda one: one.due):
        if one.status in {"open", "disputed"}:
            amount = f", {one.amount:,.2f}" if one.amount is not None else ""
            yield f"{one.kind or 'obligation'} {one.id}, {one.status}, due {one.due:%d %b %Y}{amount}"


def _work(connection: Connection, customer: str, zone: ZoneInfo) -> tuple[list[str], list[str]]:
    """What people have to do about them, and what is planned to go to them."""
    tasks = [(row, load_task(row.body)) for row in queries.tasks_of(connection, [customer])]
    todo = [f"task of {row.taken_by or one.owner or one.department}: {one.text}" for row, one in tasks]
    rows = queries.messages(connection, [customer]).get(customer, [])
    records = [load_record(row.body) for row in rows if row.state in {"planned", "sending", "in_doubt"}]
    goes = sorted((one.at, one.rule, one.step, one.medium) for one in records if one.at is not None)
    return todo, [f"{short(at, zone)} {rule}/{step} by {medium}" for at, rule, step, medium in goes]


def _promises(state: State, now: datetime, zone: ZoneInfo) -> Iterator[str]:
    """What was promised and is not kept, the overdue first."""
    for _, one in sorted(state.commitments, key=lambda pair: str(pair[1].due)):
        if one.kept is not True and isinstance(one.due, datetime):
            late = "OVERDUE since" if one.due <= now else "by"
            yield f"{late} {short(one.due, zone)}, {one.owner}: {one.what} [{one.id}]"


def _feelings(state: State, now: datetime, zone: ZoneInfo) -> Iterator[str]:
    for _, one in reversed(state.feedback):
        about = f" about {one.department}" if one.department else ""
        words = f': "{one.words}"' if one.words else ""
        yield f"{one.mood}{about} since {_day(one.at, now, zone)}{words}"


def _appointments(state: State, now: datetime, zone: ZoneInfo) -> Iterator[str]:
    for one in sorted(state.appointments.values(), key=lambda one: (one.start, one.id)):
        if one.start > now and one.status in {"proposed", "booked", "confirmed"}:
            yield f"{short(one.start, zone)} appointment {one.service} ({one.status}) [{one.id}]"


def _kind(kind: str) -> str:
    return "" if kind in {"interaction", "sent"} else f"{kind} "


def page(brief: Brief) -> list[str]:
    """The page: at most 24 lines of at most 80 characters, whatever there is; what does not fit is counted."""
    head = f"{brief.name} ({brief.customer}); it is {local(brief.now, brief.zone)} there"
    lines = [head, *_folded(", ".join(brief.who), "", 2)]
    for label, found in brief.parts.items():
        lines += _part(label, found, LINES[label])
    room = HEIGHT - len(lines)
    return [_cut(one) for one in (*lines, *_may(brief, room))]


def _part(label: str, found: Sequence[str], most: int) -> list[str]:
    if not found:
        return []
    shown = list(found[:most])
    if len(found) > most:
        shown[-1] = f"… and {len(found) - most + 1} more (commsched timeline)"
    return [f"{label if not number else '':<{LABEL}}{' '.join(text.split())}" for number, text in enumerate(shown)]


def _may(brief: Brief, room: int) -> list[str]:
    """What may be raised now and what may not, purposes with the same answer together; what is allowed is never cut."""
    yes = [purpose for purpose, one in brief.answers.items() if one.at(brief.now)]
    lines = _folded(f"{', '.join(yes) or 'nothing'} (by {brief.medium}, now)", "May", 2)
    refused: dict[str, list[str]] = {}
    left_out: dict[str, list[str]] = {}
    for purpose, one in brief.answers.items():
        if purpose not in yes:
            # What ends it stands first: the end of the line is what is cut.
            later = f"from {short(one.when.spans[0][0], brief.zone)}; " if one.when else ""
            why = "; ".join(_without_name(brief, said(reason)) for reason in one.reasons)
            refused.setdefault(later + why, []).append(purpose)
            continue
        for caution in one.cautions:
            names = left_out.setdefault("; ".join(map(said, caution.reasons)), [])
            names += [caution.name] if caution.name not in names else []
    no = [f"{', '.join(purposes)}: {why}" for why, purposes in refused.items()]
    topics = [f"{', '.join(names)}: {why}" for why, names in left_out.items()]
    room = max(room - len(lines), 2)
    shown = _part("May not", no, max(room - min(len(topics), 2), 1))
    return lines + shown + _part("Leave", topics, max(room - len(shown), 1))


def _without_name(brief: Brief, text: str) -> str:
    """A reason without the name and id that stand in the page's first line; of colleagues they stay."""
    who = re.escape(f"{brief.name} ({brief.customer})")
    return re.sub(rf" (?:of |by )?{who}", "", text)


def _folded(text: str, label: str, most: int) -> list[str]:
    """The words in lines of the page's width, at most so many."""
    lines, line = [], f"{label:<{LABEL}}"
    for word in text.split():
        if len(line) + len(word) + 1 > WIDTH and line.strip():
            lines.append(line.rstrip())
            line = " " * LABEL
        line += f"{word} "
    return [*lines, line.rstrip()][:most]


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"
