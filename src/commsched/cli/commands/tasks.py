"""``commsched tasks`` and ``commsched done``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from rich.console import Console
    from sqlalchemy import Row

    from commsched.app import App
    from commsched.store.messages import TaskRecord


@command("tasks")
@click.option("--department", help="Only this department's.")
@click.option("--all", "everything", is_flag=True, help="Those that are done, too.")
def tasks(session: Session, department: str | None, everything: bool) -> None:
    """List what people must do, the most urgent first.

    Example: commsched tasks --department service
    """
    from commsched.cli.lookup import unknown
    from commsched.cli.output import task_json
    from commsched.store import queries
    from commsched.store.messages import load_task

    app = session.app()
    if department is not None and department not in app.configuration.departments:
        raise unknown("department", department, list(app.configuration.departments))
    with app.store.read() as connection:
        rows = queries.tasks(connection, state=None if everything else "open", department=department)
    found = [load_task(row.body) for row in rows]
    zone = app.configuration.deployment.zone
    session.show({"tasks": [task_json(task) for task in found]}, lambda console: _show(console, found, zone))


def _show(console: Console, found: Sequence[TaskRecord], zone: ZoneInfo) -> None:
    """Each with its key on a line of its own, whole, since it is typed again."""
    from commsched.cli.output import line
    from commsched.cli.times import local

    for task in found:
        line(console, task.key)
        line(console, f"    {task.department}, {local(task.at, zone)}, {task.state}: {task.text}")
    if not found:
        line(console, "Nothing is to be done.")


@command("done")
@click.argument("task")
@click.argument("outcome", type=click.Choice(["reached", "unreached", "done"]))
@click.option("--told", metavar="STEP", help="A step or a preparation that the customer was thereby told.")
@click.option("--by", help="Who did it; default: you.")
def done(
    session: Session, task: str, outcome: Literal["reached", "unreached", "done"], told: str | None, by: str | None
) -> int:
    """Say what came of TASK: the customer was reached, was not, or the work is done. Unreached, it stays to be done.

    TASK is the key of a task, or as much of its beginning as is enough. What is done already is not done again: the
    exit code is 1.

    Example: commsched done 'C0042/promise-due/due/p-7/…' reached --told reminder
    """
    import msgspec

    from commsched.cli.stated import me, record, say
    from commsched.errors import Misuse
    from commsched.model.facts import TaskDone
    from commsched.store import queries
    from commsched.store.messages import load_task

    app = session.app()
    with app.store.read() as connection:
        row = _task(queries.tasks(connection), task)
    task = row.key
    if row.state == "done":
        session.warn(_done_already(app, row))
        return 1
    if told is not None and outcome == "unreached":
        raise Misuse("Whoever was not reached was told nothing; leave --told out.")
    if told is not None:
        _check_told(app, load_task(row.body).rule, told)
    fact = TaskDone(
        at=app.clock.now(),
        customer=row.customer,
        task=task,
        outcome=outcome,
        told=told,
        by=by or me(),
        stated_by="staff",
    )
    record(app, row.customer, fact)
    if outcome == "unreached":
        say(session, fact, f"{task}: unreached. It stays to be done.", f'commsched note {row.customer} "…"')
        return 0
    ended = msgspec.structs.replace(load_task(row.body), state="done")
    with app.store.write() as connection:
        queries.put_tasks(connection, [{**row._asdict(), "state": "done", "body": msgspec.json.encode(ended)}])
    undo = f'a fact stays; note what is right: commsched note {row.customer} "…"'
    say(session, fact, f"{task}: {outcome}.", undo)
    return 0


def _task(rows: Sequence[Row[Any]], name: str) -> Row[Any]:
    """The task of that key, or the only one whose key begins so: the only open one, if there is one."""
    from commsched.cli.lookup import unknown
    from commsched.errors import Misuse

    known = {row.key: row for row in rows}
    if name in known:
        return known[name]
    begun = [row for row in rows if name and row.key.startswith(name)]
    chosen = [row for row in begun if row.state == "open"] or begun
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        several = "".join(f"\n  {row.key}" for row in chosen)
        raise Misuse(f"several tasks begin with {name!r}; give more of the key:{several}")
    raise unknown("task", name, [key for key, row in known.items() if row.state == "open"][:20])


def _done_already(app: App, row: Row[Any]) -> str:
    """That a task is done, and by whom as far as somebody said."""
    from commsched.cli.times import local
    from commsched.planning.fold import fold
    from commsched.store.ledgers import load

    with app.store.read() as connection:
        ledger = load(connection, [row.customer])[row.customer].ledger
    done = [
        one for one in fold(ledger, app.clock.now()).tasks_done if one.task == row.key and one.outcome != "unreached"
    ]
    if not done:
        return f"{row.key} is closed already: it was not needed any more."
    first = min(done, key=lambda one: one.at)
    when = local(first.at, app.configuration.deployment.zone)
    return f"{row.key} is done already: {first.outcome}, by {first.by} on {when}."


def _check_told(app: App, rule: str, told: str) -> None:
    from commsched.cli.lookup import unknown

    steps = next((one.steps for one in app.rules if one.name == rule), ())
    names = [name for step in steps for name in (step.name, step.prep, *step.covers) if name is not None]
    if told not in names:
        raise unknown(f"step or preparation of {rule}", told, list(dict.fromkeys(names)))
