"""Commands as a person runs them, with the start of Python."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.bench import Amounts, Numbers, environment, opened
from benchmarks.population import NOW, ROOT, TODAY, base, write
from commsched.store import queries

YEAR = (TODAY.isoformat(), TODAY.replace(year=TODAY.year + 1).isoformat())


def commands(folder: Path, amounts: Amounts) -> Numbers:
    """B7: in milliseconds; nothing for one that fails."""
    app, _ = opened(folder, NOW)
    with app.store.read() as connection:
        row = next(queries.all_messages(connection, ["planned"]))
    asked = {
        "help": ["--help"],
        "explain": ["--deployment", str(folder), "explain", row.key],
        "plan": ["--deployment", str(folder), "plan", "--customer", row.customer],
    }
    found = {name: _milliseconds(arguments, amounts.starts) for name, arguments in asked.items()}
    return {name: value for name, value in found.items() if value is not None}


def checked(folder: Path, amounts: Amounts) -> Numbers:
    """B12: `check`, with the timing proof, on the shipped deployment; in seconds."""
    arguments = ["--deployment", str(folder), "check", *([] if amounts.proof else ["--matrix"])]
    took = _milliseconds(arguments, min(amounts.starts, 3))
    return {} if took is None else {"seconds": took / 1000}


def simulated(folder: Path, amounts: Amounts) -> Numbers:
    """B8: a year of some customers in virtual time; ``whole`` is what 10,000 would take at that pace, in seconds."""
    file = folder / "year.jsonl"
    write(file, base(amounts.year))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    took = _once(["--deployment", str(folder), "simulate", str(file), "--from", YEAR[0], "--to", YEAR[1]])
    cpu = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    return {} if took is None else {"seconds": took, "cpu": cpu, "whole": took * 10_000 / amounts.year}


def _milliseconds(arguments: list[str], times: int) -> float | None:
    took = [_once(arguments) for _ in range(times + 1)]  # the first writes the bytecode, and does not count
    whole = [one * 1000 for one in took if one is not None]
    return median(whole[1:] or whole) if len(whole) == len(took) else None


def _once(arguments: list[str]) -> float | None:
    command = [sys.executable, "-m", "commsched", *arguments]
    start = perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, check=False)
    return perf_counter() - start if done.returncode == 0 else None
