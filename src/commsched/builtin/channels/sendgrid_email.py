"""E-mail by SendGrid; ``pip install commsched[sendgrid]``.

Facts: https://www.twilio.com/docs/sendgrid/api-reference/mail-send. Point the signed event webhook at
``PUBLIC_URL/webhooks/NAME``::

    [[channels]]
    name = "mail"
    kind = "sendgrid_email"
    api_key = "env:SENDGRID_API_KEY"
    webhook_key = "env:SENDGRID_WEBHOOK_KEY"                  # the public key that SendGrid shows with the webhook
    parse_key = "env:SENDGRID_PARSE_KEY"                      # for what people answer, see below
    categories = ["reminders"]

Messages with the same words go in one request, up to a thousand. SendGrid takes no idempotency key, so a request that
broke off is never made again; what became of it is told by the events, which carry the attempt as a custom argument and
nothing of a person. It keeps a message for up to three days and cannot be told otherwise. With ``activity = true``
what is in doubt is looked up in the Email Activity API (an add-on; 6 requests a minute; not for EU subusers).

Answers come by the inbound parse webhook, at the same address. It is believed only with a security policy that signs,
whose public key is ``parse_key``. Have it post the raw message ("send raw"), so that bounces and automatic answers are
known as well as they can be. The signature says that SendGrid passed the mail on, not who wrote it: only what answers a
message of ours does anything by itself.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator

from commsched import (
    Accepted,
    Ambiguous,
    Attempt,
    Calls,
    Capabilities,
    Channel,
    ChannelEvent,
    Forged,
    Outcome,
    Outgoing,
    Receipt,
    Refused,
    Settings,
    TryLater,
    WebhookRequest,
    hookimpl,
    raised,
    time_left,
)
from commsched.builtin.channels.sendgrid_activity import query_of, receipt_of
from commsched.builtin.channels.sendgrid_answers import outcome_of
from commsched.builtin.channels.sendgrid_body import BATCH, alike, request_body
from commsched.builtin.channels.sendgrid_client import Api
from commsched.builtin.channels.sendgrid_events import events_in
from commsched.builtin.channels.sendgrid_inbound import inbound_events
from commsched.builtin.channels.sendgrid_signature import checker

AT_ONCE = 50
# Within so many seconds a request of a batch begins, or waits for another time; and so many more for each in the batch.
SOON, EACH = 4.0, 0.01


class SendgridSettings(Settings):
    """The key, and what every message says of itself."""

    api_key: SecretStr = Field(description="An API key that may send mail, as `env:NAME` or `file:PATH`.")
    webhook_key: str = Field(
        default="", description="The public key of the signed event webhook; without it no event is believed."
    )
    categories: tuple[str, ...] = Field(
        default=(), max_length=10, description="Under what SendGrid counts the messages; nothing of a person."
    )
    parse_key: str = Field(
        default="",
        description="The public key of the inbound parse webhook's security policy; without it no mail is believed.",
    )
    activity: bool = Field(
        default=False,
        description="Whether the account has the email activity history: then what is in doubt can be looked up.",
    )
    timeout: float = Field(default=10.0, gt=0, le=60, description="How many seconds SendGrid has for an answer.")
    base_url: str = Field(
        default="https://api.sendgrid.com",
        pattern="^https?://[^/]+$",
        description="Where its API is: `https://api.eu.sendgrid.com` for data kept in Europe.",
    )

    @field_validator("webhook_key", "parse_key")
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
    capabilities = Capabilities(lookup="hint", batch=BATCH, webhook=True)

    def __init__(
        self, settings: SendgridSettings, *, name: str, folder: Path = Path(), zone: ZoneInfo | None = None
    ) -> None:
        super().__init__(settings, name=name, folder=folder, zone=zone)
        self._calls = Calls(settings.timeout + SOON, at_once=AT_ONCE, begin=SOON)
        self._asking = Calls(settings.timeout + SOON, at_once=1, begin=SOON)
        self._api = Api(settings.api_key.get_secret_value(), settings.base_url, settings.timeout)
        self._key = checker(settings.webhook_key) if settings.webhook_key else None
        self._parse_key = checker(settings.parse_key) if settings.parse_key else None

    async def send(self, message: Outgoing) -> Accepted:
        """Hand one message over."""
        time_left(message)
        return raised((await self._calls.run(partial(self._post, [message])))[0])

    async def send_batch(self, messages: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Hand several over: those with the same words in one request.

        A request that is refused took none of its messages, so each then goes by itself, and only those that are the
        reason are refused.
        """
        outcomes = await self._send_groups(alike(messages))
        again = [one for one in messages if isinstance(outcomes[one.attempt], _Together)]
        outcomes |= await self._send_groups([[one] for one in again])
        return [outcomes[one.attempt] for one in messages]

    async def _send_groups(self, groups: Sequence[Sequence[Outgoing]]) -> dict[str, Outcome]:
        calls = [partial(self._post, group) for group in groups]
        answers = await self._calls.run_all(calls, more=len(groups) * EACH)
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
            body = request_body(timely, self.settings.categories)
            outcome = outcome_of(lambda: self._api.send(body), [*ours, self.settings.api_key.get_secret_value()])
            if isinstance(outcome, Refused) and len(timely) > 1:
                outcome = _Together(str(outcome))
        return [late.get(one.attempt, outcome) for one in group]

    def time_for(self, count: int) -> timedelta:
        """Two rounds: a request with several messages that is refused is made again for each of them."""
        return timedelta(seconds=2 * (SOON + count * EACH + self.settings.timeout))

    async def lookup(self, attempt: Attempt) -> Receipt | None:
        """What the Email Activity API tells of the attempt, which is an add-on; not finding it proves nothing."""
        if not self.settings.activity:
            raise Ambiguous("SendGrid's email activity history is not used (activity).")
        return receipt_of(attempt, await self._asking.run(partial(self._api.messages, query_of(attempt))))

    def webhook(self, request: WebhookRequest) -> Iterable[ChannelEvent]:
        """The events of a signed call, or those of a mail that came in; each has a key of its own."""
        mail = request.headers.get("content-type", "").lower().startswith("multipart/form-data")
        check = self._parse_key if mail else self._key
        if check is None:
            setting = "parse_key" if mail else "webhook_key"
            raise Forged(f"The channel {self.name} has no {setting} by which it could know SendGrid.")
        check(request)
        return inbound_events(request) if mail else events_in(request.body)


class _Together(TryLater):
    """A request with several messages was refused, and took none of them."""


@hookimpl
def register_channels() -> list[type[SendgridEmail]]:
    """Announce the kind."""
    return [SendgridEmail]
