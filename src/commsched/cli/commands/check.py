"""``commsched check``."""

from __future__ import annotations

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
def check(session: Session, matrix: bool) -> int:
    """Say everything that is wrong: configuration, vocabulary, services, rules, plugins, templates, calendars.

    Every message is rendered in every language and medium with made-up data. The exit code is 1 if
    anything is wrong. Nothing is written, and nothing is sent.

    Example: commsched check

    Example: commsched check --matrix
    """
    from commsched.check.run import check as run

    session.quiet_logs()
    report, app = run(session.folder)
    if matrix and app is not None and report.ok:
        _matrix(session, app)
        return 0
    data = {"ok": report.ok, "problems": report.problems, "warnings": report.warnings, "proofs": []}
    session.show(data, lambda console: _print(console, report))
    return 0 if report.ok else 1


def _print(console: Console, report: Report) -> None:
    from commsched.cli.output import counted, line

    for problem in report.problems:
        where = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
        line(console, f"{where}  {problem.code}  {problem.message}")
    for warning in report.warnings:
        line(console, f"Note: {warning}.")
    if report.ok:
        words = ", ".join(counted(number, *_NAMES[name]) for name, number in report.counts.items())
        line(console, f"All well: {words}.")
    else:
        line(console, f"{counted(len(report.problems), 'problem')}.")


def _matrix(session: Session, app: App) -> None:
    from commsched.check.matrix import matrix as rows_of
    from commsched.cli.output import line, table

    purposes, rows = rows_of(app)

    def show(console: Console) -> None:
        cells = [(row.policy, row.force, *(row.cells[purpose] for purpose in purposes)) for row in rows]
        console.print(table("", ("policy", "says", *purposes), cells))
        line(console, "● on all media   ◐ on some media, topics or departments   · no say")
        line(console, "must not: nothing is tried instead. could not: the rule's fallback runs.")

    session.show({"purposes": purposes, "policies": rows}, show)
