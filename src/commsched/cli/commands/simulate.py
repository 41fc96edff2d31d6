"""``commsched simulate``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console

    from commsched.cli.summary import ByRule
    from commsched.cli.virtual import Virtual
    from commsched.store.messages import MessageRecord, TaskRecord

    Results = tuple[list[MessageRecord], list[TaskRecord]]

SHOWN = 5


@command("simulate")
@click.argument("facts", metavar="FACTS…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--from", "start", metavar="TIME", required=True, help="When it begins; rules are live from then.")
@click.option("--to", "end", metavar="TIME", required=True, help="When it ends.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with the result.")
@click.option("--jobs", metavar="N", type=click.IntRange(1), help="How many processes; default: one for each core.")
@click.option("--progress/--no-progress", "bar", default=None, help="A progress bar; default: on a terminal.")
def simulate(
    session: Session,
    facts: tuple[Path, ...],
    start: str,
    end: str,
    report: Path | None,
    jobs: int | None,
    bar: bool | None,
) -> int:
    """Run the deployment through months of virtual time, on a store of its own; nothing leaves, nothing stays.

    Each fact becomes known when it was recorded. The same facts give the same messages, to the byte, in however many
    processes.

    Example: commsched simulate facts --from 2026-06-01 --to 2026-12-01 --report summer.html
    """
    import os
    from tempfile import TemporaryDirectory

    from commsched.cli.intake import files_of
    from commsched.cli.output import plan_json
    from commsched.cli.summary import by_rule, rule_json
    from commsched.cli.virtual import Virtual
    from commsched.errors import Misuse
    from commsched.store.store import Store

    session.quiet_logs()
    first, last = (session.moment(text) for text in (start, end))
    if first is None or last is None or first >= last:
        raise Misuse("--to must be after --from.")
    paths = files_of(facts)
    with TemporaryDirectory(prefix="commsched-") as folder:
        store = Store("sqlite:///scratch.db", folder=Path(folder), scratch=True)
        virtual = Virtual(session.folder, first, store, record=True)
        scratch = Path(folder, "shares")
        scratch.mkdir()
        rejected, results = _run(session, virtual, paths, bar, (scratch, last, jobs or os.cpu_count() or 1))
        store.close()
    rows = by_rule(*results)
    if report is not None:
        _write_page(report, virtual, results, f"{start} to {end}")
    session.show(
        {**plan_json(*results), "rules": [rule_json(row) for row in rows]},
        lambda console: _print(console, rows, results, start, end),
    )
    return 1 if rejected else 0


def _run(
    session: Session, virtual: Virtual, paths: list[Path], bar: bool | None, how: tuple[Path, datetime, int]
) -> tuple[int, Results]:
    from commsched.cli.output import progress
    from commsched.cli.shares import Simulation
    from commsched.cli.times import short_day
    from commsched.cli.virtual import days

    scratch, end, jobs = how
    start, zone = virtual.clock.now(), virtual.app.configuration.deployment.zone
    facts, rejects = virtual.facts(paths)
    for reject in rejects[:SHOWN]:
        session.warn(str(reject))
    if len(rejects) > SHOWN:
        session.warn(f"… and {len(rejects) - SHOWN:,} more lines that are no facts")
    with progress("virtual time", days(start, end), wanted=bar) as step:
        simulation = Simulation(virtual, scratch, end, jobs, lambda passed, now: step(passed, short_day(now, zone)))
        return len(rejects), simulation.run(facts)


def _print(console: Console, rows: list[ByRule], results: Results, start: str, end: str) -> None:
    from commsched.cli.output import counted, line, pairs, table

    cells = [
        (
            row.rule,
            row.sent,
            len(row.people),
            pairs(dict(sorted(row.media.items()))),
            pairs(dict(row.refused.most_common())),
            pairs(dict(sorted(row.other.items()))),
            row.tasks,
        )
        for row in rows
    ]
    columns = ("rule", "sent", "people", "on", "held back by", "other", "tasks")
    console.print(table(f"From {start} to {end}", columns, cells, right=("sent", "people", "tasks")))
    sent = sum(row.sent for row in rows)
    line(console, f"{counted(sent, 'message')} sent, {counted(len(results[1]), 'task')}.")


def _write_page(path: Path, virtual: Virtual, results: Results, span: str) -> None:
    from commsched.cli.page import page
    from commsched.cli.summary import by_rule, held_back, sent_by_week

    messages, tasks = results
    settings = virtual.app.configuration.deployment
    rows = by_rule(messages, tasks)
    lead = f"Simulated from {span}: {sum(row.sent for row in rows):,} messages, {len(tasks):,} tasks."
    text = page(settings.name, lead, rows, sent_by_week(messages, settings.zone), held_back(messages))
    path.write_text(text, "utf-8")
