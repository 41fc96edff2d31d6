"""``commsched export``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from commsched.cli.session import Session, command


@command("export")
@click.argument("customer")
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it to a file that only you can read: FILE.json, or FILE.csv for a spreadsheet.",
)
def export(session: Session, customer: str, to: Path | None) -> None:
    """Give all that is known of CUSTOMER, as JSON: for a person who asks what you have about them.

    Facts with who said them and when, messages with what became of them, decisions with their reasons, tasks,
    appointments. Nothing of other people, and no secret of a link.

    Example: commsched export C0042 --to ana.json
    """
    from commsched.cli.lookup import require_customer
    from commsched.cli.output import to_json
    from commsched.store.access import export as found_of
    from commsched.store.access import flat

    app = session.app()
    require_customer(app, customer)
    with app.store.read() as connection:
        found = found_of(connection, customer, app.public_url)
    if to is None:
        click.echo(to_json(found))
        return
    _write(to, _table(flat(found)) if to.suffix.lower() == ".csv" else to_json(found) + "\n")
    session.say(f"All that is known of {customer} was written to {to}, which only you can read.", file=str(to))


def _write(path: Path, text: str) -> None:
    with open(path, "w", encoding="utf-8", newline="", opener=_private) as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _table(pairs: list[tuple[str, str]]) -> str:
    import csv
    from io import StringIO

    from commsched.cli.output import spreadsheet_safe

    file = StringIO()
    out = csv.writer(file)
    out.writerow(("what", "value"))
    out.writerows((what, spreadsheet_safe(value)) for what, value in pairs)
    return file.getvalue()
