"""A provider in a process of its own, which can be made to fail: what it accepted lies in a ledger on the disk.

    python tests/faults/provider.py FOLDER [PORT]

It prints its port. FOLDER/mode says how it answers the next calls to ``POST /send/LINE``, FOLDER/mode.LINE the same
for one line; ``ok`` where there is none; ``mixed`` fails five in a hundred and hangs for one. An accept is a line in
FOLDER/ledger.jsonl, flushed to the disk before the answer; every call is a line in FOLDER/calls.jsonl. ``GET
/known/ATTEMPT`` tells whether an attempt was accepted; ``GET /inbound`` lists the events in FOLDER/inbound.json.
"""

from __future__ import annotations

import json
import random
import signal
import socket
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock
from time import time

# Those that accept before they fail.
ACCEPTING = {"ok", "accept-then-hang", "accept-then-500", "reset-after", "garbage", "slow-drip"}
MODES = (*sorted(ACCEPTING), "429", "503", "401", "opted-out", "reset-before")


def serve(folder: Path, port: int) -> None:
    """Answer until killed."""
    lock, never = Lock(), Event()
    # Read once: of a hundred thousand lines each question would take longer than anybody waits for an answer.
    accepted = {json.loads(line)["attempt"] for line in _lines(folder / "ledger.jsonl")}

    def write(name: str, line: dict[str, object]) -> None:
        with lock, (folder / name).open("a") as file:
            # What the kernel has outlives this process; waiting for the disk would make a slow provider of it.
            file.write(json.dumps(line) + "\n")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            line = self.path.rpartition("/")[2]
            mode = _read(folder / f"mode.{line}") or _read(folder / "mode") or "ok"
            mode, _, number = mode.partition(":")
            if mode == "mixed":
                mode = random.choices(("ok", "503", "accept-then-hang"), (94, 5, 1))[0]
            write("calls.jsonl", {"line": line, "mode": mode, "key": body["key"], "attempt": body["attempt"]})
            if mode in ACCEPTING:
                write("ledger.jsonl", {"line": line, "got": time(), **body})
                accepted.add(body["attempt"])
            getattr(self, "do_" + mode.replace("-", "_"))(body, number)

        def do_GET(self):
            if self.path == "/inbound":
                self.say(200, _read(folder / "inbound.json") or "[]")
                return
            attempt = self.path.rpartition("/")[2]
            self.say(200 if attempt in accepted else 404, "{}")

        def do_ok(self, body, _):
            self.say(201, json.dumps({"id": f"r-{body['attempt']}"}))

        def do_accept_then_hang(self, *_):
            never.wait(60)

        def do_accept_then_500(self, *_):
            self.say(500, "{}")

        def do_429(self, _, number):
            self.say(429, "{}", {"Retry-After": number or "60"})

        def do_503(self, *_):
            self.say(503, "{}")

        def do_401(self, *_):
            self.say(401, "{}")

        def do_opted_out(self, *_):
            self.say(400, '{"code": 21610}')

        def do_reset_before(self, *_):
            self.reset()

        def do_reset_after(self, *_):
            self.reset()

        def do_garbage(self, *_):
            self.say(200, "\x00<html>it works!")

        def do_slow_drip(self, *_):
            for letter in "HTTP/1.0 201 Created\r\n":
                self.wfile.write(letter.encode())
                if never.wait(0.1):
                    break

        def reset(self):
            """Close the connection with a reset, without a word."""
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.wfile = _Nowhere()

        def say(self, status, body, headers=()):
            self.send_response(status)
            for name, value in dict(headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            """Nothing is said."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_):
            """Whoever hangs up is not worth a word."""

    server = Server(("127.0.0.1", port), Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


class _Nowhere:
    closed = False

    def flush(self):
        """There is nobody to flush to."""

    def close(self):
        """It is closed."""


def _read(path: Path) -> str:
    return path.read_text().strip() if path.exists() else ""


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


class Provider:
    """The provider as a test sees it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None
        self.port = 0
        self.start()

    def start(self) -> None:
        """Begin to answer, on the same port as before."""
        command = [sys.executable, __file__, str(self.folder), str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def stop(self) -> None:
        """Be gone: nobody listens there any more."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def mode(self, mode: str, line: str = "") -> None:
        """How the next calls are answered."""
        path = self.folder / (f"mode.{line}" if line else "mode")
        path.with_suffix(".new").write_text(mode)
        path.with_suffix(".new").replace(path)

    def lists(self, *events: dict[str, object]) -> None:
        """What it tells when it is asked what came in."""
        (self.folder / "inbound.json").write_text(json.dumps(events))

    @property
    def ledger(self) -> list[dict[str, str]]:
        """What it accepted, in order."""
        return [json.loads(line) for line in _lines(self.folder / "ledger.jsonl")]

    @property
    def calls(self) -> list[dict[str, str]]:
        """Every call, in order."""
        return [json.loads(line) for line in _lines(self.folder / "calls.jsonl")]

    @property
    def accepts(self) -> Counter[str]:
        """How often it accepted each key."""
        return Counter(line["key"] for line in self.ledger)


@contextmanager
def provider(folder: Path) -> Iterator[Provider]:
    """A provider that runs until the end of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    found = Provider(folder)
    try:
        yield found
    finally:
        found.stop()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
