"""``commsched run``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from datetime import datetime

    from commsched.engine.report import Report


@command("run")
@click.option(
    "--accept",
    type=click.IntRange(0),
    metavar="N",
    help="Let a new or edited rule write to up to N customers on its first day.",
)
def run(session: Session, accept: int | None) -> None:
    """Run the service until it is stopped (Ctrl-C, or SIGTERM): take facts in from the sources, plan, send.

    A rule that is new, or not what it was when the store last saw it, is named with how many customers it
    would write to on its first day; above `first_day` of the configuration nothing starts without --accept.

    Several may run over the same store. The log goes to stderr, as JSON unless that is a terminal.

    Example: commsched run
    """
    import structlog

    from commsched.cli.accepting import admit
    from commsched.engine.feedback import Feedback
    from commsched.engine.local import LocalEngine, presence

    _log_service(session.verbose)
    app = session.app_with_logs()
    admit(session, app, accept)
    app.remember_rules()
    loop, now = app.loop(), app.clock.now()
    feedback = Feedback(app.store, app.configuration.feedback)
    log = structlog.get_logger("commsched.run")

    def report(one: Report) -> None:
        log.info("pass", planned=one.planned, sent=one.sent, later=one.later, in_doubt=one.in_doubt)
        if one.problems:
            # What a plugin says when it fails may name a customer; doctor and explain show it to who may see it.
            log.warning("problems", count=len(one.problems), see="commsched doctor")

    def listen(now: datetime) -> None:
        app.hearing.ask(now, loop.runner.run)

    with presence(app.store, app.folder, now, loop.lease):
        click.echo(f"{app.configuration.deployment.name}: planning and sending until stopped.", err=True)
        app.plugins.tell("startup", app=app)
        try:
            LocalEngine(loop, app.clock, app.pull, report, app.sync, feedback.send, listen).run()
        finally:
            app.plugins.tell("shutdown", app=app)
            app.store.close()
    click.echo("Stopped.", err=True)


def _log_service(verbose: int) -> None:
    import logging

    import structlog

    shown = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            shown,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
