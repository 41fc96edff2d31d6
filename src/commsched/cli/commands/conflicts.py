"""``commsched conflicts``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from rich.console import Console
    from sqlalchemy import Row

    from commsched.app import App
    from commsched.planning.conflicts import Conflict

    Reports = dict[tuple[str, str, str], Row[Any]]

COLUMNS = ("customer", "field", "stands", "said by", "refused", "learnt", "reported")


@command("conflicts")
@click.option("--source", help="Only what this source said.")
@click.option(
    "--export",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.csv",
    help="Write the list for its owner.",
)
def conflicts(session: Session, source: str | None, export: Path | None) -> None:
    """List what imports tried to overwrite and could not, because a customer or staff had said otherwise.

    The list is for whoever looks after the source: it is wrong there. A source with a table
    `[feedback.NAME]` in config/commsched.toml is told by itself, signed, once for each.

    Example: commsched conflicts --source crm --export crm-is-wrong.csv
    """
    from commsched.cli.output import counted

    app = session.app()
    found, reports = _found(app, source)
    if export is not None:
        _write(export, found, reports)
        session.say(f"{counted(len(found), 'refused overwrite')} written to {export}.", conflicts=len(found))
        return
    session.show(
        {"conflicts": [_json(one, reports) for one in found]},
        lambda console: _print(console, found, reports, app.configuration.deployment.zone),
    )


def _found(app: App, source: str | None) -> tuple[list[Conflict], Reports]:
    """The conflicts by source, and what is written down of reports about them."""
    from commsched.planning.conflicts import conflicts as found_in
    from commsched.store import queries
    from commsched.store.ledgers import load
    from commsched.store.tables import FLAG_CORRECTED

    found: list[Conflict] = []
    with app.store.read() as connection:
        flagged = [subject[2:] for subject in queries.flagged(connection, FLAG_CORRECTED) if subject.startswith("c:")]
        for chunk in queries.chunks(sorted(flagged)):
            for one in load(connection, chunk).values():
                found += [c for c in found_in(one.ledger) if source is None or c.source == source]
        reports = queries.corrections(connection)
    return sorted(found, key=lambda one: one.source), reports


def _print(console: Console, found: list[Conflict], reports: Reports, zone: ZoneInfo) -> None:
    from commsched.cli.output import table
    from commsched.cli.times import local

    if not found:
        console.print("No import was refused an overwrite.")
    for source in dict.fromkeys(one.source for one in found):
        rows = [
            (
                c.customer,
                c.field,
                c.standing,
                c.standing_by,
                c.refused,
                local(c.recorded_at, zone),
                _reported(c, reports),
            )
            for c in found
            if c.source == source
        ]
        console.print(table(f"For whoever looks after {source}", COLUMNS, rows))


def _reported(one: Conflict, reports: Reports) -> str:
    row = reports.get((one.customer, one.fact, one.field))
    if row is None:
        return "no"
    return {"told": "yes", "waiting": "waits", "given_up": "given up"}[row.state] + (
        f" ({row.detail})" if row.detail else ""
    )


def _json(one: Conflict, reports: Reports) -> dict[str, object]:
    from dataclasses import asdict

    named = {name: value for name, value in asdict(one).items() if name != "values"}
    return {**named, "reported": _reported(one, reports)}


def _write(path: Path, found: list[Conflict], reports: Reports) -> None:
    """A table that opens in a spreadsheet, and runs nothing there."""
    import csv

    from commsched.cli.output import spreadsheet_safe

    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(("source", *COLUMNS))
        for one in found:
            learnt = one.recorded_at.isoformat()
            cells = (one.source, one.customer, one.field, one.standing, one.standing_by, one.refused, learnt)
            out.writerow([spreadsheet_safe(cell) for cell in (*cells, _reported(one, reports))])
