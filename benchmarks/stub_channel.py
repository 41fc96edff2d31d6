"""The channel to the stub, which a measured deployment has among its plugins: one POST a message, as the peers make."""

from __future__ import annotations

import os
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Thread, local
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from commsched import Accepted, Ambiguous, Calls, Channel, ChannelDown, Outgoing, Settings, hookimpl

AT_ONCE = 50


class StubSettings(Settings):
    """Where the stub is."""

    url: str


class StubMail(Channel[StubSettings]):
    """Posts mail over connections that are kept open, one a thread."""

    kind = "stub"
    medium = "email"

    def __init__(
        self, settings: StubSettings, *, name: str, folder: Path = Path(), zone: ZoneInfo | None = None
    ) -> None:
        super().__init__(settings, name=name, folder=folder, zone=zone)
        self._calls, self._mine = Calls(20, at_once=AT_ONCE), local()

    async def send(self, message: Outgoing) -> Accepted:
        """Post one message."""
        return await self._calls.run(partial(self._post, message))

    def _post(self, message: Outgoing) -> Accepted:
        if not hasattr(self._mine, "connection"):
            self._mine.connection = HTTPConnection(urlsplit(self.settings.url).netloc, timeout=10)
        try:
            self._mine.connection.request("POST", "/mail", message.mime, {"X-To": message.to})
            answer = self._mine.connection.getresponse()
            answer.read()
        except (OSError, HTTPException) as error:
            raise Ambiguous(f"The stub did not answer ({type(error).__name__}).") from error
        if answer.status != 200:
            raise ChannelDown(f"The stub answered {answer.status}.")
        return Accepted(message.attempt)


@hookimpl
def startup(app: Any) -> None:  # noqa: ANN401 - the running app, whose type plugins do not know
    """Compile the templates, as in a service that has run for a while; whoever is told something has less time."""
    Thread(target=_warm, args=(app,), daemon=True).start()


def _warm(app: Any) -> None:  # noqa: ANN401 - as above
    if not os.environ.get("BENCH_COLD"):
        app.renderer.problems()
    (app.folder / f"var/ready-{os.getpid()}").touch()


@hookimpl
def register_channels() -> list[type[StubMail]]:
    """Announce the kind."""
    return [StubMail]
