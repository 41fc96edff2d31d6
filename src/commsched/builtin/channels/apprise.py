"""Messages by way of any of the hundred and more services that Apprise knows; ``pip install commsched[apprise]``.

Which service, and who signs in, is one address (https://github.com/caronc/apprise/wiki), in which ``{to}`` stands for
the customer's own address::

    [[channels]]
    name = "matrix"
    kind = "apprise"
    medium = "sms"
    service_url = "env:APPRISE_URL"        # e.g. ntfys://ntfy.example.org/{to}

Apprise says yes or no, and a no is as often a timeout as a refusal: so a no leaves the message in doubt, and a person
must settle it. Use a channel of its own where there is one.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr

from commsched import (
    Accepted,
    Ambiguous,
    Calls,
    Channel,
    ChannelDown,
    Outgoing,
    Refused,
    Settings,
    hookimpl,
    library,
    quiet,
    time_left,
)


class AppriseSettings(Settings):
    """Which service carries what."""

    medium: Literal["email", "sms", "voice", "webhook"] = Field(description="The medium that it stands for.")
    service_url: SecretStr = Field(description="The service's address for Apprise, as `env:NAME` or `file:PATH`.")
    timeout: float = Field(default=20.0, gt=0, le=60, description="How many seconds the service has.")


class Apprise(Channel[AppriseSettings]):
    """Hands messages to Apprise, one service and one recipient at a time."""

    kind = "apprise"

    def __init__(
        self, settings: AppriseSettings, *, name: str, folder: Path = Path(), zone: ZoneInfo | None = None
    ) -> None:
        super().__init__(settings, name=name, folder=folder, zone=zone)
        self._library = library("apprise", "apprise")
        quiet("apprise", "urllib3")
        self._calls = Calls(settings.timeout)
        if self._service("15555550100") is None:
            message = "Apprise does not know the service of service_url; see https://github.com/caronc/apprise/wiki"
            raise ValueError(message)

    async def send(self, message: Outgoing) -> Accepted:
        """Hand one message over."""
        time_left(message)
        return await self._calls.run(partial(self._notify, message))

    def _notify(self, message: Outgoing) -> Accepted:
        time_left(message)
        service = self._service(message.to)
        if service is None:
            raise Refused("The service cannot use this address.", bad_address=True)
        told = service.notify(body=message.text, title=message.subject)
        if told is None:
            raise ChannelDown("Apprise had nothing to send to.")
        if not told:
            raise Ambiguous("Apprise says that it failed; whether before or after it arrived, it does not say.")
        return Accepted(message.attempt)

    def _service(self, to: str) -> Any:  # noqa: ANN401 - an object of the library
        """The service for one recipient; nothing if its address is not understood."""
        asset = self._library.AppriseAsset(secure_logging=True, async_mode=False, http_redirects=False)
        made = self._library.Apprise(asset=asset)
        address = self.settings.service_url.get_secret_value().replace("{to}", quote(to, safe="+@"))
        return made if made.add(address) else None


@hookimpl
def register_channels() -> list[type[Apprise]]:
    """Announce the kind."""
    return [Apprise]
