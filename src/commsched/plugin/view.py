"""What a policy is shown: folded facts, what is planned or sent already, calendars, zones. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from commsched.model.decisions import Placed, Proposal
from commsched.model.facts import (
    Commitment,
    Consent,
    Event,
    Feedback,
    Hold,
    Intent,
    Interaction,
    Reading,
    Reply,
    ServiceRecord,
    TaskDone,
)
from commsched.model.state import (
    Appointment,
    Asset,
    Case,
    Contact,
    Obligation,
    Profile,
    State,
    known_as_customer,
)
from commsched.model.vocabulary import Vocabulary
from commsched.timing.places import places
from commsched.timing.windows import Windows


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A calendar as it was read: when it is open, and when that was.

    ``stale``: it could not be read just now. Then ``open`` and ``taken_at`` are those of the last good copy, and there
    is none if ``open`` is empty. ``since`` is when a stale one was last read, ``None`` if nobody knows.
    """

    name: str
    open: Windows
    taken_at: datetime
    stale: bool = False
    since: datetime | None = None
    problem: str = ""

    @property
    def usable(self) -> bool:
        """Whether there is anything to go by: it could be read, or there is a copy that is not too old."""
        return not self.stale or bool(self.open)

    @property
    def known(self) -> str:
        """What a plan may depend on of it, as text. Not when it was read: nothing has changed by that."""
        return repr(self.open.spans) if self.usable else f"unreadable since {self.since}"


@dataclass(frozen=True, slots=True)
class Department:
    """A department: its zone, the calendar of its hours, how customers reach it, and who leads it."""

    name: str
    title: str
    zone: ZoneInfo
    calendar: str | None = None
    phone: str = ""
    email: str = ""
    postal: str = ""
    lead: str = ""


def in_words(messages: Iterable[Placed], zone: ZoneInfo, most: int = 3, *, proposal: Proposal | None = None) -> str:
    """Messages by topic and day, for a reason: ``oil on 12 Jun 2026, sales on 3 Jul 2026 and 2 more``.

    With the ``proposal`` that is kept waiting, what went to somebody else is told apart, for the staff's note:
    ``oil on 12 Jun 2026 to C0042, at the same address``.
    """
    found = sorted(messages, key=lambda one: (one.at, one.key))
    own = {proposal.customer, proposal.recipient} if proposal is not None else None
    shown = ", ".join(_in_words(one, zone, own) for one in found[:most])
    return f"{shown} and {len(found) - most} more" if len(found) > most else shown


def _in_words(one: Placed, zone: ZoneInfo, own: Collection[str] | None) -> str:
    day = one.at.astimezone(zone)
    other = "" if own is None or one.customer in own else f" to {one.customer}, at the same address"
    return f"{one.topic.replace('_', ' ')} on {day.day} {day:%b %Y}{other}"


def unreadable(department: Department, since: datetime | None) -> str:
    """The sentence for what waits until a department's calendar can be read again; ``since``: that of its snapshot."""
    if since is None:
        return f"the calendar {department.calendar} of {department.title} cannot be read at present"
    when = f"{since.astimezone(department.zone):%Y-%m-%d %H:%M}"
    return f"the calendar {department.calendar} of {department.title} could not be read since {when}"


_NONE_STALE: Mapping[str, datetime] = MappingProxyType({})


