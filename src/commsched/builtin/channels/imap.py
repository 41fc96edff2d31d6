"""Mail that came in as a mail server gives it out: by IMAP (RFC 9051), encrypted, and without changing anything there.

By the standard library's client: it needs five commands, and a library would wrap the same. A mail is known by its UID
and the mailbox's UIDVALIDITY, so that each is fetched once; a process that begins anew fetches what is asked for again,
and the events count once by their own ids.
"""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import mktime, monotonic
from typing import Any, Literal

from commsched import ChannelEvent, TryLater
from commsched.builtin.channels.mail_events import events_of
from commsched.builtin.channels.maildir import READING

PORTS = {"tls": 993, "starttls": 143}
# So much of a mail is fetched: what a person wrote stands at its beginning, as does what a report says.
MOST = 1024 * 1024
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
UNREADABLE = (OSError, imaplib.IMAP4.error, ValueError)


@dataclass(frozen=True, slots=True)
class ImapAccount:
    """Where the mailbox is and who signs in; ``authorities`` is a file of certificates in place of the system's."""

    host: str
    port: int
    security: Literal["tls", "starttls"]
    user: str
    password: str
    folder: str
    authorities: str
    timeout: float


class ImapBox:
    """A mailbox, of which each mail is read once; what it tells is kept for as long as it may be asked for again."""

    def __init__(self, account: ImapAccount) -> None:
        self.account = account
        self._validity = ""
        # When each mail came in and its events, by its UID.
        self._read: dict[int, tuple[datetime, list[ChannelEvent]]] = {}

    def arrived(self, since: datetime) -> list[ChannelEvent]:
        """The events of the mails that came in since then, by the server's own time.

        Raises :class:`TryLater` where there are more than can be read in time; the next call goes on from there.
        """
        until = monotonic() + READING / 2
        with self._opened() as server:
            uids = self._listed(server, since)
            self._read = {uid: self._read[uid] for uid in uids if uid in self._read}
            for uid in uids:
                if uid not in self._read:
                    if monotonic() > until:
                        raise TryLater("There is more mail than could be read at once.")
                    self._fetch(server, uid)
        came = [self._read[uid] for uid in uids]
        return [event for at, events in came if at >= since for event in events]

    def _listed(self, server: imaplib.IMAP4, since: datetime) -> list[int]:
        """The UIDs from the day before on: a server goes by days, and by those of its own zone."""
        folder = '"' + self.account.folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
        _ok(server.select(folder, readonly=True))
        validity = str(server.response("UIDVALIDITY")[1])
        if validity != self._validity:
            self._validity, self._read = validity, {}
        day = since.astimezone(UTC) - timedelta(days=1)
        (found,) = _ok(server.uid("SEARCH", "SINCE", f"{day.day}-{MONTHS[day.month - 1]}-{day.year}"))[:1]
        return sorted({int(uid) for uid in (found or b"").split()})

    def _fetch(self, server: imaplib.IMAP4, uid: int) -> None:
        parts = _ok(server.uid("FETCH", str(uid), f"(INTERNALDATE BODY.PEEK[]<0.{MOST}>)"))
        heads = b" ".join(part[0] if isinstance(part, tuple) else part for part in parts if part)
        mails = [part[1] for part in parts if isinstance(part, tuple)]
        came = imaplib.Internaldate2tuple(heads)
        at = datetime.fromtimestamp(mktime(came), UTC) if came is not None else datetime.now(UTC)
        # One that has been taken away meanwhile has no parts, and tells nothing.
        self._read[uid] = at, [event for mail in mails[:1] for event in events_of(mail, at)]

    @contextmanager
    def _opened(self) -> Iterator[imaplib.IMAP4]:
        """A connection, encrypted and signed in; a password is never sent in the clear."""
        account = self.account
        context = ssl.create_default_context(cafile=account.authorities or None)
        port = account.port or PORTS[account.security]
        if account.security == "tls":
            server: imaplib.IMAP4 = imaplib.IMAP4_SSL(account.host, port, ssl_context=context, timeout=account.timeout)
        else:
            server = imaplib.IMAP4(account.host, port, timeout=account.timeout)
        try:
            if account.security == "starttls":
                _ok(server.starttls(context))
            _ok(server.login(account.user, account.password))
            yield server
        finally:
            with suppress(*UNREADABLE):
                server.logout()


def _ok(answer: tuple[str, Sequence[Any]]) -> list[Any]:
    """What was answered. Raises :class:`imaplib.IMAP4.error` where the answer is no."""
    said, data = answer
    if said != "OK":
        raise imaplib.IMAP4.error(said)
    return list(data)
