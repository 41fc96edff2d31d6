"""What the two channels by Twilio share: the account, and how it is called.

Neither messages nor calls take an idempotency key, so a request that broke off is never made again. 429 (20429) was not
processed; a 5xx may have been.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

from pydantic import Field, SecretStr

from commsched import (
    Ambiguous,
    Calls,
    ChannelDown,
    Outgoing,
    Settings,
    library,
    masked,
    outcome_of_status,
    quiet,
    retry_after,
    time_left,
)
from commsched.builtin.channels.twilio_codes import outcome_of

T = TypeVar("T")
HOST = "https://api.twilio.com"
AT_ONCE = 50
OK, ALSO_OK = 200, 300
# What the library raises over an answer that is not what it expects.
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)


class TwilioSettings(Settings):
    """The account, and how long it is waited for."""

    account_sid: str = Field(pattern="^AC[0-9a-fA-F]{32}$", description="The account's SID, `AC…`.")
    auth_token: SecretStr = Field(description="The account's auth token, as `env:NAME` or `file:PATH`.")
    timeout: float = Field(default=10.0, gt=0, le=60, description="How many seconds Twilio has for an answer.")
    base_url: str = Field(
        default=HOST, pattern="^https?://[^/]+$", description="Where Twilio's API is; another place is for tests."
    )


class Account:
    """A Twilio account: every call to its API goes through here."""

    def __init__(self, settings: TwilioSettings) -> None:
        self._calls = Calls(settings.timeout * 2, at_once=AT_ONCE)
        quiet("urllib3")
        http = _http_type()(settings.base_url, settings.timeout)
        token = settings.auth_token.get_secret_value()
        self._client = library("twilio.rest", "twilio").Client(settings.account_sid, token, http_client=http)

    async def hand_over(self, message: Outgoing, ask: Callable[[Any, int], T]) -> T:
        """Make the call that sends ``message``; it is told how many seconds are left, and not made without any.

        Raises one of the outcomes. Nobody knows what became of a call that fails in any way not foreseen here.
        """
        time_left(message)
        return await self._calls.run(
            lambda: _understood(lambda: ask(self._client, int(time_left(message).total_seconds())))
        )

    async def ask(self, ask: Callable[[Any], T]) -> T:
        """Make a call that changes nothing. Raises as :meth:`hand_over`."""
        return await self._calls.run(lambda: _understood(lambda: ask(self._client)))


@cache
def _http_type() -> type[Any]:
    """Twilio's own HTTP client with another host, room for all our calls, no retries and nothing in the log."""
    base = library("twilio.http.http_client", "twilio").TwilioHttpClient
    adapter = library("requests.adapters", "twilio").HTTPAdapter

    class Client(base):  # type: ignore[misc, valid-type]
        def __init__(self, base_url: str, timeout: float) -> None:
            super().__init__(timeout=timeout)
            self.base_url = base_url
            for scheme in ("https://", "http://"):
                self.session.mount(scheme, adapter(AT_ONCE, AT_ONCE, max_retries=0))

        def request(self, method: str, url: str, *rest: object, **named: object) -> Any:  # noqa: ANN401 - the library's
            answer = super().request(method, url.replace(HOST, self.base_url, 1), *rest, **named)
            if OK <= answer.status_code < ALSO_OK:
                return answer
            raise _meaning(answer.status_code, answer.headers, answer.text)

        def log_request(self, kwargs: object) -> None:
            """Nothing is logged: numbers and texts stand in it."""

        def log_response(self, status_code: int, response: object) -> None:
            """Nothing is logged."""

    return Client


def _meaning(status: int, headers: Mapping[str, str], body: str) -> Exception:
    """The outcome that an answer stands for; only Twilio's code is believed, and of its words only what is harmless."""
    said: Any = {}
    with suppress(ValueError):
        said = json.loads(body)
    after = retry_after(headers.get("Retry-After"))
    if not isinstance(said, dict) or not isinstance(said.get("code"), int):
        return outcome_of_status(status, f"Twilio answered {status}.", after)
    return outcome_of(status, said["code"], f"Twilio {said['code']}: {masked(str(said.get('message', '')))}", after)


def _understood(ask: Callable[[], T]) -> T:
    """What a call returns; whatever it raises, as an outcome."""
    try:
        return ask()
    except OSError as error:  # all that `requests` raises is one
        if _not_reached(error):
            raise ChannelDown(f"Twilio cannot be reached ({type(error).__name__}).") from None
        raise Ambiguous(f"Twilio did not answer ({type(error).__name__}).") from None
    except (library("twilio.base.exceptions", "twilio").TwilioException, *UNREADABLE) as error:
        raise Ambiguous(f"Twilio's answer cannot be read ({type(error).__name__}).") from None


def _not_reached(error: OSError) -> bool:
    """Whether nothing was sent: no address, no connection, or a server that does not prove who it is."""
    reasons = library("urllib3.exceptions", "twilio")
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    unproven = isinstance(reason, reasons.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(reason)
    return unproven or isinstance(reason, (reasons.NewConnectionError, reasons.ConnectTimeoutError))
