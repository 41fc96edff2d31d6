"""Which measures a run makes, at which sizes, each in a folder that goes away again."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from benchmarks.bench import Amounts, Numbers, apart, deployment
from benchmarks.lines import OURS, RIVALS, Found
from benchmarks.measures import measured

MOST_IN_A_STORM = 50_000
# In this order, since each goes on from the store that the last one left; a benchmark's own come after what it needs.
BASE_MEASURES = (
    ("taken_in", {"B6"}),
    ("planned", {"B2"}),
    ("first_tick", {"B2"}),
    ("idle", {"B1"}),
    ("commands", {"B7"}),
    ("answers", {"B7"}),
    ("new_fact", {"B3"}),
    ("a_day", {"B9"}),
)
ON_A_BASE = frozenset({"B1", "B2", "B3", "B6", "B7", "B9"})
NEEDED_BY_OTHERS = {"taken_in": ON_A_BASE, "first_tick": {"B1", "B3", "B7", "B9"}}
STORM_MEASURES = ("storm_ahead", "bare", "stormed")
# Each of these has a deployment of its own.
ONCE = {
    **{name: {"B4"} for name in (*OURS, *RIVALS)},
    "one_worker": {"B4", "B10"},
    "two_workers": {"B4", "B10"},
    "stub_alone": {"B5"},
    "twilio": {"B5"},
    "sendgrid": {"B5"},
    "simulated": {"B8"},
    "at_a_steady_rate": {"B11"},
    "checked": {"B12"},
}
Measure = Callable[[str, Path, Amounts], Numbers]


@dataclass(frozen=True, slots=True)
class Run:
    """How large a run is; ``sizes`` of the base, of which the table shows ``small`` and the largest."""

    sizes: tuple[int, ...]
    small: int
    amounts: Amounts
    measure: Measure = apart


QUICK = Run((1_000, 10_000), 1_000, Amounts(0, year=100))
FULL = Run(
    (1_000, 10_000, 100_000, 1_000_000),
    10_000,
    Amounts(0, storm=10_000, calls=5_000, alike=50_000, year=10_000, steady=60),
)
# Nothing of it is worth reading: it shows that everything runs, in this very process.
SMALLEST = Run(
    (100,),
    100,
    Amounts(0, ticks=2, new_facts=2, starts=0, due=3, storm=5, calls=5, alike=5, year=2, steady=1, proof=False),
    measured,
)


def found_in(run: Run, wanted: Sequence[str]) -> Found:
    """Make the measures."""
    numbers = frozenset(wanted)
    by_size = {size: _at(size, run, numbers) for size in run.sizes}
    once = {name: _alone(name, run) for name, wanted_by in ONCE.items() if wanted_by & numbers}
    return Found(by_size, once, run.small)


def _at(size: int, run: Run, wanted: frozenset[str]) -> dict[str, Numbers]:
    found: dict[str, Numbers] = {}
    amounts = replace(run.amounts, customers=size)
    if wanted & ON_A_BASE:
        with tempfile.TemporaryDirectory(prefix="commsched-bench-") as name:
            folder = deployment(Path(name))
            _made("generate", folder, amounts, run)
            for measure, numbers in BASE_MEASURES:
                if (numbers | NEEDED_BY_OTHERS.get(measure, set())) & wanted:
                    found[measure] = _made(measure, folder, amounts, run)
    if "B4" in wanted and (size in {run.small, max(run.sizes)}):
        storm = replace(amounts, customers=min(size, MOST_IN_A_STORM))
        with tempfile.TemporaryDirectory(prefix="commsched-bench-") as name:
            folder = deployment(Path(name))
            _made("generate_storm", folder, storm, run)
            found |= {measure: _made(measure, folder, storm, run) for measure in STORM_MEASURES}
    return found


def _alone(measure: str, run: Run) -> Numbers:
    with tempfile.TemporaryDirectory(prefix="commsched-bench-") as name:
        return _made(measure, deployment(Path(name)), run.amounts, run)


def _made(measure: str, folder: Path, amounts: Amounts, run: Run) -> Numbers:
    start = perf_counter()
    numbers = run.measure(measure, folder, amounts)
    size = f" of {amounts.customers:,}" if amounts.customers else ""
    print(f"{measure}{size}: {perf_counter() - start:.0f} s", file=sys.stderr)
    return numbers
