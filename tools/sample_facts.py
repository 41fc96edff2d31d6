"""Write the sample facts of the shipped deployment: the customers of Northside Motors, as they stood on a day.

    python tools/sample_facts.py [--as-of 2026-11-23] [--customers 320] [--seed 7] [--out facts]

The same arguments always give the same bytes. Every line is decoded again before anything is written.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from factfiles import contents, write
from sample.appointments import make_appointments
from sample.diary import Diary
from sample.people import make_people
from sample.stories import make_stories
from sample.vehicles import make_vehicles

ROOT = Path(__file__).resolve().parents[1]
AS_OF = date(2026, 11, 23)
CUSTOMERS = 320
SEED = 7


def sample(as_of: date = AS_OF, customers: int = CUSTOMERS, seed: int = SEED) -> dict[str, bytes]:
    """The content of every file, by name: one fact a line, in the order in which they were learnt."""
    diary = Diary(as_of, seed, customers)
    people = make_people(diary)
    vehicles = make_vehicles(diary, people)
    make_appointments(diary, vehicles)
    make_stories(diary, people, vehicles)
    return contents(diary.facts)


def main() -> None:
    """Make the facts, check them, write them, and say how many there are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--as-of", type=date.fromisoformat, default=AS_OF, metavar="DATE", help="the day it ends on")
    parser.add_argument("--customers", type=int, default=CUSTOMERS, metavar="N", help="how many customers")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help="another seed, other customers")
    parser.add_argument("--out", type=Path, default=ROOT / "facts", metavar="DIR", help="where to write")
    arguments = parser.parse_args()
    write(sample(arguments.as_of, arguments.customers, arguments.seed), arguments.out)
    # The demo begins thirty days before the day on which the facts end.
    (arguments.out / "as-of.txt").write_text(f"{arguments.as_of}\n", "utf-8")


if __name__ == "__main__":
    main()
