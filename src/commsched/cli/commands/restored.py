"""``commsched restored``."""

from __future__ import annotations

import click

from commsched.cli.session import Session, command


@command("restored")
@click.option("--from", "since", metavar="TIME", required=True, help="When the backup was made.")
@click.option("--at", metavar="TIME", help="When it was put back; default: now.")
def restored(session: Session, since: str, at: str | None) -> None:
    """Say that the database was put back from a backup, before anything else runs on it.

    What may have been sent since the backup was made does not go again: it is in doubt until its
    channel says whether it has it, or a person settles it. Who was erased since is erased again,
    by var/erasures.jsonl; opt-outs since are asked for again, where a channel can list them.

    Example: commsched restored --from "2026-12-01 03:00"
    """
    from getpass import getuser

    from commsched.cli.output import counted
    from commsched.cli.times import local
    from commsched.delivery.restored import mark
    from commsched.engine.erasing import replay
    from commsched.engine.hearing import ask_again
    from commsched.errors import Misuse

    app = session.app(session.moment(at))
    now, made = app.clock.now(), session.moment(since)
    if made is None or made > now:
        raise Misuse(f"The backup cannot have been made at {since}, which is still to come.")
    with app.store.write() as connection:
        mark(connection, made, now, getuser())
        deaf = ask_again(connection, app.channels, made)
    again = replay(app.store, app.folder, made, now, getuser())
    old = sum(
        decision.state == "planned" and decision.proposal.ideal <= now
        for plan in app.plans(None, now)
        for decision in plan.decisions
    )
    when = local(made, app.configuration.deployment.zone)
    words = [f"What may have gone since {when} is looked up before it goes: {counted(old, 'message')} now."]
    if again.erased:
        words.append(f"Erased again: {counted(again.erased, 'customer')}.")
    if again.unknown:
        words.append(
            f"The backup has no key for {counted(again.unknown, 'erasure')} made since: erase those customers by hand."
        )
    if deaf:
        words.append(f"Opt-outs since are not asked for at {', '.join(deaf)}: look there, and import them as consents.")
    session.say(" ".join(words), messages=old, erased=again.erased, erasures_unknown=again.unknown, not_asked=deaf)
