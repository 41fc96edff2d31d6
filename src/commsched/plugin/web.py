"""Reading a web address with care: TLS, no private networks, no other host, a limit of time and of size.

What is refused is refused before anything is sent. Errors never quote the address: it may be a calendar's only secret.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ipaddress import ip_address
from socket import SHUT_RDWR, getaddrinfo, socket
from threading import Timer
from urllib.parse import SplitResult, urljoin, urlsplit

from commsched.errors import CommschedError

PORTS = {"https": 443, "http": 80}
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 3
_CHUNK = 65536


class Unreachable(CommschedError):
    """The server cannot be read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; the names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def web_address(text: str, *, allow_private: bool) -> SplitResult:
    """A web address as it may be read; ``ValueError`` says what would be right."""
    parts = urlsplit(text)
    if parts.scheme == "webcal":
        parts = parts._replace(scheme="https")
    if not parts.hostname or parts.scheme not in PORTS:
        message = "write an address such as https://calendar.example/team.ics"
        raise ValueError(message)
    if parts.username is not None or parts.password is not None:
        message = "write user and password as settings of their own, the password as env:NAME or file:PATH"
        raise ValueError(message)
    if parts.scheme == "http" and not allow_private:
        message = "write https://; without TLS only a server in your own network is read, with allow_private = true"
        raise ValueError(message)
    return parts


def check_host(parts: SplitResult, *, allow_private: bool) -> None:
    """Refuse a host that is, or also is, in a private network. Raises :class:`Unreachable`."""
    try:
        found = getaddrinfo(parts.hostname, parts.port or PORTS[parts.scheme])
    except OSError as error:
        raise Unreachable(f"The host {parts.hostname} is not known.") from error
    for *_, address in found:
        _check(str(address[0]), allow_private=allow_private)


def fetch(
    parts: SplitResult, headers: Mapping[str, str], *, timeout: float, limit: int, allow_private: bool
) -> Answer:
    """GET an address, following redirects on the same host only. Raises :class:`Unreachable`.

    ``timeout`` is for one answer as a whole, so that a server which dribbles takes no longer than one that is silent;
    ``limit`` is in bytes.
    """
    for _ in range(MOST_REDIRECTS + 1):
        answer = _ask(parts, headers, timeout, limit, allow_private=allow_private)
        if answer.status not in REDIRECTS:
            return answer
        target = urlsplit(urljoin(parts.geturl(), answer.headers.get("location", "")))
        if (target.scheme, target.netloc) != (parts.scheme, parts.netloc):
            raise Unreachable(f"The server sends us on to {target.hostname}; if that is right, write its address.")
        parts = target
    raise Unreachable("The server sends us on and on.")


def _ask(
    parts: SplitResult, headers: Mapping[str, str], timeout: float, limit: int, *, allow_private: bool
) -> Answer:
    check_host(parts, allow_private=allow_private)
    host, port = str(parts.hostname), parts.port or PORTS[parts.scheme]
    connection = (
        HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context())
        if parts.scheme == "https"
        else HTTPConnection(host, port, timeout=timeout)
    )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.connect()
        # The name may mean another host by now than when it was checked.
        _check(str(connection.sock.getpeername()[0]), allow_private=allow_private)
        with _patience(connection.sock, timeout):
            connection.request("GET", path, headers={"Accept-Encoding": "identity", **headers})
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, _body(response, limit))
    except TimeoutError as error:
        raise Unreachable(f"{host} did not answer within {timeout:g} seconds.") from error
    except (OSError, HTTPException) as error:
        raise Unreachable(f"{host} cannot be read ({type(error).__name__}).") from error
    finally:
        connection.close()


def _body(response: HTTPResponse, limit: int) -> bytes:
    body = bytearray()
    while chunk := response.read1(_CHUNK):
        body += chunk
        if len(body) > limit:
            raise Unreachable(f"The answer is longer than {limit:,} bytes.")
    if response.length:
        # read1() takes an early end for the end.
        raise Unreachable("The answer breaks off.")
    return bytes(body)


@contextmanager
def _patience(sock: socket, seconds: float) -> Iterator[None]:
    """Hang up after so long, and raise :class:`TimeoutError`."""
    late: list[bool] = []

    def hang_up() -> None:
        late.append(True)
        sock.shutdown(SHUT_RDWR)

    timer = Timer(seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:
        raise (TimeoutError() if late else error) from error
    finally:
        timer.cancel()
    if late:
        raise TimeoutError


def _check(address: str, *, allow_private: bool) -> None:
    if not allow_private and not ip_address(address.partition("%")[0]).is_global:
        raise Unreachable("The server is in a private network; if that is right, set allow_private = true.")
