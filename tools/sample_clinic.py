"""Write the sample facts of the second deployment: the patients of Isarbogen Clinic, over a year and a half.

    python tools/sample_clinic.py [--to 2027-01-01] [--patients 120] [--seed 11] [--out examples/clinic/facts]

The same arguments always give the same bytes. Every line is decoded again before anything is written.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

import msgspec
from clinic.bookings import make_stories
from clinic.diary import DAY, Diary
from clinic.people import make_people

from commsched.model.facts import AnyFact, Fact

ROOT = Path(__file__).resolve().parents[1]
LAST = date(2027, 1, 1)
LONG = 548 * DAY
PATIENTS = 120
SEED = 11


def sample(last: date = LAST, patients: int = PATIENTS, seed: int = SEED) -> dict[str, bytes]:
    """The content of every file, by name: one fact a line, in the order in which they were learnt."""
    diary = Diary(last - LONG, last, seed, patients)
    make_stories(diary, make_people(diary))
    return {f"{name}.jsonl": _lines(facts) for name, facts in sorted(diary.facts.items())}


def _lines(facts: Iterable[Fact]) -> bytes:
    encode = msgspec.json.Encoder().encode
    return b"".join(line + b"\n" for _, line in sorted((_learnt(fact), encode(fact)) for fact in facts))


def _learnt(fact: Fact) -> datetime:
    return fact.recorded_at or fact.at


def count(files: dict[str, bytes]) -> Counter[str]:
    """How many facts of each type there are; ``ValidationError`` if a line is no fact."""
    decode = msgspec.json.Decoder(AnyFact).decode
    return Counter(decode(line).type for content in files.values() for line in content.splitlines())


def main() -> None:
    """Make the facts, check them, write them, and say how many there are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--to", type=date.fromisoformat, default=LAST, metavar="DATE", help="before which day it ends")
    parser.add_argument("--patients", type=int, default=PATIENTS, metavar="N", help="how many patients, 180 at most")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help="another seed, other patients")
    parser.add_argument("--out", type=Path, default=ROOT / "examples" / "clinic" / "facts", metavar="DIR")
    arguments = parser.parse_args()
    files = sample(arguments.to, arguments.patients, arguments.seed)
    kinds = count(files)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (arguments.out / name).write_bytes(content)
        print(f"{name:24} {len(content.splitlines()):6} facts {len(content) / 1024:8.0f} KiB")
    print(", ".join(f"{number} {kind}" for kind, number in kinds.most_common()))


if __name__ == "__main__":
    main()
