"""``commsched withdraw-links``."""

from __future__ import annotations

import click

from commsched.cli.session import Session, command


@command("withdraw-links")
@click.argument("customer")
@click.option("--words", help="What they said, in their own words.")
def withdraw_links(session: Session, customer: str, words: str | None) -> None:
    """Let the links in all messages that CUSTOMER got until now lead nowhere: somebody else has them.

    The next message has links of its own. A mail program's "unsubscribe" still works.

    Example: commsched withdraw-links C0042 --words "My phone was stolen"
    """
    from commsched.cli.lookup import name_of, require_customer
    from commsched.cli.stated import record
    from commsched.model.facts import Reply

    app = session.app()
    loaded = require_customer(app, customer)
    fact = Reply(
        at=app.clock.now(),
        customer=customer,
        stated_by="customer",
        medium="task",
        text=words or "links withdrawn",
        meaning="links_withdrawn",
    )
    record(app, customer, fact)
    text = f"The links of {name_of(app, loaded)} ({customer}) lead nowhere any more; the next message has new ones."
    session.say(text, customer=customer, at=fact.at)
