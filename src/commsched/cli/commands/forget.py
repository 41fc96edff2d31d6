"""``commsched forget``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from commsched.app import App
    from commsched.store.erasure import Erasure


@command("forget")
@click.argument("customer")
@click.option("--yes", is_flag=True, help="Erase; without it, what would go is shown and nothing is changed.")
@click.option("--again", is_flag=True, help="They have come back: take in what is true of them from now on.")
@click.option("--by", help="Who does it; default: you.")
def forget(session: Session, customer: str, *, yes: bool, again: bool, by: str | None) -> None:
    """Erase CUSTOMER: delete all that is known of them, and take nothing in about them any more.

    What stays is a number in the log, and of each address a hash with the refusals that hold there, so that they bind
    whoever comes with that address. Nobody who asked to be forgotten is advertised to. What a provider, a source or a
    backup has is not reached: docs/erasure.md says what to do there.

    Example: commsched forget C0042 --yes
    """
    from commsched.cli.stated import me
    from commsched.errors import Misuse

    app, who = session.app(), by or me()
    if yes and again:
        raise Misuse("Give --yes to erase, or --again for somebody who has come back; not both.")
    if again:
        _bring_back(session, app, customer, who)
    else:
        _erase(session, app, customer, who, yes=yes)


def _erase(session: Session, app: App, customer: str, who: str, *, yes: bool) -> None:
    from commsched.engine.erasing import erase, preview

    now = app.clock.now()
    if not yes:
        found = preview(app.store, customer, now, who) or _nothing(session, app, customer)
        if found is not None:
            rest = f"Nothing was changed. To erase them: commsched forget {customer} --yes"
            _show(session, f"Of {customer} there would go:", found, rest, dry_run=True)
        return
    done = erase(app.store, app.channels, app.folder, customer, now, who) or _nothing(session, app, customer)
    if done is None:
        return
    clean = app.store.scrub()
    if not clean:
        session.warn(
            "The database's file could not be written anew, so deleted bytes are left in it: it is in use, or the disk "
            "is full. Run the same command again."
        )
    _show(session, f"{customer} was erased (erasure {done.number}):", done, "This is final.", dry_run=False)


def _nothing(session: Session, app: App, customer: str) -> Erasure | None:
    """Nothing is known of them: that is well where they were erased, and a mistake where they never were known."""
    from commsched.cli.lookup import require_customer
    from commsched.errors import Erased
    from commsched.store.suppression import Gone

    try:
        Gone(lambda: app.store)(customer, app.clock.now())
    except Erased:
        app.store.scrub()
        session.say("They were erased before, and nothing has come in about them since.", erased=0)
        return None
    require_customer(app, customer)
    return None


def _show(session: Session, head: str, done: Erasure, rest: str, *, dry_run: bool) -> None:
    def human(_: object) -> None:
        click.echo(head)
        for name, count in sorted(done.rows.items()):
            click.echo(f"  {name}: {count:,}")
        if done.under_way:
            click.echo(f"  {done.under_way} being sent or in doubt stays until it is settled, without their data.")
        click.echo(f"  {done.hashes} hashes stay.")
        click.echo(rest)

    number = {} if dry_run else {"erasure": done.number}
    data = {"dry_run": dry_run, **number, "rows": done.rows, "under_way": done.under_way, "hashes": done.hashes}
    session.show(data, human)


def _bring_back(session: Session, app: App, customer: str, who: str) -> None:
    from commsched.engine.erasing import bring_back
    from commsched.errors import UnknownName

    if not bring_back(app.store, app.folder, customer, app.clock.now(), who):
        raise UnknownName(f"No customer {customer!r} was erased.")
    session.say(
        f"What is true of {customer} from now on is taken in again; what was erased stays erased, and the refusals at "
        "their addresses hold until they take them back themselves."
    )
