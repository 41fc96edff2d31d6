"""Draws the pictures of README: what the demo and an explanation look like in a terminal.

Run it after ``make demo``; it needs nothing else. The pictures name no font of anybody's server.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "img"
COMMSCHED = (sys.executable, "-m", "commsched")
STORE = {"COMMSCHED_STORE": "sqlite:///var/demo/commsched.db"}
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def main() -> None:
    """Draw both pictures."""
    draw("demo", output("demo", columns=150), "make demo", columns=150)
    explained = moved_message()
    draw("explain", output("explain", explained, columns=150, **STORE), f"commsched explain {explained}", columns=150)


def output(*arguments: str, columns: int, **environment: str) -> str:
    """What a command prints, in colour."""
    settings = {**os.environ, "COLUMNS": str(columns), "FORCE_COLOR": "1", **environment}
    done = subprocess.run([*COMMSCHED, *arguments], cwd=ROOT, env=settings, capture_output=True, text=True, check=True)
    return done.stdout


def moved_message() -> str:
    """The message that the demo itself proposes to look at: one that went at another time than its ideal."""
    tour = output("demo", columns=200)
    found = re.search(r"explain '?([^'\s]+)'?\s+# why this one went", re.sub(r"\x1b\[[0-9;]*m", "", tour))
    if found is None:
        raise SystemExit("the demo names no message to explain; look at what `make demo` prints")
    return found[1]


def draw(name: str, text: str, title: str, *, columns: int) -> None:
    """Write a terminal's text as an SVG."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=columns, file=nowhere, force_terminal=True)
        console.print(Text.from_ansi(text))
        svg = console.export_svg(title=title, theme=MONOKAI, code_format=FORMAT, unique_id=name)
    svg = svg.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono")
    (IMAGES / f"{name}.svg").write_text(svg, "utf-8")
    print(f"wrote docs/img/{name}.svg")


if __name__ == "__main__":
    main()
