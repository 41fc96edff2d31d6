"""The base classes of plugins: a class is a *kind*; configuration declares named *instances* of kinds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from commsched.errors import CommschedError
from commsched.model.decisions import Code, Proposal, Verdict
from commsched.plugin.view import Snapshot, View
from commsched.timing.civil import zone
from commsched.timing.windows import Span


class Settings(BaseModel):
    """Settings of a plugin instance: validated, frozen; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoSettings(Settings):
    """For a kind that has nothing to set."""


S = TypeVar("S", bound=Settings)


class Plugin(Generic[S]):
    """What all kinds share: a name of the instance, its settings, the folder and the zone of the deployment."""

    kind: ClassVar[str]

    def __init__(self, settings: S, *, name: str, folder: Path = Path(), zone: ZoneInfo | None = None) -> None:
        self.settings = settings
        self.name = name
        self.folder = folder
        self.zone = zone

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that it was made from besides its settings: a change of theirs makes another world."""
        return ()

    @classmethod
    def settings_type(cls) -> type[Settings]:
        """The settings model, from the class's type parameter (``Policy[QuietHoursSettings]``)."""
        for base in cls.__mro__:
            for generic in getattr(base, "__orig_bases__", ()):
                for argument in get_args(generic):
                    if isinstance(argument, type) and issubclass(argument, Settings):
                        return argument
        return NoSettings


@dataclass(frozen=True, slots=True)
class Longest:
    """How many characters a text on a medium may have, and why: ``detail`` is a sentence as a verdict's."""

    medium: str
    characters: int
    detail: str


class Condition(Protocol):
    """An expression of the configuration, checked when it was loaded."""

    @property
    def names(self) -> frozenset[str]:
        """The variables that it reads, such as ``customer.status``."""

    def holds(self, values: Mapping[str, object]) -> bool | None:
        """Whether it is true of these values; ``None`` is no answer: a value is missing, or CEL met an error."""


class Policy(Plugin[S], ABC):
    """Narrows or vetoes messages. Pure: the same proposal and view always give the same verdict.

    ``code``: the reason's code, :func:`must_not` or :func:`could_not`. ``depends``: what the verdict may depend on
    besides the proposal, of ``time``, ``facts``, ``history``. ``purposes`` and ``media``: what it applies to when the
    configuration does not say (``None``: everything). ``compiled``: its ``expressions``, under the same names.
    """

    code: Code
    depends: ClassVar[frozenset[str] | set[str]]
    purposes: ClassVar[frozenset[str] | set[str] | None] = None
    media: ClassVar[frozenset[str] | set[str] | None] = None
    compiled: Mapping[str, Condition] = MappingProxyType({})

    @property
    def expressions(self) -> Mapping[str, str]:
        """CEL in the settings, by the setting's name; it is checked and compiled when the configuration is loaded."""
        return {}

    @property
    def sources(self) -> frozenset[str]:
        """The sources that its verdicts ask about; they must be declared."""
        return frozenset()

    @property
    def words(self) -> Mapping[str, Iterable[str]]:
        """Words of the vocabulary in the settings: by ``roles``, ``topics``, ``purposes``; all must be declared."""
        return {}

    @abstractmethod
    def review(self, proposal: Proposal, view: View) -> Verdict:
        """When the proposal may go, on which media: :func:`allow`, :func:`deny` or :func:`only`."""

    def longest(self, proposal: Proposal, view: View) -> Iterable[Longest]:  # noqa: ARG002 - most have nothing to say
        """How long its text may be. Asked once it is written: one that is longer is not sent, and never cut."""
        return ()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can do.

    ``lookup``: whether :meth:`Channel.lookup` exists (``hint``), and whether not finding an attempt proves that it was
    never accepted, and never will be (``proof``). ``batch``: how many messages :meth:`Channel.send_batch` takes, 0 if
    there is none. ``webhook``: whether the provider calls :meth:`Channel.webhook`. ``inbound``: whether
    :meth:`Channel.inbound` can list what came in. ``validity``: the longest time for which the provider can be told to
    keep a message; ``None`` where it cannot be told, so that it may deliver after the window has closed. ``proven``:
    whether what comes in is the provider's word, by a signature or as it was asked itself. Where anybody can have
    written it (a mailbox), set it to ``False``: then only what names a message of ours, by its attempt, does anything.
    """

    lookup: Literal["none", "hint", "proof"] = "none"
    batch: int = 0
    webhook: bool = False
    inbound: bool = False
    validity: timedelta | None = None
    proven: bool = True


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A rendered message for a channel.

    ``attempt`` is the opaque id to correlate by; ``key`` the message's own. ``send_by``: a later attempt must come back
    unsent. ``mime`` is the whole message as RFC 5322 bytes, for the medium e-mail. ``locale`` is the language it is
    written in (``en_US``). What follows is empty where the deployment has no ``public_url``: ``link``, the
    message's own link as it stands in the text, by which a provider's listing can be searched; ``unsubscribe``, that of
    one-click unsubscribe (RFC 8058); ``callback``, where the provider may tell what became of this attempt.
    """

    attempt: str
    key: str
    medium: str
    to: str
    name: str
    subject: str
    text: str
    html: str
    send_by: datetime
    at: datetime
    mime: bytes = b""
    locale: str = ""
    link: str = ""
    unsubscribe: str = ""
    callback: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken the message; ``reference`` is its own id for it."""

    reference: str = ""


class Refused(CommschedError):
    """The provider refused the message for good.

    ``bad_address`` says that the address itself is the reason; ``unsuited``, that it cannot take this medium, as a
    landline cannot take texts; ``opted_out``, that the provider has the customer's word that nothing more is wanted
    there.
    """

    def __init__(
        self, detail: str = "", *, bad_address: bool = False, opted_out: bool = False, unsuited: bool = False
    ) -> None:
        self.bad_address, self.opted_out, self.unsuited = bad_address, opted_out, unsuited
        super().__init__(detail)


class TryLater(CommschedError):
    """The provider certainly did not take the message and asks to try again."""

    def __init__(self, detail: str = "", *, after: timedelta = timedelta(minutes=1)) -> None:
        self.after = after
        super().__init__(detail)


class ChannelDown(TryLater):
    """No message can go this way for now: the credentials are wrong, the account is suspended, nobody answers."""


class Ambiguous(CommschedError):
    """Nobody can say whether the provider took the message."""


Outcome = Accepted | Refused | TryLater | Ambiguous


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to send a message, as it was written down before the call; ``link`` is that of :class:`Outgoing`."""

    id: str
    key: str
    customer: str
    channel: str
    to: str
    started_at: datetime
    send_by: datetime
    link: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider knows of an attempt; ``detail`` is the provider's reason for what was not delivered."""

    attempt: str
    state: Literal["accepted", "delivered", "undelivered"]
    reference: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A provider's call to us: method, the exact public URL, headers in lower case, the raw body.

    ``at`` is when it came in, for what carries no time of its own.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """What we answer to a provider whose call was taken."""

    status: int = 204
    body: bytes = b""
    content_type: str = ""


