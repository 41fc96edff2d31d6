"""``commsched tasks`` and ``commsched done``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from commsched.app import App


@command("tasks")
@click.option("--department", help="Only this department's.")
@click.option("--all", "everything", is_flag=True, help="Those that are done, too.")
def tasks(session: Session, department: str | None, everything: bool) -> None:
    """List what people must do, the most urgent first.

    Example: commsched tasks --department service
    """
    from commsched.cli.lookup import unknown
    from commsched.cli.output import table, task_json
    from commsched.cli.times import local
    from commsched.store import queries
    from commsched.store.messages import load_task

    app = session.app()
    if department is not None and department not in app.configuration.departments:
        raise unknown("department", department, list(app.configuration.departments))
    with app.store.read() as connection:
        rows = queries.tasks(connection, state=None if everything else "open", department=department)
    found = [load_task(row.body) for row in rows]
    zone = app.configuration.deployment.zone
    cells = [(task.key, task.department, local(task.at, zone), task.state, task.text) for task in found]
    session.show(
        {"tasks": [task_json(task) for task in found]},
        lambda console: console.print(
            table("", ("task", "department", "when", "state", "what"), cells) if cells else "Nothing is to be done."
        ),
    )


@command("done")
@click.argument("task")
@click.argument("outcome", type=click.Choice(["reached", "unreached", "done"]))
@click.option("--told", metavar="STEP", help="A step or a preparation that the customer was thereby told.")
@click.option("--by", help="Who did it; default: you.")
def done(
    session: Session, task: str, outcome: Literal["reached", "unreached", "done"], told: str | None, by: str | None
) -> None:
    """Say what came of TASK: the customer was reached, was not, or the work is done. Unreached, it stays to be done.

    Example: commsched done 'C0042/promise-due/due/p-7/…' reached --told reminder
    """
    import msgspec

    from commsched.cli.lookup import unknown
    from commsched.cli.stated import me, record, say
    from commsched.errors import Misuse
    from commsched.model.facts import TaskDone
    from commsched.store import queries
    from commsched.store.messages import load_task

    app = session.app()
    with app.store.read() as connection:
        known = {row.key: row for row in queries.tasks(connection)}
    if task not in known:
        raise unknown("task", task, [key for key, row in known.items() if row.state == "open"][:20])
    row = known[task]
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
        return
    ended = msgspec.structs.replace(load_task(row.body), state="done")
    with app.store.write() as connection:
        queries.put_tasks(connection, [{**row._asdict(), "state": "done", "body": msgspec.json.encode(ended)}])
    undo = f'a fact stays; note what is right: commsched note {row.customer} "…"'
    say(session, fact, f"{task}: {outcome}.", undo)


def _check_told(app: App, rule: str, told: str) -> None:
    from commsched.cli.lookup import unknown

    steps = next((one.steps for one in app.rules if one.name == rule), ())
    names = [name for step in steps for name in (step.name, step.prep, *step.covers) if name is not None]
    if told not in names:
        raise unknown(f"step or preparation of {rule}", told, list(dict.fromkeys(names)))
