"""``commsched import``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console

    from commsched.cli.intake import Imported

SHOWN = 5


@command("import")
@click.argument("files", metavar="FILE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--source", help="The system that the facts come from; default: the file's name.")
@click.option("--mapping", type=click.Path(path_type=Path), help="A mapping file for CSV columns; see docs/facts.md.")
@click.option("--progress/--no-progress", "bar", default=None, help="A progress bar; default: on a terminal.")
def take_in(
    session: Session, files: tuple[Path, ...], source: str | None, mapping: Path | None, bar: bool | None
) -> int:
    """Take facts in from JSON Lines (one fact a line) or CSV files. A folder means all such files in it.

    A line that cannot be taken is named with its number and what would be right, and written to
    var/rejects; the rest goes in, and the exit code is 1. What is known already changes nothing, so
    the same file may come again.

    Example: commsched import facts/customers.jsonl --source crm
    """
    from commsched.cli.intake import bring_in, files_of

    app = session.app()
    app.remember_rules()
    paths = files_of(files)
    done = [bring_in(app, path, source, mapping, bar=bar) for path in paths]
    session.show({"files": [one.as_json() for one in done]}, lambda console: _print(console, done))
    return 1 if any(one.rejects for one in done) else 0


def _print(console: Console, done: list[Imported]) -> None:
    from commsched.cli.output import counted

    for one in done:
        words = [f"{counted(one.new, 'fact')} new", f"{one.known:,} known already"]
        if one.rejects:
            words.append(f"{one.rejects:,} rejected")
        console.print(f"{one.name}: {', '.join(words)}", markup=False)
        for reject in one.first:
            console.print(f"  {reject}", markup=False)
        if one.rejects > len(one.first):
            console.print(f"  … and {one.rejects - len(one.first):,} more")
        if one.rejects_file is not None:
            console.print(f"  All of them are in {one.rejects_file}, with what is wrong.", markup=False)
        for conflict in one.conflicts[:SHOWN]:
            console.print(f"  kept: {conflict}", markup=False)
        if len(one.conflicts) > SHOWN:
            more = len(one.conflicts) - SHOWN
            console.print(f"  … and {more:,} more overwrites refused; `commsched conflicts` lists them")
