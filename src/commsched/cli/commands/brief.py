"""``commsched brief``."""

from __future__ import annotations

import click

from commsched.cli.session import Session, command


@command("brief")
@click.argument("customer")
def brief(session: Session, customer: str) -> None:
    """Show CUSTOMER on one page before a talk: who they are, what is open, promised, said, and what may be raised now.

    What may be raised is asked for each purpose as `may-contact` asks.

    Example: commsched brief C0042
    """
    from commsched.cli.briefed import briefed, page
    from commsched.cli.enquired import reasons_json
    from commsched.cli.lookup import require_customer
    from commsched.cli.standing import tell_if_empty

    app = session.app()
    tell_if_empty(session, app)
    found = briefed(app, require_customer(app, customer))

    def human(_: object) -> None:
        click.echo("\n".join(page(found)))

    may = {
        purpose: {
            "allowed": answer.at(found.now),
            "when": list(answer.when),
            "reasons": reasons_json(answer.reasons),
            "not_about": [one.name for one in answer.cautions],
        }
        for purpose, answer in found.answers.items()
    }
    parts = {label.lower(): lines for label, lines in found.parts.items()}
    data = {"customer": found.customer, "name": found.name, "who": found.who, **parts}
    session.show({**data, "medium": found.medium, "may": may}, human)
