"""``commsched slots``."""

from __future__ import annotations

import click

from commsched.cli.session import Session, command


@command("slots")
@click.argument("service")
@click.option("--customer", metavar="ID", help="For whom: their stated hours and what they must be told count.")
@click.option("--from", "first", metavar="TIME", help="From when; default: now.")
@click.option(
    "--to", "last", metavar="TIME", help="Until when; a date alone is that whole day. Default: two weeks later."
)
@click.option("--near", metavar="TIME", help="Those nearest to this time first.")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many at most.")
def slots(
    session: Session,
    service: str,
    customer: str | None,
    first: str | None,
    last: str | None,
    near: str | None,
    limit: int,
) -> int:
    """List the free times for SERVICE, the best first, and say what kept the others from being free.

    Times within the hours that the customer has stated come first, then the soonest, spread over half-days. A time
    that leaves no time to tell what must be prepared is not free. Nothing is held by being listed. The exit code is 1
    if there is none.

    Example: commsched slots oil_change --customer C0042 --from 2026-12-01 --to 2026-12-12
    """
    from commsched.cli.freetimes import show_times, times_json
    from commsched.cli.lookup import require_customer, unknown
    from commsched.cli.times import end
    from commsched.engine.booking import AHEAD, Look, free_times
    from commsched.errors import Misuse

    app = session.app()
    known = app.services.get(service)
    if known is None:
        raise unknown("service", service, list(app.services))
    loaded = require_customer(app, customer) if customer is not None else None
    now = app.clock.now()
    begins = max(now, session.moment(first) or now)
    ends = end(last, session.zone()) if last is not None else begins + AHEAD
    if ends <= begins:
        raise Misuse("--to must lie after --from, and ahead.")
    desk = app.desk()
    ledger, wanted = loaded.ledger if loaded else None, session.moment(near)
    look = Look(known, (begins, ends), ledger, wanted, spread=wanted is None, limit=limit)
    with app.store.read() as connection:
        times = free_times(desk, connection, look, now)
    session.show(
        times_json(desk, known, times), lambda console: show_times(console, desk, known, times, (begins, ends))
    )
    return 0 if times.slots else 1