class View:
    """A policy's window on the customer. What it reads is recorded with the decision."""

    __slots__ = (
        "_history",
        "_places",
        "_state",
        "calendars",
        "departments",
        "reads",
        "region",
        "silent",
        "vocabulary",
        "zones",
    )

    def __init__(
        self,
        state: State,
        history: Sequence[Placed],
        zones: tuple[ZoneInfo, ...],
        vocabulary: Vocabulary,
        calendars: Mapping[str, Snapshot],
        departments: Mapping[str, Department],
        *,
        region: str = "",
        stale: Mapping[str, datetime] = _NONE_STALE,
    ) -> None:
        self._state = state
        self._history = history
        self.zones = zones
        self.vocabulary = vocabulary
        self.calendars = calendars
        self.departments = departments
        self.region = region
        self.silent = stale
        self.reads: set[str] = set()
        self._places: tuple[str, ...] | None = None

    @property
    def history(self) -> Sequence[Placed]:
        """Everything sent to the customer or to an address of theirs, and what this plan has placed already."""
        self.reads.add("sent")
        return self._history

    @property
    def customer(self) -> Profile:
        """Who the customer is and what they prefer."""
        self.reads.add("customer")
        return self._state.profile

    @property
    def colleagues(self) -> Mapping[str, Profile]:
        """The others at the customer's organisation, by id."""
        self.reads.add("customer")
        return {who: state.profile for who, state in self._state.colleagues.items()}

    @property
    def known_as_customers(self) -> Mapping[str, str]:
        """Who of them and their colleagues is known to be a customer, by id, with words that say why.

        Such as "is a customer already" or "has had work done by us"; whoever is none, or of whom nobody knows, is left
        out. Of colleagues only what they are said to be is known.
        """
        self.reads |= {"customer", "asset", "service_record", "event", "appointment"}
        everybody = {self._state.profile.id: self._state, **self._state.colleagues}
        return {who: why for who, state in everybody.items() if (why := known_as_customer(state))}

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """Their contact points, valid or not."""
        self.reads.add("contact_point")
        return self._state.contacts

    @property
    def stale(self) -> Mapping[str, datetime]:
        """The sources that have been silent for longer than they may, and since when."""
        self.reads.add("source")
        return self.silent

    @property
    def places(self) -> tuple[str, ...]:
        """Every place where they may be, as ISO 3166 codes: by region, postal addresses and phone numbers.

        Where nothing is known, that is the deployment's; if that is not known either, ``""``, which is anywhere.
        """
        self.reads |= {"customer", "contact_point"}
        if self._places is None:
            profile, points = self._state.profile, [one for one in self._state.contacts if one.valid]
            postal = [one.address for one in points if one.kind == "postal"]
            phones = [one.address for one in points if one.kind == "phone"]
            postal += [profile.postal] if profile.postal else []
            self._places = places(profile.region, postal, phones, self.region)
        return self._places

    @property
    def consents(self) -> tuple[Consent, ...]:
        """Permissions given and taken back, oldest first."""
        self.reads.add("consent")
        return self._state.consents

    def consents_of(self, address: str) -> tuple[Consent, ...]:
        """What anybody who shares this address has said about messages to it, oldest first."""
        self.reads.add("consent")
        return self._state.address_consents.get(address.lower() if "@" in address else address, ())

    @property
    def intents(self) -> tuple[Intent, ...]:
        """What the customer has stated they want or do not want, oldest first."""
        self.reads.add("intent")
        return self._state.intents

    @property
    def assets(self) -> Mapping[str, Asset]:
        """What they own, by id."""
        self.reads.add("asset")
        return self._state.assets

    def said_by(self, name: str, asset: str | None = None) -> str | None:
        """Whose word a variable is (customer, staff, import): ``customer.region``, ``facts.NAME``, ``asset.model``.

        ``asset``: the id of the asset that it is about. ``None``: nobody has said anything of it.
        """
        root, _, member = name.partition(".")
        self.reads.add({"facts": "custom"}.get(root, root))
        return self._state.said_by.get(f"{asset}.{member}" if root == "asset" else name)

    @property
    def readings(self) -> Mapping[str, Sequence[Reading]]:
        """Meter readings by asset, oldest first."""
        self.reads.add("reading")
        return self._state.readings

    @property
    def records(self) -> Sequence[ServiceRecord]:
        """Work done, declined, advised or done elsewhere, oldest first."""
        self.reads.add("service_record")
        return [record for _, record in self._state.records]

    @property
    def obligations(self) -> Mapping[str, Obligation]:
        """What is due from them, by id."""
        self.reads.add("obligation")
        return self._state.obligations

    @property
    def appointments(self) -> Mapping[str, Appointment]:
        """Their appointments, by id."""
        self.reads.add("appointment")
        return self._state.appointments

    @property
    def events(self) -> Sequence[Event]:
        """What happened, oldest first."""
        self.reads.add("event")
        return [event for _, event in self._state.events]

    @property
    def cases(self) -> Mapping[str, Case]:
        """Their complaints and problems, by id."""
        self.reads.add("case")
        return self._state.cases

    @property
    def cases_of_colleagues(self) -> Sequence[tuple[Profile, Case]]:
        """The cases of the others at the customer's organisation, each with whose it is."""
        self.reads.add("case")
        return [(one.profile, case) for one in self._state.colleagues.values() for case in one.cases.values()]

    @property
    def holds(self) -> tuple[Hold, ...]:
        """Pauses that people put on some purposes."""
        self.reads.add("hold")
        return self._state.holds

    @property
    def commitments(self) -> Sequence[Commitment]:
        """What was promised to them."""
        self.reads.add("commitment")
        return [commitment for _, commitment in self._state.commitments]

    @property
    def commitments_to_colleagues(self) -> Sequence[tuple[Profile, Commitment]]:
        """What was promised to the others at the customer's organisation, each with to whom."""
        self.reads.add("commitment")
        return [(one.profile, promise) for one in self._state.colleagues.values() for _, promise in one.commitments]

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """Contacts outside commsched: calls, letters, talks."""
        self.reads.add("interaction")
        return self._state.interactions

    @property
    def tasks_done(self) -> tuple[TaskDone, ...]:
        """What came of tasks about them, oldest first: ``reached``, ``unreached``, or ``done``."""
        self.reads.add("task_done")
        return self._state.tasks_done

    @property
    def feedback(self) -> Sequence[Feedback]:
        """How they said they feel, oldest first."""
        self.reads.add("feedback")
        return [feedback for _, feedback in self._state.feedback]

    @property
    def replies(self) -> tuple[Reply, ...]:
        """Their answers to messages, oldest first."""
        self.reads.add("reply")
        return self._state.replies

    @property
    def mood(self) -> str:
        """Their last stated mood, or an empty string."""
        self.reads.add("feedback")
        return self._state.mood
