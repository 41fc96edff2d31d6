"""``commsched explain``."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from commsched.cli.session import PIPE_WIDTH, Session, command

if TYPE_CHECKING:
    from rich.console import Console

    from commsched.cli.explained import Explained

LABELS = 34
LEAST_WIDTH, MOST_WIDTH = 24, 110


@command("explain")
@click.argument("message", required=False)
@click.option("--customer", metavar="ID", help="List the messages of a customer, each with what decided about it.")
def explain(session: Session, message: str | None, customer: str | None) -> None:
    """Say why a message goes when it goes, or does not go: the decision as it was made and stored.

    MESSAGE is the key of a message, or as much of its beginning as is enough. The lines show when each
    policy allows it: █ yes, ▒ in part, ░ no, · not looked at; ▼ its ideal time, ● where it stands, ┃ its deadline.
    Below stand the policies that are against some of that time: "a veto" says that it must not be said, and
    nothing takes its place; what "could not be" then may come as the rule's `otherwise`, such as a task to call.
    With -v (commsched -v explain …) the kinds of facts that were read are named too.

    Example: commsched explain --customer C0042

    Example: commsched explain C0042/oil-change-due/invite
    """
    from commsched.errors import Misuse

    if (message is None) == (customer is None):
        raise Misuse("Name one message by its key, or a customer with --customer.")
    if message is not None:
        _one(session, message)
    elif customer is not None:
        _all(session, customer)


def _one(session: Session, key: str) -> None:
    from commsched.cli.explained import explained
    from commsched.cli.standing import tell_if_empty

    app = session.app()
    tell_if_empty(session, app)
    found = explained(app, key)
    session.show(found.as_json(), lambda console: _print(console, found, whole=session.verbose > 0))


def _all(session: Session, customer: str) -> None:
    from commsched.cli.explained import that_placed
    from commsched.cli.lookup import require_customer, zone_of
    from commsched.cli.output import table
    from commsched.cli.planned import when
    from commsched.cli.standing import tell_if_empty
    from commsched.cli.verdict import sentence
    from commsched.store import queries
    from commsched.store.messages import load_decision, load_record

    app = session.app()
    tell_if_empty(session, app)
    loaded = require_customer(app, customer)
    with app.store.read() as connection:
        rows = queries.messages(connection, [customer]).get(customer, [])
        stored = [load_decision(one.body) for one in queries.decisions(connection, customer)]
    records = sorted((load_record(row.body) for row in rows), key=lambda one: (when(one), one.key))
    zone = zone_of(app, loaded)
    cells = []
    for one in records:
        about = [decision for decision in stored if decision.key == one.key]
        known = about[0].decided_at if about else None
        cells.append((one.key, one.state, sentence(one, that_placed(about), zone, known)))
    empty = f"No message to {customer} is known; `commsched plan --customer {customer}` shows what is ahead."
    session.show(
        {"messages": [{"key": key, "state": state, "sentence": words} for key, state, words in cells]},
        lambda console: console.print(table("", ("message", "state", "why"), cells) if cells else empty),
    )


# What the moment is that a message is about.
ABOUT = {
    "due": "what it is about is due",
    "start": "the appointment is",
    "event": "it happened",
    "opens": "the season opens",
    "offered": "the time came free",
    "opened": "it was opened",
    "closed": "it was closed",
    "until": "it ends",
}


FORCES = (
    "(a veto: it must not be said, and nothing takes its place; "
    "could not be: the rule's `otherwise` may take its place)"
)


def _print(console: Console, found: Explained, *, whole: bool) -> None:
    from commsched.cli.output import line
    from commsched.cli.times import local
    from commsched.cli.verdict import sentence
    from commsched.model.subjects import masked

    record, zone = found.record, found.zone
    line(console, f"{record.rule} / {record.step}, to {found.name} ({record.customer}) {masked(record.to)}".rstrip())
    line(console, record.key)
    about = ABOUT.get(record.anchor_kind, record.anchor_kind)
    line(console, f"{record.state}; {about} {local(record.anchor_at, zone)}; times are {zone}")
    if found.decision is not None:
        read = f", read: {', '.join(found.decision.reads)}" if whole else ""
        line(console, f"decided {local(found.decision.decided_at, zone)}{read}")
    line(console)
    _draw(console, found, zone)
    against = found.details()
    for policy, code, force, detail in against:
        line(console, f"  {policy}: {detail or code} ({force})")
    if against:
        line(console, FORCES)
    if found.doubt:
        line(console, f"\n{found.doubt}")
    if found.note:
        line(console, f"\n{found.note}")
    if found.decision is not None and found.decision.conflict:
        line(console, f"\nEnough to keep it from going: {', '.join(found.decision.conflict)}.")
    line(console)
    line(console, sentence(record, found.decision, zone, found.known))


def _draw(console: Console, found: Explained, zone: ZoneInfo) -> None:
    from commsched.cli.drawing import DEADLINE, IDEAL, LEGEND, PLACED, Axis, rows
    from commsched.cli.output import line

    if not found.reviews and not found.times:
        return
    terminal = shutil.get_terminal_size((PIPE_WIDTH, 24)).columns
    width = max(LEAST_WIDTH, min(terminal - LABELS - 2, MOST_WIDTH))
    axis = Axis(*found.span(), width)
    pad = " " * LABELS
    marks = axis.marks([(found.record.ideal, IDEAL), (found.record.deadline, DEADLINE), (found.record.at, PLACED)])
    line(console, pad + marks)
    for policy, medium, bar in rows(found.reviews, found.times, axis, found.seen):
        line(console, f"{policy[:22]:<22} {medium:<10} {bar}")
    line(console, pad + axis.dates(zone))
    line(console, LEGEND)
    line(console)
