"""``commsched demo``."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console

    from commsched.cli.virtual import Virtual
    from commsched.store.messages import MessageRecord, TaskRecord

DAYS = 60
# So much of it lies before the sample facts end: what people did then comes in day by day, bookings among it.
BEFORE = timedelta(days=30)
SHOWN = 12
TASKS = 6
EXAMPLES = 8
# What the files in the outbox are, by their suffixes.
OPENS = {".eml": "e-mails (.eml) for a mail program", ".txt": "texts (.txt) for an editor", ".pdf": "letters (.pdf)"}
# To have no address is a reason, but not one that is worth a closer look.
UNREACHABLE = ("commsched", "reachable")


@command("demo")
@click.option("--fresh", is_flag=True, help="Delete what lies in the outbox, even if no demo wrote it.")
@click.option("--progress/--no-progress", "bar", default=None, help="A progress bar; default: on a terminal.")
def demo(session: Session, fresh: bool, bar: bool | None) -> None:
    """Show commsched at work: sixty days of the sample customers in virtual time, through the real channels.

    What the customers did in the first thirty comes in as it did; the rest is what follows from it.
    It works in var/demo and lays the messages down in the configured outbox, where they can be read.
    Nothing leaves this machine.

    Example: commsched demo
    """
    from commsched.cli.sandbox import STORE
    from commsched.cli.standing import stand
    from commsched.cli.virtual import Virtual
    from commsched.store.store import Store

    session.quiet_logs()
    folder = session.folder.resolve()
    zone = session.zone()
    start = _start(folder, zone)
    store = Store(STORE, folder=folder)
    _prepare(folder, start, fresh=fresh)
    virtual = Virtual(folder, start, store, record=False)
    end = start + timedelta(days=DAYS)
    _run(virtual, folder, end, bar)
    stand(store, end)
    messages, tasks = virtual.results()
    store.close()
    _report(session, virtual, messages, tasks, start, end)


def _start(folder: Path, zone: ZoneInfo) -> datetime:
    """Some time before the day on which the sample facts end; that is today where no file says so."""
    from commsched.cli.sandbox import AS_OF
    from commsched.cli.times import moment

    file = folder / AS_OF
    today = datetime.now(zone).date().isoformat()
    end = moment(file.read_text("utf-8").strip() if file.is_file() else today, zone)
    return (end.astimezone(zone) - BEFORE).astimezone(UTC)


def _prepare(folder: Path, start: datetime, *, fresh: bool) -> None:
    from commsched.app import App
    from commsched.cli.sandbox import clean_outboxes, clean_store, outboxes
    from commsched.engine.clock import SetClock
    from commsched.store.store import Store

    clean_outboxes(outboxes(App(folder, clock=SetClock(start), store=Store("sqlite://"))), fresh=fresh)
    clean_store(folder)


def _run(virtual: Virtual, folder: Path, end: datetime, bar: bool | None) -> None:
    from commsched.cli.intake import files_of
    from commsched.cli.output import progress
    from commsched.cli.times import short_day
    from commsched.cli.virtual import days

    start, zone = virtual.clock.now(), virtual.app.configuration.deployment.zone
    facts, _ = virtual.facts(files_of([folder / "facts"]))
    with progress("virtual time", days(start, end), wanted=bar) as step:
        virtual.run(facts, end, lambda now: step(days(start, now), short_day(now, zone)))


def _report(
    session: Session,
    virtual: Virtual,
    messages: list[MessageRecord],
    tasks: list[TaskRecord],
    start: datetime,
    end: datetime,
) -> None:
    from commsched.cli.output import plan_json
    from commsched.cli.summary import by_rule, rule_json

    data = plan_json(messages, tasks)
    data["rules"] = [rule_json(row) for row in by_rule(messages, tasks)]
    session.show(data, lambda console: _Shown(console, virtual, messages, tasks).all(start, end))


class _Shown:
    """What a service manager would want to know first."""

    def __init__(
        self, console: Console, virtual: Virtual, messages: list[MessageRecord], tasks: list[TaskRecord]
    ) -> None:
        from commsched.model.decisions import ACCEPTED

        self.console, self.virtual, self.messages = console, virtual, messages
        self.tasks = [task for task in tasks if task.state == "open"]
        self.sent = [one for one in messages if one.state in ACCEPTED]
        self.zone = virtual.app.configuration.deployment.zone
        self.names = self._names()

    def all(self, start: datetime, end: datetime) -> None:
        """Everything, in order."""
        from commsched.cli.output import counted, line
        from commsched.cli.times import short_day

        settings = self.virtual.app.configuration.deployment
        people = len({one.customer for one in self.sent})
        line(self.console)
        line(
            self.console,
            f"{settings.name}, {short_day(start, self.zone)} {start.year} to {short_day(end, self.zone)} {end.year}: "
            f"{counted(len(self.sent), 'message')} to {counted(people, 'customer')}, "
            f"{counted(len(self.tasks), 'task')} for staff.",
        )
        self.rules()
        self.interesting()
        self.held()
        self.to_do()
        self.next_steps()

    def rules(self) -> None:
        """A row for each rule that sent something."""
        from commsched.cli.output import table
        from commsched.cli.summary import by_rule
        from commsched.cli.times import short_day

        rows = [
            (
                row.rule,
                row.sent,
                len(row.people),
                row.media["email"],
                row.media["sms"],
                short_day(row.first, self.zone),
                short_day(row.last, self.zone),
            )
            for row in by_rule(self.messages, self.tasks)
            if row.first is not None and row.last is not None
        ]
        columns = ("rule", "sent", "people", "e-mail", "SMS", "first", "last")
        self.console.print(table("\nWhat went", columns, rows, right=("sent", "people", "e-mail", "SMS")))

    def interesting(self) -> None:
        """Some messages: the first of each rule, the most urgent rules first."""
        from commsched.cli.output import table
        from commsched.cli.times import short
        from commsched.model.subjects import masked

        seen: set[tuple[str, str]] = set()
        chosen = []
        for one in self.sent:
            if (one.rule, one.step) not in seen:
                seen.add((one.rule, one.step))
                chosen.append(one)
        rows = [
            (
                short(one.at, self.zone) if one.at else "",
                self.names.get(one.customer, one.customer),
                one.subject_line or one.body.partition("\n")[0][:70],
                one.medium or "",
                masked(one.to),
            )
            for one in chosen[:SHOWN]
        ]
        self.console.print(table("\nSome of them", ("when", "who", "what", "on", "to"), rows))

    def held(self) -> None:
        """What policies held back, with a sentence each."""
        from commsched.cli.output import table
        from commsched.cli.summary import held_back

        rows = [
            (
                row.policy,
                row.messages,
                row.people,
                f"{self.names.get(row.example.customer, row.example.customer)}, {row.example.rule}: {row.detail}",
            )
            for row in held_back(self.messages)[:EXAMPLES]
        ]
        columns = ("policy", "messages", "people", "for example")
        self.console.print(table("\nWhat was held back", columns, rows, right=("messages", "people")))

    def to_do(self) -> None:
        """The first open tasks."""
        from commsched.cli.output import line, table
        from commsched.cli.times import short

        rows = [(task.department, short(task.at, self.zone), task.text) for task in self.tasks[:TASKS]]
        self.console.print(table("\nFor people to do", ("department", "when", "task"), rows))
        if len(self.tasks) > TASKS:
            line(self.console, f"… and {len(self.tasks) - TASKS} more.")

    def next_steps(self) -> None:
        """Where the messages lie, and what to try."""
        from commsched.cli.output import line
        from commsched.cli.sandbox import STORE, outboxes

        var = self.virtual.app.folder
        there = [
            (folder, {one.suffix for one in folder.glob("*.*")} & OPENS.keys()) for folder in outboxes(self.virtual.app)
        ]
        lie = ", ".join(str(folder.relative_to(var)) for folder, kinds in there if kinds)
        how = ", ".join(words for suffix, words in OPENS.items() if any(suffix in kinds for _, kinds in there))
        line(self.console, f"\nThe messages lie in {lie}: {how}." if lie else "\nNo messages were laid down.")
        line(self.console, "\nTry next:")
        place = f"{place_of(self.virtual.app.folder)}"
        if place:
            line(self.console, f"  cd {place}")
        line(self.console, f"  export COMMSCHED_STORE={STORE}")
        for arguments, words in self._ideas():
            line(self.console, f"  {program()} {arguments}   # {words}")

    def _ideas(self) -> list[tuple[str, str]]:
        told = [one for one in self.messages if one.state == "refused" and one.reasons[0][0] not in UNREACHABLE]
        refused = next(iter(told), None)
        moved = next((one for one in self.sent if one.reasons and not _alike(one, refused)), None)
        busiest = max(self.sent, key=lambda one: sum(o.customer == one.customer for o in self.sent[:200]), default=None)
        ideas = []
        if refused is not None:
            ideas.append((f"explain '{refused.key}'", "why this one did not go"))
        if moved is not None:
            ideas.append((f"explain '{moved.key}'", "why this one went at another time than its ideal"))
        if busiest is not None:
            ideas.append((f"timeline {busiest.customer}", "everything that was said to one customer"))
        ideas.append(("tasks", "what staff have to do"))
        ideas.append(("report", "what went, what was held back, and what that cost and saved"))
        ideas.append(("check --matrix", "which policy has a say in what"))
        return ideas

    def _names(self) -> dict[str, str]:
        from commsched.planning.fold import fold
        from commsched.store import queries
        from commsched.store.ledgers import load

        names: dict[str, str] = {}
        customers = sorted({one.customer for one in self.messages})
        with self.virtual.app.store.read() as connection:
            for chunk in queries.chunks(customers):
                for customer, one in load(connection, chunk).items():
                    names[customer] = fold(one.ledger, self.virtual.clock.now()).profile.name or customer
        return names


def _alike(one: MessageRecord, other: MessageRecord | None) -> bool:
    return other is not None and one.rule == other.rule


def program() -> str:
    """How this program was called, so that what is shown can be typed."""
    if shutil.which("commsched"):
        return "commsched"
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{Path(sys.executable).name} -m commsched"
    here = Path.cwd()
    return str(called.relative_to(here)) if called.is_relative_to(here) else str(called)


def place_of(folder: Path) -> str:
    """Where to go first: nowhere, if that is where we are."""
    here = Path.cwd()
    if folder == here:
        return ""
    return str(folder.relative_to(here)) if folder.is_relative_to(here) else str(folder)
