"""``commsched plan``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console

    from commsched.app import App
    from commsched.cli.compare import Difference
    from commsched.cli.planned import Overview
    from commsched.store.messages import MessageRecord

SINGLE, PAIRED = ("added", "removed", "refused", "allowed"), ("moved", "medium", "text")
# So many entries of each kind are shown of a plan for everybody.
SHOWN = 50
COLUMNS = ("customer", "name", "what", "when", "medium", "to", "state", "why")


@command("plan")
@click.option("--customer", metavar="ID", help="Only this customer, with the words of the messages.")
@click.option("--at", metavar="TIME", help="As if it were then; default: now.")
@click.option("--until", metavar="TIME", help="Only what goes, or would have gone, until then.")
@click.option(
    "--against",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Another deployment's rules over the same facts: only what they change.",
)
@click.option("--all", "everything", is_flag=True, help="Every entry; default: the first 50, and a summary.")
@click.option(
    "--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the list as a CSV file."
)
def plan(
    session: Session,
    customer: str | None,
    at: str | None,
    until: str | None,
    against: Path | None,
    everything: bool,
    csv_file: Path | None,
) -> None:
    """Show what would go, to whom, when and on what, and what would not, and why. Writes nothing.

    Only with --customer are the messages put into words (subject_line and body in JSON).

    With --against, the rules, policies, templates and plugins of another deployment are asked about the
    same facts, and exactly what they would change is shown.

    Example: commsched plan --until 2026-12-01

    Example: commsched plan --against ../new-rules
    """
    from commsched.cli.standing import tell_if_empty

    app = session.app(session.moment(at))
    tell_if_empty(session, app)
    end = session.moment(until)
    if customer is not None:
        from commsched.cli.lookup import require_customer

        require_customer(app, customer)
    if against is not None:
        _against(session, app, against, customer, end)
    else:
        _plan(session, app, customer, end, csv_file, None if everything or customer is not None else SHOWN)


def _plan(
    session: Session, app: App, customer: str | None, end: datetime | None, csv_file: Path | None, most: int | None
) -> None:
    from commsched.cli.output import plan_json
    from commsched.cli.planned import overview

    found = overview(app, customer, app.clock.now(), end)
    if csv_file is not None:
        _write_csv(csv_file, found, app.configuration.deployment.zone)
    session.show(
        plan_json(found.records, found.tasks),
        lambda console: _print(console, found, app.configuration.deployment.zone, most, words=customer is not None),
    )


def _print(console: Console, found: Overview, zone: ZoneInfo, most: int | None, *, words: bool) -> None:
    from commsched.cli.output import counted, line, table
    from commsched.cli.times import local

    console.print(table("", COLUMNS, _rows(found, zone)[:most]))
    _more(console, len(found.messages), most)
    if words:
        for one in found.messages:
            if one.record.body:
                console.rule(f"{one.record.rule} / {one.record.step}: {one.record.subject_line}")
                console.print(one.record.body, markup=False)
    if found.tasks:
        rows = [(task.department, local(task.at, zone), task.text) for task in found.tasks[:most]]
        console.print(table("For people to do", ("department", "when", "task"), rows))
        _more(console, len(found.tasks), most)
    if most is not None and found.messages:
        _summary(console, found)
    goes = sum(one.record.state == "planned" for one in found.messages)
    line(
        console,
        f"{counted(found.customers, 'customer')}: {counted(goes, 'message')} planned, "
        f"{counted(len(found.messages) - goes, 'message')} held back, {counted(len(found.tasks), 'task')}.",
    )


def _more(console: Console, number: int, most: int | None) -> None:
    from commsched.cli.output import line

    if most is not None and number > most:
        line(console, f"… and {number - most:,} more; --all, --json or --customer ID shows them.")


def _summary(console: Console, found: Overview) -> None:
    """A row a rule: how many of its messages are in each state."""
    from collections import Counter

    from commsched.cli.output import table

    counts = Counter((one.rule, one.state) for one in found.records)
    states = sorted({state for _, state in counts})
    rules = sorted({rule for rule, _ in counts})
    rows = [(rule, *(counts[rule, state] or "" for state in states)) for rule in rules]
    console.print(table("By rule", ("rule", *states), rows, right=states))


def _rows(found: Overview, zone: ZoneInfo) -> list[tuple[str, ...]]:
    from commsched.cli.output import in_words
    from commsched.cli.planned import when
    from commsched.cli.times import local
    from commsched.model.subjects import masked

    return [
        (
            one.record.customer,
            one.name,
            f"{one.record.rule} / {one.record.step}",
            local(when(one.record), zone),
            one.record.medium or "",
            masked(one.record.to),
            one.record.state,
            in_words(one.record),
        )
        for one in found.messages
    ]


def _write_csv(path: Path, found: Overview, zone: ZoneInfo) -> None:
    import csv

    from commsched.cli.output import spreadsheet_safe

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([spreadsheet_safe(cell) for cell in row] for row in _rows(found, zone))


def _against(session: Session, app: App, other: Path, customer: str | None, end: datetime | None) -> None:
    from commsched.app import App
    from commsched.cli.compare import difference
    from commsched.cli.output import message_json
    from commsched.cli.planned import by_key, overview

    theirs = App(other, clock=app.clock, store=app.store)
    sides = [by_key(overview(one, customer, app.clock.now(), end).records) for one in (app, theirs)]
    found = difference(*sides)
    single = {name: [message_json(r) for r in getattr(found, name)] for name in SINGLE}
    paired = {
        name: [{"before": message_json(a), "after": message_json(b)} for a, b in getattr(found, name)]
        for name in PAIRED
    }
    counts = {name: len(getattr(found, name)) for name in (*SINGLE, *PAIRED)}
    data = {**single, **paired, "summary": counts}
    session.show(data, lambda console: _print_difference(console, found, app.configuration.deployment.zone))


def _print_difference(console: Console, found: Difference, zone: ZoneInfo) -> None:
    from collections import Counter

    from commsched.cli.output import counted, in_words, line, pairs, table
    from commsched.cli.times import local

    def at(record: MessageRecord) -> str:
        return f"{local(record.at, zone) if record.at else ''} {record.medium or ''}".strip()

    rows: list[tuple[str, ...]] = [
        *(("added", r.customer, _what(r), "", at(r), "") for r in found.added),
        *(("removed", r.customer, _what(r), at(r), "", "") for r in found.removed),
        *(("refused", r.customer, _what(r), "", "", in_words(r)) for r in found.refused),
        *(("now goes", r.customer, _what(r), "", at(r), "") for r in found.allowed),
        *(("moved", a.customer, _what(a), at(a), at(b), in_words(b)) for a, b in found.moved),
        *(("medium", a.customer, _what(a), at(a), at(b), in_words(b)) for a, b in found.medium),
        *(("text", a.customer, _what(a), a.template, b.template, "") for a, b in found.text),
    ]
    if found:
        console.print(table("", ("change", "customer", "what", "before", "after", "why"), rows))
        line(console, f"{counted(len(rows), 'change')}: {pairs(Counter(row[0] for row in rows))}.")
    else:
        console.print("Nothing would change.")


def _what(record: MessageRecord) -> str:
    return f"{record.rule} / {record.step}"
