"""A web server in a process of its own that takes webhooks: what it was sent lies in a file, line by line.

    python tests/webhook_server.py FOLDER

It prints its port, and answers with the status in FOLDER/status (200 where there is none).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


def serve(folder: Path) -> None:
    """Answer until killed."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            with (folder / "got.jsonl").open("a") as file:
                file.write(json.dumps({"path": self.path, "headers": headers, "body": body}) + "\n")
            status = folder / "status"
            self.send_response(int(status.read_text()) if status.exists() else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Nothing is said."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


class Receiver:
    """The server as a test sees it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.url = folder, f"http://127.0.0.1:{port}/corrections"

    def answers(self, status: int) -> None:
        (self.folder / "status").write_text(str(status))

    @property
    def got(self) -> list[dict]:
        path = self.folder / "got.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@contextmanager
def receiver(folder: Path) -> Iterator[Receiver]:
    """A server that runs, until the end of the block."""
    folder.mkdir()
    command = [sys.executable, __file__, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Receiver(folder, int(process.stdout.readline()))
        process.kill()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
