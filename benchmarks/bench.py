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
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import structlog

from benchmarks.population import ROOT
from commsched.app import App
from commsched.engine.clock import SetClock
from commsched.store.store import Store

# What a measure found, by name: numbers, and under `late` the shares of messages by how late they were.
Numbers = dict[str, Any]
PARTS = ("config", "plugins", "templates")


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much of everything: customers, and how often what is repeated is repeated."""

    customers: int
    ticks: int = 300
    new_facts: int = 300
    starts: int = 5
    due: int = 1000
    # Messages of a storm through the stub, by the providers' libraries one by one, and with the same words.
    storm: int = 2000
    calls: int = 1000
    alike: int = 10_000
    # Customers whose year is simulated, and seconds for which 200 messages a second are due.
    year: int = 500
    steady: int = 10
    proof: bool = True


def deployment(folder: Path) -> Path:
    """A copy of the shipped deployment, without its facts."""
    for name in PARTS:
        shutil.copytree(ROOT / name, folder / name)
    return folder


def opened(folder: Path, at: datetime, store: Store | None = None) -> tuple[App, SetClock]:
    """The deployment with its own store, or another, its rules known, standing at an instant."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    clock = SetClock(at)
    app = App(folder, clock=clock, store=store or Store("sqlite:///var/commsched.db", folder=folder))
    app.remember_rules()
    return app, clock


def warmed(app: App) -> None:
    """Compile the templates, as in a service that has run for a while; not where ``$BENCH_COLD`` is set, in tests."""
    if not os.environ.get("BENCH_COLD"):
        app.renderer.problems()


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


def shares(values: list[float]) -> list[float]:
    """The values at 0 %, 1 %, … 100 % of all of them."""
    return [percentile(values, share / 100) for share in range(101)] if values else []


def apart(measure: str, folder: Path, amounts: Amounts) -> Numbers:
    """Run one measure in a process of its own, so that its memory is its own, and return its numbers."""
    command = [sys.executable, "-m", "benchmarks.measures", measure, str(folder), json.dumps(asdict(amounts))]
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
