"""``commsched commit``."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from commsched.app import App
    from commsched.model.facts import Commitment
    from commsched.store.ledgers import Loaded


@command("commit")
@click.argument("customer")
@click.argument("what", required=False)
@click.option("--owner", help="Who sees to it; default: you.")
@click.option("--due", metavar="TIME", help="Until when.")
@click.option("--kept", metavar="ID", help="This promise is kept.")
@click.option("--late", metavar="ID", help="This promise takes longer: until --due.")
@click.option("--not-kept", metavar="ID", help="This promise is not kept after all.")
def commit(
    session: Session,
    customer: str,
    what: str | None,
    owner: str | None,
    due: str | None,
    kept: str | None,
    late: str | None,
    not_kept: str | None,
) -> None:
    """Note what CUSTOMER was promised: WHAT, by whom, until when. Without WHAT: list what they were promised.

    Its owner is reminded; once it is overdue, that goes to the lead of the department, and nothing is asked of the
    customer. They are told when it is kept, and when it is late.

    Example: commsched commit C0042 "Name on the screen on Friday" --owner Dana --due "2026-12-04 18:00"

    Example: commsched commit C0042 --kept P-1a2b3c

    Example: commsched commit C0042 --late P-1a2b3c --due "2026-12-09 12:00"
    """
    from commsched.cli.lookup import require_customer
    from commsched.errors import Misuse

    app = session.app()
    loaded = require_customer(app, customer)
    if sum(one is not None for one in (what, kept, late, not_kept)) > 1:
        raise Misuse("One thing at a time: WHAT, --kept, --late or --not-kept.")
    end = session.moment(due)
    if what is not None:
        _promise(session, app, loaded, what, owner, end)
    elif kept is not None:
        _settle(session, app, loaded, kept, kept=True)
    elif not_kept is not None:
        _settle(session, app, loaded, not_kept, kept=False)
    elif late is not None:
        _put_off(session, app, loaded, late, end)
    else:
        _list(session, app, loaded)


def _promise(session: Session, app: App, loaded: Loaded, what: str, owner: str | None, due: datetime | None) -> None:
    from commsched.cli.lookup import name_of
    from commsched.cli.stated import me, record, say
    from commsched.cli.times import local
    from commsched.model.facts import Commitment

    customer = loaded.ledger.customer
    fact = Commitment(
        at=app.clock.now(),
        customer=customer,
        id=f"P-{secrets.token_hex(3)}",
        stated_by="staff",
        what=what,
        owner=owner or me(),
        due=_ahead(app, due),
    )
    record(app, customer, fact)
    who = f"{name_of(app, loaded)} ({customer})"
    words = f"{who} was promised by {fact.owner}, until {local(_ahead(app, due), session.zone())}: {what} [{fact.id}]"
    say(session, fact, words, f"commsched commit {customer} --kept {fact.id}, if there is nothing to do any more")


def _settle(session: Session, app: App, loaded: Loaded, name: str, *, kept: bool) -> None:
    from commsched.cli.stated import record, say
    from commsched.model.facts import Commitment

    standing, customer = _standing(app, loaded, name), loaded.ledger.customer
    if (standing.kept is True) == kept:
        session.say(f"{name} is {'kept' if kept else 'not kept'}, as you say; nothing was changed.", id=name)
        return
    fact = Commitment(at=app.clock.now(), customer=customer, id=name, stated_by="staff", kept=kept)
    record(app, customer, fact)
    words = f"Kept: {standing.what} [{name}]" if kept else f"Not kept after all: {standing.what} [{name}]"
    say(session, fact, words, f"commsched commit {customer} --{'not-kept' if kept else 'kept'} {name}")


def _put_off(session: Session, app: App, loaded: Loaded, name: str, due: datetime | None) -> None:
    from commsched.cli.stated import record, say
    from commsched.cli.times import local
    from commsched.errors import Misuse
    from commsched.model.facts import Commitment

    standing, customer, end = _standing(app, loaded, name), loaded.ledger.customer, _ahead(app, due)
    before = standing.due
    if standing.kept is True:
        raise Misuse(f"{name} is kept already; it cannot be late.")
    if not isinstance(before, type(end)) or end <= before:
        raise Misuse("--due must be later than what was promised; write when it will be done.")
    fact = Commitment(at=app.clock.now(), customer=customer, id=name, stated_by="staff", due=end)
    record(app, customer, fact)
    words = f"Put off until {local(end, session.zone())}: {standing.what} [{name}]"
    say(session, fact, words, f'a promise is not put forward; note what is right: commsched note {customer} "…"')


def _ahead(app: App, due: datetime | None) -> datetime:
    from commsched.errors import Misuse

    if due is None:
        raise Misuse("A promise needs --due: until when?")
    if due <= app.clock.now():
        raise Misuse("--due is past; write when it will be done.")
    return due


def _standing(app: App, loaded: Loaded, name: str) -> Commitment:
    from commsched.cli.lookup import unknown
    from commsched.planning.fold import fold

    known = dict(fold(loaded.ledger, app.clock.now()).commitments)
    if name not in known:
        raise unknown(f"promise to {loaded.ledger.customer}", name, sorted(known))
    return known[name]


def _list(session: Session, app: App, loaded: Loaded) -> None:
    from datetime import datetime

    from commsched.cli.output import line
    from commsched.cli.times import local
    from commsched.planning.fold import fold

    now, zone = app.clock.now(), session.zone()
    promises = [one for _, one in fold(loaded.ledger, now).commitments]

    def human(console: Console) -> None:
        for one in promises:
            overdue = isinstance(one.due, datetime) and one.due <= now
            state = "kept" if one.kept is True else "overdue" if overdue else "open"
            until = f", until {local(one.due, zone)}" if isinstance(one.due, datetime) else ""
            line(console, f"{one.id}  {state}{until}, {one.owner}: {one.what}")
        if not promises:
            line(console, "They were promised nothing.")

    session.show({"promises": promises}, human)

