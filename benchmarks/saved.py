"""A run as a file, from which its tables and pictures can be made again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.bench import Numbers
from benchmarks.lines import LINES, Found, rows
from benchmarks.report import HEAD, Circumstances


def save(path: Path, about: Circumstances, found: Found, wanted: list[str]) -> None:
    """Write all of it as JSON: the circumstances, the table as it is shown, and every number."""
    data = {
        "about": asdict(about),
        "wanted": wanted,
        "table": [dict(zip(HEAD, row.cells(), strict=True)) for row in rows(wanted, found)],
        "small": found.small,
        "by_size": found.by_size,
        "once": found.once,
    }
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")


def load(path: Path) -> tuple[Circumstances, Found, list[str]]:
    """Read such a file. Raises ``SystemExit`` with a sentence if it is none."""
    try:
        data = json.loads(path.read_text("utf-8"))
        found = Found({int(size): one for size, one in data["by_size"].items()}, data["once"], data["small"])
        return Circumstances(**data["about"]), found, data["wanted"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SystemExit(f"{path} is no file that --save has written ({error}).") from error


def load_all(paths: Sequence[Path]) -> tuple[str, Found, list[str]]:
    """Several such files as one run, made in parts: of two that have the same number, the later one counts."""
    parts = [load(path) for path in paths]
    by_size: dict[int, dict[str, Numbers]] = {}
    once: dict[str, Numbers] = {}
    for _, found, _ in parts:
        once |= found.once
        for size, numbers in found.by_size.items():
            by_size[size] = by_size.get(size, {}) | numbers
    if len({found.small for _, found, _ in parts}) > 1:
        raise SystemExit("These files are of runs of different sizes; make them all with --full, or all without.")
    names = sorted({name for _, _, wanted in parts for name in wanted}, key=list(LINES).index)
    lines = [f"{', '.join(wanted)}: {about}" if len(parts) > 1 else str(about) for about, _, wanted in parts]
    return "\n\n".join(lines), Found(by_size, once, parts[0][1].small), names
