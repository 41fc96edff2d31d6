"""Erasing a customer everywhere that commsched itself keeps something: channels' files, the database, rejected lines.

Each erasure is written into a journal beside the database, by hash only: a backup that is put back brings erased
customers with it, and what the journal has is then done again.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row

from commsched.plugin.channel import Channel
from commsched.store import queries, traces
from commsched.store.erasure import Erasure, come_back, forget
from commsched.store.intake import REJECTS
from commsched.store.store import Store
from commsched.store.suppression import KEY, Hashes

JOURNAL = Path("var/erasures.jsonl")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a journal: how many erasures were done again, and how many the store has no key to know."""

    erased: int = 0
    unknown: int = 0


def preview(store: Store, customer: str, now: datetime, by: str) -> Erasure | None:
    """What an erasure would do; nothing is changed."""
    with store.write() as connection:
        found = forget(connection, customer, now, by)
        connection.rollback()
    return found


def erase(
    store: Store, channels: Mapping[str, Channel[Any]], folder: Path, customer: str, now: datetime, by: str
) -> Erasure | None:
    """Erase a customer; ``None`` where nothing is known of them. What is interrupted is ended by doing it again."""
    with store.read() as connection:
        attempts = queries.attempts(connection, customers=[customer])
        circles = queries.circles_of_member(connection, customer)
        words = [*traces.names_of(connection, customer), *(one.split(":", 2)[2] for one in circles if one[:2] == "a:")]
    _forget_files(channels, attempts)
    _drop_rejects(folder / REJECTS, words)
    with store.write() as connection:
        begun = queries.attempts(connection, customers=[customer])
        erased = forget(connection, customer, now, by)
        # Once more, for what was written since. What a call writes that is under way still goes when it is settled.
        _forget_files(channels, begun)
        if erased is not None:
            _write(folder, connection, "erased", customer, now)
    return erased


def _forget_files(channels: Mapping[str, Channel[Any]], attempts: Sequence[Row[Any]]) -> None:
    for name, channel in channels.items():
        if mine := [row.id for row in attempts if row.channel == name]:
            channel.forget(mine)


def bring_back(store: Store, folder: Path, customer: str, now: datetime, by: str) -> bool:
    """Take in facts about an erased customer again; whether they were erased."""
    with store.write() as connection:
        done = come_back(connection, customer, now, by)
        if done:
            _write(folder, connection, "again", customer, now)
    return done


def _drop_rejects(folder: Path, words: Iterable[str]) -> None:
    """Lines that were not taken in may name the customer, too."""
    named = re.compile("|".join(rf"(?<![\w-]){re.escape(word)}(?![\w-])" for word in words), re.IGNORECASE)
    for path in sorted(folder.glob("*.jsonl")):
        lines = path.read_text("utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not named.search(json.loads(line)["text"])]
        if len(kept) < len(lines):
            fresh = path.with_suffix(".tmp")
            fresh.write_text("".join(kept), "utf-8")
            fresh.replace(path)


def _write(folder: Path, connection: Connection, what: str, customer: str, now: datetime) -> None:
    """Into the journal, inside the transaction: an erasure that is not in it cannot be done again."""
    line = json.dumps({what: Hashes(connection).of(f"c:{customer}").hex(), "at": now.isoformat()})
    path = folder / JOURNAL
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def replay(store: Store, folder: Path, since: datetime, now: datetime, by: str) -> Replayed:
    """Erase again whoever was erased since a backup was made that has been put back."""
    entries = [entry for entry in _journal(folder / JOURNAL) if datetime.fromisoformat(entry["at"]) >= since]
    if not entries:
        return Replayed()
    done = 0
    with store.write() as connection:
        if queries.setting(connection, KEY) is None:
            return Replayed(0, sum("erased" in entry for entry in entries))
        hashes = Hashes(connection, first=True)
        known = {hashes.of(f"c:{name}").hex(): name for name in queries.customers(connection)}
        for entry in entries:
            name = known.get(entry.get("erased") or entry.get("again") or "")
            if name is not None and "erased" in entry:
                done += forget(connection, name, now, by) is not None
            elif name is not None:
                come_back(connection, name, datetime.fromisoformat(entry["at"]), by)
    return Replayed(done)


def _journal(path: Path) -> Iterator[dict[str, str]]:
    """The entries; what a crash left of a last line never counted."""
    for line in path.read_text("utf-8").splitlines() if path.is_file() else ():
        try:
            yield json.loads(line)
        except ValueError:
            continue
