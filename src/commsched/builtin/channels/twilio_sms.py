"""Texts by Twilio (https://www.twilio.com/docs/messaging/api/message-resource); ``pip install commsched[twilio]``.

Point the number's or service's "incoming message" webhook at ``PUBLIC_URL/webhooks/NAME``::

    [[channels]]
    name = "text"
    kind = "twilio_sms"
    account_sid = "AC00000000000000000000000000000000"
    auth_token = "env:TWILIO_AUTH_TOKEN"
    sender = "+18475550142"

Twilio may queue a text for hours; the validity period keeps it from arriving after its window. A text is found again by
its link, newest first; one that is not found may still be under way. Twilio tells a webhook twice at most, so ask
``inbound`` what was lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from commsched import (
    Accepted,
    Ambiguous,
    Attempt,
    Capabilities,
    Channel,
    ChannelEvent,
    EventKind,
    Outgoing,
    Receipt,
    WebhookAnswer,
    WebhookRequest,
    attempt_in,
    hookimpl,
)
from commsched.builtin.channels.twilio_account import Account, TwilioSettings
from commsched.builtin.channels.twilio_codes import kind_of
from commsched.builtin.channels.twilio_signature import checked

LONGEST_VALIDITY = timedelta(hours=10)
MOST_LISTED, LONGEST_PAGE, MOST_PAGES = 200, 1000, 20
# https://help.twilio.com/articles/223134027
STOP = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")
# YES is on Twilio's list too, but it is how people confirm.
START = frozenset({"START", "UNSTOP"})
LONGEST_CODE = 9  # figures of an error code


class TwilioSmsSettings(TwilioSettings):
    """The account and who texts come from."""

    sender: str = Field(
        pattern=r"^(\+\d{7,15}|MG[0-9a-fA-F]{32}|\d{4,8}|[A-Za-z0-9 ]{1,11})$",
        description="The number that texts come from, or a messaging service, `MG…`.",
    )
    numbers: tuple[str, ...] = Field(
        default=(),
        description="The numbers of a messaging service, to ask for what came in there; a number needs none.",
    )
    stop_words: tuple[str, ...] = Field(
        default=STOP, description="The words on which Twilio blocks a number, if the service has words of its own."
    )

    @field_validator("stop_words")
    @classmethod
    def _in_capitals(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(word.strip().upper() for word in words)

    @property
    def receiving(self) -> tuple[str, ...]:
        """The numbers at which answers come in, as far as they are known; a name receives nothing."""
        return self.numbers or ((self.sender,) if self.sender.removeprefix("+").isdecimal() else ())


class TwilioSms(Channel[TwilioSmsSettings]):
    """Sends texts, and takes answers and delivery reports."""

    kind = "twilio_sms"
    medium = "sms"
    capabilities = Capabilities(lookup="hint", webhook=True, inbound=True, validity=LONGEST_VALIDITY)

    def __init__(
        self, settings: TwilioSmsSettings, *, name: str, folder: Path = Path(), zone: ZoneInfo | None = None
    ) -> None:
        super().__init__(settings, name=name, folder=folder, zone=zone)
        self._account = Account(settings)

    async def send(self, message: Outgoing) -> Accepted:
        """Hand a text over; Twilio answers when it has queued it."""
        sender = self.settings.sender
        whose = {"messaging_service_sid" if sender.startswith("MG") else "from_": sender}
        callback = {"status_callback": message.callback} if message.callback else {}

        def ask(twilio: Any, seconds: int) -> Any:  # noqa: ANN401 - the library has no types
            validity = min(max(seconds, 1), int(LONGEST_VALIDITY.total_seconds()))
            return twilio.messages.create(
                to=message.to, body=message.text, validity_period=validity, **whose, **callback
            ).sid

        return accepted(await self._account.hand_over(message, ask))

    async def lookup(self, attempt: Attempt) -> Receipt | None:
        """Search what went to this number for the message's link.

        Not by day: what is still queued has no day yet.
        """
        if not attempt.link:
            raise Ambiguous("The text had no link by which it could be found again.")
        found = await self._account.ask(lambda twilio: [*twilio.messages.page(to=attempt.to, page_size=MOST_LISTED)])
        mine = [one for one in found if attempt.link in (one.body or "") and one.direction != "inbound"]
        return receipt(attempt, mine[0]) if mine else None

    def webhook(self, request: WebhookRequest) -> Iterable[ChannelEvent]:
        """A delivery report, or a text that came in."""
        said = checked(request, self.settings.auth_token.get_secret_value())
        if said.get("MessageStatus", said.get("SmsStatus")) == "received" or "Body" in said:
            return [self._received(said, request.at)]
        return report(said, said.get("MessageSid", ""), said.get("MessageStatus", ""), self.name, request)

    def answer(self, request: WebhookRequest) -> WebhookAnswer:
        """Nothing to say to whoever wrote: an empty document of TwiML."""
        del request
        return WebhookAnswer(200, b"<Response/>", "text/xml")

    async def inbound(self, since: datetime) -> Sequence[ChannelEvent]:
        """Texts that came in since then; under the same ids as by webhook, so that each counts once."""
        service, numbers = self.settings.sender, self.settings.receiving
        # Only a service whose numbers are not known needs the whole account's list; a name receives nothing.
        wanted: list[dict[str, str]] = [{"to": one} for one in numbers] or ([{}] if service.startswith("MG") else [])
        found = [
            one
            for mine in wanted
            for one in await self._account.ask(partial(_received_since, since=since.astimezone(UTC), mine=mine))
        ]
        return [
            self._received({"MessageSid": one.sid, "From": one.from_ or "", "Body": one.body or ""}, one.date_sent)
            for one in found
            if one.direction == "inbound"
            and one.date_sent is not None
            and one.date_sent >= since
            and (one.to in numbers if numbers else one.messaging_service_sid == service)
        ]

    def _received(self, said: Mapping[str, str], at: datetime) -> ChannelEvent:
        """A text of theirs. What Twilio took for a stop it has blocked already, whatever was meant."""
        text = said.get("Body", "")
        word = said.get("OptOutType", "").upper() or text.strip().upper()
        kind: EventKind = "reply"
        if word == "STOP" or word in self.settings.stop_words:
            kind = "opt_out"
        elif word in START:
            kind = "opt_in"
        sid = said.get("MessageSid", said.get("SmsSid", ""))
        return ChannelEvent(kind, at, address=said.get("From", ""), data=dict(said), id=sid, reference=sid, text=text)


def _received_since(twilio: Any, *, since: datetime, mine: Mapping[str, str]) -> list[Any]:  # noqa: ANN401 - as below
    return _pages(twilio.messages.page(date_sent_after=since, page_size=LONGEST_PAGE, **mine))


def _pages(page: Any) -> list[Any]:  # noqa: ANN401 - the library has no types
    """A page of a listing, and those that follow it. Raises :class:`Ambiguous` where there are too many."""
    found = [*page]
    for _ in range(MOST_PAGES):
        page = page.next_page()
        if page is None:
            return found
        found += page
    raise Ambiguous(f"More than {MOST_PAGES} pages came in; ask for what came since a later time.")


def accepted(sid: object) -> Accepted:
    """What was handed over, by Twilio's id for it."""
    if not isinstance(sid, str) or not sid:
        raise Ambiguous("Twilio's answer has no id in it.")
    return Accepted(sid)


