"""The jobs of the distributed engine, on a real PostgreSQL: claimed once, cut for who is there, worth nothing lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from commsched.engine import jobs
from commsched.errors import StoreError, StoreTooNew
from commsched.store import queries
from commsched.store.store import Store, micros

pytestmark = pytest.mark.postgres
LEASE = timedelta(seconds=60)


@pytest.fixture
def store(postgres_server):
    """A fresh database with the tables of the jobs."""
    name = postgres_server.create()
    store = Store(postgres_server.url(name))
    store.prepare()
    jobs.prepare(store)
    yield store
    store.close()
    postgres_server.drop(name)


def due(store, count, noon):
    with store.write() as connection:
        queries.wake(connection, [f"C{number:05}" for number in range(count)], micros(noon))


def waiting(store) -> list[dict[str, int]]:
    """The batches that wait, in order."""
    with store.read() as connection:
        rows = connection.execute(text("SELECT args FROM procrastinate.procrastinate_jobs ORDER BY id"))
        return [row.args["customers"] for row in rows]


def workers(store, count):
    with store.write() as connection:
        for _ in range(count):
            connection.execute(text("INSERT INTO procrastinate.procrastinate_workers DEFAULT VALUES"))


def test_a_batch_is_deferred_with_its_claim(store, noon):
    """Everybody who is due lies in one job, with the fence that the claim gave; who is claimed is not claimed again."""
    due(store, 3, noon)
    swept = jobs.sweep(store, noon, LEASE)
    assert (swept.claimed, swept.full) == (3, False)
    assert waiting(store) == [{"C00000": 1, "C00001": 1, "C00002": 1}]
    assert jobs.sweep(store, noon, LEASE).claimed == 0


def test_a_claim_that_is_not_deferred_never_was(store, noon, monkeypatch):
    """What stops between the claim and the job takes the claim back with it."""
    due(store, 3, noon)

    def fails(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs, "_defer", fails)
    with pytest.raises(KeyboardInterrupt):
        jobs.sweep(store, noon, LEASE)
    monkeypatch.undo()
    assert jobs.sweep(store, noon, LEASE).claimed == 3


def test_of_several_sweepers_one_acts(store, noon):
    """Whoever comes while another sweeps goes home with nothing, and does not wait."""
    due(store, 3, noon)
    with store.write() as connection:
        assert connection.execute(jobs._LOCK).scalar()
        assert jobs.sweep(store, noon, LEASE) == jobs.Swept(full=True)
    assert jobs.sweep(store, noon, LEASE).claimed == 3


def test_work_is_cut_so_that_every_worker_gets_some(store, noon):
    """Little work goes in one batch; more is cut for the workers who are there; none is larger than a batch may be."""
    workers(store, 4)
    due(store, 800, noon)
    assert jobs.sweep(store, noon, LEASE).claimed == 800
    assert [len(batch) for batch in waiting(store)] == [100] * 8


def test_no_more_is_claimed_than_can_be_begun_soon(store, noon):
    """Where nobody takes batches, the rest stays in the wake table, where it does not age."""
    workers(store, 1)
    due(store, 1200, noon)
    assert jobs.sweep(store, noon, LEASE) == jobs.Swept(1000, True, micros(noon))
    assert jobs.sweep(store, noon, LEASE) == jobs.Swept(full=True)


def test_a_worker_that_died_gets_no_work_cut_for_it(store, noon):
    """Whoever has been silent for half a minute does not count."""
    workers(store, 4)
    with store.write() as connection:
        connection.execute(
            text("UPDATE procrastinate.procrastinate_workers SET last_heartbeat = now() - interval '31 s' WHERE id > 1")
        )
    due(store, 800, noon)
    jobs.sweep(store, noon, LEASE)
    assert [len(batch) for batch in waiting(store)] == [400, 400]


def test_the_tables_are_made_once_and_anew_for_another_version(store, noon):
    """The same version leaves the jobs; an older one's tables go, jobs and all, and the customers come back."""
    due(store, 3, noon)
    jobs.sweep(store, noon, LEASE)
    jobs.prepare(store)
    assert len(waiting(store)) == 1
    with store.write() as connection:
        queries.put_setting(connection, jobs.MADE_BY, "3.9.1")
    jobs.prepare(store)
    assert waiting(store) == []
    assert jobs.sweep(store, noon + 2 * LEASE, LEASE).claimed == 3


def test_tables_of_a_newer_version_are_left_alone(store):
    """An old worker that comes back after an upgrade says so, and ends."""
    with store.write() as connection:
        queries.put_setting(connection, jobs.MADE_BY, "99.0.0")
    with pytest.raises(StoreTooNew):
        jobs.prepare(store)


def test_sqlite_is_refused_in_a_sentence(tmp_path):
    """The distributed engine needs PostgreSQL, and says what to write instead."""
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    with pytest.raises(StoreError, match=r'needs PostgreSQL.*engine = "local"'):
        jobs.prepare(store)
    store.close()
