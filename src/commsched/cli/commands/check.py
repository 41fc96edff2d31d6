"""``commsched check``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console

    from commsched.app import App
    from commsched.check.report import Report


_NAMES = {
    "rules": ("rule",),
    "policies": ("policy", "policies"),
    "services": ("service",),
    "templates": ("template",),
    "channels": ("channel",),
    "calendars": ("calendar",),
    "sources": ("source",),
}


@command("check")
@click.option("--matrix", is_flag=True, help="Which policy has a say in which purpose.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with the timing proof.")
def check(session: Session, matrix: bool, report: Path | None) -> int:
    """Say everything that is wrong: configuration, vocabulary, services, rules, plugins, templates, calendars.

    Every message is rendered in every language and medium with made-up data. The timing proof shows for
    every step how early a booking must be known so that its message can go in time, whatever the weekday,
    holiday or clock change of the next two years, and what happens otherwise; a step that has no answer
    for some booking is a problem, with an example. The texts are read as a customer would: what begs for a
    score, repeats itself, sells in disguise, cannot be stopped, takes too many parts or tells what
    somebody is treated for is named (docs/texts.md). The exit code is 1 if anything is wrong; a note is
    no fault. Nothing is sent, and nothing is written but the report.

    Example: commsched check

    Example: commsched check --report proof.html

    Example: commsched check --matrix
    """
    from commsched.check.run import check as run
    from commsched.cli.output import progress
    from commsched.cli.proved import proof_json

    session.quiet_logs()
    if matrix and report is None:
        from commsched.check.parts import load

        loaded, problems = load(session.folder.resolve())
        if loaded is not None and not problems:
            _matrix(session, loaded)
            return 0
    with progress("proving the timing", 1) as step:
        found, app = run(session.folder, step)
    if report is not None and app is not None:
        from commsched.cli.proofpage import proof_page

        report.write_text(proof_page(app, found), "utf-8")
    if matrix and app is not None and found.ok:
        _matrix(session, app)
        return 0
    proofs = [proof_json(one) for one in found.proofs]
    data = {"ok": found.ok, "problems": found.problems, "warnings": found.warnings, "proofs": proofs}
    written = report if app is not None else None
    session.show(data, lambda console: _print(console, found, app, written))
    return 0 if found.ok else 1


def _print(console: Console, report: Report, app: App | None, written: Path | None) -> None:
    from commsched.cli.output import counted, line
    from commsched.cli.proved import proof_table

    if app is not None:
        console.print(proof_table(app, report.proofs))

    for problem in report.problems:
        where = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
        line(console, f"{where}  {problem.code}  {problem.message}")
        if problem.counterexample is not None:
            line(console, f"    {problem.counterexample}")
    for warning in report.warnings:
        line(console, f"Note: {warning}.")
    if written is not None:
        line(console, f"The timing proof is in {written}.")
    if report.ok:
        words = ", ".join(counted(number, *_NAMES[name]) for name, number in report.counts.items())
        line(console, f"All well: {words}.")
    else:
        line(console, f"{counted(len(report.problems), 'problem')}.")


def _shortened(names: Sequence[str]) -> list[str]:
    """Each name as short as still tells it from the others, of four letters at least: a column a purpose is narrow."""
    return [
        next((name[:size] for size in range(4, len(name)) if sum(n.startswith(name[:size]) for n in names) == 1), name)
        for name in names
    ]


def _matrix(session: Session, app: App) -> None:
    from commsched.check.matrix import matrix as rows_of
    from commsched.cli.output import line, table

    purposes, rows = rows_of(app)

    def show(console: Console) -> None:
        short = _shortened(purposes)
        shown = table("", ("policy", *short), [(row.policy, *(row.cells[one] for one in purposes)) for row in rows])
        for column in shown.columns:
            column.no_wrap = True
        console.print(shown)
        line(console, "● on all media   ◐ on some media, topics or departments   · no say")
        line(console, ", ".join(f"{a} {b}" for a, b in zip(short, purposes, strict=True) if a != b))

    session.show({"purposes": purposes, "policies": rows}, show)
