"""The distributed engine: workers in processes and folders of their own share one PostgreSQL, and one provider."""

from __future__ import annotations

import json
import re
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

import pytest
from deployment import Deployment, Process, customer, visit, visitors
from provider import provider
from wired import Wired

pytestmark = pytest.mark.postgres


class Shared(Wired):
    """A deployment whose store is a database in PostgreSQL, worked on by the distributed engine."""

    def __init__(self, folder: Path, found, url: str) -> None:
        super().__init__(folder, found)
        self.url = url
        self.replace("[deployment]\n", f'[deployment]\nstore = "{url}"\nengine = "distributed"\nlease = "10s"\n')

    def machine(self, folder: Path) -> Deployment:
        """Another machine: a folder of its own with the same deployment."""
        shutil.copytree(self.folder, folder)
        other = object.__new__(Deployment)
        other.folder, other.processes = folder, self.processes
        return other

    def until(self, there: Callable[[], bool], seconds: float = 60) -> None:
        """Wait for what other processes do, by their own clocks."""
        end = monotonic() + seconds
        while not there():
            assert monotonic() < end, f"{self.states}\n" + "\n".join(map(said, self.processes))
            sleep(0.05)

    def all_sent(self, count: int, seconds: float = 60) -> None:
        """Wait until so many messages were accepted, and are known to be."""
        self.until(lambda: len(self.accepted) >= count and self.states == {"sent": count}, seconds)

    def _store(self):
        return opened(self.url)


def opened(url: str):
    from deployment import _Opened

    return _Opened(url)


def said(process: Process) -> str:
    """What a process has logged up to now."""
    file = process.files[1]
    file.seek(0)
    return file.read()


def stop(*processes: Process) -> list[tuple[int, str, str]]:
    """Tell them to stop, and wait for it."""
    for one in processes:
        one.signal(signal.SIGTERM)
    return [one.wait() for one in processes]


def worked(log: str) -> int:
    """How many customers a worker has looked at, by its log."""
    return sum(json.loads(line)["planned"] for line in log.splitlines() if '"event": "pass"' in line)


@pytest.fixture
def shared(tmp_path, postgres_server) -> Iterator[Shared]:
    """A deployment on a fresh database, and its provider."""
    name = postgres_server.create()
    with provider(tmp_path / "provider") as found:
        deployment = Shared(tmp_path / "one", found, postgres_server.url(name))
        yield deployment
        deployment.end()
    postgres_server.drop(name)


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
