"""Metrics and health, on a port of their own that no customer sees: ``/metrics``, ``/healthz``, ``/readyz``."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import CollectorRegistry

from commsched.errors import Misuse

# Whoever has said nothing for so many seconds is not waited for.
SILENT = 10
Answer = tuple[HTTPStatus, str, bytes]


@dataclass(frozen=True, slots=True)
class Address:
    """Where it is served; port 0 is any that is free."""

    host: str = "127.0.0.1"
    port: int = 0

    def seat(self, number: int) -> Address:
        """The address of one of several processes: they take consecutive ports."""
        return Address(self.host, self.port + number) if self.port else self


@dataclass(frozen=True, slots=True)
class Vitals:
    """What is served. ``ill`` and ``unready`` give one word for each reason; none: all is well."""

    registry: CollectorRegistry
    ill: Callable[[], list[str]]
    unready: Callable[[], list[str]]

    def answer(self, path: str, accept: str) -> Answer:
        """The answer to a request."""
        if path == "/metrics":
            encode, content_type = choose_encoder(accept)
            return HTTPStatus.OK, content_type, encode(self.registry)
        if path in {"/healthz", "/readyz"}:
            why = self.ill() if path == "/healthz" else self.unready()
            status = HTTPStatus.SERVICE_UNAVAILABLE if why else HTTPStatus.OK
            return status, "text/plain; charset=utf-8", ("\n".join(why or ["ok"]) + "\n").encode()
        return HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"/metrics, /healthz, /readyz\n"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever hangs up before the answer has nothing to tell."""


class _Handler(BaseHTTPRequestHandler):
    timeout = SILENT
    server_version, sys_version = "commsched", ""

    def __init__(self, vitals: Vitals, *arguments: object) -> None:
        self.vitals = vitals
        super().__init__(*arguments)  # type: ignore[arg-type]  # as the server calls it

    def do_GET(self) -> None:
        self._give(with_body=True)

    def do_HEAD(self) -> None:
        self._give(with_body=False)

    def _give(self, *, with_body: bool) -> None:
        status, content_type, body = self.vitals.answer(urlsplit(self.path).path, self.headers.get("Accept", ""))
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name for it
        """Somebody asks every few seconds; that is no news."""


def free(address: Address) -> None:
    """Raises :class:`Misuse` if the address cannot be served on."""
    _open(address, BaseHTTPRequestHandler).server_close()


@contextmanager
def serving(vitals: Vitals, address: Address) -> Iterator[int]:
    """Serve until the end of the block; yields the port. Raises :class:`Misuse` if it cannot be had."""
    server = _open(address, partial(_Handler, vitals))
    thread = Thread(target=server.serve_forever, name="vitals", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _open(address: Address, handler: Callable[..., BaseHTTPRequestHandler]) -> _Server:
    kind = type("Server", (_Server,), {"address_family": socket.AF_INET6 if ":" in address.host else socket.AF_INET})
    try:
        opened: _Server = kind((address.host, address.port), handler)
    except (OSError, OverflowError) as error:
        why = error.strerror if isinstance(error, OSError) else "there is no such port"
        message = f"port {address.port} of {address.host} cannot be used ({why}); name another with --metrics."
        raise Misuse(message) from error
    return opened
