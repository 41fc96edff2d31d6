"""E-mail by SendGrid; ``pip install commsched[sendgrid]``.

Facts: https://www.twilio.com/docs/sendgrid/api-reference/mail-send. Point the signed event webhook at
``PUBLIC_URL/webhooks/NAME``::

    [[channels]]
    name = "mail"
    kind = "sendgrid_email"
    api_key = "env:SENDGRID_API_KEY"
    webhook_key = "env:SENDGRID_WEBHOOK_KEY"                  # the public key that SendGrid shows with the webhook
    categories = ["reminders"]

Messages with the same words go in one request, up to a thousand. SendGrid takes no idempotency key, so a request that
broke off is never made again; what became of it is told by the events, which carry the attempt as a custom argument and
nothing of a person. It keeps a message for up to three days and cannot be told otherwise.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email import policy
from email.headerregistry import Address
from email.parser import BytesHeaderParser
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator

from commsched import (
    Accepted,
    Ambiguous,
    Calls,
    Capabilities,
    Channel,
    ChannelEvent,
    Forged,
    Outcome,
    Outgoing,
    Refused,
    Settings,
    TryLater,
    WebhookRequest,
    hookimpl,
    library,
    masked,
    outcome_of_status,
    raised,
    retry_after,
    time_left,
)
from commsched.builtin.channels.sendgrid_client import Said, client
from commsched.builtin.channels.sendgrid_events import event_of

AT_ONCE = 50
BATCH = 1000
# Within so many seconds a request of a batch begins, or waits for another time: a batch may need two rounds.
SOON = 4.0
ACCEPTED, REDIRECT = 202, 300
_TO = re.compile(r"\.to(?:\.|$)")
SIGNATURE, TIMESTAMP = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"
# SendGrid sets these itself and refuses a message that has them.
THEIRS = frozenset(
    {"from", "to", "cc", "bcc", "subject", "reply-to", "received", "dkim-signature", "content-type", "mime-version"}
    | {"content-transfer-encoding", "date", "list-unsubscribe", "list-unsubscribe-post"}
)


class SendgridSettings(Settings):
    """The key, and what every message says of itself."""

    api_key: SecretStr = Field(description="An API key that may send mail, as `env:NAME` or `file:PATH`.")
    webhook_key: str = Field(
        default="", description="The public key of the signed event webhook; without it no event is believed."
    )
    categories: tuple[str, ...] = Field(
        default=(), max_length=10, description="Under what SendGrid counts the messages; nothing of a person."
    )
    timeout: float = Field(default=10.0, gt=0, le=60, description="How many seconds SendGrid has for an answer.")
    base_url: str = Field(
        default="https://api.sendgrid.com",
        pattern="^https?://[^/]+$",
        description="Where its API is: `https://api.eu.sendgrid.com` for data kept in Europe.",
    )

    @field_validator("webhook_key")
    @classmethod
    def _readable(cls, key: str) -> str:
        if key:
            try:
                b64decode(key, validate=True)
            except ValueError:
                message = "copy the public key as SendGrid shows it, one line of letters, figures, + and /"
                raise ValueError(message) from None
        return key


class SendgridEmail(Channel[SendgridSettings]):
    """Hands e-mails to SendGrid, and hears what became of them."""

    kind = "sendgrid_email"
    medium = "email"
    capabilities = Capabilities(batch=BATCH, webhook=True)

    def __init__(
        self, settings: SendgridSettings, *, name: str, folder: Path = Path(), zone: ZoneInfo | None = None
    ) -> None:
        super().__init__(settings, name=name, folder=folder, zone=zone)
        self._calls = Calls(settings.timeout + SOON, at_once=AT_ONCE, begin=SOON)
        self._client = client(settings.api_key.get_secret_value(), settings.base_url, settings.timeout)
        self._key = _public_key(settings.webhook_key) if settings.webhook_key else None

    async def send(self, message: Outgoing) -> Accepted:
        """Hand one message over."""
        time_left(message)
        return raised((await self._calls.run(partial(self._post, [message])))[0])

    async def send_batch(self, messages: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Hand several over: those with the same words in one request.

        A request that is refused took none of its messages, so each then goes by itself, and only those that are the
        reason are refused.
        """
        outcomes = await self._send_groups(_alike(messages))
        again = [one for one in messages if isinstance(outcomes[one.attempt], _Together)]
        outcomes |= await self._send_groups([[one] for one in again])
        return [outcomes[one.attempt] for one in messages]

    async def _send_groups(self, groups: Sequence[Sequence[Outgoing]]) -> dict[str, Outcome]:
        answers = await self._calls.run_all([partial(self._post, group) for group in groups])
        outcomes: dict[str, Outcome] = {}
        for group, answer in zip(groups, answers, strict=True):
            each = answer if isinstance(answer, list) else [answer] * len(group)
            outcomes |= {one.attempt: outcome for one, outcome in zip(group, each, strict=True)}
        return outcomes

    def _post(self, group: Sequence[Outgoing]) -> list[Outcome]:
        """One request; those whose time is over stay out of it."""
        late: dict[str, Outcome] = {}
        for one in group:
            try:
                time_left(one)
            except TryLater as too_late:
                late[one.attempt] = too_late
        timely = [one for one in group if one.attempt not in late]
        outcome: Outcome = Accepted()
        if timely:
            ours = [text for one in timely for text in (one.name, one.to, one.subject, one.text)]
            outcome = _outcome(
                lambda: self._client(self.body(timely)), [*ours, self.settings.api_key.get_secret_value()]
            )
            if isinstance(outcome, Refused) and len(timely) > 1:
                outcome = _Together(str(outcome))
        return [late.get(one.attempt, outcome) for one in group]

    def body(self, group: Sequence[Outgoing]) -> dict[str, Any]:
        """A request to ``/v3/mail/send``; tracking is off, so that no link leads elsewhere and no picture spies."""
        first = group[0]
        head = _head(first)
        reply_to = head["Reply-To"].addresses[:1] if head["Reply-To"] else ()
        texts = [("text/plain", first.text), ("text/html", first.html)]
        body: dict[str, Any] = {
            "from": _address(head["From"].addresses[0]),
            "subject": first.subject,
            "content": [{"type": kind, "value": text} for kind, text in texts if text.strip()],
            "personalizations": [_personal(one) for one in group],
            "tracking_settings": {
                "click_tracking": {"enable": False, "enable_text": False},
                "open_tracking": {"enable": False},
                "subscription_tracking": {"enable": False},
            },
        }
        if reply_to:
            body["reply_to"] = _address(reply_to[0])
        if self.settings.categories:
            body["categories"] = list(self.settings.categories)
        return body

    def webhook(self, request: WebhookRequest) -> Iterable[ChannelEvent]:
        """The events of a signed call: ECDSA over the timestamp and the bytes as they came."""
        if self._key is None:
            raise Forged(f"The channel {self.name} has no webhook_key by which it could know SendGrid.")
        self._key(request.headers.get(SIGNATURE, ""), request.headers.get(TIMESTAMP, "").encode() + request.body)
        try:
            said = json.loads(request.body)
        except ValueError as error:
            raise Forged("The events are not JSON.") from error
        found = [event_of(one) for one in said if isinstance(one, dict)] if isinstance(said, list) else []
        return [one for one in found if one is not None]


