"""Writes what was measured into docs/performance.md, between two marks, and the pictures beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.lines import Found, contest
from benchmarks.plots import drawn
from benchmarks.population import ROOT
from benchmarks.report import HEAD, MAIN_LEFT, Row, as_markdown

PAGE, PICTURES = ROOT / "docs/performance.md", ROOT / "docs/img"
BEGIN, END = "<!-- written by python -m benchmarks --write -->", "<!-- to here -->"
WORDS = {
    "lateness.svg": "The share of a storm's messages that the provider had, by the seconds since they were due",
    "cost.svg": "What a pass with nobody due, a day's work and memory cost, by the size of the base",
}


def text_of(about: str, found: Found, lines: Sequence[Row], pictures: Sequence[str]) -> str:
    """What stands between the marks; ``about`` says on what and of what the numbers are."""
    parts = [as_markdown([HEAD, *(row.cells() for row in lines)], MAIN_LEFT)]
    if against := contest(found):
        parts += ["The storm through the stub:", as_markdown(against, {0})]
    parts += [f"![{WORDS[name]}](img/{name})" for name in pictures]
    return "\n\n".join([*parts, about])


def write(about: str, found: Found, lines: Sequence[Row], page: Path = PAGE, folder: Path = PICTURES) -> None:
    """Replace the numbers of the page, and its pictures. Raises ``SystemExit`` where the page has no place for them."""
    before, begin, rest = page.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{page} needs the lines {BEGIN} and {END}, between which the numbers stand.")
    pictures = [path.name for path in drawn(found, folder)]
    page.write_text(f"{before}{BEGIN}\n\n{text_of(about, found, lines, pictures)}\n\n{END}{after}", "utf-8")
