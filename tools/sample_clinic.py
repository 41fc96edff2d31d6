"""Write the sample facts of the second deployment: the patients of Isarbogen Clinic, over a year and a half.

    python tools/sample_clinic.py [--to 2027-01-01] [--patients 120] [--seed 11] [--out examples/clinic/facts]

The same arguments always give the same bytes. Every line is decoded again before anything is written.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from clinic.bookings import make_stories
from clinic.diary import DAY, Diary
from clinic.people import make_people
from factfiles import contents, write

ROOT = Path(__file__).resolve().parents[1]
LAST = date(2027, 1, 1)
LONG = 548 * DAY
PATIENTS = 120
SEED = 11


def sample(last: date = LAST, patients: int = PATIENTS, seed: int = SEED) -> dict[str, bytes]:
    """The content of every file, by name: one fact a line, in the order in which they were learnt."""
    diary = Diary(last - LONG, last, seed, patients)
    make_stories(diary, make_people(diary))
    return contents(diary.facts)


def main() -> None:
    """Make the facts, check them, write them, and say how many there are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--to", type=date.fromisoformat, default=LAST, metavar="DATE", help="before which day it ends")
    parser.add_argument("--patients", type=int, default=PATIENTS, metavar="N", help="how many patients, 180 at most")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help="another seed, other patients")
    parser.add_argument("--out", type=Path, default=ROOT / "examples" / "clinic" / "facts", metavar="DIR")
    arguments = parser.parse_args()
    write(sample(arguments.to, arguments.patients, arguments.seed), arguments.out)


if __name__ == "__main__":
    main()
