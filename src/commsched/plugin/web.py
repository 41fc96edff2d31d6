"""Reading a web address with care: TLS, no private networks, no other host, a limit of time and of size.

What is refused is refused before anything is sent. Errors never quote the address: it may be a calendar's only secret.
"""

from __future__ import annotations

import hmac
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from socket import SHUT_RDWR, SOCK_STREAM, create_connection, getaddrinfo, socket
from ssl import SSLSocket
from threading import Thread, Timer
from time import monotonic
from urllib.parse import SplitResult, urljoin, urlsplit

from commsched.errors import CommschedError

PORTS = {"https": 443, "http": 80}
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 3
_CHUNK = 65536
# How long a host's address may take to find, where nobody says how long all of it may take.
RESOLVE_SECONDS = 10.0
# Gateways of NAT64 (RFC 6052), and addresses that are compatible with version 4: it is in the last 32 bits.
CARRIES_V4 = (ip_network("64:ff9b::/96"), ip_network("::/96"))
# The same for one's own network only (RFC 8215), in whatever bits.
LOCAL_V4 = ip_network("64:ff9b:1::/48")


class Unreachable(CommschedError):
    """The server cannot be read."""


class Unsent(Unreachable):
    """Nothing was said to the server: it is not known, does not answer, or does not prove who it is."""


class Private(Unsent):
    """The server is in a private network, so nothing was said to it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; the names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def signature_of(secret: str, stamp: str, body: bytes) -> str:
    """A body's signature: HMAC-SHA256 (RFC 2104) over ``stamp``, a full stop and the body, in hexadecimal.

    ``stamp`` is the Unix time in whole seconds, as it stands in the header beside the signature.
    """
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, sha256).hexdigest()


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


def check_host(parts: SplitResult, *, allow_private: bool, timeout: float = RESOLVE_SECONDS) -> tuple[str, ...]:
    """Refuse a host that is, or also is, in a private network; its addresses. Raises :class:`Unreachable`."""
    addresses = _resolved(str(parts.hostname), parts.port or PORTS[parts.scheme], timeout)
    for address in addresses:
        _check(address, allow_private=allow_private)
    return addresses


def _resolved(host: str, port: int, timeout: float) -> tuple[str, ...]:
    """The addresses of a host. The system's resolver has no limit of its own, so it is left to a thread of its own."""
    found: list[tuple[str, ...]] = []

    def resolve() -> None:
        with suppress(OSError, UnicodeError):  # nothing found says enough
            found.append(tuple(str(address[0]) for *_, address in getaddrinfo(host, port, type=SOCK_STREAM)))

    asking = Thread(target=resolve, daemon=True)
    asking.start()
    asking.join(max(timeout, 0))
    if asking.is_alive():
        raise Unsent(f"Nobody said in time where the host {host} is.")
    if not found:
        raise Unsent(f"The host {host} is not known.")
    return found[0]


def fetch(parts: SplitResult, headers: Mapping[str, str], *, timeout: float, limit: int, allow_private: bool) -> Answer:
    """GET an address, following redirects on the same host only. Raises :class:`Unreachable`.

    ``timeout`` is for all of it, redirects too, so that a server which dribbles takes no longer than one that is
    silent; ``limit`` is in bytes.
    """
    until = monotonic() + timeout
    for _ in range(MOST_REDIRECTS + 1):
        left = until - monotonic()
        answer = ask("GET", parts, headers, timeout=left, limit=limit, allow_private=allow_private)
        if answer.status not in REDIRECTS:
            return answer
        target = urlsplit(urljoin(parts.geturl(), answer.headers.get("location", "")))
        if (target.scheme, target.netloc) != (parts.scheme, parts.netloc):
            raise Unreachable(f"The server sends us on to {target.hostname}; if that is right, write its address.")
        parts = target
    raise Unreachable("The server sends us on and on.")


def ask(
    method: str,
    parts: SplitResult,
    headers: Mapping[str, str],
    body: bytes | None = None,
    *,
    timeout: float,
    limit: int,
    allow_private: bool,
) -> Answer:
    """One request and its answer, whatever that is; no redirect is followed. Raises :class:`Unreachable`.

    It is :class:`Unsent` where the request was not begun. ``timeout`` is for all of it, ``limit`` the longest body that
    is read, in bytes.
    """
    until = monotonic() + timeout
    addresses = check_host(parts, allow_private=allow_private, timeout=timeout)
    host = str(parts.hostname)
    connection = HTTPConnection(host, parts.port or PORTS[parts.scheme])
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    failed: type[Unreachable] = Unsent
    try:
        # What the name meant when it was checked, it may not mean a moment later: so it is not asked again.
        connection.sock = _connected(addresses, connection.port, until)
        if parts.scheme == "https":
            connection.sock = _secured(connection.sock, host)
        with _patience(connection.sock, until - monotonic()):
            if isinstance(connection.sock, SSLSocket):
                connection.sock.do_handshake()
            failed = Unreachable
            connection.request(method, path, body, {**headers, "Accept-Encoding": "identity", "Host": parts.netloc})
            response = connection.getresponse()
            return Answer(response.status, _headers(response), _body(response, limit))
    except TimeoutError as error:
        raise failed(f"{host} did not answer in time.") from error
    except (OSError, HTTPException) as error:
        raise failed(f"{host} cannot be read ({type(error).__name__}).") from error
    finally:
        connection.close()


def _connected(addresses: tuple[str, ...], port: int, until: float) -> socket:
    """A connection to the first of the addresses that takes one."""
    failed: OSError = TimeoutError()
    for address in addresses:
        left = until - monotonic()
        if left <= 0:
            raise TimeoutError
        try:
            return create_connection((address, port), timeout=left)
        except OSError as error:
            failed = error
    raise failed


def _secured(sock: socket, host: str) -> SSLSocket:
    return ssl.create_default_context().wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)


def _headers(response: HTTPResponse) -> dict[str, str]:
    """By name in lower case; what is said twice is one list (RFC 9110, 5.3)."""
    found: dict[str, str] = {}
    for name, value in response.getheaders():
        low = name.lower()
        found[low] = f"{found[low]}, {value}" if low in found else value
    return found


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
        with suppress(OSError):  # it may have hung up itself
            sock.shutdown(SHUT_RDWR)

    timer = Timer(max(0.0, seconds), hang_up)
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
    if not allow_private and not all(map(_is_public, _meant(ip_address(address.partition("%")[0])))):
        raise Private("The server is in a private network; if that is right, set allow_private = true.")


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    local = isinstance(address, IPv6Address) and (address.is_site_local or address in LOCAL_V4)
    return address.is_global and not local


def _meant(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    """An address, and the one of version 4 to which a gateway takes what is sent to it (RFC 6052, 3056, 4291)."""
    yield address
    if isinstance(address, IPv6Address):
        if any(address in network for network in CARRIES_V4):
            yield IPv4Address(int(address) & 0xFFFFFFFF)
        for within in (address.sixtofour, address.ipv4_mapped, *(address.teredo or ())):
            if within is not None:
                yield within
