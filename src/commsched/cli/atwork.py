"""For ``doctor``: whether anybody is at work, what failed lately, whose clock is right, whether links lead anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from commsched.app import App
from commsched.cli.findings import Finding
from commsched.cli.output import counted
from commsched.cli.times import local
from commsched.engine.pulse import TICK, Crew, Seen, failures, seen
from commsched.store import queries
from commsched.store.keys import SETTING as KEYS

# An engine shows itself twice a minute; one that has not for so long has died, or hangs.
SILENT = timedelta(minutes=5)
# What failed before that is mended, or fails again.
LATELY = timedelta(hours=1)
# How far the machine's clock and the database's may be apart. Times of sending come from the machine.
SKEW = timedelta(seconds=5)
HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_DO: dict[str, str] = {
    "policy": "Mend the plugin: what it is asked about is refused until it answers.",
    "observer": "Mend the plugin; sending went on without it.",
    "channel": "Look at its provider and its settings; what may have been sent is in doubt and not sent again.",
    "calendar": "Look at its settings and its server; what depends on it waits.",
    "source": "Look at its settings; what comes from it waits.",
    "plan": "Look for plan_failed in the log: these customers are not looked at until it is mended.",
}


def engine(app: App, connection: Connection, now: datetime) -> Iterator[Finding]:
    """When `run` was last at work, and `tick` where there is no `run`; workers do not stand in for it."""
    last, zone = seen(connection), app.configuration.deployment.zone
    if last is None or last.ended:
        crew = _crew(connection) if app.configuration.deployment.engine == "distributed" else None
        if crew is not None and crew.workers:
            says = "workers are at work, but `commsched run` is not: sources, calendars and what channels list wait"
            yield Finding("engine", False, says, "Start `commsched run`.")
        else:
            yield Finding("engine", True, _at_rest(last, seen(connection, TICK), zone))
        return
    when = local(last.at, zone)
    silent = now - last.at > SILENT
    says = f"at work, last seen {when}" if not silent else f"not heard of since {when}, and nobody told it to stop"
    do = "Look whether `commsched run` is still there and what it logged last, then start it again."
    yield Finding("engine", not silent, says, do if silent else "")


def _at_rest(last: Seen | None, tick: Seen | None, zone: ZoneInfo) -> str:
    """What is said where nobody need be at work."""
    never = "`commsched run` has not been at work on this store yet"
    says = never if last is None else f"stopped as it was told to, {local(last.at, zone)}"
    return says if tick is None else f"{says}; the last `commsched tick` ended {local(tick.at, zone)}"


def workers(app: App, connection: Connection, now: datetime) -> Iterator[Finding]:
    """The workers of the distributed engine, and what waits for them."""
    del now
    if app.configuration.deployment.engine == "local":
        return
    crew = _crew(connection)
    if crew is None or not crew.workers:
        do = "Start `commsched run`, and `commsched worker` for more."
        if crew is None and app.store.sqlite:
            do = 'It needs PostgreSQL: write store = "postgresql://…", or engine = "local", into config/commsched.toml.'
        yield Finding("workers", False, "none is at work", do)
    else:
        says = f"{counted(crew.workers, 'worker')} at work; {counted(crew.waiting, 'batch', 'batches')} waiting"
        yield Finding("workers", True, says)
    if crew is not None and crew.stuck:
        does = "is" if crew.stuck == 1 else "are"
        says = f"{counted(crew.stuck, 'batch', 'batches')} {does} held by a worker that is not heard of any more"
        yield Finding(
            "workers", False, says, "Any worker that lives puts them back within half a minute; is one there?"
        )


def _crew(connection: Connection) -> Crew | None:
    try:
        from commsched.engine.jobs import crew
    except ModuleNotFoundError:
        return None
    return crew(connection)


def plugins(app: App, connection: Connection, now: datetime) -> Iterator[Finding]:
    """The plugins that failed within the hour, in whatever process."""
    zone = app.configuration.deployment.zone
    for one in failures(connection, now - LATELY):
        says = f"{one.plugin} ({one.kind}) failed, {local(one.at, zone)}: {one.error}"
        yield Finding("plugin", False, says, _DO[one.kind])


def clock(app: App, connection: Connection, now: datetime) -> Iterator[Finding]:
    """Whether this machine's clock and the database's agree, where they are two."""
    del now
    if app.store.sqlite:
        return
    before = datetime.now(UTC)
    theirs = queries.database_now(connection)
    apart = max(before - theirs, theirs - datetime.now(UTC), timedelta())
    says = f"this machine and the database are {apart.total_seconds():.1f} s apart"
    do = "Let both keep time (NTP): messages go, and leases end, by the clock of the machine."
    yield Finding("clock", apart <= SKEW, says, do if apart > SKEW else "")


def links(app: App, connection: Connection, now: datetime) -> Iterator[Finding]:
    """Whether customers' links lead to pages, and are signed."""
    del now
    if not app.public_url:
        yield Finding("links", True, "there is no public_url: messages have no links, and no pages are served")
        return
    if urlsplit(app.public_url).hostname in HERE:
        do = "Set public_url to the https:// address of the proxy in front of `commsched run`."
        yield Finding("links", False, f"they lead to {app.public_url}, which only this machine reaches", do)
    elif not queries.setting(connection, KEYS):
        yield Finding("links", True, f"they will lead to {app.public_url}; the first engine makes the signing key")
    else:
        yield Finding("links", True, f"they lead to {app.public_url}, and are signed")
