"""One call to SendGrid by its own library, which lacks what is set here: a time limit, no redirects, no debug log.

The library's client follows a redirect with a GET, has no time limit, writes the key into the debug log, and tells a
server that was not reached from one that hung up by nothing: so its opener is ours.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from commsched import Ambiguous, ChannelDown, library, quiet

MOST = 1024 * 1024  # bytes of an answer that are read


@dataclass(frozen=True, slots=True)
class Said:
    """What SendGrid answered; the names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _NotReached(OSError):
    """There was no connection, so nothing was sent."""


class Api:
    """Calls. Each raises :class:`ChannelDown` where nobody was reached, :class:`Ambiguous` where nobody answered."""

    def __init__(self, key: str, base_url: str, timeout: float) -> None:
        made = library("sendgrid", "sendgrid").SendGridAPIClient(key, host=base_url)
        self._host, self._headers, self._timeout = made.host, made.client.request_headers, timeout
        self._kind = _client_kind()
        quiet("python_http_client")

    def send(self, body: dict[str, Any]) -> Said:
        """Post a body to ``/v3/mail/send``."""
        return _said(lambda: self._fresh().mail.send.post(request_body=body))

    def messages(self, query: str) -> Said:
        """What ``/v3/messages`` lists for a query."""
        return _said(lambda: self._fresh().messages.get(query_params={"query": query, "limit": 10}))

    def _fresh(self) -> Any:  # noqa: ANN401 - the library's client, which builds addresses by attribute
        # The library adds to the headers it was given, so each call has its own.
        return self._kind(self._host, dict(self._headers), 3, timeout=self._timeout)


def _client_kind() -> Any:  # noqa: ANN401 - a class that is made when the library is there
    base = library("python_http_client", "sendgrid").Client

    class Client(base):  # type: ignore[misc, valid-type]
        def _build_client(self, name: str | None = None) -> Client:
            path = [*self._url_path, name] if name else self._url_path
            return Client(self.host, self.request_headers, self._version, path, self.append_slash, self.timeout)

        def _make_request(self, opener: object, request: Request, timeout: float | None = None) -> object:
            del opener, timeout
            return _Bounded(_opened(request, self.timeout))

    return Client


def _said(call: Callable[[], Any]) -> Said:
    try:
        answer = call()
    except _NotReached as error:
        raise ChannelDown(f"SendGrid cannot be reached ({type(error.__cause__).__name__}).") from None
    except (OSError, HTTPException) as error:
        raise Ambiguous(f"SendGrid did not answer ({type(error).__name__}).") from None
    headers = {name.lower(): str(value) for name, value in answer.headers.items()}
    return Said(answer.status_code, headers, answer.body)


class _Bounded:
    """An answer of which no more is read than it may have."""

    def __init__(self, answer: Any) -> None:  # noqa: ANN401 - a response, or the error that stands for one
        self._answer = answer
        self.getcode, self.info = answer.getcode, answer.info

    def read(self) -> bytes:
        """The body, or so much of it."""
        data: bytes = self._answer.read(MOST)
        return data


def _opened(request: Request, timeout: float) -> object:
    """The answer, whatever its status. Raises :class:`_NotReached` before anything was sent, else ``OSError``."""
    opener = build_opener(_Http, _Https, _NoRedirect)
    try:
        return opener.open(request, timeout=timeout)
    except HTTPError as answer:
        return answer
    except URLError as error:
        if isinstance(error.reason, OSError):
            raise error.reason from None
        raise


class _Plain(HTTPConnection):
    def connect(self) -> None:
        """Connect, and tell apart what fails before a byte is sent."""
        try:
            super().connect()
        except OSError as error:
            raise _NotReached(str(error)) from error


class _Tls(HTTPSConnection):
    def connect(self) -> None:
        """Connect, and tell apart what fails before a byte is sent."""
        try:
            super().connect()
        except OSError as error:
            raise _NotReached(str(error)) from error


class _Http(HTTPHandler):
    def http_open(self, req: Request) -> http.client.HTTPResponse:
        """Open with our connection."""
        return self.do_open(_Plain, req)


class _Https(HTTPSHandler):
    def https_open(self, req: Request) -> http.client.HTTPResponse:
        """Open with our connection."""
        return self.do_open(_Tls, req)


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Nowhere else: a message goes where it was sent."""