def receipt(attempt: Attempt, found: Any) -> Receipt:  # noqa: ANN401 - the library has no types
    """What a listing says of a message or a call."""
    code = getattr(found, "error_code", None) or 0
    kind = kind_of(str(found.status), int(code)) or "accepted"
    detail = f"Twilio {code}" if code else ""
    if kind in {"accepted", "delivered"}:
        return Receipt(attempt.id, "accepted" if kind == "accepted" else "delivered", str(found.sid), detail)
    return Receipt(attempt.id, "undelivered", str(found.sid), detail or f"Twilio: {found.status}")


def report(
    said: Mapping[str, str], sid: str, status: str, channel: str, request: WebhookRequest
) -> Iterable[ChannelEvent]:
    """The event of a status callback; none where Twilio's word is not known."""
    code = said.get("ErrorCode", "")
    kind = kind_of(status, int(code) if code.isdecimal() and len(code) <= LONGEST_CODE else 0)
    if kind is None:
        return []
    detail = f"Twilio {code}: {said.get('ErrorMessage', status)}" if code else ""
    return [
        ChannelEvent(
            kind,
            request.at,
            attempt=attempt_in(request.url, channel),
            address=said.get("To", ""),
            detail=detail,
            data=dict(said),
            id=f"{sid}:{status}",
            reference=sid,
        )
    ]


@hookimpl
def register_channels() -> list[type[TwilioSms]]:
    """Announce the kind."""
    return [TwilioSms]
