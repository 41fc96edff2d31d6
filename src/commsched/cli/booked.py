"""Booking a time: what stands against it is said, with what is free instead; two never get the same place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

from msgspec import UNSET
from sqlalchemy import Connection

from commsched.app import App
from commsched.cli.freetimes import objection, refusal
from commsched.cli.session import Session
from commsched.cli.stated import completed, me, record
from commsched.cli.times import local
from commsched.engine.atdesk import Engaged, engaged, require_free, told_with
from commsched.engine.booking import AHEAD, Desk, Look, closings, free_times
from commsched.errors import Misuse, SlotTaken
from commsched.model.facts import Appointment
from commsched.planning.fold import fold
from commsched.rules.rule import Service
from commsched.store.ledgers import Loaded
from commsched.timing.windows import Span

TAKEN = "it is taken"


@dataclass(frozen=True, slots=True)
class Booking:
    """What is to be booked, for whom, and whose word it is; ``told``: they are told what to prepare at once."""

    loaded: Loaded
    service: Service
    id: str
    asset: str | None
    stated_by: Literal["customer", "staff"]
    force: bool
    told: bool = False

    @property
    def customer(self) -> str:
        """Whose appointment it is."""
        return self.loaded.ledger.customer

    def look(self, app: App, within: Span, *, suiting: bool = False) -> Look:
        """Where to look for free times; an appointment that moves leaves its own."""
        known = fold(self.loaded.ledger, app.clock.now()).appointments
        leaving = self.id if self.id in known else None
        return Look(
            self.service,
            within,
            self.loaded.ledger,
            leaving=leaving,
            suiting=suiting,
            asset=self.asset,
            told=self.told,
        )

    def clash(self, app: App, loaded: Loaded, span: Span) -> str:
        """The other appointment of the customer at that time, in words; empty if there is none."""
        state = fold(loaded.ledger, app.clock.now())
        there = (one for one in engaged(state, app.services, self.asset, self.id) if one.overlaps(span))
        return next((self.elsewhere(app, one) for one in there), "")

    def elsewhere(self, app: App, one: Engaged) -> str:
        """Where the customer is at that time, in words."""
        zone, other = app.configuration.deployment.zone, one.appointment
        when = f"{local(one.span[0], zone)} to {one.span[1].astimezone(zone):%H:%M}"
        return f"{self.customer} has {other.service} then already, as {other.id} ({when})"


def book_then(session: Session, app: App, booking: Booking, start: datetime) -> tuple[Appointment, datetime]:
    """Book a time; the fact, and when it begins. Raises :class:`Misuse`, with the nearest free ones, if it can't."""
    desk, span = app.desk(), (start, start + booking.service.duration)
    look = booking.look(app, span)
    why = objection(app, desk, look, start) or booking.clash(app, booking.loaded, span)
    if why and not booking.force:
        raise refusal(app, desk, look, start, why)
    if not why:
        try:
            return _record(app, desk, booking, start, free=True)
        except SlotTaken as error:
            why = error.detail or _taken(app, booking.service, span)
            if not booking.force:
                raise refusal(app, desk, look, start, why) from error
    session.warn(f"Booked all the same, though {why}.")
    return _record(app, desk, booking, start, free=False)


def book_best(app: App, booking: Booking) -> tuple[Appointment, datetime]:
    """Book the best of the free times that suit the customer. Raises :class:`Misuse` if there is none."""
    now, desk = app.clock.now(), app.desk()
    look = booking.look(app, (now, now + AHEAD), suiting=True)
    with app.store.read() as connection:
        times = free_times(desk, connection, look, now)
    for slot in times.slots:
        try:
            return _record(app, desk, booking, slot.start, free=True)
        except SlotTaken:
            continue  # somebody was faster: the next best
    why = "; ".join(detail for _, detail in times.reasons)
    raise Misuse(f"There is no free time for {booking.service.name} within two weeks that suits them: {why}.")


def _record(app: App, desk: Desk, booking: Booking, start: datetime, *, free: bool) -> tuple[Appointment, datetime]:
    """Append the appointment; with ``free``, only if its time still is."""
    service, span = booking.service, (start, start + booking.service.duration)
    now = app.clock.now()
    fact = Appointment(
        at=now,
        customer=booking.customer,
        stated_by=booking.stated_by,
        id=booking.id,
        service=service.id,
        start=span[0],
        end=span[1],
        status="booked",
        booked_by=booking.stated_by,
        calendar=service.calendar,
        place_zone=str(desk.world.zone),
        asset=booking.asset if booking.asset is not None else UNSET,
    )
    completed(app, fact)
    told = told_with(fact, booking.loaded.ledger, desk.world, me(), now) if booking.told else ()
    guard = partial(_require_free, app=app, booking=booking, span=span) if free else _nothing
    record(app, booking.customer, fact, *told, first=guard)
    return fact, start


def _require_free(connection: Connection, *, app: App, booking: Booking, span: Span) -> None:
    require_free(
        connection,
        app.world(connection),
        booking.customer,
        booking.id,
        booking.service,
        booking.asset,
        span,
        partial(booking.elsewhere, app),
    )


def _taken(app: App, service: Service, span: Span) -> str:
    """That a time is taken, and what is closed of the calendar then."""
    with app.store.read() as connection:
        closed = closings(connection, service.calendar or "", span)
    return "; ".join([TAKEN, *closed])


def _nothing(_: Connection) -> None:
    """Whatever is there already."""
