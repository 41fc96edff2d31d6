"""A run as a file, from which its tables and pictures can be made again."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.lines import Found, rows
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
