"""Importing a file: batch by batch, with what was rejected, and what was refused because somebody knew better."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from commsched.app import App
from commsched.cli.output import progress
from commsched.errors import Misuse
from commsched.model.facts import AnyFact
from commsched.model.subjects import digest_of
from commsched.planning.conflicts import Conflict, conflicts
from commsched.store import queries
from commsched.store.intake import Batch, Reject, keep_rejects, rejects_file
from commsched.store.ledgers import load
from commsched.store.tables import FLAG_CORRECTED

SUFFIXES = {".jsonl", ".csv"}
FIRST = 5


@dataclass
class Imported:
    """What came of one file."""

    name: str
    new: int = 0
    known: int = 0
    rejects: int = 0
    first: list[Reject] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    rejects_file: Path | None = None

    def as_json(self) -> dict[str, object]:
        """For tools."""
        return {
            "file": self.name,
            "new": self.new,
            "known": self.known,
            "rejected": self.rejects,
            "rejects": self.first,
            "rejects_file": str(self.rejects_file) if self.rejects_file else None,
            "conflicts": self.conflicts,
        }


def files_of(paths: Iterable[Path]) -> list[Path]:
    """The files that were named, and those in the folders that were."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(one for one in path.iterdir() if one.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        if not inside:
            raise Misuse(f"There is no .jsonl or .csv file in {path}.")
        found += inside
    missing = [path for path in found if not path.is_file()]
    if missing:
        raise Misuse(f"There is no file {missing[0]}.")
    return found


def bring_in(app: App, path: Path, source: str | None, mapping: Path | None, *, bar: bool | None) -> Imported:
    """Import one file; every batch is durable before the next is read."""
    done = Imported(path.name)
    file = rejects_file(app.folder, path.name)
    file.unlink(missing_ok=True)
    with progress(path.name, path.stat().st_size, wanted=bar) as step:
        for batch in app.take_in(path, source, mapping):
            _count(app, done, batch)
            keep_rejects(app.folder, path.name, batch.rejects)
            step(batch.end or done.new + done.known, f"{done.new:,} new")
    done.rejects_file = file.relative_to(app.folder) if done.rejects else None
    return done


def _count(app: App, done: Imported, batch: Batch) -> None:
    new = len(batch.facts)
    done.new += new
    done.rejects += len(batch.rejects)
    done.known += batch.lines - len(batch.rejects) - new
    done.first += batch.rejects[: FIRST - len(done.first)]
    done.conflicts += refused(app, [fact for _, fact in batch.facts])


def refused(app: App, facts: Sequence[AnyFact]) -> list[Conflict]:
    """The overwrites among these new facts that did not come to be."""
    ranked = {fact.customer for fact in facts if fact.ranked and fact.customer is not None}
    if not ranked:
        return []
    found: list[Conflict] = []
    with app.store.read() as connection:
        flags = queries.versions(connection, [f"c:{customer}" for customer in ranked])
        corrected = sorted(subject[2:] for subject, (_, flag) in flags.items() if flag & FLAG_CORRECTED)
        mine = {id_of(fact) for fact in facts} if corrected else set()
        for chunk in queries.chunks(corrected):
            for one in load(connection, chunk).values():
                found += [c for c in conflicts(one.ledger) if c.fact in mine]
    return found


def id_of(fact: AnyFact) -> str:
    """A fact's identity, as conflicts name it."""
    return digest_of(fact).hex()
