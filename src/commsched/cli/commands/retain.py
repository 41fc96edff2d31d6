"""``commsched retain``."""

from __future__ import annotations

import click

from commsched.cli.session import Session, command


@command("retain")
@click.option("--yes", is_flag=True, help="Delete; without it, what would go is shown and nothing is changed.")
@click.option("--at", metavar="TIME", help="As of when; default: now.")
def retain(session: Session, *, yes: bool, at: str | None) -> None:
    """Delete the facts that are older than [retention] in config/commsched.toml wants to keep them.

    The last of each kind stays, however old it is, so that no due date and no policy loses what it rests on. `commsched
    run` does it once a day.

    Example: commsched retain --yes
    """
    from commsched.cli.output import counted, pairs
    from commsched.store.retention import aged
    from commsched.store.retention import retain as deleted

    app = session.app(session.moment(at))
    now = app.clock.now()
    limits = app.limits(now)
    if not limits:
        session.say("All facts are kept for ever; [retention] in config/commsched.toml can change that.", facts={})
        return
    if yes:
        done = deleted(app.store, limits, now)
        if any(done.values()) and not app.store.scrub():
            session.warn("The database's file could not be written anew, so what was deleted is left in it for now.")
        session.say(f"Deleted {counted(sum(done.values()), 'fact')}: {pairs(done)}.", dry_run=False, facts=done)
        return
    with app.store.read() as connection:
        found = {name: len(facts) for name, facts in aged(connection, limits).items()}
    words = f"{counted(sum(found.values()), 'fact')} would go: {pairs(found)}. Nothing was changed; --yes deletes them."
    session.say(words, dry_run=True, facts=found)
