"""What holds on PostgreSQL only: parts, limits of a session, a role with few rights, changes that do not wait."""

from __future__ import annotations

import re
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import text

from commsched.engine import jobs
from commsched.errors import StoreBusy, StoreError, StoreReadOnly
from commsched.store import queries
from commsched.store import store as module
from commsched.store.store import Store, micros

pytestmark = pytest.mark.postgres
SCALE = Path(__file__).parents[3] / "docs" / "scale.md"


@pytest.fixture
def url(postgres_server, postgres_template):
    """The address of a database of the test's own, with all tables."""
    name = postgres_server.create(postgres_template)
    yield postgres_server.url(name)
    postgres_server.drop(name)


def answer(store, query, **values):
    with store.read() as connection:
        return connection.execute(text(query), values).all()


def test_a_customer_lies_in_one_part_of_each_table(url, learn, fact):
    """The facts of a customer lie together, and many customers are spread over all parts."""
    store = Store(url)
    learn(store, *(fact("customer", customer=f"c{number}") for number in range(200)))
    learn(store, *(fact("event", customer="c7", kind="order", id=f"o{number}") for number in range(5)))
    parts = answer(store, "SELECT DISTINCT tableoid::regclass::text FROM fact")
    assert len(parts) == 16
    mine = answer(store, "SELECT DISTINCT tableoid::regclass::text FROM fact WHERE subject = 'c:c7'")
    assert len(mine) == 1
    store.close()


def test_what_was_there_before_the_parts_is_there_after(postgres_server):
    """Rows of the whole tables come over, and their key still holds."""
    name = postgres_server.create()
    store = Store(postgres_server.url(name))
    store._migrate("0011")
    insert = "INSERT INTO fact (subject, digest, body) VALUES ('c:ann', '\\x01', '\\x02')"
    with store.write() as connection:
        connection.execute(text(insert))
    store.prepare()
    assert answer(store, "SELECT subject, digest, body FROM fact") == [("c:ann", b"\x01", b"\x02")]
    with pytest.raises(StoreError, match="duplicate key"), store.write() as connection:
        connection.execute(text(insert))
    store.close()
    postgres_server.drop(name)


def test_a_session_waits_no_longer_than_it_may(url):
    """Locks, statements and transactions have an end; a URL with options of its own keeps those."""
    store = Store(url)
    assert answer(store, "SHOW lock_timeout") == [("30s",)]
    assert answer(store, "SHOW statement_timeout") == [("10min",)]
    store.close()
    other = Store(f"{url}?options=-c%20lock_timeout%3D2s")
    assert answer(other, "SHOW lock_timeout") == [("2s",)]
    assert answer(other, "SHOW statement_timeout") == [("0",)]
    other.close()


def test_a_change_of_the_tables_gives_way_to_who_uses_them(postgres_server, monkeypatch):
    """Behind a long transaction a migration gives up, in a sentence, and nobody stands behind it in the queue."""
    monkeypatch.setattr(module, "MIGRATION_WAIT", "100ms")
    name = postgres_server.create()
    store = Store(postgres_server.url(name))
    store._migrate("0011")
    with store.write() as connection:
        connection.execute(text("LOCK TABLE fact IN ACCESS SHARE MODE"))
        with pytest.raises(StoreBusy):
            store.prepare()
    store.prepare()
    store.close()
    postgres_server.drop(name)


def test_an_index_is_made_beside_who_reads_for_longer_than_a_lock_is_waited_for(postgres_server, monkeypatch):
    """A backup that reads the table does not stop the change, and what a change that was cut off left is made anew."""
    monkeypatch.setattr(module, "MIGRATION_WAIT", "100ms")
    name = postgres_server.create()
    store, other = Store(postgres_server.url(name)), Store(postgres_server.url(name))
    store._migrate("0014")
    with store.write() as connection:
        connection.execute(text("CREATE INDEX waiting_by_rank ON waiting (units)"))
    done = Thread(target=store.prepare)
    with other.engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        connection.execute(text("SELECT count(*) FROM waiting"))
        done.start()
        done.join(1)
        assert done.is_alive(), "it waits for who reads"
    done.join(30)
    assert store.is_current()
    named = "SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 'waiting'::regclass"
    assert set(answer(store, named)) == {(one, True) for one in ("waiting_pkey", "waiting_by_rank")}
    assert "priority" in answer(store, "SELECT indexdef FROM pg_indexes WHERE indexname = 'waiting_by_rank'")[0][0]
    for one in (store, other):
        one.close()
    postgres_server.drop(name)


def test_a_role_with_few_rights_does_all_the_work(postgres_server, url, noon):
    """The role of the documentation claims, defers and sweeps; it can change no table, and no line of the audit."""
    owner = Store(url)
    jobs.prepare(owner)
    (granted,) = re.findall(r"<!-- tested: .*?-->\n```sql\n(.*?)```", SCALE.read_text("utf-8"), re.DOTALL)
    with owner.write() as connection:
        connection.execute(text("DROP ROLE IF EXISTS commsched_app"))
        connection.connection.driver_connection.execute(granted)
    store = Store(url.replace("//commsched@", "//commsched_app@"))
    store.prepare()
    jobs.prepare(store)
    with store.write() as connection:
        queries.wake(connection, ["ann"], micros(noon))
        connection.execute(text("INSERT INTO audit (at, who, action, detail) VALUES (1, 'a', 'b', 'c')"))
    assert jobs.sweep(store, noon, jobs.timedelta(seconds=60)).claimed == 1
    for forbidden in (
        "UPDATE audit SET who = 'x'",
        "DELETE FROM audit",
        "DROP TABLE fact",
        "CREATE TABLE mine (a int)",
    ):
        with pytest.raises(StoreError, match="rights"), store.write() as connection:
            connection.execute(text(forbidden))
    store.close()
    with owner.write() as connection:
        connection.execute(text("DROP OWNED BY commsched_app"))
        connection.execute(text("DROP ROLE commsched_app"))
    owner.close()


def test_a_change_that_the_role_may_not_make_is_said(postgres_server, url):
    """A worker with few rights that finds an older database says what is wrong, and changes nothing."""
    owner = Store(url)
    with owner.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0011'"))
        connection.execute(text("CREATE ROLE commsched_bare LOGIN"))
        connection.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO commsched_bare"))
    store = Store(url.replace("//commsched@", "//commsched_bare@"))
    with pytest.raises(StoreReadOnly, match="its role's"):
        store.prepare()
    store.close()
    with owner.write() as connection:
        connection.execute(text("DROP OWNED BY commsched_bare"))
        connection.execute(text("DROP ROLE commsched_bare"))
    owner.close()
