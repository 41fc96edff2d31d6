"""The list of what people must do: whose each task is, until when, what has escalated, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import wrap
from zoneinfo import ZoneInfo

from rich.console import Console
from sqlalchemy import Connection

from commsched.app import App
from commsched.cli.output import line, task_json
from commsched.cli.times import local, short
from commsched.model.state import State
from commsched.planning.fold import fold
from commsched.store import queries
from commsched.store.ledgers import load
from commsched.store.messages import TaskRecord, load_task
from commsched.timing.durations import parse_exact

# How far in the lines below a key begin, and those that one of them runs on in.
FIRST, NEXT = " " * 4, " " * 8


@dataclass(frozen=True, slots=True)
class Job:
    """A task with its life: ``owner`` has taken it, or it was made theirs; empty: the department's.

    ``escalated`` names the lead to whom an open task has gone that nobody did in time; ``outcome`` what came of it.
    """

    task: TaskRecord
    owner: str
    due: datetime
    overdue: bool
    escalated: str = ""
    outcome: str = ""


def found(
    app: App, connection: Connection, *, department: str | None, owner: str | None, everything: bool
) -> list[Job]:
    """The tasks that are meant: what has escalated first, then what is due first."""
    rows = queries.tasks(connection, state=None if everything else "open", department=department)
    now = app.clock.now()
    done = {row.customer for row in rows if row.state == "done"}
    states = {name: fold(one.ledger, now) for name, one in load(connection, sorted(done)).items()}
    jobs = [_job(app, load_task(row.body), row.taken_by, states.get(row.customer), now) for row in rows]
    wanted = [job for job in jobs if owner is None or owner.casefold() in _theirs(job)]
    return sorted(wanted, key=lambda job: (job.task.state != "open", not job.escalated, job.due, job.task.key))


def _theirs(job: Job) -> set[str]:
    """Whose list it is on: the owner's, and once it has escalated the lead's too. Names are typed in any case."""
    return {job.owner.casefold(), job.escalated.casefold()} - {""}


def _job(app: App, task: TaskRecord, taken_by: str, state: State | None, now: datetime) -> Job:
    settings = app.configuration.departments.get(task.department)
    within = parse_exact(settings.tasks_due if settings else "1d")
    late = parse_exact(settings.escalate_after if settings else "2d")
    due, is_open = task.at + within, task.state == "open"
    due = min(due, task.until) if task.until is not None else due
    lead = settings.lead or settings.title if settings else task.department
    escalated = lead if is_open and now >= due + late else ""
    return Job(task, taken_by or task.owner, due, is_open and now >= due, escalated, _outcome(task, state))


def _outcome(task: TaskRecord, state: State | None) -> str:
    """What came of it, and by whom, as far as somebody said."""
    if task.state == "withdrawn":
        return "not needed any more"
    said = [one for one in state.tasks_done if one.task == task.key] if state else []
    last = max(said, key=lambda one: one.at, default=None)
    return f"{last.outcome}, by {last.by}" if last else ""


def listed(job: Job) -> dict[str, object]:
    """T of DESIGN §11, with the life of the task beside it."""
    life = {"owner": job.owner, "due": job.due, "overdue": job.overdue, "escalated": job.escalated}
    return {**task_json(job.task), **life, "outcome": job.outcome}


def show(console: Console, jobs: Sequence[Job], zone: ZoneInfo) -> None:
    """Each with its key on a line of its own, whole, since it is typed again."""
    for job in jobs:
        line(console, job.task.key)
        text = f"{_life(job, zone)}: {' '.join(job.task.text.split())}"
        for part in wrap(text, console.width, initial_indent=FIRST, subsequent_indent=NEXT, break_on_hyphens=False):
            line(console, part)
    if not jobs:
        line(console, "Nothing is to be done.")


def _life(job: Job, zone: ZoneInfo) -> str:
    who = f"{job.owner} ({job.task.department})" if job.owner else job.task.department
    if job.task.state != "open":
        came = f", {job.outcome}" if job.outcome else ""
        return f"{who}, {local(job.task.at, zone)}, {job.task.state}{came}"
    if job.escalated:
        return f"ESCALATED to {job.escalated}, {who}, was due {short(job.due, zone)}"
    return f"{who}, {'OVERDUE since' if job.overdue else 'due'} {local(job.due, zone)}"
