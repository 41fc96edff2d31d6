"""``commsched report``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from commsched.app import App
    from commsched.store.reports import By, Question


@command("report")
@click.option("--from", "start", metavar="TIME", help="From when on; default: from the beginning.")
@click.option("--to", "end", metavar="TIME", help="Until when, a date with all of it; default: now.")
@click.option(
    "--by",
    type=click.Choice(("purpose", "department", "policy", "week", "medium")),
    help="What the rows stand for; default: purpose, and policy beside it.",
)
@click.option("--days", default=14, show_default=True, type=click.IntRange(1, 365), help="How soon a booking follows.")
def report(session: Session, start: str | None, end: str | None, by: By | None, days: int) -> None:
    """Add up what went to customers, what was held back, what either costs or saved, and what came of it.

    A contact is a message that its channel took. A veto is a message that was refused; it counts on the day on
    which it would have gone, and under the first policy that refused it. What it saved is what it would have
    cost on the first medium that it was meant for, a text as one part: `cost` of the channel. Whom nothing
    could reach saved nothing. A booking follows a message when it is made within --days of one about its
    service; it counts once, for the last of them.

    Families and businesses stand side by side, so that one can see whether both are treated as well.

    Example: commsched report

    Example: commsched report --by week --from 2026-12-01 --to 2026-12-31
    """
    from dataclasses import replace

    from commsched.cli.reported import Shown, report_json
    from commsched.cli.standing import tell_if_empty
    from commsched.engine.channels import first_of
    from commsched.store.reports import Deployed, summarise

    app = session.app()
    tell_if_empty(session, app)
    settings = app.configuration.deployment
    rules = {name: rule for rule in app.rules for name in (rule.name, *rule.was)}
    deployed = Deployed(app.configuration.costs, first_of(app.channels), rules)
    with app.store.read() as connection:
        asked = _question(session, app, connection, (start, end), by or "purpose", days)
        found = summarise(connection, asked, deployed)
        policies = summarise(connection, replace(asked, by="policy"), deployed).rows if by is None else None
    session.show(
        report_json(asked, found, policies, settings.currency),
        lambda console: Shown(console, settings, asked).all(found, policies),
    )


def _question(
    session: Session, app: App, connection: Connection, span: tuple[str | None, str | None], by: By, days: int
) -> Question:
    """What was asked. Without an end, all that went counts, in a demo's future too."""
    from datetime import UTC, datetime, timedelta

    from commsched.cli import times
    from commsched.errors import Misuse
    from commsched.store import queries
    from commsched.store.reports import Question
    from commsched.store.store import instant

    zone = session.zone()
    first = times.moment(span[0], zone) if span[0] is not None else datetime(1970, 1, 1, tzinfo=UTC)
    last = queries.last_contact(connection)
    known = app.clock.now() if last is None else max(app.clock.now(), instant(last) + timedelta(seconds=1))
    end = times.end(span[1], zone) if span[1] is not None else known
    if end <= first:
        raise Misuse("--to is not after --from; there is no time between them.")
    return Question(first, end, by, timedelta(days=days), zone)