class _Together(TryLater):
    """A request with several messages was refused, and took none of them."""


def _outcome(post: Callable[[], Said], ours: Sequence[str]) -> Outcome:
    """What came of a request; SendGrid's words are told without ours."""
    try:
        said = post()
    except (TryLater, Ambiguous) as unanswered:
        return unanswered
    if said.status == ACCEPTED:
        return Accepted(said.headers.get("x-message-id", ""))
    if said.status < REDIRECT:
        return Ambiguous(f"SendGrid answered {said.status}, which says nothing of the message.")
    errors = _errors(said.body)
    words = masked("; ".join(message for _, message in errors), *ours)
    detail = f"SendGrid answered {said.status}: {words}".rstrip(": ")
    meant = outcome_of_status(said.status, detail, _after(said.headers))
    if isinstance(meant, Refused) and any(_TO.search(field) for field, _ in errors):
        return Refused(detail, bad_address=True)
    return meant


def _errors(body: bytes) -> list[tuple[str, str]]:
    """What is wrong, each with the field that it is about."""
    with suppress(ValueError, TypeError, AttributeError):
        return [(str(one.get("field") or ""), str(one.get("message") or "")) for one in json.loads(body)["errors"]]
    return []


def _after(headers: Mapping[str, str]) -> timedelta:
    """When to try again: ``Retry-After``, or the second at which SendGrid counts anew."""
    reset = headers.get("x-ratelimit-reset", "")
    if "retry-after" not in headers and reset.isdecimal():
        seconds = int(reset) - int(datetime.now(UTC).timestamp())
        return retry_after(str(max(seconds, 1)))
    return retry_after(headers.get("retry-after"))


