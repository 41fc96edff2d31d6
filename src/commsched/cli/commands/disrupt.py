"""``commsched disrupt``."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console

    from commsched.app import App
    from commsched.engine.booking import Desk
    from commsched.engine.disruption import Affected, Closing, Disruption


@command("disrupt")
@click.argument("calendar", required=False)
@click.option("--from", "first", metavar="TIME", help="From when it is closed; default: now.")
@click.option("--to", "last", metavar="TIME", help="Until when; a date alone is that whole day.")
@click.option("--reason", default="", help="Why, for those who call the customers.")
@click.option("--dry-run", is_flag=True, help="Only show who would be affected; write nothing.")
@click.option("--undo", "undone", metavar="ID", help="Open again what was closed under this id.")
def disrupt(
    session: Session,
    calendar: str | None,
    first: str | None,
    last: str | None,
    reason: str,
    dry_run: bool,
    undone: str | None,
) -> None:
    """Close CALENDAR, or one place of it such as service-bays#2, and list whose appointments that affects.

    Those with the hardest preparation come first, each with the free times nearest to the one that is lost. What fits
    onto another place at the same time moves there, and nobody need know. Nothing else is moved: each of the others
    becomes a task for somebody who calls.

    Example: commsched disrupt 'service-bays#2' --from 2026-12-01 --to 2026-12-02 --reason "Sam is ill"
    """
    from commsched.cli.stated import me
    from commsched.engine.booking import AHEAD, read_ahead
    from commsched.engine.disruption import close, tasks_of
    from commsched.errors import Misuse
    from commsched.store import queries

    app = session.app()
    if undone is not None:
        _reopen(session, app, undone)
        return
    if calendar is None or last is None:
        raise Misuse("name the CALENDAR and --to, until when it is closed; or give --undo ID.")
    closing = _closing(session, app, calendar, first, last, reason)
    now = app.clock.now()
    if not dry_run and _is_closed(session, app, closing):
        return
    desk = read_ahead(app.desk(), closing.calendar, (now, closing.span[1] + 2 * AHEAD), now)
    with app.store.write() as connection:
        found = close(desk, connection, closing, me(), now)
        words = [_words(one, closing, desk) for one in found.affected]
        if dry_run:
            connection.rollback()
        else:
            queries.put_tasks(connection, tasks_of(desk, found, closing, words, now))
    session.show(
        _json(desk, closing, found, dry_run=dry_run),
        lambda console: _show(console, desk, closing, found, dry_run=dry_run),
    )


def _is_closed(session: Session, app: App, closing: Closing) -> bool:
    """Whether it is closed for all of that time already; then that is said."""
    from commsched.engine.disruption import standing

    with app.store.read() as connection:
        before = standing(connection, closing)
    if before is None:
        return False
    why = f": {before.reason}" if before.reason else ""
    session.say(
        f"{before.resource or before.calendar} is closed for all of that time already, as {before.id}{why}. Nothing "
        f"was changed. To open it: commsched disrupt --undo {before.id}",
        closing=_closing_json(before),
        moved=0,
        affected=[],
    )
    return True


def _closing(session: Session, app: App, name: str, first: str | None, last: str, reason: str) -> Closing:
    from commsched.cli.lookup import unknown
    from commsched.cli.times import end
    from commsched.engine.disruption import Closing
    from commsched.errors import Misuse

    calendar, mark, _ = name.partition("#")
    capacity = app.configuration.capacity
    places = [f"{one}#{number}" for one, count in capacity.items() for number in range(1, count + 1)]
    if name not in capacity and name not in places:
        raise unknown("calendar", name, places if mark else list(capacity))
    now = app.clock.now()
    begins, ends = session.moment(first) or now, end(last, session.zone())
    if ends <= max(begins, now):
        raise Misuse("--to must lie after --from, and ahead.")
    return Closing(f"CL-{secrets.token_hex(3)}", calendar, name if mark else None, (begins, ends), reason)


def _reopen(session: Session, app: App, name: str) -> None:
    from commsched.cli.lookup import unknown
    from commsched.engine.disruption import reopen
    from commsched.store import queries

    with app.store.write() as connection:
        known = [row.id for row in queries.closures(connection)]
        if not reopen(connection, name):
            raise unknown("closing", name, known)
    session.say(f"{name} is open again; its tasks are closed.")


def _words(one: Affected, closing: Closing, desk: Desk) -> str:
    """The task: whom to call about what, why, and what can be offered."""
    from commsched.cli.times import local

    zone = desk.world.zone
    service = desk.world.services.get(one.appointment.service)
    why = f" ({closing.reason})" if closing.reason else ""
    times = "; ".join(local(slot.start, zone) for slot in one.times.slots)
    preps = "".join(f" {prep.id} begins {local(prep.begins, zone)}." for prep in one.preps)
    what = service.name if service else one.appointment.service
    return f"Call {one.name}: {what} on {local(one.appointment.start, zone)} cannot be kept{why}.{preps} " + (
        f"Free: {times}." if times else "No other time was free."
    )


def _closing_json(closing: Closing) -> dict[str, object]:
    return {
        "id": closing.id,
        "calendar": closing.resource or closing.calendar,
        "from": closing.span[0],
        "to": closing.span[1],
        "reason": closing.reason,
    }


def _json(desk: Desk, closing: Closing, found: Disruption, *, dry_run: bool) -> dict[str, object]:
    from commsched.cli.freetimes import times_json

    return {
        "closing": None if dry_run else _closing_json(closing),
        "moved": found.moved,
        "affected": [
            {
                "customer": one.customer,
                "appointment": one.appointment.id,
                "service": one.appointment.service,
                "start": one.appointment.start,
                "prep": [{"id": prep.id, "begins": prep.begins, "tell_by": prep.by} for prep in one.preps],
                **times_json(desk, desk.world.services.get(one.appointment.service), one.times),
            }
            for one in found.affected
        ],
    }


def _show(console: Console, desk: Desk, closing: Closing, found: Disruption, *, dry_run: bool) -> None:
    from commsched.cli.output import counted, line, table
    from commsched.cli.times import local

    zone = desk.world.zone
    rows = [
        (
            f"{one.name} ({one.customer})",
            f"{one.appointment.service}, {one.appointment.id}",
            local(one.appointment.start, zone),
            "; ".join(f"{prep.id} from {local(prep.begins, zone)}" for prep in one.preps),
            "\n".join(local(slot.start, zone) for slot in one.times.slots) or "nothing is free",
        )
        for one in found.affected
    ]
    if rows:
        console.print(table("", ("customer", "appointment", "when", "to prepare", "free instead"), rows))
    line(
        console, f"{counted(len(rows), 'appointment')} affected, {found.moved} moved to another place at the same time."
    )
    if dry_run:
        line(console, "Nothing was written.")
    else:
        where = closing.resource or closing.calendar
        line(console, f"{where} is closed as {closing.id}; `commsched tasks` lists whom to call.")
        line(console, f"To take it back: commsched disrupt --undo {closing.id}")
