"""From the token in a link to the message that it is about, and to what stands of it now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from zoneinfo import ZoneInfo

from commsched.app import App
from commsched.delivery.answers import AHEAD, Answer
from commsched.model.state import Appointment, State
from commsched.model.subjects import kind_of_medium
from commsched.planning import contact
from commsched.planning.fold import fold
from commsched.planning.ledger import Ledger
from commsched.planning.world import World
from commsched.plugin.view import Department
from commsched.render.links import Links
from commsched.rules.rule import Service
from commsched.store import queries
from commsched.store.keys import keys_in
from commsched.store.ledgers import ledgers
from commsched.store.messages import MessageRecord, load_record
from commsched.store.store import instant
from commsched.timing.civil import zone

# For how long a link can do more than stop messages. What the law asks of a way to stop is shorter (CASL: 60 days).
LIVE = timedelta(days=180)
# A token is never longer; what is, is not looked at.
MOST = 200


@dataclass(frozen=True, slots=True)
class Matter:
    """A service, and the id of what it is for."""

    service: Service
    asset: str | None


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that was sent, opened again by whoever has its link.

    ``world`` is that of the configuration: what the store says of pauses and outages is read where a plan is made.
    """

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
    def new_time(self) -> Answer:
        """An answer that takes a time."""
        return Answer(self.message, self.now, self.taking)

    @property
    def live(self) -> bool:
        """Whether it still may be answered in full: it went to an address that is theirs now, and not too long ago.

        By a link that is not, one can only see what the message was, and stop such messages.
        """
        kind = kind_of_medium(self.message.medium or "")
        theirs = {c.address for c in self.state.contacts if c.kind == kind and c.valid}
        if kind == "postal":
            theirs.add(self.state.profile.postal or "")
        guardian = self.state.guardian
        if guardian is not None:
            theirs |= {c.address for c in guardian.contacts if c.kind == kind and c.valid}
        return self.address in theirs and self.now - self.sent_at <= LIVE

    @property
    def withdrawn(self) -> bool:
        """Whether its reader has withdrawn it with all links until then; mail programs may still unsubscribe by it."""
        said = (one.at for one in self.state.replies if one.meaning == "links_withdrawn")
        return self.sent_at <= max(said, default=datetime.min.replace(tzinfo=UTC))

    @property
    def about(self) -> str:
        """The id of the appointment that it is about, or that a time taken by its link would make.

        That is always the same for what two messages of one rule are about, so that no second appointment is made.
        """
        if self.message.subject in self.state.appointments:
            return self.message.subject
        known = self._ahead()
        return known.id if known is not None else self._own("")

    @property
    def taking(self) -> str:
        """The id under which a time is taken: what is ahead moves, and what is over stays as it was."""
        known = self.appointment
        return self.about if known is None or known.start > self.now else self._own(known.id)

    def _own(self, seed: str) -> str:
        told = f"{self.message.customer}/{self.message.subject}/{self.message.key.rpartition('/')[2]}/{seed}"
        return f"L-{blake2b(told.encode(), digest_size=6).hexdigest()}"

    def _ahead(self) -> Appointment | None:
        """An appointment that is made for the same already, at the desk or by another message's link."""
        asset, _, service = self.message.subject.rpartition("+")
        known = self.state.appointments.values()
        ahead = (one for one in known if one.status in AHEAD and one.start > self.now)
        return next((one for one in ahead if (one.asset or "", one.service) == (asset, service)), None)

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
    if not app.public_url or len(token) > MOST or not token.isascii():
        return None
    now = app.clock.now()
    with app.store.read() as connection:
        signed = Links(app.public_url, keys_in(connection)).attempt(token) if "." in token else None
        if signed is None and not token.isalnum():
            return None
        code = token if signed is None else None
        attempt = queries.attempt_by(connection, attempt=signed, code=code)
        row = queries.message(connection, attempt.customer, attempt.key) if attempt is not None else None
        # An attempt without an address was to somebody who was erased.
        if attempt is None or row is None or not attempt.address:
            return None
        (ledger,) = ledgers(connection, [attempt.customer])
    sent = instant(attempt.started_at)
    return Letter(token, load_record(row.body), attempt.address, sent, ledger, fold(ledger, now), app.base(now), now)
