"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from commsched.errors import Problem
from commsched.planning.proof import Proof


@dataclass
class Report:
    """All problems, warnings that are none, and how much was looked at."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    proofs: tuple[Proof, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def settled(self, folder: Path) -> Report:
        """The same with files named from the deployment's folder, each problem once, in order."""
        named = dict.fromkeys(replace(one, file=_inside(one.file, folder)) for one in self.problems)
        problems = sorted(named, key=lambda one: (one.file, one.line or 0, one.code, one.message))
        return Report(problems, list(dict.fromkeys(self.warnings)), self.counts, self.proofs)


def _inside(file: str, folder: Path) -> str:
    path = Path(file)
    return str(path.relative_to(folder)) if path.is_absolute() and path.is_relative_to(folder) else file


def line_of(folder: Path, file: str, *texts: str) -> int | None:
    """The first line of a file that has all of these texts; ``None`` if there is none."""
    path = folder / file
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    return next((number for number, line in enumerate(lines, 1) if all(text in line for text in texts)), None)
