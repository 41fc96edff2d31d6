"""``commsched conflicts``."""

from __future__ import annotations

import click

from commsched.cli.session import Session, command


@command("conflicts")
@click.option("--source", help="Only what this source said.")
def conflicts(session: Session, source: str | None) -> None:
    """List what imports tried to overwrite and could not, because a customer or staff had said otherwise.

    The list is for whoever looks after the source: it is wrong there.

    Example: commsched conflicts --source crm
    """
    from commsched.cli.output import table
    from commsched.cli.times import local
    from commsched.planning.conflicts import Conflict
    from commsched.planning.conflicts import conflicts as found_in
    from commsched.store import queries
    from commsched.store.ledgers import load
    from commsched.store.tables import FLAG_CORRECTED

    app = session.app()
    found: list[Conflict] = []
    with app.store.read() as connection:
        flagged = [subject[2:] for subject in queries.flagged(connection, FLAG_CORRECTED) if subject.startswith("c:")]
        for chunk in queries.chunks(sorted(flagged)):
            for one in load(connection, chunk).values():
                found += [c for c in found_in(one.ledger) if source is None or c.source == source]
    zone = app.configuration.deployment.zone
    columns = ("customer", "field", "stands", "said by", "refused", "source", "learnt")
    rows = [
        (c.customer, c.field, c.standing, c.standing_by, c.refused, c.source, local(c.recorded_at, zone)) for c in found
    ]
    session.show(
        {"conflicts": found},
        lambda console: console.print(table("", columns, rows) if rows else "No import was refused an overwrite."),
    )
