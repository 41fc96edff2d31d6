"""Measure speed and memory, and print tables.

    python -m benchmarks [--full] [--markdown] [--save FILE] [--write] [B1 B2 …]
    python -m benchmarks --from FILE [--from FILE …] [--markdown] [--write]
    python -m benchmarks forecast [--seed N] [--cars N]
    python -m benchmarks screening [--customers N] [--prospects N]

Without names, all are run: on 1,000 and 10,000 customers, or with ``--full`` on up to a million. Nothing is judged,
and nothing is kept unless asked for: ``--save FILE`` keeps the numbers, ``--write`` writes tables and pictures into
docs/performance.md. ``forecast`` measures how good the usage forecast is, not how fast; ``screening`` a list of
prospects against made-up customers.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks import forecast, page, screening
from benchmarks.lines import LINES, Found, contest, rows
from benchmarks.report import HEAD, MAIN_LEFT, Circumstances, as_text, circumstances
from benchmarks.runs import FULL, QUICK, SMALLEST, Run, found_in
from benchmarks.saved import load_all, save

OTHERS = {"forecast": forecast.main, "screening": screening.main}


def main() -> None:
    """Parse, measure, print."""
    if sys.argv[1:2] and sys.argv[1] in OTHERS:
        OTHERS[sys.argv[1]](sys.argv[2:])
        return
    arguments = _arguments()
    wanted = arguments.numbers or list(LINES)
    if arguments.sources:
        about, found, wanted = load_all(arguments.sources)
    else:
        one, found = _measured(_run(arguments), wanted)
        about = str(one)
        if arguments.save:
            save(arguments.save, one, found, wanted)
    lines = rows(wanted, found)
    if arguments.write:
        page.write(about, found, lines)
    if arguments.markdown:
        print(page.text_of(about, found, lines, ()))
        return
    print(as_text([HEAD, *(row.cells() for row in lines)], MAIN_LEFT))
    if against := contest(found):
        print("\n" + as_text(against, {0}))
    print(f"\n{about}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure speed and memory.")
    parser.add_argument("numbers", nargs="*", metavar="B1", help=f"which: {', '.join(LINES)} (default: all)")
    parser.add_argument("--full", action="store_true", help="up to a million customers, which takes hours")
    parser.add_argument("--smallest", action="store_true", help="as little as can be: shows that it runs")
    parser.add_argument("--markdown", action="store_true", help="the tables as docs/performance.md has them")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the numbers as JSON")
    parser.add_argument(
        "--from",
        dest="sources",
        type=Path,
        metavar="FILE",
        action="append",
        help="read such a file, or several of a run that was made in parts; measure nothing",
    )
    parser.add_argument("--write", action="store_true", help="write tables and pictures into docs/performance.md")
    arguments = parser.parse_args()
    if unknown := [number for number in arguments.numbers if number not in LINES]:
        parser.error(f"there is no {unknown[0]}; there are {', '.join(LINES)}")
    if arguments.sources and arguments.save:
        parser.error("--from measures nothing that --save could keep")
    return arguments


def _run(arguments: argparse.Namespace) -> Run:
    if arguments.smallest:
        return SMALLEST
    return FULL if arguments.full else QUICK


def _measured(run: Run, wanted: list[str]) -> tuple[Circumstances, Found]:
    about = circumstances(run.small, max(run.sizes))
    with tempfile.TemporaryDirectory(prefix="commsched-bench-bytecode-") as bytecode:
        os.environ["PYTHONPYCACHEPREFIX"] = bytecode
        return about, found_in(run, wanted)


if __name__ == "__main__":
    main()
