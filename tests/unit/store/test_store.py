"""Opening a database: migrations, transactions, errors in plain words."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from commsched.errors import StoreBusy, StoreError, StoreFull, StoreReadOnly, StoreTooNew
from commsched.store import queries
from commsched.store import store as stores
from commsched.store.store import HEAD, MIGRATIONS, Store, instant, micros
from commsched.store.tables import metadata

PREPARE = "import sys; from commsched.store.store import Store; Store(sys.argv[1]).prepare()"


def test_migrations_make_exactly_the_tables(empty_url):
    """What the migrations create is what the tables say, column for column, on both databases."""
    store = Store(empty_url)
    store.prepare()
    with store.read() as connection:
        # On PostgreSQL the large tables lie in parts, which are tables as well.
        parts = r"(fact|message|decision)_\d\d"
        options = {"compare_type": True, "include_name": lambda name, *_: not re.fullmatch(parts, name or "")}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
        names = {name for name in inspect(connection).get_table_names() if not re.fullmatch(parts, name)}
        assert names == set(metadata.tables) | {"alembic_version"}
    store.close()


def test_the_newest_migration_is_the_head():
    """The constant that start-up compares with is the newest migration, and there is one history only."""
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [HEAD]


def test_what_binds_colleagues_is_shared_in_a_store_from_before_it_was(empty_url, learn, fact):
    """Afterwards its ledgers are those of a store that had shared it from the first; colleagues are looked at again."""
    store = Store(empty_url)
    store.prepare()
    learn(
        store,
        fact("customer", customer="ann", organisation="acme"),
        fact("customer", customer="ann", organisation="other", at="2026-05-16T12:00:00Z"),
        fact("case", customer="ann", id="k1", status="open", summary="late"),
        fact("commitment", customer="ann", id="p1", what="a call", owner="Pat", due="2026-06-20T12:00:00Z"),
        fact("event", customer="ann", kind="order"),
        fact("customer", customer="bob", organisation="acme"),
        fact("customer", customer="cid"),
        fact("case", customer="cid", id="k2", status="open", summary="late"),
    )
    tables = "SELECT subject, digest, body FROM fact ORDER BY 1, 2", "SELECT subject, flags FROM ledger ORDER BY 1"
    with store.write() as connection:
        right = [connection.execute(text(query)).all() for query in tables]
        connection.execute(text("DELETE FROM fact WHERE subject LIKE 'o:%'"))
        connection.execute(text("DELETE FROM ledger WHERE subject = 'o:other'"))
        connection.execute(text("UPDATE ledger SET flags = 0"))
        connection.execute(text("UPDATE wake SET due = 99"))
        before = queries.versions(connection, ["o:acme"])["o:acme"][0]
        connection.execute(text("UPDATE alembic_version SET version_num = '0007'"))
    store._migrate("0008")
    with store.read() as connection:
        assert [connection.execute(text(query)).all() for query in tables] == right
        assert queries.versions(connection, ["o:acme"])["o:acme"][0] == before + 5
        due = dict(connection.execute(text("SELECT customer, due FROM wake")).tuples().all())
    assert due == {"ann": 0, "bob": 0, "cid": 99}
    store.close()


def test_prepare_twice_changes_nothing(store, learn, fact):
    """A database of this version is left as it is."""
    learn(store, fact("customer", name="Ann"))
    store.prepare()
    with store.read() as connection:
        assert queries.customers(connection) == ["ann"]


def test_a_newer_database_is_refused_and_left_alone(store):
    """A version that this program does not know stops it before it touches anything."""
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreTooNew, match="newer commsched"):
        store.prepare()


def test_several_processes_may_start_at_once(empty_url):
    """Workers that start together on a new database all find it ready."""
    command = [sys.executable, "-c", PREPARE, empty_url]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [one.communicate()[1] for one in started] == ["", ""]
    store = Store(empty_url)
    with store.read() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [HEAD]
    store.close()


def write_half(connection):
    queries.put_setting(connection, "half", "done")
    raise ZeroDivisionError


def test_a_failed_transaction_leaves_nothing(store):
    """What was written before an error is not there after it."""
    with pytest.raises(ZeroDivisionError), store.write() as connection:
        write_half(connection)
    with store.read() as connection:
        assert queries.setting(connection, "half") is None


def test_instants_keep_their_microseconds():
    """An instant comes back from the store to the microsecond, before 1970 too."""
    for at in (datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), datetime(1961, 1, 1, 0, 0, 0, 1, tzinfo=UTC)):
        assert instant(micros(at)) == at


def test_sqlite_waits_for_the_disk(store):
    """SQLite runs with a write-ahead log and waits for the disk at every commit."""
    if not store.sqlite:
        pytest.skip("about SQLite only")
    with store.read() as connection:
        found = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2]


@pytest.mark.parametrize("url", ["mysql://localhost/x", "oracle://localhost/x"])
def test_another_database_is_refused(url):
    """A database of another make is refused by name, with what there is instead."""
    with pytest.raises(StoreError, match=r"is not a database commsched knows; use sqlite:///FILE or postgresql://"):
        Store(url)


def test_a_file_lies_in_the_deployments_folder(tmp_path):
    """A relative path counts from the deployment's folder, and its folders are made."""
    store = Store("sqlite:///var/deep/store.db", folder=tmp_path)
    store.prepare()
    assert (tmp_path / "var/deep/store.db").is_file()
    store.close()


