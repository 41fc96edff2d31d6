"""What every command shares: which deployment, how to print, and the deployment itself when it is wanted."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from commsched.cli import times

if TYPE_CHECKING:  # loading the deployment's machinery is for commands that need it, not for `--help`
    from rich.console import Console

    from commsched.app import App

PIPE_WIDTH = 160


@dataclass
class Session:
    """One run of the command line."""

    folder: Path = field(default_factory=Path)
    as_json: bool = False
    verbose: int = 0

    def app(self, at: datetime | None = None) -> App:
        """The deployment, loaded; with its clock standing at ``at``, if that is given.

        Over a demo's store it stands where the demo ended, and that is said: by the machine's clock all would be odd.
        """
        from commsched.cli.standing import in_words, stands_at
        from commsched.engine.clock import SetClock

        self.quiet_logs()
        app = self.app_with_logs(at)
        if self.verbose:
            from commsched.engine.chronicle import chronicle
            from commsched.signals import listening

            click.get_current_context().with_resource(listening(chronicle))
        stands = stands_at(app) if at is None else None
        if stands is not None:
            app.clock = SetClock(stands)
            self.warn(f"{in_words(app, stands)}, and this command goes by that.")
        return app

    def app_with_logs(self, at: datetime | None = None) -> App:
        """The same, with logging left as it was set up."""
        from commsched.app import App
        from commsched.engine.clock import SetClock

        return App(self.folder, clock=SetClock(at) if at is not None else None)

    def zone(self) -> ZoneInfo:
        """The zone of the deployment."""
        from commsched.config import load_configuration

        return load_configuration(self.folder).deployment.zone

    def moment(self, text: str | None) -> datetime | None:
        """A time as it was typed; one without a zone is the deployment's."""
        return times.moment(text, self.zone()) if text is not None else None

    def quiet_logs(self) -> None:
        """Log to stderr, and only what an operator must see, or what ``-v`` asks for."""
        import logging

        import structlog

        level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(self.verbose, 2)]
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(level),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )

    def console(self) -> Console:
        """Where results are printed."""
        from rich.console import Console

        # A file or a pipe has no width of its own; wide tables are easier on what reads them.
        width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
        return Console(highlight=False, width=width)

    def show(self, data: object, human: Callable[[Console], None]) -> None:
        """Print the result: as JSON if that was asked for, else for people."""
        if self.as_json:
            from commsched.cli.output import to_json

            click.echo(to_json(data))
        else:
            human(self.console())

    def say(self, text: str, **data: object) -> None:
        """Print a sentence, or as JSON what it is about."""
        self.show({"message": text, **data}, lambda _: click.echo(text))

    def warn(self, text: str) -> None:
        """Say something beside the result."""
        click.echo(text, err=True)


def command(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """A command that is handed the session, and takes ``--json`` after its name as well as before it."""
    # Loaded with the first command, not with the list of them.
    from rich_click import RichCommand, RichHelpConfiguration

    look = RichHelpConfiguration(text_paragraph_linebreaks="\n\n")

    def decorate(function: Callable[..., Any]) -> click.Command:
        wrapped = click.option(
            "--json", "as_json", is_flag=True, expose_value=False, callback=_as_json, help="Print JSON."
        )(click.make_pass_decorator(Session, ensure=True)(function))
        made: click.Command = click.command(
            name,
            cls=RichCommand,
            context_settings={"help_option_names": ["-h", "--help"], "rich_help_config": look},
        )(wrapped)
        return made

    return decorate


def _as_json(ctx: click.Context, _option: click.Parameter, chosen: bool) -> None:
    if chosen:
        ctx.ensure_object(Session).as_json = True
