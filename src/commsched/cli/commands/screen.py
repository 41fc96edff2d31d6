"""``commsched screen``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console

    from commsched.cli.screened import Screened


@command("screen")
@click.argument("file", metavar="LIST.csv", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--purpose", metavar="P", required=True, help="What they are to be approached for, such as sales.")
@click.option("--topic", metavar="T", help="About what, a topic of the vocabulary.")
@click.option("--medium", type=click.Choice(["voice", "email", "sms", "letter"]), help="On what; default: by the list.")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where kept.csv and removed.csv go; default: beside the list.",
)
@click.option("--bar/--no-bar", default=None, help="Show a progress bar; default: on a terminal.")
def screen(
    session: Session,
    file: Path,
    purpose: str,
    topic: str | None,
    medium: str | None,
    folder: Path | None,
    bar: bool | None,
) -> None:
    """Take out of a list whoever must not be approached: kept.csv, and removed.csv with the reason and the evidence.

    A list without ids is one of prospects: who is a customer comes off it, known by mail address, phone, an
    organisation's mail domain (never that of a free mail provider), an organisation's name, or a name with a postcode.
    A list with ids is one of customers: who may not be contacted for this comes off it, and who is not known.

    Example: commsched screen prospects.csv --purpose sales --topic trade_in
    """
    from commsched.cli.screened import screened
    from commsched.errors import Misuse

    if not file.is_file():
        raise Misuse(f"There is no file {file}.")
    if folder is not None and not folder.is_dir():
        raise Misuse(f"There is no folder {folder}.")
    found = screened(session.app(), file, folder or file.parent, purpose, topic, medium, bar=bar)
    session.show(found.as_json(), lambda console: _show(console, found))


def _show(console: Console, found: Screened) -> None:
    from commsched.cli.output import counted, line, pairs

    kind = "customers" if found.of_customers else "prospects"
    line(console, f"{counted(found.kept + found.removed, 'entry', 'entries')} ({kind}): {found.kept:,} kept, "
                  f"{found.removed:,} removed.")  # fmt: skip
    if found.reasons:
        line(console, f"Removed: {pairs(found.reasons)}. Known by: {pairs(found.evidence)}.")
    if found.namesakes:
        line(console, f"{found.namesakes:,} of those kept are called like a customer; the column `note` says which.")
    if found.unreadable:
        line(console, f"{counted(found.unreadable, 'mail address or phone number', 'mail addresses or phone numbers')} "
                      "could not be read and matched nobody.")  # fmt: skip
    line(console, f"Written: {found.folder / 'kept.csv'}, {found.folder / 'removed.csv'}")
