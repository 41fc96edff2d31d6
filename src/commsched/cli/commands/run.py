"""``commsched run``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from commsched.cli.measured import address_of, metrics_option
from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from datetime import datetime

    from commsched.app import App
    from commsched.web.serve import Door


@command("run")
@click.option(
    "--accept",
    type=click.IntRange(0),
    metavar="N",
    help="Let a new or edited rule write to up to N customers on its first day.",
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="The address on which customers' pages are served."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The port; 0 is any that is free."
)
@click.option("--public-url", metavar="URL", help="Where customers reach the pages, instead of the configured address.")
@click.option(
    "--trust-proxy", "proxies", multiple=True, metavar="HOST", help="A proxy whose word on the caller's address counts."
)
@metrics_option
def run(
    session: Session,
    accept: int | None,
    host: str,
    port: int,
    public_url: str | None,
    proxies: tuple[str, ...],
    metrics: str | None,
) -> None:
    """Run the service until it is stopped (Ctrl-C, or SIGTERM): take facts in, plan, send, serve customers' pages.

    A rule that is new, or not what it was when the store last saw it, is named with how many customers it
    would write to on its first day; above `first_day` of the configuration nothing starts without --accept.

    The pages behind customers' links are served where there is a `public_url`; put a proxy with TLS in front
    of them. Several services may run over the same store, each with a --port of its own; with the distributed engine
    `commsched worker` adds workers on any machine.

    The log goes to stderr, as JSON unless that is a terminal: each attempt and all that comes back; with -v also each
    fact and each decision. Metrics and health have a port of their own (--metrics), which no customer must reach.

    Example: commsched run

    Example: commsched run --port 8000 --public-url http://localhost:8000
    """
    import logging

    from commsched.cli.accepting import admit
    from commsched.cli.service import engine_of, log_to_stderr, tell, watched, work
    from commsched.cli.standing import in_words, stands_at
    from commsched.engine.feedback import Feedback
    from commsched.engine.local import rounds
    from commsched.errors import Misuse
    from commsched.web.serve import Door

    address = address_of(metrics)
    log_to_stderr(session.verbose)
    app = session.app_with_logs()
    stands = stands_at(app)
    if stands is not None:
        words = f"{in_words(app, stands)}, but the service goes by the machine's clock."
        tell("other_clock", words, level=logging.WARNING)
    if public_url is not None:
        if app.configuration.deployment.engine == "distributed":
            message = "workers would not know of --public-url; write public_url into config/commsched.toml."
            raise Misuse(message)
        app.public_url = _address(public_url)
    admit(lambda words: tell("changed_rule", words), app, accept)
    app.remember_rules()
    loop = app.loop()

    def listen(now: datetime) -> None:
        app.hearing.ask(now, loop.calls.run)

    feedback = Feedback(app.store, app.configuration.feedback)
    engine = engine_of(app, loop, rounds(loop, app.pull, app.sync, feedback.send, listen, app.retain))
    tell("started", f"{app.configuration.deployment.name}: planning and sending until stopped.")
    with watched(app, engine, address), _pages(app, Door(host, port, proxies)):
        work(app, engine)
    tell("stopped", "Stopped.")


def _address(text: str) -> str:
    from commsched.config import public_address
    from commsched.errors import Misuse

    try:
        return public_address(text)
    except ValueError as error:
        raise Misuse(f"--public-url: {error}") from error


@contextmanager
def _pages(app: App, door: Door) -> Iterator[None]:
    """The customers' pages beside the engine, where there are any."""
    from commsched.cli.service import tell
    from commsched.web.serve import serving

    if not app.public_url:
        tell("no_pages", "There is no public_url, so that messages have no links and no pages are served.")
        yield
        return
    with serving(app, door) as port:
        tell("pages", f"Customers' pages: {app.public_url}, served on {door.host}:{port}.", port=port)
        yield
