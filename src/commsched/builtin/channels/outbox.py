"""Messages into a folder: for a provider that fetches them, for trial runs, and for tests that must find every one.

A message counts as accepted once its line in ``outbox.jsonl`` is on the disk. That line holds all of it; the ``.eml``
and ``.txt`` files beside it are for people, and the last of them are made again if they are missing at the start. An
attempt that stands in the journal is never written twice. One that does not was never accepted, and whoever asks for it
has that written down, so that a worker which was held up cannot hand it over afterwards: no message stays in doubt.
Several processes may share the folder::

    [[channels]]
    name = "mail"
    kind = "outbox"
    medium = "email"
    folder = "var/outbox"
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from commsched import (
    Accepted,
    Ambiguous,
    Attempt,
    Capabilities,
    Channel,
    Journal,
    Outcome,
    Outgoing,
    Receipt,
    Settings,
    TryLater,
    crash_point,
    hookimpl,
)

BATCH = 500
VOID = "void "
_KEY = re.compile(rb'\{"attempt": "(?:[^"\\]|\\.)*", "key": ("(?:[^"\\]|\\.)*")')


class OutboxSettings(Settings):
    """Which messages, and where they are laid down."""

    medium: Literal["email", "sms", "voice", "letter"] = Field(description="The medium that it stands for.")
    folder: str = Field(default="var/outbox", description="The folder, from the deployment's folder.")


class Outbox(Channel[OutboxSettings]):
    """Appends messages to a journal, a batch at a time, and writes a file for each."""

    kind = "outbox"
    capabilities = Capabilities(lookup="proof", batch=BATCH)

    def __init__(
        self, settings: OutboxSettings, *, name: str, folder: Path = Path(), zone: ZoneInfo | None = None
    ) -> None:
        super().__init__(settings, name=name, folder=folder, zone=zone)
        self._journal = Journal(folder / settings.folder / "outbox.jsonl", remember=BATCH)
        self._keys: set[bytes] = set()
        self._keys_end = 0

    async def send(self, message: Outgoing) -> Accepted:
        """Lay one message down."""
        (outcome,) = await self.send_batch([message])
        if isinstance(outcome, Accepted):
            return outcome
        raise outcome

    async def send_batch(self, messages: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Lay messages down; they are on the disk together, or none is.

        It waits for the disk in this thread, on purpose: a cancelled call has then either not begun or ended, and
        ``lookup`` can prove which.
        """
        failed: Outcome = TryLater("It was too late to send this message.")
        try:
            with self._journal.locked():
                self._restore_files()
                timely = {one.attempt: _record(one) for one in messages if one.at <= one.send_by}
                self._accept([record for attempt, record in timely.items() if not self._has(attempt)])
        except Ambiguous as doubt:
            failed = doubt
        except OSError as error:
            failed = TryLater(f"The outbox {self.name} cannot be written: {error.strerror}.")
        return [Accepted(one.attempt) if one.attempt in self._journal else failed for one in messages]

    async def lookup(self, attempt: Attempt) -> Receipt | None:
        """What is in the journal was accepted, under this attempt or, before a backup was restored, under another.

        Nothing else was, nor will it be.
        """
        with self._journal.locked():
            if attempt.id in self._journal or self._knows(attempt.key):
                return Receipt(attempt.id, "accepted", attempt.id)
            if not self._has(attempt.id):
                self._journal.append([{"void": f"{VOID}{attempt.id}", "key": attempt.key}])
        return None

    def forget(self, attempts: Collection[str]) -> None:
        """The journal keeps that an attempt was accepted, or never will be, and the folder no file."""
        with self._journal.locked():
            for record in self._journal.blank([*attempts, *(f"{VOID}{attempt}" for attempt in attempts)]):
                if "file" in record:
                    (self._journal.path.parent / record["file"]).unlink(missing_ok=True)

    def _has(self, attempt: str) -> bool:
        """Whether the attempt has ended here: it was accepted, or it never will be."""
        return attempt in self._journal or f"{VOID}{attempt}" in self._journal

    def _knows(self, key: str) -> bool:
        """Whether the journal has a message; the keys are read when they are first asked for, which is seldom."""
        for line in self._journal.lines(self._keys_end):
            if match := _KEY.match(line):
                self._keys.add(match[1])
        self._keys_end = self._journal.end
        return json.dumps(key).encode() in self._keys

    def _accept(self, records: Sequence[Mapping[str, str]]) -> None:
        if not records:
            return
        crash_point("outbox-before-accept")
        self._journal.append(records)
        crash_point("outbox-after-accept")
        for record in records:
            self._write_file(record, _content(record))

    def _restore_files(self) -> None:
        """Write what a crash kept the last process from writing."""
        while self._journal.recent:
            record = json.loads(self._journal.recent.popleft())
            if "file" not in record:
                continue  # void, or forgotten
            path, content = self._journal.path.parent / record["file"], _content(record)
            if not path.exists() or path.stat().st_size != len(content):
                self._write_file(record, content)

    def _write_file(self, record: Mapping[str, str], content: bytes) -> None:
        """The journal has it all, so a file that cannot be written takes nothing back."""
        with suppress(OSError):
            (self._journal.path.parent / record["file"]).write_bytes(content)


def _record(message: Outgoing) -> dict[str, str]:
    """A line of the journal; the e-mail's bytes stand in it as text from which the same bytes can be made."""
    mark = blake2b(message.key.encode(), digest_size=8).hexdigest()
    ending = "eml" if message.medium == "email" else "txt"
    return {
        "attempt": message.attempt,
        "key": message.key,
        "medium": message.medium,
        "to": message.to,
        "subject": message.subject,
        "text": message.text,
        "at": message.at.isoformat(),
        "file": f"{message.at:%Y%m%d-%H%M%S}-{mark}.{ending}",
        "mime": message.mime.decode("utf-8", "surrogateescape"),
    }


def _content(record: Mapping[str, str]) -> bytes:
    if record["mime"]:
        return record["mime"].encode("utf-8", "surrogateescape")
    head = [f"To: {record['to']}", *([f"Subject: {record['subject']}"] if record["subject"] else [])]
    return "\n".join([*head, "", record["text"], ""]).encode()


@hookimpl
def register_channels() -> list[type[Outbox]]:
    """Announce the kind."""
    return [Outbox]
