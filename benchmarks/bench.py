"""A deployment for measuring in: the shipped one in a temporary folder, its clock set by hand."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import perf_counter, process_time

import structlog

from benchmarks.population import ROOT
from commsched.app import App
from commsched.engine.clock import SetClock
from commsched.store.store import Store

Numbers = dict[str, float]
PARTS = ("config", "plugins", "templates")


def deployment(folder: Path) -> Path:
    """A copy of the shipped deployment, without its facts."""
    for name in PARTS:
        shutil.copytree(ROOT / name, folder / name)
    return folder


def opened(folder: Path, at: datetime) -> tuple[App, SetClock]:
    """The deployment with its own store, its rules known, standing at an instant."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    clock = SetClock(at)
    app = App(folder, clock=clock, store=Store("sqlite:///var/commsched.db", folder=folder))
    app.remember_rules()
    return app, clock


@dataclass
class Watch:
    """How long something took: by the clock on the wall, and of one processor's time."""

    seconds: float = 0
    cpu: float = 0


@contextmanager
def timed() -> Iterator[Watch]:
    """Measure the block."""
    watch = Watch()
    wall, cpu = perf_counter(), process_time()
    yield watch
    watch.seconds, watch.cpu = perf_counter() - wall, process_time() - cpu


def peak_mb() -> float:
    """The most memory that this process ever had, in MB (10^6 bytes; Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def percentile(values: list[float], share: float) -> float:
    """The value that this share of all values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def apart(measure: str, folder: Path, size: int) -> Numbers:
    """Run one measure in a process of its own, so that its memory is its own, and return its numbers."""
    command = [sys.executable, "-m", "benchmarks.measures", measure, str(folder), str(size)]
    done = subprocess.run(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"The measure {measure} failed; what it said is above.")
    numbers: Numbers = json.loads(done.stdout.splitlines()[-1])
    return numbers


def environment() -> dict[str, str]:
    """The environment of a measured process: this source tree, and bytecode kept between starts, as installed."""
    paths = [str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
