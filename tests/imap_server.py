"""A mailbox on a real IMAP server, pymap, in a process of its own."""

from __future__ import annotations

import imaplib
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from smtp_server import certificate

USER, PASSWORD = "bounces", "a-password-of-ours"


class Mailbox:
    """The mailbox as a test fills it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.certificate, self.port = folder / "certificate.pem", port

    @contextmanager
    def signed_in(self) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4("localhost", self.port) as server:
            server.starttls(ssl.create_default_context(cafile=self.certificate))
            server.login(USER, PASSWORD)
            yield server

    def add(self, mail: bytes, at: datetime, folder: str = "INBOX") -> None:
        with self.signed_in() as server:
            assert server.append(folder, None, imaplib.Time2Internaldate(at), mail)[0] == "OK"

    def flags(self) -> list[bytes]:
        """The UIDs and flags of all that lies there."""
        with self.signed_in() as server:
            server.select("INBOX", readonly=True)
            return [one for one in server.uid("FETCH", "1:*", "(FLAGS)")[1] if one]


@contextmanager
def imap_server(folder: Path) -> Iterator[Mailbox]:
    """The server, with one empty mailbox, until the end of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    path = certificate(folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("pymap")
    options = ["--host", "127.0.0.1", "--port", str(port), "--cert", str(path), "--key", str(path)]
    backend = ["dict", "--demo-user", USER, "--demo-password", PASSWORD]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, *options, *backend], stdout=log, stderr=log)
        try:
            _until_there(process, port)
            yield Mailbox(folder, port)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _until_there(process: subprocess.Popen[bytes], port: int) -> None:
    end = datetime.now(UTC).timestamp() + 30
    while process.poll() is None and datetime.now(UTC).timestamp() < end:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise RuntimeError("pymap did not start")
