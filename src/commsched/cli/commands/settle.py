"""``commsched settle``."""

from __future__ import annotations

import click

from commsched.cli.session import Session, command


@command("settle")
@click.argument("message")
@click.option("--sent/--not-sent", "was_sent", default=None, help="What became of it, as you have found out.")
@click.option("--by", help="Who has found out; default: you.")
def settle(session: Session, message: str, was_sent: bool | None, by: str | None) -> None:
    """End the doubt whether MESSAGE went, when the provider cannot say and you have found out.

    With --not-sent it goes back on the plan, and is sent if there is still time.

    Example: commsched settle C0042/oil-change-due/invite/V0054/r-17 --sent
    """
    from datetime import timedelta

    import msgspec

    from commsched.cli.lookup import require_message
    from commsched.cli.stated import me
    from commsched.cli.times import age
    from commsched.delivery.receipts import Result
    from commsched.delivery.receipts import settle as ended
    from commsched.errors import Misuse
    from commsched.model.facts import Sent
    from commsched.plugin.channel import Accepted, Outcome, TryLater
    from commsched.store import queries
    from commsched.store.ledgers import wake_for
    from commsched.store.messages import load_record
    from commsched.store.store import instant, micros

    if was_sent is None:
        raise Misuse("Say what became of it: --sent or --not-sent.")
    app = session.app()
    now, who = app.clock.now(), by or me()
    outcome: Outcome = Accepted("settled") if was_sent else TryLater("a person settled it.", after=timedelta())
    with app.store.write() as connection:
        row = require_message(connection, message)
        open_attempts = [
            one
            for one in queries.attempts(connection, states=("sending", "in_doubt"), customers=[row.customer])
            if one.key == row.key and (one.state == "in_doubt" or instant(one.started_at) + app.loop().lease <= now)
        ]
        if not open_attempts:
            raise Misuse(
                f"{row.key} is not in doubt; it is {row.state}. A message that is being sent cannot be settled."
            )
        sent = [msgspec.json.decode(one.sent, type=Sent) for one in open_attempts]
        results = [
            Result(one.id, load_record(row.body), fact, outcome) for one, fact in zip(open_attempts, sent, strict=True)
        ]
        ended(connection, results, now, app.channels)
        queries.note(connection, micros(now), who, "settle", f"{row.key} {'sent' if was_sent else 'not sent'}")
        wake_for(connection, [f"c:{row.customer}"], now)
    long = age(instant(min(one.started_at for one in open_attempts)), now)
    words = "counts as sent, and nothing goes in its place" if was_sent else "did not go, and is planned again"
    session.say(f"{row.key} was in doubt for {long}; it {words}. This is final.", key=row.key, sent=was_sent)
