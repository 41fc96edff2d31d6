"""The table: what was measured, at both sizes, beside what it should be."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.bench import Numbers
from benchmarks.population import ROOT

PACKAGES = ("sqlalchemy", "msgspec", "jinja2", "cel-expr-python", "apscheduler")
Results = Mapping[str, Numbers]


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


def rows(wanted: Sequence[str], small: Results, large: Results) -> list[Row]:
    """The lines for the wanted benchmarks."""
    return [row for number in wanted for row in LINES[number](small, large)]


def _row(
    small: Results, large: Results, number: str, what: str, measure: str, key: str, target: Target | None = None
) -> Row:
    return Row(number, what, small[measure].get(key), large[measure].get(key), target)


def _b1(small: Results, large: Results) -> list[Row]:
    a, b = small["idle"]["ms"], large["idle"]["ms"]
    return [
        Row("B1", "tick with nothing due, ms (median)", a, b, at_most(3)),
        Row("", "… large against small", a, b, at_most(1.5, "ratio ≤ 1.5"), of_ratio=True),
    ]


def _b2(small: Results, large: Results) -> list[Row]:
    return [
        _row(small, large, "B2", "cold planning, customers/s a core", "planned", "per_cpu", at_least(8000)),
        _row(small, large, "", "… customers/s on the wall", "planned", "per_second"),
        _row(small, large, "", "… through the loop, written: customers/s a core", "first_tick", "per_cpu"),
        _row(small, large, "", "… peak memory of that, MB", "first_tick", "mb", at_most(300)),
        _row(small, large, "", "… share of customers with something coming", "planned", "active"),
    ]


def _b3(small: Results, large: Results) -> list[Row]:
    return [
        _row(small, large, "B3", "new fact to new plan, both durable, ms p50", "new_fact", "p50"),
        _row(small, large, "", "… ms p99", "new_fact", "p99", at_most(5)),
    ]


def _b4(small: Results, large: Results) -> list[Row]:
    lines = [
        _row(small, large, "B4", "storm to the outbox, messages/s", "stormed", "per_second", at_least(4000)),
        _row(small, large, "", "… messages/s a core", "stormed", "per_cpu"),
        _row(small, large, "", "… dropped", "stormed", "dropped", at_most(0)),
        _row(small, large, "", "… limit: bare loop, same renderer and outbox, messages/s", "bare", "per_second"),
        _row(small, large, "", "… peer: APScheduler, jobs in memory, messages/s", "apscheduler", "per_second"),
        _row(small, large, "", "… peer: APScheduler, jobs in SQLite, messages/s", "apscheduler_durable", "per_second"),
    ]
    for what, other, target in (
        ("… storm against the bare loop", "bare", None),
        ("… storm against the best peer", "apscheduler", at_least(3, "≥ 3×")),
        ("… storm against the peer that survives a restart", "apscheduler_durable", at_least(3, "≥ 3×")),
    ):
        a, b = (each["stormed"]["per_second"] / each[other]["per_second"] for each in (small, large))
        lines.append(Row("", what, a, b, target))
    return lines


def _b6(small: Results, large: Results) -> list[Row]:
    return [
        _row(small, large, "B6", "import of JSON Lines, facts/s", "taken_in", "per_second", at_least(100_000)),
        _row(small, large, "", "… facts/s a core", "taken_in", "per_cpu"),
        _row(small, large, "", "… peak memory, MB", "taken_in", "mb", at_most(150)),
        _row(small, large, "", "… of that before the first line is read, MB", "taken_in", "mb_before"),
    ]


def _b7(small: Results, large: Results) -> list[Row]:
    return [
        _row(small, large, "B7", "commsched --help, ms", "commands", "help", at_most(250)),
        _row(small, large, "", "… plan --customer, ms", "commands", "plan"),
        _row(small, large, "", "… explain, ms with the start of Python", "commands", "explain"),
    ]


def _b9(small: Results, large: Results) -> list[Row]:
    a, b = small["a_day"]["seconds"], large["a_day"]["seconds"]
    return [Row("B9", "a day's work with 1,000 due, s", a, b, at_most(1.3, "ratio ≤ 1.3"), of_ratio=True)]


LINES: dict[str, Callable[[Results, Results], list[Row]]] = {
    "B1": _b1,
    "B2": _b2,
    "B3": _b3,
    "B4": _b4,
    "B6": _b6,
    "B7": _b7,
    "B9": _b9,
}


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
        {name: version(name) for name in PACKAGES},
        small,
        large,
    )


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


def as_text(found: Sequence[Row]) -> str:
    """The table for a terminal."""
    table = [HEAD, *(row.cells() for row in found)]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEAD))]
    left = {0, 1, 5, 6}
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in table
    )


def as_markdown(found: Sequence[Row]) -> str:
    """The table for docs/performance.md."""
    lines = ["| " + " | ".join(HEAD) + " |", "|---|---|---:|---:|---:|---|---|"]
    return "\n".join([*lines, *("| " + " | ".join(row.cells()) + " |" for row in found)])


def as_data(about: Circumstances, found: Sequence[Row], small: Results, large: Results) -> dict[str, object]:
    """All of it, for a file."""
    table = [dict(zip(HEAD, row.cells(), strict=True)) for row in found]
    return {"about": asdict(about), "table": table, "small": dict(small), "large": dict(large)}