class Forged(CommschedError):
    """A call that does not carry a valid signature of the provider."""


EventKind = Literal[
    "accepted", "delivered", "undelivered", "bounced", "unsuited", "reply", "digit", "opt_out", "opt_in", "complaint"
]


@dataclass(frozen=True, slots=True)
class ChannelEvent:
    """A provider's event in our words.

    ``id`` is the provider's own for this event: what comes twice counts once. ``attempt`` is ours, where the provider
    gave it back; ``reference`` the provider's for the message. ``address`` is the customer's. ``undelivered`` failed
    this once, ``bounced`` says that the address does not exist, ``unsuited`` that it cannot take this medium (a
    landline, for texts). ``text`` is what a person wrote (``reply``) or pressed (``digit``); ``detail`` the provider's
    code and reason; ``data`` what it said besides.
    """

    kind: EventKind
    at: datetime
    attempt: str = ""
    address: str = ""
    detail: str = ""
    data: dict[str, str] = field(default_factory=dict)
    id: str = ""
    reference: str = ""
    text: str = ""


class Channel(Plugin[S], ABC):
    """Hands messages to a provider. Transport, retries, rates and rendering are not its concern."""

    medium: ClassVar[str] = "*"
    capabilities: ClassVar[Capabilities] = Capabilities()

    @property
    def patience(self) -> timedelta:
        """How long :meth:`send` may go on. What takes longer than 30 seconds is in doubt until its answer comes."""
        return timedelta()

    @abstractmethod
    async def send(self, message: Outgoing) -> Accepted:
        """Hand the message over. Raises :class:`Refused`, :class:`TryLater` or :class:`Ambiguous`."""

    async def send_batch(self, messages: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Hand several over at once, one outcome each; only called where ``capabilities.batch`` is set."""
        raise Refused(f"channel {self.name} declares a batch but has no send_batch for {len(messages)} messages.")

    async def lookup(self, attempt: Attempt) -> Receipt | None:
        """Ask the provider what became of an attempt; ``None`` if it knows nothing of it."""
        raise Ambiguous(f"channel {self.name} cannot look up attempt {attempt.id}.")

    def webhook(self, request: WebhookRequest) -> Iterable[ChannelEvent]:
        """The verified, normalised events of a provider's call; pure. Raises :class:`Forged`: then nothing counts."""
        raise Forged(f"channel {self.name} takes no webhooks (it got a {request.method}).")

    def answer(self, request: WebhookRequest) -> WebhookAnswer:
        """What the provider is answered once the events are durable; by default nothing, with 204."""
        del request
        return WebhookAnswer()

    async def inbound(self, since: datetime) -> Sequence[ChannelEvent]:
        """What came in at the provider since then, for when a webhook was lost; only where ``capabilities.inbound``."""
        raise Ambiguous(f"channel {self.name} cannot list what came in since {since:%Y-%m-%d}.")


# How the UIDs of our own events end.
OURS = "@commsched"


class Unreadable(CommschedError):
    """A calendar cannot be read."""

    # ``since`` is when it was read last, if ever.
    def __init__(self, calendar: str, problem: str, *, since: datetime | None = None) -> None:
        self.problem, self.since = problem, since
        super().__init__(f"{calendar}: {problem}")


class OutOfStep(CommschedError):
    """The entry in the calendar is no longer what it was; nothing was written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One occurrence of an event: ``[start, end)`` in UTC.

    ``busy``: it takes time, so it is neither cancelled nor marked as transparent. ``token`` is the server's word for
    the version of the event, where it has one (an ETag).
    """

    uid: str
    start: datetime
    end: datetime
    busy: bool = True
    cancelled: bool = False
    token: str = ""


@dataclass(frozen=True, slots=True)
class Booking:
    """An appointment as it is to stand in a calendar.

    ``uid`` is opaque and the same for ever; ``title`` says nothing of who comes.
    """

    uid: str
    start: datetime
    end: datetime
    title: str


class Calendar(Plugin[S], ABC):
    """Says when something is open: a department's hours, a technician's free time.

    A calendar of a kind that sets ``writable``, and says so of itself (:attr:`writes`), keeps our appointments too.
    """

    writable: ClassVar[bool] = False

    @property
    def writes(self) -> bool:
        """Whether this calendar is to keep our appointments."""
        return self.writable

    def place(self, stated: str = "") -> ZoneInfo:
        """The zone that a setting names; the deployment's, where it names none."""
        if stated:
            return zone(stated)
        if self.zone is None:
            raise CommschedError(f'The calendar {self.name} does not know its time zone; set zone = "Area/City".')
        return self.zone

    @abstractmethod
    def snapshot(self, within: Span, now: datetime) -> Snapshot:
        """When it is open inside ``within``. May read files or the network; the result is frozen into the world.

        Raises :class:`Unreadable`, or anything else: what depends on the calendar then waits.
        """

    def entries(self, within: Span, now: datetime) -> Iterable[Entry]:
        """Every event of ours that stands in the calendar now, with its token: those whose UID ends with ``OURS``.

        Raises where that cannot be read; an old copy is no answer.
        """
        del now
        raise Unreadable(self.name, f"its kind cannot tell what stands in it between {within[0]} and {within[1]}")

    def put(self, booking: Booking, token: str) -> str:
        """Write an event: a new one where ``token`` is empty, else in the place of the one that has that token.

        Returns the new token, or an empty string if the server tells none. Raises :class:`OutOfStep` if there is one
        already, or it has another token; anything else means that it may or may not stand there.
        """
        raise Unreadable(self.name, f"its kind cannot write ({booking.uid}, {token})")

    def remove(self, uid: str, token: str) -> None:
        """Take an event away; one that is not there is no error. Raises :class:`OutOfStep` if its token is another."""
        raise Unreadable(self.name, f"its kind cannot remove ({uid}, {token})")


class Source(Plugin[S], ABC):
    """A system that facts come from.

    ``delivers``: it brings what it has, so that finding nothing is no sign that it is still there. Without it, a source
    that could be asked and had nothing new has been heard of.
    """

    delivers: ClassVar[bool] = False

    @abstractmethod
    def read(self) -> Iterable[tuple[str, Iterable[bytes]]]:
        """Batches of fact lines (JSON Lines), each with the name under which its lines are reported."""

    def taken(self, batch: str) -> None:
        """Called when a batch's facts are durable; the source may then move it aside."""


def kind_of(plugin: type[Plugin[Any]]) -> str:
    """The base class's word for a plugin class: ``channel``, ``policy``, ``calendar`` or ``source``."""
    for base in (Channel, Policy, Calendar, Source):
        if issubclass(get_origin(plugin) or plugin, base):
            return base.__name__.lower()
    return "plugin"
