"""Serving the pages beside the engine: in a thread of its own, on one port, until told to stop."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

import uvicorn

from commsched.app import App
from commsched.errors import Misuse
from commsched.web.site import site

STOP_SECONDS = 10.0
WAITING = 256


@dataclass(frozen=True, slots=True)
class Door:
    """Where the pages are served; ``proxies`` are the hosts whose word on the caller's address is taken."""

    host: str = "127.0.0.1"
    port: int = 8000
    proxies: tuple[str, ...] = ()


@contextmanager
def serving(app: App, door: Door) -> Iterator[int]:
    """Serve until the end of the block; yields the port. Raises :class:`Misuse` if it is taken."""
    listener = _listener(door)
    configuration = uvicorn.Config(
        site(app),
        log_config=None,
        # Addresses of pages are secrets: they are in no log.
        access_log=False,
        server_header=False,
        proxy_headers=bool(door.proxies),
        forwarded_allow_ips=",".join(door.proxies),
        timeout_graceful_shutdown=int(STOP_SECONDS),
    )
    server = uvicorn.Server(configuration)
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="pages", daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(STOP_SECONDS)
        listener.close()


def _listener(door: Door) -> socket.socket:
    family = socket.AF_INET6 if ":" in door.host else socket.AF_INET
    # With the protocol named, asyncio sends small answers at once (TCP_NODELAY); else each waits 40 ms for the next.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((door.host, door.port))
        # Whoever comes before the server has started waits for it, and is not turned away.
        listener.listen(WAITING)
    except OSError as error:
        listener.close()
        message = f"port {door.port} of {door.host} cannot be used ({error.strerror}); name another with --port."
        raise Misuse(message) from error
    return listener
