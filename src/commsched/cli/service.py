"""What `run` and `worker` share: the log, the engine that the configuration names, and how it begins and ends."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click
import structlog

from commsched.app import App
from commsched.engine.chronicle import chronicle
from commsched.engine.local import LocalEngine, Round, presence
from commsched.engine.loop import Loop
from commsched.engine.report import Report
from commsched.errors import Misuse, StoreError
from commsched.signals import listening

if TYPE_CHECKING:  # Prometheus's library is loaded for who asks for it
    from commsched.web.vitals import Address

log = structlog.get_logger("commsched.run")


def log_to_stderr(verbose: int) -> None:
    """As JSON, unless a person looks on."""
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


def tell(event: str, sentence: str, *, level: int = logging.INFO, **data: object) -> None:
    """Say how the service stands: to a person in a sentence, else as a line of the log that has it as ``message``."""
    if sys.stderr.isatty():
        click.echo(sentence, err=True)
    else:
        log.log(level, event, message=sentence, **data)


def engine_of(app: App, loop: Loop, rounds: Sequence[Round] = ()) -> LocalEngine:
    """The engine that the configuration names, and what it needs in the store."""
    if app.configuration.deployment.engine == "local":
        return LocalEngine(loop, app.clock, _report, rounds)
    prepared(app)
    from commsched.engine.distributed import DistributedEngine

    return DistributedEngine(loop, app.clock, _report, rounds)


def prepared(app: App) -> None:
    """Make what the distributed engine needs in the store. Raises :class:`Misuse` if its library is not installed."""
    try:
        from commsched.engine import jobs
    except ModuleNotFoundError as error:
        message = f"the distributed engine needs {error.name}: pip install 'commsched[distributed]'."
        raise Misuse(message) from error
    jobs.prepare(app.store)


@contextmanager
def watched(app: App, engine: LocalEngine, metrics: Address | None) -> Iterator[None]:
    """Log what happens, take the engine's pulse, and serve metrics where an address is given, until the end."""
    with listening(chronicle, engine.pulse.hear):
        if metrics is None:
            yield
            return
        from commsched.cli.observed import observed

        with observed(app, engine, metrics):
            yield


def work(app: App, engine: LocalEngine) -> None:
    """Work until told to stop; plugins hear of the beginning and of the end."""
    with presence(app.store, app.folder, app.clock.now(), engine.loop.lease):
        app.plugins.tell("startup", app=app)
        try:
            engine.run()
        finally:
            app.plugins.tell("shutdown", app=app)
            with suppress(StoreError):  # nothing is lost: doctor finds an engine that has not been heard of
                engine.pulse.end()
            app.store.close()


def _report(one: Report) -> None:
    log.info("pass", planned=one.planned, sent=one.sent, later=one.later, in_doubt=one.in_doubt)
    if one.problems:
        # What a plugin says when it fails may name a customer; doctor and explain show it to who may see it.
        log.warning("problems", count=len(one.problems), see="commsched doctor")
