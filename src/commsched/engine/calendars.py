"""Reading calendars, in one place: frozen snapshots, and what cannot be read is stale, not empty."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import structlog

from commsched.errors import CommschedError, UnknownName
from commsched.plugin.base import Calendar, Unreadable
from commsched.plugin.view import Snapshot
from commsched.signals import Failed, announce
from commsched.timing.windows import NEVER, Span

log = structlog.get_logger("commsched.calendars")
# How often calendars are read again while the service runs, and how soon after one could not be.
REFRESH_SECONDS = 900.0
AGAIN_SECONDS = 120.0


class Calendars:
    """The calendars of a deployment; ``seconds`` is a clock that only runs forward."""

    def __init__(self, calendars: Mapping[str, Calendar[Any]], seconds: Callable[[], float] = monotonic) -> None:
        self.calendars, self.seconds = calendars, seconds
        self._standing: dict[int, dict[str, Snapshot]] = {}
        self._until = 0.0
        self._said: dict[str, str] = {}

    def snapshot(self, name: str, within: Span, now: datetime) -> Snapshot:
        """A calendar as it is. May read files or the network, so never in a transaction.

        Raises :class:`UnknownName` if there is no such calendar.
        """
        calendar = self.calendars.get(name)
        if calendar is None:
            known = ", ".join(sorted(self.calendars)) or "none"
            raise UnknownName(f"No calendar is called {name!r}. There is {known}.")
        try:
            found = calendar.snapshot(within, now)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything; what depends on the calendar waits
            self._complain(name, _why(error))
            since = error.since if isinstance(error, Unreadable) else None
            return Snapshot(name, NEVER, since or now, stale=True, since=since, problem=_why(error))
        if found.stale:
            log.warning("calendar_stale", calendar=name, since=found.taken_at.isoformat())
        self._said.pop(name, None)
        return found

    def _complain(self, name: str, why: str) -> None:
        """Say that a calendar cannot be read, and why; once, until it can be or the reason is another."""
        if self._said.get(name) != why:
            self._said[name] = why
            announce(Failed("calendar", name, "unreadable"))
            log.error("calendar_unreadable", calendar=name, reason=why)

    def standing(self, names: Iterable[str], now: datetime) -> Mapping[str, Snapshot]:
        """The calendars that plans are made by, for whole years: the same object until they are read again.

        Any thread may ask, and any may :meth:`forget` meanwhile: what was read before that is not kept after it.
        """
        if self.seconds() >= self._until:
            self.forget()
        kept = self._standing
        found = kept.get(now.year)
        if found is not None:
            return found
        within = (datetime(now.year - 1, 1, 1, tzinfo=UTC), datetime(now.year + 3, 1, 1, tzinfo=UTC))
        found = {name: self.snapshot(name, within, now) for name in names if name in self.calendars}
        stale = any(one.stale for one in found.values())
        until = self.seconds() + (AGAIN_SECONDS if stale else REFRESH_SECONDS)
        self._until = min(self._until, until) if kept else until
        return kept.setdefault(now.year, found)

    def forget(self) -> None:
        """Let every calendar be read again when it is needed next."""
        # A fresh one: another thread may be reading calendars for the old one, or looking into it.
        self._standing = {}


def _why(error: Exception) -> str:
    if isinstance(error, Unreadable):
        return error.problem
    return error.detail if isinstance(error, CommschedError) else type(error).__name__
