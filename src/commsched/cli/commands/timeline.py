"""``commsched timeline``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console


@command("timeline")
@click.argument("customer")
@click.option("--show", is_flag=True, help="Addresses in full; by default they are masked.")
def timeline(session: Session, customer: str, show: bool) -> None:
    """Show all that was said to and known of CUSTOMER, in order of time: facts, messages, decisions, tasks.

    Example: commsched timeline C0042
    """
    from commsched.cli.history import history
    from commsched.cli.lookup import name_of, require_customer, zone_of
    from commsched.cli.output import line, table
    from commsched.cli.standing import tell_if_empty
    from commsched.cli.times import local

    app = session.app()
    tell_if_empty(session, app)
    loaded = require_customer(app, customer)
    name, zone = name_of(app, loaded), zone_of(app, loaded)
    moments = history(app, loaded, zone, show=show)
    rows = [(local(one.at, zone), one.kind, one.text, one.who) for one in moments]

    def human(console: Console) -> None:
        line(console, f"{name} ({customer}); times are {zone}")
        console.print(table("", ("when", "what", "", "who says so"), rows))

    session.show({"customer": customer, "name": name, "timeline": moments}, human)
