"""Calls by Twilio (https://www.twilio.com/docs/voice/api/call-resource); ``pip install commsched[twilio]``.

The call speaks the message's ``voice.txt`` and, where the deployment has a public address, takes one digit: 1 confirm,
2 call me, 9 stop::

    [[channels]]
    name = "phone"
    kind = "twilio_voice"
    account_sid = "AC00000000000000000000000000000000"
    auth_token = "env:TWILIO_AUTH_TOKEN"
    sender = "+18475550142"

Twilio starts calls one a second and queues the others, and cannot be told until when: keep the rate of this channel at
that. A call says nothing of ours when it is listed, so it is found again only where it is the only one to this number
since the attempt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field

from commsched import (
    Accepted,
    Attempt,
    Capabilities,
    Channel,
    ChannelEvent,
    Outgoing,
    Receipt,
    Refused,
    WebhookAnswer,
    WebhookRequest,
    attempt_in,
    hookimpl,
    library,
)
from commsched.builtin.channels.twilio_account import Account, TwilioSettings
from commsched.builtin.channels.twilio_signature import checked
from commsched.builtin.channels.twilio_sms import accepted, receipt, report

# A document may have so many characters when it is handed over with the call.
LONGEST = 4000
SKEW = timedelta(minutes=1)
MOST_LISTED = 20
MEANINGS: Mapping[str, str] = MappingProxyType({"1": "confirm", "2": "call_me", "9": "stop"})
LANGUAGES: Mapping[str, str] = MappingProxyType(
    {"en": "en-US", "es": "es-MX", "de": "de-DE", "fr": "fr-FR", "it": "it-IT", "nl": "nl-NL", "pt": "pt-BR"}
)
# By language: what may be pressed, then what is said to each digit.
PROMPTS: Mapping[str, str] = MappingProxyType(
    {
        "en": "To confirm, press 1. To be called back, press 2. For no more calls, press 9.",
        "es": "Para confirmar, pulse 1. Para que le llamemos, pulse 2. Para no recibir más llamadas, pulse 9.",
        "de": "Zum Bestätigen drücken Sie die 1. Für einen Rückruf die 2. Wenn Sie keine Anrufe mehr wünschen, die 9.",
    }
)
THANKS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {"1": "Thank you. It is confirmed.", "2": "We will call you.", "9": "You will get no more calls."},
        "es": {"1": "Gracias. Queda confirmado.", "2": "Le llamaremos.", "9": "No recibirá más llamadas."},
        "de": {"1": "Danke. Es ist bestätigt.", "2": "Wir rufen Sie an.", "9": "Sie erhalten keine Anrufe mehr."},
    }
)


class TwilioVoiceSettings(TwilioSettings):
    """The account, who calls, and in what words."""

    sender: str = Field(pattern=r"^\+\d{7,15}$", description="The number that calls.")
    ring: int = Field(default=30, ge=5, le=600, description="For how many seconds it rings.")
    languages: dict[str, str] = Field(
        default=dict(LANGUAGES), description='The voice\'s language for a locale or language: `es_US = "es-US"`.'
    )
    prompts: dict[str, str] = Field(
        default=dict(PROMPTS), description="What may be pressed, by language; without any, no digit is taken."
    )


class TwilioVoice(Channel[TwilioVoiceSettings]):
    """Calls, speaks, and takes a digit."""

    kind = "twilio_voice"
    medium = "voice"
    capabilities = Capabilities(lookup="hint", webhook=True)

    def __init__(
        self, settings: TwilioVoiceSettings, *, name: str, folder: Path = Path(), zone: ZoneInfo | None = None
    ) -> None:
        super().__init__(settings, name=name, folder=folder, zone=zone)
        self._account = Account(settings)

    async def send(self, message: Outgoing) -> Accepted:
        """Have a call made; Twilio answers when it has queued it."""
        twiml = self.spoken(message)
        if len(twiml) > LONGEST:
            raise Refused(f"The text is too long for a call: {len(twiml)} characters of TwiML, {LONGEST} may be.")
        told = {
            "status_callback": message.callback,
            "status_callback_event": ["initiated", "answered", "completed"],
            "status_callback_method": "POST",
        }

        def ask(twilio: Any, _: int) -> Any:  # noqa: ANN401 - the library has no types
            return twilio.calls.create(
                to=message.to,
                from_=self.settings.sender,
                twiml=twiml,
                timeout=self.settings.ring,
                **(told if message.callback else {}),
            ).sid

        return accepted(await self._account.hand_over(message, ask))

    def spoken(self, message: Outgoing) -> str:
        """The call as TwiML."""
        twiml = library("twilio.twiml.voice_response", "twilio")
        language = self._language(message.locale)
        prompt = self.settings.prompts.get(language[:2], "") if message.callback else ""
        call = twiml.VoiceResponse()
        if prompt:
            joint = "&" if urlsplit(message.callback).query else "?"
            action = f"{message.callback}{joint}{urlencode({'language': language})}"
            asked = twiml.Gather(num_digits=1, action=action, method="POST", timeout=10)
            asked.say(message.text, language=language)
            asked.say(prompt, language=language)
            call.append(asked)
        else:
            call.say(message.text, language=language)
        return str(call)

    def _language(self, locale: str) -> str:
        known = self.settings.languages
        name = locale.replace("-", "_")
        return known.get(name) or known.get(name[:2]) or LANGUAGES["en"]

    async def lookup(self, attempt: Attempt) -> Receipt | None:
        """The only call to this number since the attempt; nothing where there is none, or it may be one of several."""
        found = await self._account.ask(
            lambda twilio: [*twilio.calls.page(to=attempt.to, from_=self.settings.sender, page_size=MOST_LISTED)]
        )
        since = attempt.started_at.astimezone(UTC) - SKEW
        mine = [one for one in found if one.date_created is not None and one.date_created >= since]
        return receipt(attempt, mine[0]) if len(mine) == 1 else None

    def webhook(self, request: WebhookRequest) -> Iterable[ChannelEvent]:
        """How the call stands, or a digit that was pressed."""
        said = checked(request, self.settings.auth_token.get_secret_value())
        sid, digits = said.get("CallSid", ""), said.get("Digits", "")
        if not digits:
            return report(said, sid, said.get("CallStatus", ""), self.name, request)
        return [
            ChannelEvent(
                "digit",
                request.at,
                attempt=attempt_in(request.url, self.name),
                address=said.get("To", ""),
                detail=MEANINGS.get(digits, ""),
                data=said,
                id=f"{sid}:digit:{digits}",
                reference=sid,
                text=digits,
            )
        ]

    def answer(self, request: WebhookRequest) -> WebhookAnswer:
        """A word of thanks for a digit, in the language of the call; else nothing."""
        said = parse_qs(request.body.decode("utf-8", "replace"))
        digits = said.get("Digits", [""])[0]
        language = parse_qs(urlsplit(request.url).query).get("language", [LANGUAGES["en"]])[0]
        words = THANKS.get(language[:2], THANKS["en"]).get(digits, "")
        twiml = library("twilio.twiml.voice_response", "twilio").VoiceResponse()
        if words:
            twiml.say(words, language=language)
        return WebhookAnswer(200, str(twiml).encode(), "text/xml")


@hookimpl
def register_channels() -> list[type[TwilioVoice]]:
    """Announce the kind."""
    return [TwilioVoice]
