"""Facts that a person states at the command line: recorded as theirs, echoed, and how to take them back."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from typing import Literal

import click
from sqlalchemy import Connection

from commsched.app import App
from commsched.cli.session import Session
from commsched.model.facts import AnyFact
from commsched.store.intake import Origin, complete

SOURCE = "commsched"
StatedBy = Literal["customer", "staff"]


def me() -> str:
    """Who is at the keyboard."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "staff"


def stated_by(*, customer_said: bool) -> StatedBy:
    """Whose word it is."""
    return "customer" if customer_said else "staff"


def record(app: App, customer: str, *facts: AnyFact, first: Callable[[Connection], object] = lambda _: None) -> bool:
    """Check facts and append them to the customer's ledger; whether any was new. Raises ``FactRejected``.

    ``first`` is asked in the same transaction; if it raises, nothing is appended.
    """
    for fact in facts:
        completed(app, fact)
        app.checker.check(fact)
    return bool(app.record([(f"c:{customer}", fact) for fact in facts], first))


def completed(app: App, fact: AnyFact) -> None:
    """Fill in that it is stated here and now, by the staff unless it says otherwise."""
    complete(fact, Origin(SOURCE, app.clock.now(), "staff"))


def say(session: Session, fact: AnyFact, text: str, undo: str) -> None:
    """Tell what was recorded, and how to take it back."""

    def human(_: object) -> None:
        click.echo(text)
        click.echo(f"To take it back: {undo}")

    session.show({"fact": fact, "message": text, "undo": undo}, human)
