"""A real CalDAV server on this machine: Radicale, in a process and a folder of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from base64 import b64encode
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep

USER, PASSWORD = "workshop", "torque-wrench"
PATIENCE = 20.0


class CalDavServer:
    """Start it, talk to it as somebody with a calendar program would, stop it, start it again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "users").write_text(f"{USER}:{PASSWORD}\n")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.root = f"/{USER}/"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = {
            "hosts": f"127.0.0.1:{self.port}",
            "storage-filesystem-folder": str(self.folder / "collections"),
            "auth-type": "htpasswd",
            "auth-htpasswd-filename": str(self.folder / "users"),
            "auth-htpasswd-encryption": "plain",
            "auth-delay": "0",
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "radicale", "--config", "", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = monotonic() + PATIENCE
        while monotonic() < until:
            try:
                self.ask("PROPFIND", self.root, Depth="0")
            except OSError:
                assert self.process.poll() is None, "Radicale did not start"
                sleep(0.02)  # there is no other way to wait for somebody else's process
            else:
                return
        raise TimeoutError

    def stop(self) -> None:
        """Stop, as for maintenance."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def calendar(self, name: str) -> str:
        """Make a calendar; its address."""
        status, _, _ = self.ask("MKCALENDAR", f"{self.root}{name}/")
        assert status == 201
        return f"http://127.0.0.1:{self.port}{self.root}{name}/"

    def put(self, calendar: str, name: str, event: str) -> None:
        """Write an event by hand."""
        document = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//hand//EN\n{event}END:VCALENDAR\n".replace("\n", "\r\n")
        status, _, body = self.ask("PUT", f"{self.root}{calendar}/{name}.ics", document.encode())
        assert status in {201, 204}, body

    def names(self, calendar: str) -> list[str]:
        """The events that stand in a calendar, by file."""
        folder = self.folder / "collections" / "collection-root" / USER / calendar
        return sorted(path.name.removesuffix(".ics") for path in folder.glob("*.ics"))

    def text(self, calendar: str, name: str) -> str:
        """An event as it stands there."""
        return self.ask("GET", f"{self.root}{calendar}/{name}.ics")[2].decode().replace("\r\n", "\n")

    def change(self, calendar: str, name: str, *changes: tuple[str, str]) -> None:
        """Edit an event by hand."""
        text = self.text(calendar, name)
        for old, new in changes:
            assert old in text, text
            text = text.replace(old, new)
        assert self.ask("PUT", f"{self.root}{calendar}/{name}.ics", text.encode())[0] in {201, 204}

    def delete(self, calendar: str, name: str) -> None:
        """Take an event away by hand."""
        assert self.ask("DELETE", f"{self.root}{calendar}/{name}.ics")[0] == 200

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """One request, as the calendars' owner."""
        word = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, {"Authorization": f"Basic {word}", **headers})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()
