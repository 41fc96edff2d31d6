"""A provider to send to, in a process of its own: it takes every message 80 ms after it came, and knows when it came.

It answers as Twilio and SendGrid do, so that their own libraries can be pointed at it, and any other POST with 200.
An event loop and little else, so that it is not what is measured.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from time import process_time, sleep, time
from typing import Any, cast
from urllib.parse import unquote_to_bytes

from benchmarks.bench import environment
from benchmarks.population import ROOT

LATENCY = 0.08
SID = "SM" + "0" * 32
# To whom a message goes: our own header, SendGrid's JSON, Twilio's form. All made-up mail addresses end like this.
_HEADER = re.compile(rb"\r\nx-to: *([^\r]+)", re.IGNORECASE)
_MAIL = re.compile(rb'"email": ?"([^"]+@example\.com)"')
_TEXT = re.compile(rb"(?:^|&)To=([^&]+)")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came: when each message did (seconds since 1970, to whom), in how many calls, and what it cost the stub."""

    messages: list[tuple[float, str]]
    calls: int
    cpu: float


class Stub:
    """The provider as the others see it; ``url`` is where it is."""

    def __init__(self, port: int) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}"

    @property
    def count(self) -> int:
        """How many messages have come."""
        return int(self._said("/_count")["messages"])

    def arrived(self) -> Arrived:
        """All that has come since the last time this was asked."""
        said = self._said("/_arrived")
        return Arrived([(at, to) for at, to in said["messages"]], said["calls"], said["cpu"])

    def until(self, count: int, seconds: float) -> bool:
        """Wait until so many messages have come; whether they came within so many seconds."""
        end = time() + seconds
        while self.count < count:
            if time() > end:
                return False
            sleep(0.05)
        return True

    def _said(self, path: str) -> Any:  # noqa: ANN401 - JSON
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path)
        said = json.loads(connection.getresponse().read())
        connection.close()
        return said


@contextmanager
def running(latency: float = LATENCY) -> Iterator[Stub]:
    """A provider on a free port, until the end of the block."""
    command = [sys.executable, "-m", "benchmarks.stub", str(latency)]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None:
            raise RuntimeError("the provider has no output")
        try:
            yield Stub(int(process.stdout.readline()))
        finally:
            process.kill()


class _Book:
    """What has come."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.messages: list[tuple[float, str]] = []
        self.calls, self.cpu = 0, process_time()

    def note(self, head: bytes, body: bytes) -> None:
        """Write down when, and to whom."""
        now = time()
        found = _HEADER.findall(head) or _MAIL.findall(body) or _TEXT.findall(body)
        self.calls += 1
        self.messages += [(now, unquote_to_bytes(one).decode()) for one in found]

    def told(self) -> bytes:
        """All of it; then it begins anew."""
        now = process_time()
        said = {"messages": self.messages, "calls": self.calls, "cpu": now - self.cpu}
        self.messages, self.calls, self.cpu = [], 0, now
        return json.dumps(said).encode()


class _Connection(asyncio.Protocol):
    """One connection; a request is answered before the next one comes."""

    def __init__(self, book: _Book) -> None:
        self.book, self.buffer = book, bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer once all of a request is there."""
        self.buffer += data
        end = self.buffer.find(_HEAD_END)
        if end < 0:
            return
        head = bytes(self.buffer[:end])
        length = _LENGTH.search(head)
        whole = end + len(_HEAD_END) + (int(length[1]) if length else 0)
        if len(self.buffer) >= whole:
            body = bytes(self.buffer[end + len(_HEAD_END) : whole])
            del self.buffer[:whole]
            self._asked(head, body)

    def _asked(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"GET /_count"):
            self._answer(b"200 OK", json.dumps({"messages": len(self.book.messages)}).encode())
        elif head.startswith(b"GET /_arrived"):
            self._answer(b"200 OK", self.book.told())
        else:
            self.book.note(head, body)
            asyncio.get_running_loop().call_later(self.book.latency, self._answer, *_answer_to(head))

    def _answer(self, status: bytes, body: bytes, more: bytes = b"") -> None:
        head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n%bContent-Length: %d" % (status, more, len(body))
        if not self.transport.is_closing():
            self.transport.write(head + _HEAD_END + body)


def _answer_to(head: bytes) -> tuple[bytes, bytes, bytes]:
    """What the provider that is meant would say to a message that it takes."""
    path = head.split(b" ", 2)[1]
    if path.endswith(b"/Messages.json"):
        return b"201 Created", json.dumps({"sid": SID, "status": "queued"}).encode(), b""
    if path == b"/v3/mail/send":
        return b"202 Accepted", b"", b"X-Message-Id: stub\r\n"
    return b"200 OK", b"{}", b""


async def _serve(latency: float) -> None:
    book = _Book(latency)
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(book), sock=listening)
    print(listening.getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(float(sys.argv[1])))
