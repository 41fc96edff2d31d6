"""The command line: ``commsched``. Thin: it parses, asks the layers below, and shows."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread
from time import sleep

import click

import commsched
from commsched.cli.group import Commands
from commsched.cli.session import Session


@click.command(
    "commsched", cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--deployment",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    metavar="DIR",
    help="The deployment's folder; default: the current one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for other programs.")
@click.option("-v", "--verbose", count=True, help="Say more on stderr; -vv says all.")
@click.version_option(commsched.__version__, message="commsched %(version)s")
@click.pass_context
def cli(ctx: click.Context, deployment: Path, as_json: bool, verbose: int) -> None:
    """Messages to customers that think before they go: planned by rules, held back by policies, explained.

    The environment variable COMMSCHED_STORE names another database than the configured one, such as the demo's.

    Example: commsched --deployment clinic plan --customer C0042
    """
    ctx.obj = Session(deployment, as_json=as_json, verbose=verbose)


# What a command that has ended still waits for: a channel's call goes on, and nobody will hear its answer.
LEAVE_SECONDS = 5.0


def main() -> None:
    """Run the command line of this process."""
    try:
        cli.main(prog_name="commsched")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        Thread(target=_leave, args=(code,), name="leave", daemon=True).start()
        raise


def _leave(code: int) -> None:
    sleep(LEAVE_SECONDS)
    os._exit(code)


__all__ = ["cli", "main"]
