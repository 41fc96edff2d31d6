"""``commsched wish``."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from commsched.app import App
    from commsched.store.ledgers import Loaded


@command("wish")
@click.argument("customer")
@click.argument("service", required=False)
@click.option("--from", "first", metavar="DATE", help="The first day that would do; default: today.")
@click.option("--to", "last", metavar="DATE", help="The last day that would do.")
@click.option("--notice", default="24h", show_default=True, help="How long before it they must know.")
@click.option("--id", "name", metavar="ID", help="The wish's id; give that of a wish to change it. Default: a new one.")
@click.option("--withdraw", metavar="ID", help="Take this wish back instead.")
def wish(
    session: Session,
    customer: str,
    service: str | None,
    first: str | None,
    last: str | None,
    notice: str,
    name: str | None,
    withdraw: str | None,
) -> None:
    """Put CUSTOMER on the waiting list for SERVICE: a time that is free is offered to them, by the rules.

    A wish that nothing could answer is refused: one for a service whose times no rule offers, whose notice leaves no
    day, that they have made already, or that an appointment fulfils.

    Example: commsched wish C0042 oil_change --from 2026-12-01 --to 2026-12-12 --notice 24h
    """
    from commsched.cli.lookup import name_of, require_customer, unknown
    from commsched.cli.stated import completed, record, say
    from commsched.cli.times import day
    from commsched.engine.seeking import vain
    from commsched.errors import Misuse
    from commsched.model.facts import Wish
    from commsched.planning.fold import fold
    from commsched.timing.civil import local_date

    app = session.app()
    loaded, now = require_customer(app, customer), app.clock.now()
    if withdraw is not None:
        _withdraw(session, app, loaded, withdraw)
        return
    if service is None or last is None:
        raise Misuse("name the SERVICE and --to, the last day that would do; or give --withdraw ID.")
    if service not in app.services:
        raise unknown("service", service, list(app.services))
    today = local_date(now, app.configuration.deployment.zone)
    begins, ends = day(first) if first is not None else today, day(last)
    if ends < today:
        raise Misuse(f"--to {ends} is past.")
    fact = Wish(
        at=now,
        customer=customer,
        stated_by="customer",
        id=name or f"W-{secrets.token_hex(3)}",
        service=service,
        between=(begins, ends),
        notice=notice,
    )
    completed(app, fact)
    app.checker.check(fact)
    why = vain(fact, fold(loaded.ledger, now), app.rules, app.services, app.configuration.deployment.zone, now)
    if why:
        raise Misuse(why)
    record(app, customer, fact)
    text = f"{name_of(app, loaded)} ({customer}) waits for {service} between {begins} and {ends}, as {fact.id}."
    say(session, fact, text, f"commsched wish {customer} --withdraw {fact.id}")


def _withdraw(session: Session, app: App, loaded: Loaded, name: str) -> None:
    from commsched.cli.lookup import unknown
    from commsched.cli.stated import record, say
    from commsched.model.facts import Wish
    from commsched.planning.fold import fold

    customer, now = loaded.ledger.customer, app.clock.now()
    known = fold(loaded.ledger, now).wishes
    if name not in known:
        raise unknown(f"wish of {customer}", name, sorted(known))
    old = known[name]
    fact = Wish(
        at=now,
        customer=customer,
        stated_by="customer",
        id=name,
        service=old.service,
        between=old.between,
        notice=old.notice,
        withdrawn=True,
    )
    record(app, customer, fact)
    first, last = old.between
    undo = f"commsched wish {customer} {old.service} --from {first} --to {last} --notice {old.notice} --id {name}"
    say(session, fact, f"{name} is taken back.", undo)
