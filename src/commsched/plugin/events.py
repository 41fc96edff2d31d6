"""Calendars made of events: what an event means, and the last good copy of a calendar that is read over the network."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

import msgspec
import structlog
from pydantic import Field

from commsched.errors import CommschedError
from commsched.plugin.base import OURS, Calendar, Entry, Settings, Unreadable
from commsched.plugin.fields import Length, Week, ZoneName
from commsched.plugin.ical import entries_of
from commsched.plugin.series import Budget
from commsched.plugin.view import Snapshot
from commsched.timing.civil import parse_week, weekly
from commsched.timing.windows import ALWAYS, Span, Windows

log = structlog.get_logger("commsched.calendars")
COPIES = Path("var") / "calendars"
# For how many spans, and states of its documents, a calendar keeps what it has laid out.
KEPT = 8
Documents = tuple[tuple[str, bytes], ...]


class EventSettings(Settings):
    """How events are to be read."""

    mode: Literal["closed", "open"] = Field(default="closed", description="What an event means.")
    hours: Week | None = Field(default=None, description="Open only inside these hours by weekday; default: always.")
    zone: ZoneName | None = Field(default=None, description="For whole days and hours; default: the deployment's zone.")


class RemoteSettings(EventSettings):
    """How events are to be read that stand on a server."""

    max_age: Length = Field(
        default=timedelta(days=3), description="How long the last good copy serves while the server cannot be read."
    )
    timeout: float = Field(default=10.0, gt=0, le=120, description="How many seconds the server has for an answer.")
    allow_private: bool = Field(
        default=False, description="Whether the server may stand in a private network, and be spoken to without TLS."
    )


E = TypeVar("E", bound=EventSettings)
R = TypeVar("R", bound=RemoteSettings)


class EventCalendar(Calendar[E]):
    """Closed, or open, at events."""

    def __init__(self, settings: E, *, name: str, folder: Path = Path(), zone: ZoneInfo | None = None) -> None:
        super().__init__(settings, name=name, folder=folder, zone=zone)
        self._laid_out: dict[tuple[bytes, Span], tuple[Entry, ...]] = {}

    @property
    def here(self) -> ZoneInfo:
        """The zone of whole days and hours."""
        return self.place(self.settings.zone or "")

    def listed(self, documents: Iterable[tuple[str, bytes]], within: Span) -> tuple[Entry, ...]:
        """The occurrences in iCalendar documents, each with the document's token, in order of time.

        What was laid out of the same documents is kept, because that takes long and most calendars seldom change; for
        whole days, so that a span which begins now serves for the next one too. Raises :class:`ValueError` if a
        document cannot be read.
        """
        found = tuple(documents)
        key = (_digest_of(found), whole_days(within))
        if (kept := self._laid_out.pop(key, None)) is None:
            kept = self._lay_out(found, key[1])
        self._laid_out[key] = kept
        while len(self._laid_out) > KEPT:
            self._laid_out.pop(next(iter(self._laid_out)), None)
        return tuple(one for one in kept if one.start < within[1] and (one.end > within[0] or one.start >= within[0]))

    def _lay_out(self, documents: Documents, within: Span) -> tuple[Entry, ...]:
        budget = Budget()
        found = (one for token, document in documents for one in entries_of(document, self.here, within, token, budget))
        return tuple(sorted(found, key=lambda entry: (entry.start, entry.end, entry.uid)))

    def opened(self, documents: Iterable[tuple[str, bytes]], within: Span) -> Windows:
        """When the events in iCalendar documents leave it open. Raises :class:`ValueError` if one cannot be read.

        Our own appointments do not count where we write them: the store knows what they take.
        """
        return self._between(self.listed(documents, within), within)

    def _between(self, entries: Iterable[Entry], within: Span) -> Windows:
        busy = Windows(
            (one.start, one.end) for one in entries if one.busy and not (self.writes and one.uid.endswith(OURS))
        )
        hours = self.settings.hours
        base = ALWAYS.clip(*within) if hours is None else weekly(parse_week(hours), (self.here,), within)
        return base - busy if self.settings.mode == "closed" else base & busy


def whole_days(within: Span) -> Span:
    """The UTC days that a span touches."""
    begin = datetime.combine(within[0].astimezone(UTC), time(), UTC)
    end = datetime.combine(within[1].astimezone(UTC), time(), UTC)
    return begin, end if end >= within[1] else end + timedelta(days=1)


def _digest_of(documents: Documents) -> bytes:
    digest = blake2b(digest_size=16)
    for token, document in documents:
        digest.update(f"{len(token)} {len(document)} {token}".encode())
        digest.update(document)
    return digest.digest()


@dataclass(frozen=True, slots=True)
class Copy:
    """A calendar as a server gave it: the documents with their tokens, when that was, and what span they tell of.

    ``validators`` is what the server needs to say that nothing has changed.
    """

    documents: tuple[tuple[str, bytes], ...]
    taken_at: datetime
    covers: Span
    validators: Mapping[str, str] = field(default_factory=dict)


class _File(msgspec.Struct, frozen=True):
    source: str
    copy: Copy


class RemoteCalendar(EventCalendar[R]):
    """Reads a server, and serves the last good copy while that cannot be read.

    The copy lies in ``var/calendars``, is replaced as a whole, and is of use for ``max_age``. A kind writes
    :attr:`source` and :meth:`fetch`.
    """

    @property
    @abstractmethod
    def source(self) -> str:
        """Where the calendar stands: a copy from anywhere else is none."""

    @abstractmethod
    def fetch(self, kept: Copy | None, within: Span, now: datetime) -> Copy:
        """The calendar as it is, from ``kept`` where nothing has changed. Raises any :class:`Exception`."""

    def snapshot(self, within: Span, now: datetime) -> Snapshot:
        """The open times, by the last good copy if need be. Raises :class:`Unreadable` where there is none."""
        kept = self.kept()
        try:
            copy = self.fetch(kept, within, now)
            opened = self.opened(copy.documents, within)
        except Exception as error:
            if kept is None or now - kept.taken_at > self.settings.max_age:
                raise Unreadable(self.name, _why(error), since=kept.taken_at if kept else None) from error
            # What the copy does not tell of is not known to be open.
            opened = self.opened(kept.documents, within).clip(*kept.covers)
            return Snapshot(self.name, opened, kept.taken_at, stale=True, since=kept.taken_at, problem=_why(error))
        self.keep(copy)
        return Snapshot(self.name, opened, now)

    def kept(self) -> Copy | None:
        """The last good copy of this source, if there is one that can be read."""
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=_File)
        except (OSError, msgspec.DecodeError):
            return None
        return found.copy if found.source == self._digest else None

    def keep(self, copy: Copy) -> None:
        """Keep a copy; where that cannot be, it is only not there when it is needed."""
        path = self._path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{path.name}.{os.getpid()}")
            # Calendars name people: nobody but the service reads them here.
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(msgspec.json.encode(_File(self._digest, copy)))
            fresh.replace(path)
        except OSError as error:
            log.error("calendar_not_kept", calendar=self.name, error=type(error).__name__)

    @property
    def _path(self) -> Path:
        safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in self.name)
        return self.folder / COPIES / f"{safe}.json"

    @property
    def _digest(self) -> str:
        # The address of a calendar is often its only secret, so it does not lie beside the copy.
        return blake2b(self.source.encode(), digest_size=12).hexdigest()


def _why(error: Exception) -> str:
    """What went wrong, without addresses: they may hold a secret."""
    if isinstance(error, CommschedError):
        return error.detail
    return str(error) if isinstance(error, ValueError) else type(error).__name__
