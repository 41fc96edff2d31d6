"""``commsched find``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 50


@command("find")
@click.argument("text", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1), default=SHOWN, show_default=True, help="How many to show.")
def find(session: Session, text: tuple[str, ...], limit: int) -> int:
    """Find customers by a part of their name, phone number or mail address, or by the plate or model of what is theirs.

    Case and accents do not matter, nor do blanks and dashes in a plate. Former names and addresses count, too.
    The exit code is 1 if nobody is found.

    Example: commsched find maria ramirez

    Example: commsched find 555 0188
    """
    from commsched.cli.finding import find as hits_of
    from commsched.cli.output import line
    from commsched.cli.standing import tell_if_empty

    app, wanted = session.app(), " ".join(text)
    tell_if_empty(session, app)
    with app.store.read() as connection:
        hits, number = hits_of(connection, wanted, app.clock.now(), limit)

    def human(console: Console) -> None:
        for hit in hits:
            line(console, f"{hit.customer}  {hit.name} ({', '.join(hit.evidence)})")
        if number > len(hits):
            line(console, f"… and {number - len(hits):,} more; --limit {number} shows them.")
        if not hits:
            line(console, f"Nothing of any customer is like {wanted!r}.")

    session.show({"customers": hits, "found": number}, human)
    return 0 if hits else 1
