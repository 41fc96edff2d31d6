"""E-mail by a mail server (RFC 5321).

Connections are kept and used again. The server is known by its certificate, and a password is never sent in the clear::

    [[channels]]
    name = "mail"
    kind = "smtp"
    host = "smtp.example.org"
    user = "reminders"
    password = "env:SMTP_PASSWORD"
    bounces = "bounces@example.org"
    maildir = "/var/mail/bounces"      # what comes back and what people answer, as the mail server lays it down
    # or: imap_host = "imap.example.org", with imap_user and imap_password

A connection that is lost before the final dot took nothing; one that is lost after it leaves doubt (RFC 1047), which
only a bounce, an answer or a person ends: a mail server cannot be asked. Its reply to the final dot may take ten
minutes (RFC 5321, 4.5.3.2.6): after half a minute the message is in doubt, and a reply that comes later ends that.
The Message-ID is the one that the message was written with, but no server is bound to know it again.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from email import policy
from email.parser import BytesHeaderParser
from email.utils import parseaddr
from functools import partial
from pathlib import Path
from queue import Empty, LifoQueue
from time import monotonic
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, model_validator

from commsched import (
    Accepted,
    Ambiguous,
    Calls,
    Capabilities,
    Channel,
    ChannelDown,
    ChannelEvent,
    Outgoing,
    Refused,
    Settings,
    TryLater,
    Unreadable,
    hookimpl,
    time_left,
)
from commsched.builtin.channels import imap, maildir
from commsched.builtin.channels.smtp_replies import GO_ON, OK, check

PORTS = {"starttls": 587, "tls": 465, "none": 25}
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
# Within so many seconds a message is begun and its text asked for, or it comes back: a call that is given up by whoever
# waits for it would leave doubt, though nothing was taken.
SOON, TEXT = 10.0, 20.0
# A connection that has been idle for longer is asked whether it still stands.
IDLE_SECONDS = 5.0
SHUTTING_DOWN = 421


class SmtpSettings(Settings):
    """The mail server, and how long it is waited for."""

    host: str = Field(min_length=1, description="The mail server.")
    port: int = Field(default=0, ge=0, le=65535, description="Its port; default: 587, 465 with `tls`, 25 with `none`.")
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="How it is encrypted; `none` is for a server on this machine or in this network.",
    )
    user: str = Field(default="", description="Who signs in; default: nobody.")
    password: SecretStr = Field(default=SecretStr(""), description="As `env:NAME` or `file:PATH`.")
    authorities: str = Field(
        default="", description="A file of certificates that are trusted in place of the system's, from the deployment."
    )
    bounces: str = Field(
        default="", description="The address that undelivered mail comes back to; default: the From line's."
    )
    maildir: str = Field(
        default="", description="A Maildir with what comes back and what people answer, from the deployment's folder."
    )
    imap_host: str = Field(
        default="", description="A mail server that gives out, by IMAP, what comes back and what people answer."
    )
    imap_port: int = Field(default=0, ge=0, le=65535, description="Its port; default: 993, 143 with `starttls`.")
    imap_security: Literal["tls", "starttls"] = Field(
        default="tls", description="How it is encrypted, as it always is."
    )
    imap_user: str = Field(default="", description="Who signs in there; default: `user`.")
    imap_password: SecretStr = Field(
        default=SecretStr(""), description="As `env:NAME` or `file:PATH`; default: `password`."
    )
    imap_folder: str = Field(default="INBOX", description="The mailbox; nothing in it is changed or deleted.")
    connections: int = Field(default=4, ge=1, le=50, description="How many connections are open at once.")
    timeout: float = Field(default=10.0, gt=0, le=300, description="How many seconds the server has for each reply.")
    final_timeout: float = Field(
        default=600.0, gt=0, le=3600, description="How many seconds it has for the reply to the message itself."
    )

    @model_validator(mode="after")
    def _kept_secret(self) -> SmtpSettings:
        if self.user and self.security == "none" and self.host not in LOCAL:
            message = 'a password must not go in the clear; set security = "starttls" or "tls"'
            raise ValueError(message)
        return self


class Smtp(Channel[SmtpSettings]):
    """Hands e-mails to a mail server."""

    kind = "smtp"
    medium = "email"
    capabilities = Capabilities(inbound=True, proven=False)

    def __init__(
        self, settings: SmtpSettings, *, name: str, folder: Path = Path(), zone: ZoneInfo | None = None
    ) -> None:
        super().__init__(settings, name=name, folder=folder, zone=zone)
        self._calls = Calls(SOON + settings.final_timeout, at_once=settings.connections, begin=SOON)
        self._idle: LifoQueue[tuple[float, smtplib.SMTP]] = LifoQueue()
        self._reading = Calls(maildir.READING, at_once=1)
        self._boxes = self._mailboxes()

    @property
    def patience(self) -> timedelta:
        """As long as the server may take for its reply to the final dot."""
        return timedelta(seconds=SOON + self.settings.final_timeout)

    async def send(self, message: Outgoing) -> Accepted:
        """Hand the message over; the reference is its Message-ID, by which whatever comes back knows it."""
        head = BytesHeaderParser(policy=policy.compat32).parsebytes(message.mime)
        sender = self.settings.bounces or parseaddr(str(head["From"]))[1]
        time_left(message)
        reference, until = str(head["Message-ID"] or "").strip("<>"), monotonic() + TEXT
        return await self._calls.run(partial(self._send, message, sender, reference, until))

    async def inbound(self, since: datetime) -> Sequence[ChannelEvent]:
        """What came in since then: bounces, complaints, answers; none where no mailbox is named."""
        found: list[ChannelEvent] = []
        for where, box in self._boxes.items():
            try:
                found += await self._reading.run(partial(box.arrived, since))
            except (*maildir.UNREADABLE, *imap.UNREADABLE) as error:
                raise Unreadable(self.name, f"the {where} cannot be read ({type(error).__name__})") from None
        return found

    def _mailboxes(self) -> dict[str, maildir.MaildirBox | imap.ImapBox]:
        """The mailboxes that are named, each as a problem calls it."""
        settings = self.settings
        found: dict[str, maildir.MaildirBox | imap.ImapBox] = {}
        if settings.maildir:
            path = self.folder / settings.maildir
            found[f"Maildir {path}"] = maildir.MaildirBox(path)
        if settings.imap_host:
            account = imap.ImapAccount(
                settings.imap_host,
                settings.imap_port,
                settings.imap_security,
                settings.imap_user or settings.user,
                (settings.imap_password.get_secret_value() or settings.password.get_secret_value()),
                settings.imap_folder,
                str(self.folder / settings.authorities) if settings.authorities else "",
                settings.timeout,
            )
            found[f"mailbox at {settings.imap_host}"] = imap.ImapBox(account)
        return found

    def _send(self, message: Outgoing, sender: str, reference: str, until: float) -> Accepted:
        time_left(message)
        server = self._begun(message, sender)
        kept = False
        try:
            self._recipient(server, message.to)
            self._data(server, message.mime, until)
            kept = True
        except (Refused, TryLater) as outcome:
            kept = not isinstance(outcome, ChannelDown) and _reset(server)
            raise
        finally:
            self._put_back(server, kept=kept)
        return Accepted(reference)

    def _begun(self, message: Outgoing, sender: str) -> smtplib.SMTP:
        """A connection on which the message is begun: one that stood idle, if it still stands, else a new one."""
        options = [f"SIZE={len(message.mime)}"]
        while True:
            try:
                since, server = self._idle.get_nowait()
            except Empty:
                break
            try:
                if monotonic() - since > IDLE_SECONDS and server.noop()[0] != OK:
                    server.close()
                    continue
                code, said = server.mail(sender, options if server.has_extn("size") else [])
            except (OSError, smtplib.SMTPException):
                server.close()
                continue
            if code == SHUTTING_DOWN:
                server.close()
                continue
            return self._checked(server, code, said)
        server = self._connected()
        try:
            code, said = server.mail(sender, options if server.has_extn("size") else [])
        except (OSError, smtplib.SMTPException) as error:
            server.close()
            raise TryLater(f"The mail server hung up ({type(error).__name__}).") from None
        return self._checked(server, code, said)

    def _checked(self, server: smtplib.SMTP, code: int, said: bytes) -> smtplib.SMTP:
        try:
            check(code, said, recipient=False)
        except (Refused, TryLater, Ambiguous) as outcome:
            self._put_back(server, kept=not isinstance(outcome, ChannelDown) and _reset(server))
            raise
        return server

    def _put_back(self, server: smtplib.SMTP, *, kept: bool) -> None:
        if kept:
            self._idle.put((monotonic(), server))
        else:
            server.close()

    def _connected(self) -> smtplib.SMTP:
        """A new connection, encrypted and signed in. Raises :class:`ChannelDown`, as nothing is sent without."""
        settings = self.settings
        server: smtplib.SMTP | None = None
        try:
            context = ssl.create_default_context(
                cafile=str(self.folder / settings.authorities) if settings.authorities else None
            )
            port = settings.port or PORTS[settings.security]
            if settings.security == "tls":
                server = smtplib.SMTP_SSL(settings.host, port, timeout=settings.timeout, context=context)
            else:
                server = smtplib.SMTP(settings.host, port, timeout=settings.timeout)
            if settings.security == "starttls":
                server.starttls(context=context)
            server.ehlo_or_helo_if_needed()
            if settings.user:
                server.login(settings.user, settings.password.get_secret_value())
        except (OSError, smtplib.SMTPException) as error:
            if server is not None:
                server.close()
            # The server's words are left out: it may repeat what it was told.
            code = f" {error.smtp_code}" if isinstance(error, smtplib.SMTPResponseException) else ""
            raise ChannelDown(f"There is no connection to the mail server ({type(error).__name__}{code}).") from None
        return server

    def _recipient(self, server: smtplib.SMTP, to: str) -> None:
        try:
            code, said = server.rcpt(to)
        except (OSError, smtplib.SMTPException) as error:
            raise ChannelDown(f"The mail server hung up ({type(error).__name__}).") from None
        check(code, said, recipient=True)

    def _data(self, server: smtplib.SMTP, mime: bytes, until: float) -> None:
        """The message; up to its final dot nothing is taken, and after it nobody knows until the reply."""
        if monotonic() > until:
            raise TryLater("The mail server is too slow; the message was not handed over.")
        try:
            code, said = server.docmd("DATA")
            if code == GO_ON:
                server.send(re.sub(rb"(?m)^\.", b"..", mime.removesuffix(b"\r\n")) + b"\r\n")
        except (OSError, smtplib.SMTPException) as error:
            raise TryLater(f"The mail server hung up before the message's end ({type(error).__name__}).") from None
        if code != GO_ON:
            check(code, said, recipient=False)
            raise TryLater(f"The mail server did not ask for the message ({code}).")
        try:
            if server.sock is not None:
                server.sock.settimeout(self.settings.final_timeout)
            server.send(b".\r\n")
            code, said = server.getreply()
            if server.sock is not None:
                server.sock.settimeout(self.settings.timeout)
        except (OSError, smtplib.SMTPException) as error:
            raise Ambiguous(f"The mail server did not say what it did ({type(error).__name__}).") from None
        check(code, said, recipient=False)


def _reset(server: smtplib.SMTP) -> bool:
    """Make a connection ready for the next message; whether it is."""
    try:
        return server.rset()[0] == OK
    except (OSError, smtplib.SMTPException):
        return False


@hookimpl
def register_channels() -> list[type[Smtp]]:
    """Announce the kind."""
    return [Smtp]
