"""How a measure and its processes meet: each says that it is ready, then the measure chooses when the storm is."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic, sleep, time

from benchmarks.servers import wait

# From the choice of the moment to the moment.
AHEAD = 3.0
CHOSEN = "var/zero"
LONGEST = 600.0


def ready(folder: Path) -> None:
    """Say that this process is."""
    (folder / f"var/ready-{os.getpid()}").touch()


def all_ready(folder: Path, count: int) -> None:
    """Wait for so many."""
    wait(lambda: len(list((folder / "var").glob("ready-*"))) >= count, "a process")


def choose(folder: Path, ahead: float = AHEAD) -> float:
    """Choose the moment, in seconds since 1970."""
    zero = time() + ahead
    new = folder / "var/zero.new"
    new.write_text(repr(zero), "utf-8")
    new.replace(folder / CHOSEN)
    return zero


def chosen(folder: Path) -> float:
    """Wait until the moment is chosen."""
    end = monotonic() + LONGEST
    while not (folder / CHOSEN).exists():
        if monotonic() > end:
            raise SystemExit("nobody chose the moment")
        sleep(0.02)
    return float((folder / CHOSEN).read_text("utf-8"))
