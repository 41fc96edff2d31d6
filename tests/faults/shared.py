"""The small deployment on a PostgreSQL that any number of workers share, and what tests say to those workers."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

from deployment import Deployment, Opened, Process
from wired import Wired


class Shared(Wired):
    """A deployment whose store is a database in PostgreSQL, worked on by the distributed engine."""

    def __init__(self, folder: Path, found, url: str) -> None:
        super().__init__(folder, found)
        self.url = url
        # A slow machine must not look like a provider that hangs.
        self.replace(f"port = {found.port}\n", f"port = {found.port}\ntimeout = 5\n")
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
        return Opened(self.url)


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
