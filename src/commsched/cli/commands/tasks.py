"""``commsched tasks`` and ``commsched done``: the life of a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from sqlalchemy import Row

    from commsched.app import App


@command("tasks")
@click.option("--department", help="Only this department's, and what escalates from it.")
@click.option("--mine", is_flag=True, help="Only what is yours: what you have taken, or what you promised.")
@click.option("--take", metavar="TASK", help="Take this task upon you.")
@click.option("--give-back", metavar="TASK", help="Leave this task to the others again.")
@click.option("--by", metavar="NAME", help="Who you are; default: your login name.")
@click.option(
    "--all", "everything", is_flag=True, help="Those that are done or withdrawn, too, with what came of them."
)
def tasks(
    session: Session,
    department: str | None,
    mine: bool,
    take: str | None,
    give_back: str | None,
    by: str | None,
    everything: bool,
) -> int:
    """List what people must do, what has escalated first: whose it is, and until when.

    With --take a task is yours, so that nobody else does it as well; the exit code is 1 if somebody else has it.

    Example: commsched tasks --department service

    Example: commsched tasks --take 'C0042/promise-due/due/p-7/…'
    """
    from commsched.cli.standing import tell_if_empty
    from commsched.cli.stated import me
    from commsched.cli.worklist import found, listed, show

    app, who = session.app(), by or me()
    tell_if_empty(session, app)
    _check_department(app, department)
    if take is not None or give_back is not None:
        return _take(session, app, take, give_back, who)
    with app.store.read() as connection:
        rows = found(app, connection, department=department, owner=who if mine else None, everything=everything)
    zone = app.configuration.deployment.zone
    session.show({"tasks": [listed(one) for one in rows]}, lambda console: show(console, rows, zone))
    return 0


def _check_department(app: App, department: str | None) -> None:
    from commsched.cli.lookup import unknown

    if department is not None and department not in app.configuration.departments:
        raise unknown("department", department, list(app.configuration.departments))


def _take(session: Session, app: App, take: str | None, give_back: str | None, who: str) -> int:
    """Make a task somebody's, or nobody's; what is done is nobody's any more."""
    from commsched.errors import Misuse
    from commsched.store import queries
    from commsched.store.store import micros

    if take is not None and give_back is not None:
        raise Misuse("Either --take or --give-back.")
    with app.store.write() as connection:
        row = _task(queries.tasks(connection), str(take or give_back))
        if row.state != "open":
            session.warn(f"{row.key} is {row.state}; there is nothing to take.")
            return 1
        if give_back is not None and row.taken_by not in {"", who}:
            session.warn(f"{row.key} is {row.taken_by}'s, not yours.")
            return 1
        owner = queries.take_task(connection, row.key, who if take is not None else "", micros(app.clock.now()))
    if take is not None and owner != who:
        session.warn(f"{row.key} is {owner}'s already.")
        return 1
    words = f"{row.key} is {owner}'s now. To leave it to others: commsched tasks --give-back '{row.key}'"
    session.say(words if owner else f"{row.key} is nobody's again.", task=row.key, owner=owner)
    return 0


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
