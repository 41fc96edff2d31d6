"""``commsched worker``."""

from __future__ import annotations

import click

from commsched.cli.measured import address_of, metrics_option
from commsched.cli.session import Session, command


@command("worker")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="So many processes, each of which works on one batch of customers at a time.",
)
@metrics_option
def worker(session: Session, concurrency: int, metrics: str | None) -> None:
    """Work on customers who are due, beside `commsched run`, until stopped (Ctrl-C, or SIGTERM).

    For the distributed engine (`engine = "distributed"`, with a store in PostgreSQL): any number of workers, on any
    machine with the same deployment folder, share the work of one store. Rounds such as asking sources and calendars
    are left to `commsched run`, of which there must be one. A worker that is told to stop finishes its batch, or
    hands back what it has not begun, within 30 seconds. The log goes to stderr.

    With --metrics each process serves its own on a port of its own: the next ones follow the one that is named.

    Example: commsched worker --concurrency 2 --metrics 9464
    """
    from commsched.cli.crew import crew, member
    from commsched.cli.service import log_to_stderr, prepared, tell
    from commsched.errors import Misuse

    address = address_of(metrics)
    log_to_stderr(session.verbose)
    app = session.app_with_logs()
    if app.configuration.deployment.engine == "local":
        message = (
            'workers belong to the distributed engine: write engine = "distributed" and store = "postgresql://…" into'
            " config/commsched.toml, and pip install 'commsched[distributed]'."
        )
        raise Misuse(message)
    prepared(app)
    app.store.close()
    tell("started", f"{app.configuration.deployment.name}: {concurrency} working until stopped.")
    if concurrency == 1:
        member(session.folder, session.verbose, address)
    else:
        crew(session.folder, session.verbose, concurrency, address)
    tell("stopped", "Stopped.")
