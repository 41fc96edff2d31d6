"""Measure speed and memory, and print one table.

    python -m benchmarks [--full] [--markdown] [--save FILE] [B1 B2 …]
    python -m benchmarks forecast [--seed N] [--cars N]
    python -m benchmarks screening [--customers N] [--prospects N]

Without names, all are run: on 2,000 and 10,000 customers, or with ``--full`` on 10,000 and 100,000. Nothing is judged
and nothing is kept; ``--save benchmarks/results/NAME.json`` keeps the numbers. ``forecast`` measures how good the usage
forecast is, not how fast; ``screening`` a list of prospects against made-up customers.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks import forecast, screening
from benchmarks.bench import Numbers, apart, deployment
from benchmarks.report import LINES, as_data, as_markdown, as_text, circumstances, rows

SIZES = (2_000, 10_000)
FULL_SIZES = (10_000, 100_000)
MOST_IN_A_STORM = 50_000
# In this order, since each goes on from the store that the last one left; a benchmark's own come after what it needs.
BASE_MEASURES = (
    ("taken_in", {"B6"}),
    ("planned", {"B2"}),
    ("first_tick", {"B2"}),
    ("idle", {"B1"}),
    ("commands", {"B7"}),
    ("new_fact", {"B3"}),
    ("a_day", {"B9"}),
)
NEEDED_BY_OTHERS = {"taken_in": {"B1", "B2", "B3", "B7", "B9"}, "first_tick": {"B1", "B3", "B7", "B9"}}
STORM_MEASURES = ("storm_ahead", "bare", "apscheduler", "apscheduler_durable", "stormed")


def main() -> None:
    """Parse, measure, print."""
    if sys.argv[1:2] == ["forecast"]:
        forecast.main(sys.argv[2:])
        return
    if sys.argv[1:2] == ["screening"]:
        screening.main(sys.argv[2:])
        return
    arguments = _arguments()
    sizes = FULL_SIZES if arguments.full else SIZES
    wanted = arguments.numbers or list(LINES)
    about = circumstances(*sizes)
    with tempfile.TemporaryDirectory(prefix="commsched-bench-bytecode-") as bytecode:
        os.environ["PYTHONPYCACHEPREFIX"] = bytecode
        small, large = (_measured(size, set(wanted)) for size in sizes)
    found = rows(wanted, small, large)
    print(as_markdown(found) if arguments.markdown else as_text(found))
    print(f"\n{about}")
    if arguments.save:
        data = as_data(about, found, small, large)
        arguments.save.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure speed and memory.")
    parser.add_argument("numbers", nargs="*", metavar="B1", help=f"which: {', '.join(LINES)} (default: all)")
    parser.add_argument("--full", action="store_true", help="10,000 and 100,000 customers, which takes a while")
    parser.add_argument("--markdown", action="store_true", help="the table as docs/performance.md has it")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the numbers as JSON")
    arguments = parser.parse_args()
    if unknown := [number for number in arguments.numbers if number not in LINES]:
        parser.error(f"there is no {unknown[0]}; there are {', '.join(LINES)}")
    return arguments


def _measured(size: int, wanted: set[str]) -> dict[str, Numbers]:
    """All that is wanted, at one size; each measure in a process of its own, in a folder that goes away again."""
    found: dict[str, Numbers] = {}
    if wanted - {"B4"}:
        with tempfile.TemporaryDirectory(prefix="commsched-bench-") as name:
            folder = deployment(Path(name))
            _run("generate", folder, size)
            for measure, numbers in BASE_MEASURES:
                if (numbers | NEEDED_BY_OTHERS.get(measure, set())) & wanted:
                    found[measure] = _run(measure, folder, size)
    if "B4" in wanted:
        with tempfile.TemporaryDirectory(prefix="commsched-bench-") as name:
            folder = deployment(Path(name))
            storm = min(size, MOST_IN_A_STORM)
            _run("generate_storm", folder, storm)
            found |= {measure: _run(measure, folder, storm) for measure in STORM_MEASURES}
    return found


def _run(measure: str, folder: Path, size: int) -> Numbers:
    start = perf_counter()
    numbers = apart(measure, folder, size)
    print(f"{measure} of {size:,}: {perf_counter() - start:.0f} s", file=sys.stderr)
    return numbers


if __name__ == "__main__":
    main()
