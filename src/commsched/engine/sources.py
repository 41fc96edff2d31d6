"""Sources: taking in what they have, when each was last heard of, and which are stale.

A source says how fresh it must be (``fresh = "2d"``). It is heard of whenever it could be asked, even if there was
nothing new; one that delivers by itself, into a folder, when something came; and when a file is imported in its name.
One that has been silent for longer is stale; that is a part of the world, as the state of a calendar is. One that was
never heard of is not: there is no copy of it that could be out of date, and `doctor` says that nothing has come yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection

from commsched.errors import StoreError
from commsched.plugin.base import Source
from commsched.signals import Failed, announce
from commsched.store import queries
from commsched.store.intake import REJECTS, Batch, keep_rejects
from commsched.store.store import Store

log = structlog.get_logger("commsched.sources")
HEARD = "heard:"
# Sources are read every few seconds; that one was heard of is written down no more often than this.
SELDOM = timedelta(minutes=1)


@dataclass
class Pulled:
    """What came in from the sources: new facts, lines that were refused, sources that could not be read."""

    facts: int = 0
    rejects: int = 0
    failed: list[str] = field(default_factory=list)


class TakeIn(Protocol):
    """Makes a source's lines durable, a batch at a time."""

    def __call__(self, label: str, lines: Iterable[bytes], name: str, now: datetime) -> Iterable[Batch]: ...


def pull(store: Store, sources: Mapping[str, Source[Any]], take_in: TakeIn, folder: Path, now: datetime) -> Pulled:
    """Take in what the sources have. What cannot be taken is kept beside the rejects of ``import``.

    A source that cannot be read keeps none of the others from being, and is not heard of.
    """
    pulled = Pulled()
    for name, source in sources.items():
        heard_of = not source.delivers
        try:
            for label, lines in source.read():
                for batch in take_in(label, lines, name, now):
                    pulled.facts += len(batch.facts)
                    pulled.rejects += len(batch.rejects)
                    keep_rejects(folder, label, batch.rejects)
                source.taken(label)
                heard_of = True
            if heard_of:
                hear(store, name, now)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - a source may raise anything
            pulled.failed.append(name)
            announce(Failed("source", name, type(error).__name__))
            log.error("source_failed", source=name, error=type(error).__name__)
    if pulled.rejects:
        log.warning("facts_rejected", count=pulled.rejects, see=str(REJECTS))
    return pulled


def hear(store: Store, name: str, now: datetime) -> None:
    """Write down that a source was heard of; no write if that is known well enough."""
    with store.read() as connection:
        last = heard(connection, name)
    if last is None or now - last >= SELDOM:
        with store.write() as connection:
            queries.put_setting(connection, HEARD + name, now.isoformat())


def heard(connection: Connection, name: str) -> datetime | None:
    """When a source was last heard of, if ever."""
    last = queries.setting(connection, HEARD + name)
    return datetime.fromisoformat(last) if last else None


def stale(connection: Connection, fresh: Mapping[str, timedelta], now: datetime) -> dict[str, datetime]:
    """The sources that have been silent for longer than they may, and since when."""
    found = {}
    for name, limit in fresh.items():
        last = heard(connection, name)
        if last is not None and now - last > limit:
            found[name] = last
    return found


def hash_of(world: str, silent: Mapping[str, datetime]) -> str:
    """The hash of a world in which these sources are stale; that of one in which none is stays what it is."""
    if not silent:
        return world
    return sha256(repr((world, sorted(f"{name} since {at}" for name, at in silent.items()))).encode()).hexdigest()[:16]