def _alike(messages: Sequence[Outgoing]) -> list[list[Outgoing]]:
    """The messages whose words and sender are the same, together; an address only once in a request."""
    groups: dict[tuple[str, str, str, str, int], list[Outgoing]] = {}
    seen: dict[tuple[str, str, str, str, str], int] = {}
    for one in messages:
        head = _head(one)
        words = (str(head["From"]), str(head["Reply-To"]), one.text, one.html)
        number = seen[(*words, one.to.lower())] = seen.get((*words, one.to.lower()), -1) + 1
        groups.setdefault((*words, number), []).append(one)
    return [group[start : start + BATCH] for group in groups.values() for start in range(0, len(group), BATCH)]


def _head(message: Outgoing) -> Any:  # noqa: ANN401 - headers by name
    return _parsed(message.mime)


@lru_cache(maxsize=2 * BATCH)
def _parsed(mime: bytes) -> Any:  # noqa: ANN401 - as above; kept, as it is asked for thrice
    return BytesHeaderParser(policy=policy.default).parsebytes(mime)


def _personal(message: Outgoing) -> dict[str, Any]:
    """What differs from message to message; the attempt is the only thing that comes back."""
    to = {"email": message.to, "name": message.name} if message.name else {"email": message.to}
    headers = {name: str(value) for name, value in _head(message).items() if name.lower() not in THEIRS}
    if message.unsubscribe:  # RFC 8058
        headers["List-Unsubscribe"] = f"<{message.unsubscribe}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    elif stated := _head(message)["List-Unsubscribe"]:
        headers["List-Unsubscribe"] = str(stated)
    return {
        "to": [to],
        "subject": message.subject,
        "headers": headers,
        "custom_args": {"attempt": message.attempt},
    }


def _address(address: Address) -> dict[str, str]:
    named = {"name": address.display_name} if address.display_name else {}
    return {"email": address.addr_spec, **named}


def _public_key(text: str) -> Callable[[str, bytes], None]:
    """The check of a signature by this key (ECDSA, P-256, SHA-256). Raises :class:`Forged`."""
    serialization = library("cryptography.hazmat.primitives.serialization", "sendgrid")
    hashes = library("cryptography.hazmat.primitives.hashes", "sendgrid")
    ec = library("cryptography.hazmat.primitives.asymmetric.ec", "sendgrid")
    wrong = library("cryptography.exceptions", "sendgrid").InvalidSignature
    key = serialization.load_der_public_key(b64decode(text))

    def check(signature: str, signed: bytes) -> None:
        try:
            key.verify(b64decode(signature, validate=True), signed, ec.ECDSA(hashes.SHA256()))
        except (wrong, ValueError) as error:
            raise Forged("It is not signed by SendGrid.") from error

    return check


@hookimpl
def register_channels() -> list[type[SendgridEmail]]:
    """Announce the kind."""
    return [SendgridEmail]
