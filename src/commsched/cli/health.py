"""How a deployment is: each thing with whether it is well, and what to do where it is not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from commsched.app import App
from commsched.cli import atwork
from commsched.cli.findings import Finding
from commsched.cli.output import counted, pairs
from commsched.cli.times import age, local
from commsched.engine.channels import carriers
from commsched.engine.hearing import PROBLEM as UNHEARD
from commsched.engine.sources import heard, stale
from commsched.engine.sync import PROBLEM
from commsched.errors import StoreError
from commsched.plugin.view import Snapshot
from commsched.store import queries
from commsched.store.retention import aged
from commsched.store.store import HEAD, instant
from commsched.timing.slots import cells, span_of

# Whoever is due for longer than this is not being looked at: no engine is running, or it cannot keep up.
LATE = timedelta(minutes=10)
LEAST_DISK = 500 * 1024 * 1024
GIGABYTE = 1024**3


def examine(app: App) -> list[Finding]:
    """Everything, in order; where the store cannot be read, what can be said without it."""
    now = app.clock.now()
    found = []
    try:
        with app.store.read() as connection:
            found.append(Finding("store", True, f"reachable, version {HEAD}"))
            for look in _LOOKS:
                found += look(app, connection, now)
    except StoreError as error:
        found.append(Finding("store", False, str(error), "Mend that first; nothing is planned or sent without it."))
    return [*found, *_calendars(app, now), *_disks(app)]


def _queue(_: App, connection: Connection, now: datetime) -> Iterator[Finding]:
    waiting, oldest = queries.queue(connection)
    if oldest is None:
        yield Finding("queue", True, "nobody is known yet")
        return
    due = instant(oldest)
    late = now - due > LATE
    says = f"{counted(waiting, 'customer')}; the next is due {'since ' + age(due, now) if due <= now else 'later'}"
    yield Finding(
        "queue", not late, says, "Is `commsched run` running? `commsched tick` works it off once." if late else ""
    )


def _messages(_: App, connection: Connection, now: datetime) -> Iterator[Finding]:
    del now
    yield Finding("messages", True, pairs(dict(sorted(queries.counts(connection).items()))))


def _doubt(_: App, connection: Connection, now: datetime) -> Iterator[Finding]:
    rows = queries.attempts(connection, states=("in_doubt",))
    if not rows:
        yield Finding("doubt", True, "no message is in doubt")
        return
    oldest = min(rows, key=lambda row: row.started_at)
    long = age(instant(oldest.started_at), now)
    says = f"{counted(len(rows), 'message')} in doubt, the oldest for {long}, by {oldest.channel}"
    do = f"Ask the provider, then: commsched settle '{oldest.key}' --sent (or --not-sent)"
    yield Finding("doubt", False, says, do)


def _stopped(app: App, connection: Connection, now: datetime) -> Iterator[Finding]:
    zone = app.configuration.deployment.zone
    for row in queries.pauses(connection):
        says = f"{row.scope} is stopped since {local(instant(row.since), zone)}, by {row.by}"
        yield Finding("pause", False, says, f"To let it go on: commsched resume {row.scope}")
    for row in queries.breakers(connection):
        if instant(row.until) > now:
            says = f"{row.policy} failed and refuses everything until {local(instant(row.until), zone)}: {row.detail}"
            yield Finding("policy", False, says, f"Mend the plugin, then: commsched resume policy:{row.policy}")


def _outages(app: App, connection: Connection, now: datetime) -> Iterator[Finding]:
    del now
    zone = app.configuration.deployment.zone
    media = {name: medium for medium, names in carriers(app.channels).items() for name in names}
    closed = {row.channel for row in queries.outages(connection)}
    for row in queries.outages(connection):
        since, until = local(instant(row.since), zone), local(instant(row.until), zone)
        others = [name for name in carriers(app.channels).get(media.get(row.channel, ""), ()) if name not in closed]
        meanwhile = f"{others[0]} takes over" if others else "what has another medium goes that way in time, or waits"
        says = f"{row.channel} is closed since {since}, tried again at {until}; {meanwhile}: {row.detail}"
        yield Finding("channel", False, says, f"Once it is mended: commsched resume channel:{row.channel}")


def _rates(app: App, connection: Connection, now: datetime) -> Iterator[Finding]:
    today = now.astimezone(app.configuration.deployment.zone).date().isoformat()
    limits = app.configuration.rates
    for row in queries.rates(connection):
        daily = limits[row.channel].daily if row.channel in limits else None
        if daily is not None and row.day == today:
            left = row.used < daily
            do = (
                "" if left else "What is left goes tomorrow, if that is in time; `daily` of the channel sets the limit."
            )
            yield Finding("rate", left, f"{row.channel} has carried {row.used} of {daily} today", do)


def _listening(app: App, connection: Connection, now: datetime) -> Iterator[Finding]:
    del now
    for name in app.channels:
        problem = queries.setting(connection, UNHEARD + name)
        if problem:
            says = f"{name} could not be asked what came in: {problem}"
            yield Finding("channel", False, says, "It is asked again every two minutes; nothing is lost by that.")


def _overbooked(app: App, connection: Connection, now: datetime) -> Iterator[Finding]:
    zone = app.configuration.deployment.zone
    for row in queries.overbooked(connection, app.calendars, cells(now, now)[0]):
        start = local(span_of(row.first, row.last)[0], zone)
        says = f"{row.calendar} has no room for {row.appointment} of {row.customer}, {start}"
        do = f"Move it: commsched slots SERVICE --customer {row.customer}, then commsched book … --id {row.appointment}"
        yield Finding("overbooked", False, says, do)


def _in_step(app: App, connection: Connection, now: datetime) -> Iterator[Finding]:
    del now
    for name in sorted(name for name, calendar in app.calendars.items() if calendar.writes):
        problem = queries.setting(connection, PROBLEM + name)
        if problem:
            yield Finding("calendar", False, f"{name} is not in step: {problem}", "It is tried again every minute.")
        else:
            known = len(queries.calendar_entries(connection, name))
            yield Finding("calendar", True, f"{name} keeps {counted(known, 'appointment')}")


def _sources(app: App, connection: Connection, now: datetime) -> Iterator[Finding]:
    zone, silent = app.configuration.deployment.zone, stale(connection, app.fresh, now)
    for name, limit in app.fresh.items():
        last = heard(connection, name)
        says = f"{name} was heard of {local(last, zone) if last else 'never'}; it must be every {age(now - limit, now)}"
        do = f"What depends on it waits. Look why nothing comes, or: commsched import FILE --source {name}"
        if last is None:
            says = f"nothing has come from {name} yet; once it does, it must come every {age(now - limit, now)}"
            do = ""
        yield Finding("source", name not in silent, says, do if name in silent else "")


def _calendars(app: App, now: datetime) -> Iterator[Finding]:
    zone = app.configuration.deployment.zone
    for name in app.calendars:
        snapshot = app.snapshot(name, (now, now + timedelta(days=60)), now)
        if snapshot.stale:
            yield Finding("calendar", False, f"{name} cannot be read: {snapshot.problem}", _meanwhile(snapshot, zone))
            continue
        open_ahead = bool(snapshot.open)
        do = "" if open_ahead else "Nothing can be placed in its hours; look at its settings."
        says = "readable" if open_ahead else "never open in the next 60 days"
        yield Finding("calendar", open_ahead, f"{name}: {says}", do)


def _meanwhile(snapshot: Snapshot, zone: ZoneInfo) -> str:
    if snapshot.usable:
        return f"What was read on {local(snapshot.taken_at, zone)} counts until then."
    since = f" It was read last on {local(snapshot.since, zone)}." if snapshot.since else ""
    return f"Whatever asks it waits until then.{since}"


def _disks(app: App) -> Iterator[Finding]:
    """The disk of the deployment, and that of its database where it is another."""
    folders = [app.folder]
    database = app.store.url.database if app.store.sqlite else None
    if database and Path(database).is_file() and Path(database).stat().st_dev != app.folder.stat().st_dev:
        folders.append(Path(database).parent)
    for folder in folders:
        free = shutil.disk_usage(folder).free
        ok = free >= LEAST_DISK
        where = "" if folder == app.folder else f" in {folder}"
        do = "" if ok else "Make room; sending stops when it is full."
        yield Finding("disk", ok, f"{free / GIGABYTE:.1f} GB free{where}", do)


def _kept(app: App, connection: Connection, now: datetime) -> Iterator[Finding]:
    retention = app.configuration.retention.model_dump(exclude_none=True)
    says = ", ".join(f"{name} for {length}" for name, length in sorted(retention.items())) or "every type for ever"
    old = {name: len(facts) for name, facts in aged(connection, app.limits(now)).items()} if retention else {}
    too_old = sum(old.values())
    do = "`commsched run` deletes it within a day; `commsched retain --yes` at once." if too_old else ""
    yield Finding("facts kept", True, says + (f"; too old: {pairs(old)}" if too_old else ""), do)


_LOOKS: tuple[Callable[[App, Connection, datetime], Iterator[Finding]], ...] = (
    _queue,
    _messages,
    _doubt,
    _stopped,
    _outages,
    _rates,
    _listening,
    _overbooked,
    _in_step,
    _sources,
    _kept,
    atwork.engine,
    atwork.workers,
    atwork.plugins,
    atwork.clock,
    atwork.links,
)
