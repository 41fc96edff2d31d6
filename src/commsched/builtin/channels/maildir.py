"""Mail that came in as a mail server lays it down: a Maildir."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from mailbox import Error, Maildir
from os import scandir
from pathlib import Path
from time import monotonic

from commsched import ChannelEvent, TryLater
from commsched.builtin.channels.mail_events import events_of

# How many seconds a mailbox is read at a time.
READING = 8.0
# What is raised where it cannot be read.
UNREADABLE = (OSError, Error)


class MaildirBox:
    """A Maildir, of which each mail is read once; what it tells is kept for as long as it may be asked for again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # The events of each mail that was read, by its name in the Maildir.
        self._read: dict[str, list[ChannelEvent]] = {}

    def arrived(self, since: datetime) -> list[ChannelEvent]:
        """The events of the mails that came in since then, which is the time of their files: no old one is opened.

        Raises :class:`TryLater` where there are more than can be read in time; the next call goes on from there.
        """
        box, until = Maildir(self.path, factory=None, create=False), monotonic() + READING / 2
        came = sorted(self._since(since.timestamp()))
        self._read = {key: found for _, key in came if (found := self._read.get(key)) is not None}
        for at, key in came:
            if key not in self._read:
                if monotonic() > until:
                    raise TryLater("There is more mail than could be read at once.")
                with suppress(KeyError, FileNotFoundError):  # whoever else reads it has taken it away
                    self._read[key] = list(events_of(box.get_bytes(key), datetime.fromtimestamp(at, UTC)))
        return [event for _, key in came for event in self._read.get(key, ())]

    def _since(self, since: float) -> Iterator[tuple[float, str]]:
        for folder in ("new", "cur"):
            with scandir(self.path / folder) as found:
                for one in found:
                    with suppress(FileNotFoundError):
                        if one.is_file() and (at := one.stat().st_mtime) >= since:
                            yield at, one.name.partition(":")[0]
