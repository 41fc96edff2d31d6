"""What a channel is handed, what it answers, and the base class of its kinds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Literal

from commsched.errors import CommschedError
from commsched.plugin.base import Plugin, S


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
    code and reason; ``data`` what it said besides. ``proven`` is that of :class:`Capabilities` for this event alone:
    ``False`` where the provider passes on what anybody can have written, as mail under anybody's address.
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
    proven: bool = True


class Channel(Plugin[S], ABC):
    """Hands messages to a provider. Transport, retries, rates and rendering are not its concern."""

    medium: ClassVar[str] = "*"
    capabilities: ClassVar[Capabilities] = Capabilities()

    @property
    def patience(self) -> timedelta:
        """How long :meth:`send` may go on. What takes longer than 30 seconds is in doubt until its answer comes."""
        return timedelta()

    def time_for(self, count: int) -> timedelta:
        """How long :meth:`send_batch` may need for so many messages.

        It has 30 seconds in any case; more, up to two minutes, as long as the worker's lease lasts (a minute, unless
        it is set otherwise). What is not told by then is in doubt, so it should come back before.
        """
        del count
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

    def forget(self, attempts: Collection[str]) -> None:
        """Delete what this channel itself keeps of attempts whose customer is erased; again for the same, nothing.

        Files of its own, not what the provider has. What keeps an attempt from going twice may stay, if it says no more
        than the attempt's id.
        """
        del attempts

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
