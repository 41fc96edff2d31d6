"""A mail server in a process of its own that answers, and fails, as it is told; what it took lies in a file.

    python tests/smtp_server.py FOLDER starttls|tls|none

It prints its port. FOLDER/told.json has the reply to each of ``mail``, ``rcpt`` and ``data`` (the final dot), and where
it is to ``lose`` the connection: at ``mail``, ``rcpt``, ``text`` (amid the message) or ``dot``; ``hang``: at the dot.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = "reminders", "a-password-of-ours"


def certificate(folder: Path) -> Path:
    """A certificate for localhost that nobody has signed, with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


class Handler:
    """Writes down what was taken, and answers as told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def told(self) -> dict[str, str]:
        return json.loads((self.folder / "told.json").read_text())

    def note(self, **fields: object) -> None:
        with (self.folder / "got.jsonl").open("a") as file:
            file.write(json.dumps(fields) + "\n")

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        self.note(what="mail", sender=address, port=session.peer[1], tls=session.ssl is not None)
        if self.told.get("lose") == "mail":
            server.transport.abort()
        reply = self.told.get("mail", "250 OK")
        if reply.startswith("250"):
            envelope.mail_from = address
        return reply

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.told.get("lose") == "rcpt":
            server.transport.abort()
        reply = self.told.get("rcpt", "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server, session, envelope):
        reply = self.told.get("data", "250 2.0.0 queued as 4XyZ")
        if reply.startswith("250"):
            self.note(what="taken", to=envelope.rcpt_tos, text=envelope.content.decode())
        if self.told.get("lose") == "dot":
            server.transport.abort()
        if self.told.get("lose") == "hang":
            await asyncio.Event().wait()
        return reply


class Server(SMTP):
    async def smtp_DATA(self, arg):
        if self.event_handler.told.get("lose") == "text":
            await self.push("354 go on")
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


def signs_in(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()), handled=False)


async def serve(folder: Path, security: str) -> None:
    context = None
    if security != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(folder))
    more = {"authenticator": signs_in, "auth_require_tls": True} if context else {}
    made = dict(
        tls_context=context if security == "starttls" else None, require_starttls=security == "starttls", **more
    )
    handler = Handler(folder)
    made["auth_require_tls"] = security == "starttls"
    server = await asyncio.get_running_loop().create_server(
        lambda: Server(handler, hostname="localhost", **made),
        "localhost",
        0,
        family=2,
        ssl=context if security == "tls" else None,
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


class MailServer:
    """The server as a test sees it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    def answers(self, **told: str) -> None:
        (self.folder / "got.jsonl").unlink(missing_ok=True)
        (self.folder / "told.json").write_text(json.dumps(told))

    def _notes(self, what: str) -> list[dict]:
        path = self.folder / "got.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [line for line in lines if line["what"] == what]

    @property
    def taken(self) -> list[dict]:
        return self._notes("taken")

    @property
    def begun(self) -> list[dict]:
        return self._notes("mail")


@contextmanager
def mail_server(folder: Path, security: str = "starttls") -> Iterator[MailServer]:
    """A mail server that runs until the end of the block."""
    folder.mkdir()
    (folder / "told.json").write_text("{}")
    command = [sys.executable, __file__, str(folder), security]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        made = MailServer(folder, int(process.stdout.readline()))
        yield made
        process.kill()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2]))
