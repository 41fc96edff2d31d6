"""A calendar that somebody publishes on the web as iCalendar: its events are when something is closed, or open.

Events count as in a calendar file (kind ``ics_file``). The server is asked whether anything has changed, and is sent
away with a limit of time and of size. While it cannot be read, the last good copy serves for ``max_age``; after that
the calendar cannot be read, and what depends on it waits::

    [[calendars]]
    name = "lift-two"
    kind = "ics_url"
    url = "env:LIFT_TWO_CALENDAR"   # many calendars have no secret but their address
    mode = "closed"
    max_age = "2d"
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

from pydantic import Field, SecretStr, model_validator

from commsched import (
    EVER,
    Copy,
    RemoteCalendar,
    RemoteSettings,
    Span,
    Unreachable,
    hookimpl,
    read_web,
    web_address,
)

# The server's word for a version, and the header that asks whether it still holds (RFC 9110, 13.1).
VALIDATORS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}


class IcsUrlSettings(RemoteSettings):
    """The address, and how to read it."""

    url: str = Field(description="The address: `https://…` or `webcal://…`; `env:NAME` keeps it out of the file.")
    user: str = Field(default="", description="Who we are to the server, where it asks.")
    password: SecretStr = Field(default=SecretStr(""), description="The password, as `env:NAME` or `file:PATH`.")
    max_bytes: int = Field(default=10_000_000, gt=0, description="How long the calendar may be.")

    @model_validator(mode="after")
    def _readable(self) -> IcsUrlSettings:
        web_address(self.url, allow_private=self.allow_private)
        return self


class IcsUrl(RemoteCalendar[IcsUrlSettings]):
    """Closed, or open, at the events of a calendar on the web."""

    kind = "ics_url"

    @property
    def source(self) -> str:
        """The address."""
        return self.settings.url

    def fetch(self, kept: Copy | None, within: Span, now: datetime) -> Copy:
        """The calendar as it is; the server only sends it if it has changed."""
        del within  # the document is one, whatever is asked of it
        mine = self.settings
        known = kept.validators if kept else {}
        headers = {VALIDATORS[name]: value for name, value in known.items()}
        if mine.user:
            word = f"{mine.user}:{mine.password.get_secret_value()}"
            headers["Authorization"] = "Basic " + b64encode(word.encode()).decode()
        answer = read_web(
            web_address(mine.url, allow_private=mine.allow_private),
            headers,
            timeout=mine.timeout,
            limit=mine.max_bytes,
            allow_private=mine.allow_private,
        )
        if answer.status == HTTPStatus.NOT_MODIFIED and kept is not None:
            return replace(kept, taken_at=now)
        if answer.status != HTTPStatus.OK:
            raise Unreachable(f"The server answered {answer.status}.")
        validators = {name: answer.headers[name] for name in VALIDATORS if name in answer.headers}
        return Copy((("", answer.body),), now, EVER, validators)


@hookimpl
def register_calendars() -> list[type[IcsUrl]]:
    """Announce the kind."""
    return [IcsUrl]
