"""Free times as they are printed, and what ``book`` says of a time that cannot be had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from rich.console import Console

from commsched.app import App
from commsched.cli.output import line, table
from commsched.cli.times import local
from commsched.engine.booking import AHEAD, Desk, Look, Times, against, free_times, tellings, too_late_for
from commsched.errors import Misuse
from commsched.rules.rule import Service
from commsched.timing.slots import Slot
from commsched.timing.windows import Span

SUITS = {True: "yes", False: "outside their hours", None: ""}


def slot_json(desk: Desk, service: Service, slot: Slot) -> dict[str, object]:
    """A free time, with what must be prepared for it."""
    preps = [{"id": one.id, "begins": one.begins, "tell_by": one.by} for one in tellings(desk, service, slot.start)]
    return {
        "start": slot.start,
        "end": slot.end,
        "calendar": service.calendar,
        "free": slot.free,
        "suits": slot.suits,
        "prep": preps,
    }


def times_json(desk: Desk, service: Service | None, times: Times) -> dict[str, object]:
    """What ``slots`` prints."""
    reasons = [{"code": code, "detail": detail} for code, detail in times.reasons]
    slots = [slot_json(desk, service, slot) for slot in times.slots] if service is not None else []
    return {"slots": slots, "reasons": reasons}


def show_times(console: Console, desk: Desk, service: Service, times: Times, within: Span) -> None:
    """The free times for people, and what kept others from being free."""
    zone = desk.world.zone
    if times.slots:
        title = f"{service.name} at {service.calendar}, {local(within[0], zone)} to {local(within[1], zone)}"
        rows = [
            (
                local(slot.start, zone),
                f"{slot.end.astimezone(zone):%H:%M}",
                slot.free,
                SUITS[slot.suits],
                _prep(desk, service, slot),
            )
            for slot in times.slots
        ]
        console.print(table(title, ("begins", "ends", "free", "suits", "to prepare"), rows, right=("free",)))
    else:
        line(
            console,
            f"There is no free time for {service.name} between {local(within[0], zone)} and {local(within[1], zone)}.",
        )
    for _, detail in times.reasons:
        line(console, f"{detail[:1].upper()}{detail[1:]}.")


def _prep(desk: Desk, service: Service, slot: Slot) -> str:
    zone = desk.world.zone
    return "; ".join(
        f"{one.id} begins {local(one.begins, zone)}, told by {local(one.by, zone)}"
        for one in tellings(desk, service, slot.start)
    )


def objection(app: App, desk: Desk, look: Look, start: datetime) -> str:
    """What stands against booking a time, besides that it may be taken; empty if nothing does."""
    now, zone = app.clock.now(), desk.world.zone
    with app.store.read() as connection:
        why = against(desk, connection, look, start, now)
    if why:
        return why
    late = too_late_for(desk, look, start, now)
    if late is None:
        return ""
    past = "which is past" if late.by < now else "and no message can be there by then"
    return f"{late.id} begins {local(late.begins, zone)} and must be told by {local(late.by, zone)}, {past}"


def instead(app: App, desk: Desk, look: Look, start: datetime) -> Sequence[Slot]:
    """The three free times that are nearest to one that cannot be had."""
    now = app.clock.now()
    within = (max(now, start - AHEAD), max(now, start) + AHEAD)
    near = replace(look, within=within, near=start, suiting=False, spread=False, limit=3)
    with app.store.read() as connection:
        return free_times(desk, connection, near, now).slots


def refusal(app: App, desk: Desk, look: Look, start: datetime, why: str) -> Misuse:
    """That a time cannot be booked, why, and which could be."""
    zone = desk.world.zone
    others = [local(slot.start, zone) for slot in instead(app, desk, look, start)]
    could = f"Free instead: {'; '.join(others)}." if others else "There is no free time within two weeks of it."
    return Misuse(f"{local(start, zone)} cannot be booked: {why}. {could} --force books it all the same.")
