"""A store that is full, locked, read-only, damaged or from the future: one clear sentence, nothing half-written."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import timedelta
from time import monotonic

import pytest
from deployment import NOON, give, visitors
from sqlalchemy import event

from commsched.errors import StoreBusy, StoreFull, StoreReadOnly
from commsched.store import queries
from commsched.store import store as stores
from commsched.store.store import Store

URL = "sqlite:///var/commsched.db"


def pages(broken) -> int:
    with closing(sqlite3.connect(broken.folder / "var/commsched.db")) as connection:
        return connection.execute("PRAGMA page_count").fetchone()[0]


def customers(broken) -> int:
    app = broken.app()
    with app.store.read() as connection:
        return len(queries.customers(connection))


def test_fault_13_a_locked_database(broken, monkeypatch):
    """While another process holds the database, a pass ends with a sentence and changes nothing; then it goes on."""
    broken.given(*visitors(3))
    app = broken.app()
    monkeypatch.setattr(stores, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(broken.folder / "var/commsched.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        impatient = Store(URL, folder=broken.folder)
        with pytest.raises(StoreBusy, match="try again"), impatient.write():
            pass
        other.execute("ROLLBACK")
    app.loop().tick(NOON)
    broken.once_each(3)


@pytest.mark.skipif("CHAOS_SECONDS" not in os.environ, reason="takes half a minute: make chaos")
def test_fault_13_a_database_that_is_locked_for_half_a_minute(broken):
    """The real wait: a pass waits as long as it may, ends with a sentence and has changed nothing; then it goes on."""
    broken.given(*visitors(3))
    app = broken.app()
    with closing(sqlite3.connect(broken.folder / "var/commsched.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = monotonic()
        with pytest.raises(StoreBusy, match="try again"):
            app.loop().tick(NOON)
        assert monotonic() - begun >= stores.BUSY_SECONDS - 1
        assert not broken.accepted
        other.execute("ROLLBACK")
    app.loop().tick(NOON)
    broken.once_each(3)


def test_fault_14_full_disk_while_sending(broken):
    """However far a pass gets before the disk is full, each message is accepted at most once, and all go in the end."""
    broken.given(*visitors(120))
    full = pages(broken)
    seen = Counter()
    for room in range(0, 400, 8):
        at = NOON + timedelta(minutes=2 * room)
        store = Store(URL, folder=broken.folder, max_pages=full + room)
        app = broken.app(at, store=store)
        try:
            app.loop().tick(at)
            seen["went"] += 1
        except StoreFull:
            seen["full before sending" if not broken.accepted else "full after sending"] += 1
        finally:
            store.close()
        assert len(broken.accepted) == len({line["key"] for line in broken.accepted})
        if seen["went"]:
            break
    assert seen["full before sending"]
    broken.once_each(120)


def test_fault_14_full_disk_while_importing(broken):
    """An import that finds the disk full ends with a sentence, and nothing of its batch is in."""
    broken.given(*visitors(3))
    store = Store(URL, folder=broken.folder, max_pages=pages(broken) + 2)
    app = broken.app(store=store)
    with pytest.raises(StoreFull, match="Nothing was half-written"):
        give(app, *visitors(500))
    store.close()
    assert customers(broken) == 3


def test_fault_14_a_database_that_cannot_be_written(broken):
    """A read-only database is a sentence that says what to check."""
    broken.given(*visitors(3))
    store = Store(URL, folder=broken.folder)
    event.listen(store.engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only=ON"))
    with pytest.raises(StoreReadOnly, match="check the rights"), store.write() as connection:
        queries.put_setting(connection, "a", "b")
    store.close()


@pytest.mark.parametrize("command", [("tick",), ("import", "facts.jsonl"), ("plan",)])
def test_fault_14_a_database_of_a_newer_version(broken, command):
    """A database that a newer commsched wrote is left alone, with one sentence."""
    broken.given(*visitors(3))
    broken.write("facts.jsonl", "")
    path = broken.folder / "var/commsched.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    command = [str(broken.folder / word) if word == "facts.jsonl" else word for word in command]
    code, out, err = broken.run(*command)
    assert (code, out) == (2, "")
    assert "newer commsched" in err
    assert err.count("\n") == 1


def test_fault_14_a_file_that_is_no_database(broken):
    """A damaged database is one sentence, too, and the file stays as it is."""
    path = broken.write("var/commsched.db", "this is no database\n" * 100)
    code, out, err = broken.run("tick")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "not a database" in err
    assert path.read_text("utf-8").startswith("this is no database")
