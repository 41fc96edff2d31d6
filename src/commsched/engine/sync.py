"""Calendars that keep our appointments: what was changed here is written there, what was changed there becomes a fact.

Nothing is concluded from a calendar that cannot be read, nor for appointments that have vanished from one all at once.
What is about to be written is noted first, so that a pass which is killed is understood by the next. Reading and
writing the calendar happen outside transactions; what is noted is noted only if nothing has changed meanwhile.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from time import monotonic
from typing import Any

import structlog
from msgspec import UNSET
from sqlalchemy import Connection, Row

from commsched.engine.agreement import Known, Ours, Times, What, agree
from commsched.errors import CommschedError, StoreError
from commsched.model.facts import AnyFact, Appointment
from commsched.plugin.base import OURS, Booking, Calendar, Entry, OutOfStep
from commsched.plugin.crash import crash_point
from commsched.rules.rule import Service
from commsched.store import queries
from commsched.store.ledgers import append
from commsched.store.store import Store, instant, micros

log = structlog.get_logger("commsched.calendars")
# How far events are looked for: one that was moved out of sight would look as if it had been taken away.
BACK, AHEAD = timedelta(days=366), timedelta(days=5 * 366)
# So many that vanish together, and half of all or more, are no decision of anybody's.
SUSPICIOUS = 3
# What one pass does at most in a calendar, so that it does not keep everything else waiting.
MOST = 200
PASS_SECONDS = 20.0
REST_SECONDS = 120.0
SHORTEST = timedelta(minutes=15)
KEY = "calendar_key"
PROBLEM = "calendar_problem:"
# Which appointments have vanished, by UID: apart from the problem, which an outage replaces.
SUSPECT = "calendar_vanished:"
STANDS = frozenset({"booked", "confirmed"})
OFF = frozenset({"cancelled", "proposed"})


@dataclass
class Synced:
    """What passes have done."""

    written: int = 0
    removed: int = 0
    moved: int = 0
    cancelled: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Case:
    """One appointment: as it is here, as it was known, as it stands there, and what follows."""

    ours: Ours
    known: Row[Any] | None
    there: Entry | None
    what: What


class Sync:
    """Keeps the appointments of some calendars in step; ``tell`` reaches the observers."""

    def __init__(
        self,
        store: Store,
        calendars: Mapping[str, Calendar[Any]],
        services: Mapping[str, Service],
        tell: Callable[..., None],
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self.store, self.services, self.tell, self.seconds = store, services, tell, seconds
        self.calendars = {name: calendar for name, calendar in calendars.items() if calendar.writes}
        self._rests: dict[str, float] = {}

    def run(self, now: datetime) -> Synced:
        """One pass over every calendar; one that fails keeps none of the others from it, and rests for a while."""
        done = Synced()
        names = [name for name in sorted(self.calendars) if self.seconds() >= self._rests.get(name, 0.0)]
        read = {name: self._read(self.calendars[name], now) for name in names}
        there = {name: found for name, found in read.items() if not isinstance(found, str)}
        # An event that left one calendar may stand in another, if all can be seen.
        whole = len(there) == len(self.calendars)
        for name, found in read.items():
            others = {uid: (other, e) for other, seen in there.items() if other != name for uid, e in seen.items()}
            scene = _Scene(name, self.calendars[name], now, {} if isinstance(found, str) else found, others, whole)
            failed, held = (found, "") if isinstance(found, str) else _Pass(self, scene, done).run()
            if failed:
                self._rests[name] = self.seconds() + REST_SECONDS
            self._note(name, "; ".join(filter(None, (held, failed))), done)
        return done

    def _read(self, calendar: Calendar[Any], now: datetime) -> dict[str, Entry] | str:
        """Our own events by UID, or why they cannot be read; of one that somebody made recur, the first."""
        found: dict[str, Entry] = {}
        try:
            for entry in calendar.entries((now - BACK, now + AHEAD), now):
                if entry.uid.endswith(OURS) and (entry.uid not in found or entry.start < found[entry.uid].start):
                    found[entry.uid] = entry
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything; nothing is concluded
            return f"it cannot be read, so nothing is concluded from it: {_why(error)}"
        return found

    def _note(self, name: str, problem: str, done: Synced) -> None:
        if problem:
            done.problems.append(f"the calendar {name}: {problem}")
            log.error("calendar_not_in_step", calendar=name)
        with self.store.read() as connection:
            stands = queries.setting(connection, PROBLEM + name) or ""
        if stands != problem:
            with self.store.write() as connection:
                queries.put_setting(connection, PROBLEM + name, problem)


@dataclass(frozen=True, slots=True)
class _Scene:
    """One calendar as it was read: our events in it, those in the others, and whether all of them could be read."""

    name: str
    calendar: Calendar[Any]
    now: datetime
    there: Mapping[str, Entry]
    elsewhere: Mapping[str, tuple[str, Entry]]
    whole: bool


class _Pass:
    """One pass over one calendar."""

    def __init__(self, sync: Sync, scene: _Scene, done: Synced) -> None:
        self.sync, self.scene, self.done = sync, scene, done
        self.store, self.name, self.calendar, self.now = sync.store, scene.name, scene.calendar, scene.now

    def run(self) -> tuple[str, str]:
        """What failed, and what is held; empty strings where nothing is."""
        every = self._cases(self._key(), self.scene.there)
        agreed = [one for one in every if one.ours.stands and one.known is not None and one.known.start is not None]
        held = self._held({one.ours.uid for one in agreed if self._is_gone(one)}, len(agreed))
        todo = [one for one in every if one.what != "nothing" and one.ours.uid not in held]
        return self._go_through(todo[:MOST]), self._vanished(len(held), len(agreed))

    def _is_gone(self, one: _Case) -> bool:
        return one.there is None and one.ours.uid not in self.scene.elsewhere

    def _go_through(self, todo: Sequence[_Case]) -> str:
        until = self.sync.seconds() + PASS_SECONDS
        for place, one in enumerate(todo):
            if place and self.sync.seconds() >= until:
                break  # the next pass goes on
            try:
                self._do(one)
            except StoreError:
                raise
            except OutOfStep:
                continue  # somebody is changing it right now: the next pass sees what came of it
            except Exception as error:  # noqa: BLE001 - the server may fail at any time; the next pass goes on
                return f"it cannot be written to: {_why(error)}"
        return ""

    def _vanished(self, held: int, agreed: int) -> str:
        if not held:
            return ""
        return (
            f"{held} of the {agreed} appointments that stood in it have vanished at once, "
            "so nothing is concluded for them until they are there again; if they are off, cancel them here"
        )

    def _held(self, gone: set[str], agreed: int) -> set[str]:
        """Which of those that are gone are no decision of anybody's; noted for the next pass.

        Who is held stays so until the event is there again or the appointment stands no more. Some may have begun
        meanwhile, or others been booked: that makes the disappearance of the others no likelier. One more that goes
        counts with those that went before it.
        """
        with self.store.read() as connection:
            before = set((queries.setting(connection, SUSPECT + self.name) or "").split())
        fresh, left = gone - before, agreed - len(gone & before)
        many = _suspicious(len(gone), agreed) or _suspicious(len(fresh), left)
        held = gone if many else gone & before
        if held != before:
            with self.store.write() as connection:
                queries.put_setting(connection, SUSPECT + self.name, " ".join(sorted(held)))
        return held

    def _cases(self, key: bytes, there: Mapping[str, Entry]) -> list[_Case]:
        """Every appointment that concerns this calendar, with what is to be done."""
        with self.store.read() as connection:
            known = {row.uid: row for row in queries.calendar_entries(connection, self.name)}
            rows = queries.appointments_in(connection, self.name, micros(self.now))
            rows += queries.appointments_named(connection, [(row.customer, row.appointment) for row in known.values()])
        found = {uid_of(key, row.customer, row.id): row for row in rows}
        cases = []
        for uid in sorted(found.keys() | known.keys()):
            ours = self._here(uid, found.get(uid), known.get(uid))
            what = agree(ours, _known(known.get(uid)), there.get(uid))
            cases.append(_Case(ours, known.get(uid), there.get(uid), what))
        return cases

    def _here(self, uid: str, row: Row[Any] | None, known: Row[Any] | None) -> Ours:
        """The appointment as it is here; one that is not here any more was forgotten, and is off."""
        if row is None:
            assert known is not None  # noqa: S101 - a uid comes from one or the other
            return Ours(known.customer, known.appointment, uid, (self.now, self.now), stands=False, off=True)
        start = instant(row.start)
        here = row.calendar == self.name and start > self.now
        return Ours(
            row.customer,
            row.id,
            uid,
            (start, self._end(row)),
            row.service,
            stands=here and row.status in STANDS,
            off=row.status in OFF or row.calendar != self.name,
        )

    def _end(self, row: Row[Any]) -> datetime:
        if row.end > row.start:
            return instant(row.end)
        service = self.sync.services.get(row.service)
        return instant(row.start) + max(SHORTEST, service.duration if service else SHORTEST)

    def _do(self, one: _Case) -> None:
        if one.what == "write":
            self._write(one)
        elif one.what == "remove" and one.there is not None:
            self.calendar.remove(one.ours.uid, one.there.token)
            self._noted(one, None)
            self.done.removed += 1
        elif one.what == "settle" and one.there is not None:
            self._noted(one, _row(one.ours, (one.there.start, one.there.end)))
        elif one.what == "forget":
            self._noted(one, None)
        elif one.what in {"moved", "cancelled"}:
            self._learn(one)

    def _write(self, one: _Case) -> None:
        ours, before = one.ours, _known(one.known)
        intent = _row(ours, before.times if before else None, ours.times)
        if not self._noted(one, intent):
            return
        crash_point("after-calendar-intent")
        service = self.sync.services.get(ours.service)
        booking = Booking(ours.uid, *ours.times, service.name if service else ours.service)
        self.calendar.put(booking, one.there.token if one.there else "")
        crash_point("after-calendar-write")
        with self.store.write() as connection:
            queries.put_calendar_entry(connection, {"calendar": self.name, **_row(ours, ours.times)})
        self.done.written += 1

    def _learn(self, one: _Case) -> None:
        """What somebody did to the event becomes a fact, in the transaction that notes it."""
        place, entry = self.name, one.there
        if entry is None and one.ours.uid in self.scene.elsewhere:
            place, entry = self.scene.elsewhere[one.ours.uid]
        if entry is None and not self.scene.whole:
            return  # perhaps it stands where we cannot look now
        gone = entry is None or entry.cancelled
        fact = Appointment(
            at=self.now,
            recorded_at=self.now,
            customer=one.ours.customer,
            id=one.ours.id,
            source=place,
            stated_by="staff",
            start=entry.start if entry and not gone else UNSET,
            end=entry.end if entry and not gone else UNSET,
            status="cancelled" if gone else UNSET,
            calendar=place if place != self.name else UNSET,
        )
        row = _row(one.ours, (entry.start, entry.end)) if entry and not gone else None
        if self._noted(one, row, (f"c:{one.ours.customer}", fact), place=place):
            self.done.moved += not gone
            self.done.cancelled += gone

    def _noted(
        self, one: _Case, row: dict[str, object] | None, *facts: tuple[str, AnyFact], place: str | None = None
    ) -> bool:
        """Note what stands there (``None``: nothing), and append facts; not if anything has changed since we looked.

        ``place`` is where it stands, if that is not where it stood.
        """
        uid = one.ours.uid
        with self.store.write() as connection:
            if not self._as_seen(connection, one):
                return False
            if row is None or place not in {None, self.name}:
                queries.drop_calendar_entry(connection, self.name, uid)
            if row is not None:
                queries.put_calendar_entry(connection, {"calendar": place or self.name, **row})
            new = append(connection, facts, self.now) if facts else []
        for fact in new:
            self.sync.tell("received", event=fact)
        return True

    def _as_seen(self, connection: Connection, one: _Case) -> bool:
        known = queries.calendar_entry(connection, self.name, one.ours.uid)
        rows = queries.appointments_named(connection, [(one.ours.customer, one.ours.id)])
        ours = self._here(one.ours.uid, rows[0] if rows else None, known or one.known)
        return ours == one.ours and _known(known) == _known(one.known)

    def _key(self) -> bytes:
        """The secret that UIDs are made with: nobody can tell from one whose it is."""
        with self.store.read() as connection:
            key = queries.setting(connection, KEY)
        if key is None:
            with self.store.write() as connection:
                key = queries.setting(connection, KEY) or secrets.token_hex(32)
                queries.put_setting(connection, KEY, key)
        return bytes.fromhex(key)


def _suspicious(gone: int, of: int) -> bool:
    return gone >= SUSPICIOUS and 2 * gone >= of


def uid_of(key: bytes, customer: str, appointment: str) -> str:
    """The UID of an appointment's event: opaque, and the same for ever."""
    words = f"{len(customer)}:{customer}{appointment}".encode()
    return blake2b(words, key=key, digest_size=16).hexdigest() + OURS


def _known(row: Row[Any] | None) -> Known | None:
    if row is None:
        return None
    times = (instant(row.start), instant(row.end)) if row.start is not None else None
    return Known(times, (instant(row.new_start), instant(row.new_end)) if row.new_start is not None else None)


def _row(ours: Ours, times: Times | None, writing: Times | None = None) -> dict[str, object]:
    start, end = (micros(times[0]), micros(times[1])) if times else (None, None)
    new_start, new_end = (micros(writing[0]), micros(writing[1])) if writing else (None, None)
    return {
        "uid": ours.uid,
        "customer": ours.customer,
        "appointment": ours.id,
        "start": start,
        "end": end,
        "new_start": new_start,
        "new_end": new_end,
    }


def _why(error: Exception) -> str:
    return error.detail if isinstance(error, CommschedError) and error.detail else type(error).__name__
