"""``commsched book`` and ``commsched cancel``."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from commsched.app import App
    from commsched.rules.rule import Service
    from commsched.store.ledgers import Loaded


@command("book")
@click.argument("customer")
@click.argument("service")
@click.option("--start", metavar="TIME", help="When it begins; without a zone, ours.")
@click.option("--first", is_flag=True, help="Instead: the best free time of the next two weeks that suits them.")
@click.option("--asset", metavar="ID", help="What it is for.")
@click.option("--customer-said", is_flag=True, help="The customer asked for it, so a confirmation is theirs.")
@click.option("--move", metavar="ID", help="Move this appointment there, instead of booking another.")
@click.option("--id", "name", metavar="ID", help="Its id; that of an appointment moves it. Default: a new one.")
@click.option("--told", is_flag=True, help="You tell them now what to prepare, so that no message need.")
@click.option("--force", is_flag=True, help="Book all the same what is refused.")
def book(
    session: Session,
    customer: str,
    service: str,
    start: str | None,
    first: bool,
    asset: str | None,
    customer_said: bool,
    move: str | None,
    name: str | None,
    told: bool,
    force: bool,
) -> None:
    """Book an appointment of CUSTOMER for SERVICE; reminders follow by the rules.

    A time is refused that is taken, outside the opening hours, not on a full quarter of an hour, too soon for the
    service, more than five years ahead, at which the customer has another appointment, or that leaves no time to tell
    what must be prepared; the nearest free ones are named instead. Somebody who brings two assets may have two
    appointments at once. Whoever tells the customer what to prepare while they book says so with --told, as after a
    call.

    Example: commsched book C0042 oil_change --start "2026-12-01 09:00" --asset V0070 --customer-said

    Example: commsched book C0042 oil_change --start "2026-12-02 10:00" --move A-1a2b3c
    """
    from commsched.cli.booked import Booking, book_best, book_then
    from commsched.cli.lookup import name_of, require_customer, unknown
    from commsched.cli.stated import say, stated_by
    from commsched.cli.times import local
    from commsched.errors import Misuse

    app = session.app()
    loaded = require_customer(app, customer)
    known = app.services.get(service)
    if known is None:
        raise unknown("service", service, list(app.services))
    if (start is None) == (not first):
        raise Misuse("give either --start TIME or --first.")
    if asset is not None:
        _require_asset(app, customer, asset)
    before = _standing(app, loaded, known, move or name, must_exist=move is not None)
    if told and not known.prep:
        raise Misuse(f"{service} needs no preparation; leave --told out.")
    given = move or name or f"A-{secrets.token_hex(3)}"
    wanted = Booking(loaded, known, given, asset, stated_by(customer_said=customer_said), force, told)
    begins = _begins(session, app, start) if start is not None else None
    fact, at = book_then(session, app, wanted, begins) if begins is not None else book_best(app, wanted)
    when = local(at, app.configuration.deployment.zone)
    who, undo = f"{name_of(app, loaded)} ({customer})", f"commsched cancel {customer} {fact.id}"
    text = f"Booked {known.name} for {who}: {when}, {_length(known)}, as {fact.id}."
    if before is not None:
        zone = app.configuration.deployment.zone
        old = before.astimezone(zone)
        undo = f'commsched book {customer} {service} --start "{old:%Y-%m-%d %H:%M}" --move {fact.id}'
        undo += " --customer-said" if customer_said else ""
        text = f"Moved {known.name} of {who}, {fact.id}: {local(before, zone)} -> {when}."
    say(session, fact, text, undo)


@command("cancel")
@click.argument("customer")
@click.argument("appointment")
@click.option("--customer-said", is_flag=True, help="The customer cancelled; then they are not told what they know.")
def cancel(session: Session, customer: str, appointment: str, customer_said: bool) -> None:
    """Cancel an APPOINTMENT of CUSTOMER; its reminders do not go, and whoever was told of it is told.

    Example: commsched cancel C0042 A-1a2b3c --customer-said
    """
    from commsched.cli.lookup import require_customer, unknown
    from commsched.cli.stated import record, say, stated_by
    from commsched.cli.times import local
    from commsched.model.facts import Appointment
    from commsched.planning.fold import fold

    app = session.app()
    state = fold(require_customer(app, customer).ledger, app.clock.now())
    known = state.appointments.get(appointment)
    if known is None:
        raise unknown(f"appointment of {customer}", appointment, sorted(state.appointments))
    zone = app.configuration.deployment.zone
    if known.status == "cancelled":
        session.say(f"{appointment} is cancelled already.")
        return
    fact = Appointment(
        at=app.clock.now(),
        customer=customer,
        stated_by=stated_by(customer_said=customer_said),
        id=appointment,
        status="cancelled",
    )
    record(app, customer, fact)
    start = known.start.astimezone(zone)
    undo = f'commsched book {customer} {known.service} --start "{start:%Y-%m-%d %H:%M}" --id {appointment}'
    # Whose word it was: the customer's own booking, or a cancellation that only the customer's word undoes.
    undo += " --customer-said" if customer_said or known.booked_by == "customer" else ""
    say(session, fact, f"Cancelled {appointment}, {known.service} on {local(known.start, zone)}.", undo)


def _begins(session: Session, app: App, start: str) -> datetime:
    from commsched.cli.times import local
    from commsched.errors import Misuse

    begins = session.moment(start)
    if begins is None or begins <= app.clock.now():
        shown = local(begins, session.zone()) if begins is not None else start
        raise Misuse(f"{shown} is past; an appointment begins in the future.")
    return begins


def _standing(app: App, loaded: Loaded, service: Service, name: str | None, *, must_exist: bool) -> datetime | None:
    """When the appointment of that id begins as things stand; ``None`` if there is none, or if it does not hold."""
    from commsched.cli.lookup import unknown
    from commsched.errors import Misuse
    from commsched.planning.fold import fold

    appointments = fold(loaded.ledger, app.clock.now()).appointments
    known = appointments.get(name or "")
    if known is None:
        if must_exist:
            raise unknown(f"appointment of {loaded.ledger.customer}", name or "", sorted(appointments))
        return None
    if known.service != service.id:
        raise Misuse(f"{name} is for {known.service}; cancel it, and book {service.id} by itself.")
    if known.status in {"completed", "no_show"}:
        raise Misuse(f"{name} is over ({known.status}); book another one without --move.")
    return known.start if known.status in {"booked", "confirmed"} else None


def _require_asset(app: App, customer: str, asset: str) -> None:
    from commsched.cli.lookup import require_customer, unknown
    from commsched.planning.fold import fold

    known = fold(require_customer(app, customer).ledger, app.clock.now()).assets
    if asset not in known:
        raise unknown(f"asset of {customer}", asset, sorted(known))


def _length(service: Service) -> str:
    hours, minutes = divmod(int(service.duration.total_seconds() // 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