def test_a_full_database_says_so(sqlite_template, tmp_path, learn, fact):
    """When no page is left, the error says what to do, and nothing was half-written."""
    path = tmp_path / "full.db"
    path.write_bytes(sqlite_template.read_bytes())
    with sqlite3.connect(path) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    store = Store(f"sqlite:///{path}", max_pages=pages + 2)
    many = [fact("event", kind="order", id=f"e{number}", data={"pages": number}) for number in range(500)]
    with pytest.raises(StoreFull, match="make room"):
        learn(store, *many)
    with store.read() as connection:
        assert queries.versions(connection, ["c:ann"]) == {}
    store.close()


def test_a_locked_database_says_so(store, monkeypatch, learn, fact):
    """Somebody else's write transaction is waited for, and then named."""
    if not store.sqlite:
        pytest.skip("about SQLite only")
    monkeypatch.setattr(stores, "BUSY_SECONDS", 0.05)
    impatient = Store(str(store.url))
    with store.write(), pytest.raises(StoreBusy, match="locked by another process"):
        learn(impatient, fact("customer", name="Ann"))
    impatient.close()


def write_where_only_reading_is_allowed(connection, store):
    connection.execute(text("PRAGMA query_only = ON" if store.sqlite else "SET TRANSACTION READ ONLY"))
    queries.put_setting(connection, "x", "y")


def test_a_database_that_only_lets_read_says_so(store, learn, fact):
    """Without the right to write, the error says what to check."""
    with pytest.raises(StoreReadOnly, match="check the rights"), store.write() as connection:
        write_where_only_reading_is_allowed(connection, store)


def test_a_server_that_is_not_there_says_so():
    """A PostgreSQL that cannot be reached is one sentence, without a traceback's worth of words."""
    with pytest.raises(StoreError, match="The store cannot be used") as caught:
        Store("postgresql://nobody@127.0.0.1:1/none").prepare()
    assert "\n" not in str(caught.value)


def test_a_folder_that_may_not_be_made_says_so(tmp_path):
    """A path that leads through a file is an error of the store, not of Python."""
    Path(tmp_path / "file").write_text("")
    with pytest.raises((StoreError, OSError)):
        Store("sqlite:///file/store.db", folder=tmp_path).prepare()


def test_only_a_claim_does_not_wait_for_the_disk(empty_url):
    """What need not last by itself says so for its own transaction; the next one waits for the disk again."""
    store = Store(empty_url)
    if not store.sqlite:
        pytest.skip("PostgreSQL waits for the disk at every commit")
    store.prepare()
    found = []
    for lasting in (True, False, True):
        with store.write(lasting=lasting) as connection:
            found.append(connection.execute(text("PRAGMA synchronous")).scalar())
    assert found == [2, 1, 2]  # FULL, NORMAL, FULL
    store.close()
