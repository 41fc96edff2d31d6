"""The table: what was measured, at both sizes, beside what it should be."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.population import ROOT

PACKAGES = ("sqlalchemy", "msgspec", "jinja2", "cel-expr-python")
# Of those with which we are compared, as far as they are installed.
OTHERS = ("apscheduler", "celery", "procrastinate", "twilio", "sendgrid")


@dataclass(frozen=True, slots=True)
class Target:
    """What a number should be; ``at_most`` for times and memory, else at least."""

    value: float
    at_most: bool = False
    words: str = ""

    def judged(self, found: float) -> str:
        """``met``, or how far from it."""
        if (found <= self.value) if self.at_most else (found >= self.value):
            return "met"
        far = found / self.value if self.at_most else self.value / max(found, 1e-9)
        return f"{far:.1f}× {'over' if self.at_most else 'short'}"

    def __str__(self) -> str:
        return self.words or f"{'≤' if self.at_most else '≥'} {shown(self.value)}"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. ``of_ratio``: the target is about large against small, not about the large size itself."""

    number: str
    what: str
    small: float | None
    large: float | None
    target: Target | None = None
    of_ratio: bool = False

    @property
    def ratio(self) -> float | None:
        """Large against small."""
        return self.large / self.small if self.small and self.large is not None else None

    @property
    def verdict(self) -> str:
        """How the large size, or the ratio, stands to the target."""
        found = self.ratio if self.of_ratio else (self.large if self.large is not None else self.small)
        return "" if self.target is None or found is None else self.target.judged(found)

    def cells(self) -> tuple[str, ...]:
        """The line as text."""
        ratio = f"{self.ratio:.2f}" if self.ratio is not None else ""
        target = str(self.target) if self.target else ""
        return self.number, self.what, shown(self.small), shown(self.large), ratio, target, self.verdict


HEAD = ("no", "what", "small", "large", "large/small", "target", "stands")
# Its columns that hold words.
MAIN_LEFT = frozenset({0, 1, 5, 6})


def shown(value: float | None) -> str:
    """A number with three digits that matter, and thousands apart."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def at_least(value: float, words: str = "") -> Target:
    """More is better."""
    return Target(value, words=words)


def at_most(value: float, words: str = "") -> Target:
    """Less is better."""
    return Target(value, at_most=True, words=words)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """On what, and of what, the numbers are."""

    at: str
    commit: str
    machine: str
    processors: int
    load: float
    python: str
    versions: dict[str, str]
    small: int
    large: int

    def __str__(self) -> str:
        packages = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return (
            f"{self.at}; commit {self.commit}; {self.machine}, {self.processors} processors, load {self.load:.1f}"
            f" before it began; {self.python}; {packages}. Small: {self.small:,} customers, large: {self.large:,}."
        )


def circumstances(small: int, large: int) -> Circumstances:
    """What there is to say of this run."""
    return Circumstances(
        datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        _commit(),
        _processor(),
        _processors(),
        _load(),
        f"{platform.python_implementation()} {platform.python_version()}",
        {name: found for name in (*PACKAGES, *OTHERS) if (found := _version(name))},
        small,
        large,
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "none"


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    lines = known.read_text("utf-8").splitlines() if known.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{platform.system()} {platform.machine()}{', ' + model if model else ''}"


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _load() -> float:
    return os.getloadavg()[0]


Table = Sequence[Sequence[str]]


def as_text(table: Table, left: Container[int]) -> str:
    """A table for a terminal; ``left`` are the columns that hold words."""
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in table
    )


def as_markdown(table: Table, left: Container[int]) -> str:
    """A table for docs/performance.md."""
    rule = "|" + "|".join("---" if column in left else "---:" for column in range(len(table[0]))) + "|"
    head, *rest = ["| " + " | ".join(line) + " |" for line in table]
    return "\n".join([head, rule, *rest])
