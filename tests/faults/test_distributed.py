"""The distributed engine: workers in processes and folders of their own share one PostgreSQL, and one provider."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import pytest
from deployment import customer, visit, visitors
from shared import said, stop
from sqlalchemy import text

pytestmark = pytest.mark.postgres


def worked(log: str) -> int:
    """How many customers a worker has looked at, by its log."""
    return sum(json.loads(line)["planned"] for line in log.splitlines() if '"event": "pass"' in line)


def test_two_machines_share_the_work_evenly(shared, tmp_path):
    """Workers of two folders, one database: each message once, and neither worker idles while the other works."""
    other = shared.machine(tmp_path / "two")
    workers = [shared.start("worker"), other.start("worker")]
    shared.until(lambda: all("working until stopped" in said(one) for one in workers))
    shared.given(*visitors(1200, datetime.now(UTC)), at=datetime.now(UTC))
    shared.all_sent(1200)
    ends = stop(*workers)
    assert [code for code, _, _ in ends] == [0, 0]
    shared.once_each(1200)
    shares = [worked(log) for _, _, log in ends]
    assert min(shares) > sum(shares) / 4, shares


def test_one_line_switches_from_local_to_distributed_with_messages_in_flight(shared):
    """The local engine dies with messages at the provider; the other takes over: nothing lost, nothing twice."""
    shared.replace('engine = "distributed"', 'engine = "local"')
    shared.given(*visitors(12, datetime.now(UTC)), at=datetime.now(UTC))
    shared.provider.mode("accept-then-hang")
    shared.replace("timeout = 5", "timeout = 0.5")
    local = shared.start("run", "--port", "0")
    shared.until(lambda: len(shared.accepted) >= 5)
    local.kill()
    in_flight = len(shared.accepted)
    shared.provider.mode("ok")
    shared.replace('engine = "local"', 'engine = "distributed"')
    more = [fact for n in range(20) for fact in (*customer(f"D{n}"), visit(f"D{n}", datetime.now(UTC)))]
    shared.given(*more, at=datetime.now(UTC))
    service, worker = shared.start("run", "--port", "0"), shared.start("worker")
    # What the provider has of the first is found there; what it does not know stays in doubt, and visible.
    shared.until(lambda: shared.states == {"sent": 20 + in_flight, "in_doubt": 12 - in_flight})
    assert [code for code, _, _ in stop(service, worker)] == [0, 0]
    shared.holds(32)


def test_what_a_killed_worker_held_is_done_by_the_others(shared):
    """Killed with customers taken and nothing begun: when their lease has run out another does all of it."""
    shared.given(*visitors(60, datetime.now(UTC)), at=datetime.now(UTC))
    killed = shared.start("worker", crash="after-claim")
    assert killed.wait()[0] == -signal.SIGKILL
    assert shared.accepted == []
    worker = shared.start("worker")
    shared.all_sent(60)
    stop(worker)
    shared.once_each(60)


def test_a_worker_that_is_told_to_stop_leaves_nothing_undone_behind(shared):
    """It ends its batch, or hands back what it has not begun; the next one needs no lease to run out."""
    now = datetime.now(UTC)
    shared.replace('lease = "10s"', 'lease = "600s"')
    worker = shared.start("worker")
    shared.until(lambda: "working until stopped" in said(worker))
    shared.given(*visitors(300, now), at=now)
    shared.until(lambda: len(shared.accepted) > 0)
    began = monotonic()
    assert stop(worker)[0][0] == 0
    assert monotonic() - began < 30
    assert shared.states["sending"] == 0
    second = shared.start("worker")
    shared.all_sent(300)
    stop(second)
    shared.once_each(300)


def test_a_crew_stops_with_its_command_and_fills_the_place_of_who_died(shared):
    """`--concurrency 2`: a worker that is killed is replaced; told to stop, all end; killed, none is left behind."""
    crew = shared.start("worker", "--concurrency", "2")
    shared.until(lambda: len(workers_of(crew.pid)) == 2)
    os.kill(workers_of(crew.pid)[0], signal.SIGKILL)
    shared.until(lambda: '"event": "worker_died"' in said(crew) and len(workers_of(crew.pid)) == 2)
    shared.given(*visitors(10, datetime.now(UTC)), at=datetime.now(UTC))
    shared.all_sent(10)
    assert stop(crew)[0][0] == 0
    shared.once_each(10)
    second = shared.start("worker", "--concurrency", "2")
    shared.until(lambda: len(workers_of(second.pid)) == 2)
    left = workers_of(second.pid)
    second.kill()
    shared.until(lambda: not any(map(alive, left)))


def workers_of(pid: int) -> list[int]:
    """The processes of a crew, without Python's own helper."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [
        int(one) for one in children if alive(int(one)) and b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()
    ]


def alive(pid: int) -> bool:
    """Whether a process is there, and not only waited for."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_told_twice_to_stop_it_keeps_what_it_has_sent(shared):
    """Ctrl-C reaches a whole group, and whoever began the workers signals them as well: nothing is in doubt by that."""
    shared.given(*visitors(200, datetime.now(UTC)), at=datetime.now(UTC))
    worker = shared.start("worker")
    shared.until(lambda: len(shared.accepted) > 3)
    worker.signal(signal.SIGINT)
    worker.signal(signal.SIGTERM)
    worker.signal(signal.SIGINT)
    code, _, log = worker.wait()
    assert code == 0, log
    assert "failed" not in log
    assert set(shared.states) <= {"sent", "planned"}
    assert shared.states["sent"] == len(shared.accepted)


def test_somebody_elses_tables_are_left_alone(shared):
    """A schema of the same name that is not ours is named, and not dropped."""
    with shared._store() as store:
        store.prepare()
        with store.write() as connection:
            connection.execute(text("CREATE SCHEMA procrastinate"))
            connection.execute(text("CREATE TABLE procrastinate.mine (a int)"))
    code, _, err = shared.run("worker")
    assert code != 0
    assert "not ours" in err
    with shared._store() as store, store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM procrastinate.mine")).scalar() == 0
