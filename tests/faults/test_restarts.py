"""PostgreSQL that goes away again and again under workers that run on; what is promised holds all the same."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from time import monotonic, sleep

import pytest
from deployment import NOON, customer, give, visit
from postgres import MISSING, Server, programs, running

from commsched.config import STORE
from commsched.errors import StoreError
from commsched.store import queries
from commsched.store.messages import load_record
from commsched.store.store import Store

# How long it goes on; `make chaos` makes it longer.
SECONDS = float(os.environ.get("CHAOS_SECONDS", "15"))
BATCH = 5


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of its own, which may be killed."""
    if programs() is None:
        pytest.skip(MISSING)
    with running() as found:
        yield found


def rows(url: str) -> list[object]:
    """The messages; nothing while the server is away."""
    store = Store(url)
    try:
        with store.read() as connection:
            return [load_record(row.body) for row in queries.all_messages(connection)]
    except StoreError:
        return []
    finally:
        store.close()


@pytest.mark.postgres
def test_fault_12_postgres_killed_again_and_again(wired, server, monkeypatch):
    """Two services run over a server that is killed every few seconds: each message is accepted once, or in doubt."""
    url = server.url(server.create())
    # What a worker had in its hands is looked into soon, so that the test need not wait a minute for that.
    wired.replace("policy_seconds = 0.2\n", 'policy_seconds = 0.2\nlease = "5s"\n')
    monkeypatch.setenv(STORE, url)
    app = wired.app(NOON)
    services = [wired.start("run", **{STORE: url}) for _ in range(2)]
    dice, begun, told, killed = random.Random(12), monotonic(), 0, 0
    next_kill = begun + 2
    while monotonic() < begun + SECONDS:
        try:
            now = datetime.now(UTC)
            app.clock.at = now
            names = [f"P{told + number:05}" for number in range(BATCH)]
            give(app, *(fact for name in names for fact in (*customer(name), visit(name, at=now))))
            told += BATCH
        except StoreError:
            sleep(0.1)  # the server is away, by its own clock
        if monotonic() > next_kill:
            server.restart()
            killed += 1
            next_kill = monotonic() + dice.uniform(SECONDS / 8, SECONDS / 3)
        sleep(0.2)
    # A commit whose answer was lost is repeated, and by their ids the facts are the same.
    assert killed >= 2
    until = monotonic() + 45
    while monotonic() < until:
        found = rows(url)
        if len(found) >= told and {one.state for one in found} <= {"sent", "in_doubt"}:
            break
        sleep(0.2)
    for service in services:
        service.signal(signal.SIGTERM)
    ends = [service.wait() for service in services]
    assert [code for code, _, _ in ends] == [0, 0], ends
    with Store(url).read() as connection:
        states = Counter(row.state for row in queries.all_messages(connection))
    assert states.total() >= told > BATCH, "".join(err[-3000:] for _, _, err in ends)
    assert set(states) <= {"sent", "in_doubt"}, states
    assert max(wired.provider.accepts.values()) == 1
    with closing(server.connect(url.rpartition("/")[2])) as connection:
        (open_now,) = connection.execute("SELECT count(*) FROM attempt WHERE state = 'sending'").fetchone()
    assert open_now == 0
    app.store.close()
