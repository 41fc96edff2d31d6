"""What the desk minds besides free times: where the customer is already, and what they are told there and then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from commsched.errors import SlotTaken
from commsched.model.facts import Appointment, TaskDone
from commsched.model.state import Appointment as Standing
from commsched.model.state import State
from commsched.model.subjects import digest_of
from commsched.planning.fold import fold
from commsched.planning.ledger import Ledger
from commsched.planning.prep import tellers
from commsched.planning.world import World
from commsched.rules.rule import Service
from commsched.store import queries, slots
from commsched.store.ledgers import load
from commsched.timing.windows import Span

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Engaged:
    """An appointment that keeps the customer from being elsewhere, and when it is."""

    appointment: Standing
    span: Span

    def overlaps(self, span: Span) -> bool:
        """Whether some of it is within a span."""
        return self.span[0] < span[1] and self.span[1] > span[0]


def engaged(state: State, services: Mapping[str, Service], asset: str | None, leaving: str | None) -> list[Engaged]:
    """The appointments at which a customer, or what is to be served, is already.

    ``leaving`` is the one that moves; if ``asset`` does not say what is served, it does.

    Two appointments for two different assets may be at one time; of those that name none the customer comes along.
    """
    found = []
    if asset is None and leaving in state.appointments:
        asset = state.appointments[leaving].asset
    for one in sorted(state.appointments.values(), key=lambda one: (one.start, one.id)):
        same = asset is None or one.asset is None or one.asset == asset
        if one.status in {"booked", "confirmed"} and one.id != leaving and same:
            service = services.get(one.service)
            length = service.duration if service is not None else HOUR
            end = one.end if one.end is not None and one.end > one.start else one.start + length
            found.append(Engaged(one, (one.start, end)))
    return found


def require_free(
    connection: Connection,
    world: World,
    customer: str,
    appointment: str,
    service: Service,
    asset: str | None,
    span: Span,
    said: Callable[[Engaged], str] = lambda _: "",
) -> None:
    """Make sure that a customer can have a time, and that it stays so until the commit.

    Raises :class:`SlotTaken` if they are somewhere else by now, in the words of ``said``, or if the time is taken.
    """
    # Ledgers are locked before calendars. Somebody else may have booked for this customer by now.
    queries.lock_ledgers(connection, {f"c:{customer}"})
    state = fold(load(connection, [customer])[customer].ledger, span[0])
    for one in engaged(state, world.services, asset, appointment):
        if one.overlaps(span):
            raise SlotTaken(said(one))
    if service.calendar is not None:
        slots.require_free(connection, service.calendar, span, leaving=(customer, appointment))


def told_with(fact: Appointment, ledger: Ledger, world: World, by: str, now: datetime) -> list[TaskDone]:
    """The facts that a customer was told every preparation for an appointment as it is booked by ``fact``.

    They are those that ``done … reached --told`` gives, one for each rule that would tell a preparation; none, if the
    service needs none. ``fact`` must be complete.
    """
    entries = tuple(sorted((*ledger.entries, (digest_of(fact).hex(), fact)), key=lambda entry: entry[0]))
    booked = fold(replace(ledger, entries=entries), now).appointments[str(fact.id)]
    service = world.services[booked.service]
    found = {
        (rule.name, prep.id): step.name
        for prep in service.prep
        for rule, step in tellers(world.rules, service, prep.id)
    }
    return [
        TaskDone(
            at=now,
            customer=ledger.customer,
            task=f"{ledger.customer}/{rule}/{step}/{booked.id}/{booked.occurrence}",
            outcome="reached",
            told=prep,
            by=by,
            stated_by="staff",
        )
        for (rule, prep), step in found.items()
    ]
