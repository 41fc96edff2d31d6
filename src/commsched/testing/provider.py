"""A provider to try a channel on: a web server in a process of its own that answers, and fails, as it is told.

For example::

    with provider(tmp_path / "provider") as there:
        there.answers(429, headers={"Retry-After": "7"})
        channel = MyChannel(MySettings(base_url=there.url), name="mine")
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event
from typing import Any, Literal, cast

Mode = Literal["answer", "echo", "hang", "reset", "drip", "garbage"]


@dataclass(frozen=True)
class Got:
    """A request that arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str


class Provider:
    """The server as a test sees it; ``url`` is where it is."""

    def __init__(self, folder: Path, port: int, process: subprocess.Popen[str]) -> None:
        self.folder, self.url, self.process = folder, f"http://127.0.0.1:{port}", process

    def answers(
        self, status: int = 200, body: str = "", headers: Mapping[str, str] | None = None, *, mode: Mode = "answer"
    ) -> None:
        """How every request is answered from now on.

        ``echo``: with this status, and all that it was told as the body. ``hang``: never. ``reset``: the connection is
        cut once the request is there. ``drip``: a byte at a time, for ever. ``garbage``: with what is no HTTP.
        """
        self.forget()
        told = {"status": status, "body": body, "headers": dict(headers or {}), "mode": mode}
        new = self.folder / "answer.new"
        new.write_text(json.dumps(told))
        new.replace(self.folder / "answer.json")

    @property
    def got(self) -> list[Got]:
        """The requests since the last :meth:`answers`, in the order in which they came."""
        path = self.folder / "got.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [Got(**json.loads(line)) for line in lines]

    def forget(self) -> None:
        """Begin anew with counting."""
        (self.folder / "got.jsonl").unlink(missing_ok=True)


@contextmanager
def provider(folder: Path) -> Iterator[Provider]:
    """A provider that runs until the end of the block; it answers every request with 200."""
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "commsched.testing.provider", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - it is this file
        if process.stdout is None:
            raise RuntimeError("the provider has no output")
        made = Provider(folder, int(process.stdout.readline()), process)
        made.answers()
        try:
            yield made
        finally:
            process.kill()


@contextmanager
def nobody() -> Iterator[str]:
    """The address of a server that is not there: nothing listens, and nothing will while the block lasts."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        """Write down what came, and answer as told."""
        folder = cast("_Server", self.server).folder
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
        headers = {name.lower(): value for name, value in self.headers.items()}
        got = {"method": self.command, "path": self.path, "headers": headers, "body": body}
        told = json.loads((folder / "answer.json").read_text())
        with (folder / "got.jsonl").open("a") as file:
            file.write(json.dumps(got) + "\n")
            file.flush()
            os.fsync(file.fileno())
        getattr(self, f"_{told['mode']}")(told, got)

    do_POST = do_GET = do_PUT = do_DELETE = do_HEAD = answer  # noqa: N815 - the base class looks for these

    def _answer(self, told: dict[str, Any], got: object) -> None:
        del got
        data = told["body"].encode()
        self.send_response(told["status"])
        for name, value in {"Content-Type": "application/json", **told["headers"]}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _echo(self, told: dict[str, Any], got: object) -> None:
        said = {"message": json.dumps(got), "errors": [{"message": json.dumps(got), "field": None}], "code": 1}
        self._answer({**told, "body": json.dumps(said)}, got)

    def _hang(self, told: object, got: object) -> None:
        del told, got
        Event().wait()

    def _reset(self, told: object, got: object) -> None:
        del told, got
        # Closed without a word, and what was not read is thrown away: the other side sees a reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.connection.close()
        self.close_connection = True

    def _drip(self, told: object, got: object) -> None:
        del told, got
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not Event().wait(0.05):
                self.wfile.write(b" ")
        self.close_connection = True

    def _garbage(self, told: object, got: object) -> None:
        del told, got
        self.wfile.write(b"<html>\x00\xff this is no HTTP\r\n\r\n")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing is said."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder

    def handle_error(self, *_: object) -> None:
        """Whoever hangs up hangs up."""


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = _Server(Path(sys.argv[1]))
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
