"""Messages to a customer's own system: a signed POST to the address that they gave (a contact point of the kind `url`).

https only, to a public address that is looked up once, and no redirect is followed::

    [[channels]]
    name = "hook"
    kind = "webhook"
    secret = "env:WEBHOOK_SECRET"

The body is JSON. ``Commsched-Signature`` is ``sha256=`` and the HMAC-SHA256 (RFC 2104) in hexadecimal of
``Commsched-Timestamp``, a full stop and the body. ``Idempotency-Key`` is the same for the same message, whatever the
attempt, so that a receiver can tell a repetition.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator

from commsched import (
    Accepted,
    Ambiguous,
    Calls,
    Channel,
    ChannelDown,
    Outgoing,
    Private,
    Refused,
    Settings,
    TryLater,
    Unreachable,
    Unsent,
    ask_web,
    hookimpl,
    outcome_of_status,
    retry_after,
    signature_of,
    time_left,
    web_address,
)

LEAST_SECRET = 16
MOST_ANSWER = 65536
OK, ALSO_OK, GONE = 200, 300, 410


class WebhookSettings(Settings):
    """What messages are signed with, and how long the receivers are waited for."""

    secret: SecretStr = Field(description="What messages are signed with, as `env:NAME` or `file:PATH`.")
    timeout: float = Field(default=10.0, gt=0, le=60, description="How many seconds a receiver has for an answer.")
    allow_private: bool = Field(
        default=False, description="Whether receivers may stand in a private network, and go without TLS."
    )

    @field_validator("secret")
    @classmethod
    def _long(cls, secret: SecretStr) -> SecretStr:
        if len(secret.get_secret_value()) < LEAST_SECRET:
            message = f"it is shorter than {LEAST_SECRET} characters; make one with `openssl rand -hex 32`"
            raise ValueError(message)
        return secret


class Webhook(Channel[WebhookSettings]):
    """Posts each message to its address."""

    kind = "webhook"
    medium = "webhook"

    def __init__(
        self, settings: WebhookSettings, *, name: str, folder: Path = Path(), zone: ZoneInfo | None = None
    ) -> None:
        super().__init__(settings, name=name, folder=folder, zone=zone)
        self._calls = Calls(settings.timeout * 2)

    async def send(self, message: Outgoing) -> Accepted:
        """Post one message; any 2xx is a yes."""
        time_left(message)
        return await self._calls.run(partial(self._post, message))

    def _post(self, message: Outgoing) -> Accepted:
        time_left(message)
        settings, body = self.settings, _body(message)
        try:
            parts = web_address(message.to, allow_private=settings.allow_private)
        except ValueError as error:
            raise Refused("The address is not one that messages may be posted to.", bad_address=True) from error
        stamp = str(int(datetime.now(UTC).timestamp()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": sha256(message.key.encode()).hexdigest(),
            "Commsched-Timestamp": stamp,
            "Commsched-Signature": f"sha256={signature_of(settings.secret.get_secret_value(), stamp, body)}",
        }
        timeout, private = settings.timeout, settings.allow_private
        try:
            answer = ask_web("POST", parts, headers, body, timeout=timeout, limit=MOST_ANSWER, allow_private=private)
        except Private as error:
            raise Refused("The address is in a private network.") from error
        except Unsent as error:
            raise TryLater("The receiver cannot be reached.") from error
        except Unreachable as error:
            raise Ambiguous("The receiver did not answer.") from error
        if OK <= answer.status < ALSO_OK:
            return Accepted(message.attempt)
        raise _outcome(answer.status, answer.headers.get("retry-after"))


def _body(message: Outgoing) -> bytes:
    said = {
        "type": "message",
        "id": message.attempt,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "locale": message.locale,
        "link": message.link,
        "unsubscribe": message.unsubscribe,
        "at": message.at.isoformat(),
        "send_by": message.send_by.isoformat(),
    }
    return json.dumps(said, ensure_ascii=False).encode()


def _outcome(status: int, after: str | None) -> Exception:
    """What a refusal means: one receiver's trouble is not the channel's, so no other message waits for it."""
    detail = f"The receiver answered {status}."
    outcome = outcome_of_status(status, detail, retry_after(after))
    if status == GONE:
        return Refused(detail, bad_address=True)
    return Refused(detail) if isinstance(outcome, ChannelDown) else outcome


@hookimpl
def register_channels() -> list[type[Webhook]]:
    """Announce the kind."""
    return [Webhook]
