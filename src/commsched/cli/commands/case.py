"""``commsched case``."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Literal

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from commsched.app import App
    from commsched.store.ledgers import Loaded


@command("case")
@click.argument("customer")
@click.argument("action", type=click.Choice(["open", "close", "reopen"]))
@click.argument("about", metavar="SUMMARY|ID")
@click.option("--kind", help="When it is opened: what kind, such as complaint (default).")
@click.option("--severity", help="When it is opened: how serious it is, such as high.")
def case(
    session: Session,
    customer: str,
    action: Literal["open", "close", "reopen"],
    about: str,
    kind: str | None,
    severity: str | None,
) -> None:
    """Open a case of CUSTOMER with a summary, or close or reopen one by its id.

    While a case is open, and for some time after, nothing is asked of the customer.

    Example: commsched case C0042 open "The brakes squeal again" --severity high

    Example: commsched case C0042 close K-1a2b3c
    """
    from commsched.cli.lookup import require_customer
    from commsched.errors import Misuse

    app = session.app()
    loaded = require_customer(app, customer)
    if action == "open":
        _open(session, app, loaded, about, kind or "complaint", severity)
        return
    if kind is not None or severity is not None:
        raise Misuse("--kind and --severity are for a case that is opened.")
    _change(session, app, loaded, about, "closed" if action == "close" else "open")


def _open(session: Session, app: App, loaded: Loaded, summary: str, kind: str, severity: str | None) -> None:
    from msgspec import UNSET

    from commsched.cli.lookup import name_of
    from commsched.cli.stated import record, say
    from commsched.model.facts import Case

    customer = loaded.ledger.customer
    fact = Case(
        at=app.clock.now(),
        customer=customer,
        id=f"K-{secrets.token_hex(3)}",
        stated_by="staff",
        kind=kind,
        status="open",
        severity=severity if severity is not None else UNSET,
        summary=summary,
    )
    record(app, customer, fact)
    words = f"Opened for {name_of(app, loaded)} ({customer}): {summary} [{fact.id}]"
    say(session, fact, words, f"commsched case {customer} close {fact.id}")


def _change(session: Session, app: App, loaded: Loaded, name: str, status: Literal["open", "closed"]) -> None:
    from commsched.cli.lookup import unknown
    from commsched.cli.stated import record, say
    from commsched.model.facts import Case
    from commsched.planning.fold import fold

    customer, cases = loaded.ledger.customer, fold(loaded.ledger, app.clock.now()).cases
    if name not in cases:
        raise unknown(f"case of {customer}", name, sorted(cases))
    if cases[name].status == status:
        session.say(f"{name} is {status} already; nothing was changed.", id=name, status=status)
        return
    fact = Case(at=app.clock.now(), customer=customer, id=name, stated_by="staff", status=status)
    record(app, customer, fact)
    done, undo = ("Closed", "reopen") if status == "closed" else ("Open again", "close")
    say(session, fact, f"{done}: {cases[name].summary or name} [{name}]", f"commsched case {customer} {undo} {name}")
