"""From the token in a link to the message that it is about, and to what stands of it now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from zoneinfo import ZoneInfo

from commsched.app import App
from commsched.delivery.answers import Answer
from commsched.model.state import Appointment, State
from commsched.planning import contact
from commsched.planning.fold import fold
from commsched.planning.ledger import Ledger
from commsched.planning.world import World
from commsched.plugin.view import Department
from commsched.rules.rule import Service
from commsched.store import queries
from commsched.store.ledgers import load
from commsched.store.messages import MessageRecord, load_record
from commsched.store.store import instant
from commsched.timing.civil import zone

# A token is never longer; what is, is not looked at.
MOST = 200


@dataclass(frozen=True, slots=True)
class Matter:
    """A service, and the id of what it is for."""

    service: Service
    asset: str | None


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that was sent, opened again by whoever has its link."""

    token: str
    message: MessageRecord
    address: str
    sent_at: datetime
    ledger: Ledger
    state: State
    world: World
    now: datetime

    @property
    def answer(self) -> Answer:
        """An answer to it, now."""
        return Answer(self.message, self.now, self.about)

    @property
    def about(self) -> str:
        """The id of the appointment that it is about, or would be if a time were taken by its link.

        That is always the same, so that a second press moves the appointment and makes no other.
        """
        subject = self.message.subject
        if subject in self.state.appointments:
            return subject
        return f"L-{blake2b(self.message.key.encode(), digest_size=6).hexdigest()}"

    @property
    def appointment(self) -> Appointment | None:
        """The appointment that it is about, or that was made by its link."""
        return self.state.appointments.get(self.about)

    @property
    def matter(self) -> Matter | None:
        """What a time could be taken for; ``None`` if it is about nothing of the kind."""
        standing, subject = self.appointment, self.message.subject
        wish = self.state.wishes.get(subject)
        asset, _, name = subject.rpartition("+")
        if standing is not None:
            name, asset = standing.service, standing.asset or ""
        elif wish is not None:
            name, asset = wish.service, ""
        service = self.world.services.get(name)
        return Matter(service, asset or None) if service is not None else None

    @property
    def department(self) -> Department | None:
        """Who sent it."""
        return self.world.departments.get(self.message.department)

    @property
    def zone(self) -> ZoneInfo:
        """The reader's."""
        return contact.zones(self.state, self.world)[0]

    @property
    def place(self) -> ZoneInfo:
        """The zone in which the appointment takes place."""
        standing = self.appointment
        return zone(standing.place_zone) if standing is not None and standing.place_zone else self.world.zone


def opened(app: App, token: str) -> Letter | None:
    """The message behind a token; ``None`` for whatever leads nowhere, be it unknown, forged or withdrawn."""
    links = app.links
    if links is None or len(token) > MOST:
        return None
    signed = links.attempt(token) if "." in token else None
    if signed is None and not token.isalnum():
        return None
    now = app.clock.now()
    with app.store.read() as connection:
        code = token if signed is None else None
        attempt = queries.attempt_by(connection, attempt=signed, code=code)
        row = queries.message(connection, attempt.customer, attempt.key) if attempt is not None else None
        if attempt is None or row is None:
            return None
        ledger = load(connection, [attempt.customer])[attempt.customer].ledger
        world = app.world(connection)
    sent = instant(attempt.started_at)
    return Letter(token, load_record(row.body), attempt.address, sent, ledger, fold(ledger, now), world, now)
