"""Screening a list, from file to files: each of them is there whole in the end, or as it was before."""

from __future__ import annotations

import csv
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from commsched.app import App
from commsched.cli.enquired import question_of
from commsched.cli.output import progress, spreadsheet_safe
from commsched.screening.judging import Judgement, judge
from commsched.screening.lists import People, read_list
from commsched.screening.matching import match

KEPT, REMOVED = "kept.csv", "removed.csv"


@dataclass
class Screened:
    """What came of a list; ``reasons`` and ``evidence`` count why, and by what, entries were removed."""

    folder: Path
    of_customers: bool
    unreadable: int
    kept: int = 0
    removed: int = 0
    namesakes: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    evidence: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, object]:
        """For tools."""
        return {
            "kept": self.kept,
            "removed": self.removed,
            "of": "customers" if self.of_customers else "prospects",
            "reasons": dict(sorted(self.reasons.items())),
            "evidence": dict(sorted(self.evidence.items())),
            "namesakes": self.namesakes,
            "unreadable": self.unreadable,
            "files": [str(self.folder / KEPT), str(self.folder / REMOVED)],
        }


def screened(
    app: App, file: Path, folder: Path, purpose: str, topic: str | None, medium: str | None, *, bar: bool | None
) -> Screened:
    """Screen a list; writes ``kept.csv`` and ``removed.csv`` in the folder."""
    now, country = app.clock.now(), app.configuration.deployment.region.partition("-")[0] or None
    with app.store.read() as connection:
        world = app.world(connection)
        question = question_of(world, purpose, topic=topic)
        people = read_list(file, country)
        with progress("customers", 0, wanted=bar) as step:
            found = match(connection, people, lambda done: step(0, f"{done:,} looked at"))
        result = Screened(folder, people.by_id, people.unreadable)
        judged = judge(connection, world, now, people, found, question, medium)
        with progress("list", len(people.entries), wanted=bar) as step:
            _write(people, folder, _told(judged, result, step))
    return result


def _told(judged: Iterable[Judgement], result: Screened, step: object) -> Iterator[Judgement]:
    for number, one in enumerate(judged):
        if one.reason:
            result.removed += 1
            result.reasons.update({part.partition(":")[0] for part in one.reason.split("; ")})
            result.evidence[_kind(one.evidence)] += 1
        else:
            result.kept += 1
            result.namesakes += bool(one.note)
        if callable(step) and number % 1000 == 0:
            step(number)
        yield one


def _kind(evidence: str) -> str:
    """By what an entry was known, in a word or two: what its evidence begins with."""
    words = evidence.split()
    return " ".join(words[:2]) if words[:1] in (["mail"], ["company"]) else words[0]


def _write(people: People, folder: Path, judged: Iterable[Judgement]) -> None:
    with ExitStack() as stack:
        kept = csv.writer(stack.enter_context(_whole(folder / KEPT)))
        removed = csv.writer(stack.enter_context(_whole(folder / REMOVED)))
        kept.writerow([*people.head, "note"])
        removed.writerow([*people.head, "reason", "evidence", "customers"])
        for one in judged:
            if one.reason:
                said = (one.reason, one.evidence, " ".join(one.customers))
                removed.writerow([*one.entry.cells, *map(spreadsheet_safe, said)])
            else:
                kept.writerow([*one.entry.cells, spreadsheet_safe(one.note)])


@contextmanager
def _whole(path: Path) -> Iterator[TextIO]:
    """A file that takes its place when all is written, and leaves nothing behind when something goes wrong."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - a descriptor, no path
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
