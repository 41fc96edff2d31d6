"""The outbox: a journal that is the truth, files for people, and nothing in doubt."""

from __future__ import annotations

import asyncio
import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commsched import Accepted, Ambiguous, Attempt, Outcome, Outgoing, TryLater
from commsched.builtin.channels.console import Console, ConsoleSettings
from commsched.builtin.channels.outbox import Outbox, OutboxSettings

AT = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)


def message(
    number: int = 1, medium: str = "email", mime: bytes = b"Subject: Oil\r\n\r\nDue.\r\n", **fields
) -> Outgoing:
    """A message, one of many."""
    given = {
        "subject": "Oil",
        "text": "It is due.",
        "html": "",
        "send_by": AT + timedelta(hours=1),
        "at": AT,
        "mime": mime,
    }
    to = "ann@mail.example" if medium == "email" else "+13125550142"
    return Outgoing(
        attempt=f"attempt-{number}", key=f"ann/oil/{number}", medium=medium, to=to, name="Ann", **given | fields
    )


def outbox(folder: Path, medium: str = "email") -> Outbox:
    """An outbox in a deployment."""
    return Outbox(OutboxSettings.model_validate({"medium": medium}), name="mail", folder=folder)


def send(channel: Outbox, *messages: Outgoing) -> Sequence[Outcome]:
    """Hand over a batch."""
    return asyncio.run(channel.send_batch(messages))


def known(channel: Outbox, one: Outgoing) -> bool:
    """What the channel says of an attempt."""
    attempt = Attempt(one.attempt, one.key, "ann", "mail", one.to, AT, one.send_by)
    return asyncio.run(channel.lookup(attempt)) is not None


def lines(folder: Path) -> list[dict[str, str]]:
    """The journal."""
    return [json.loads(line) for line in (folder / "var/outbox/outbox.jsonl").read_bytes().splitlines()]


def files(folder: Path, ending: str) -> list[Path]:
    """The files for people."""
    return sorted((folder / "var/outbox").glob(f"*.{ending}"))


def test_a_message_is_a_line_and_a_file(tmp_path):
    """The line holds all of the message; the file is the e-mail itself, named by time and without a name in it."""
    mime = b"Subject: =?utf-8?b?w7Y=?=\r\n\r\n\xc3\xb6 \xff\r\n"
    assert send(outbox(tmp_path), message(mime=mime)) == [Accepted("attempt-1")]
    (line,) = lines(tmp_path)
    (file,) = files(tmp_path, "eml")
    assert list(line) == ["attempt", "key", "medium", "to", "subject", "text", "at", "file", "mime"]
    assert line["mime"].encode("utf-8", "surrogateescape") == mime == file.read_bytes()
    assert line["file"] == file.name
    assert file.name.startswith("20261123-150405-")
    assert "ann" not in file.name


def test_a_text_is_a_readable_file(tmp_path):
    """A text message shows to whom it goes and what it says."""
    send(outbox(tmp_path, "sms"), message(medium="sms", mime=b"", subject=""))
    (file,) = files(tmp_path, "txt")
    assert file.read_text() == "To: +13125550142\n\nIt is due.\n"


def test_the_same_attempt_is_one_line(tmp_path):
    """An attempt that stands in the journal is accepted again and not written again, by a later process too."""
    first = outbox(tmp_path)
    assert send(first, message(), message()) == [Accepted("attempt-1")] * 2
    assert send(first, message()) == [Accepted("attempt-1")]
    assert send(outbox(tmp_path), message()) == [Accepted("attempt-1")]
    assert len(lines(tmp_path)) == 1


def test_what_is_forgotten_was_accepted_and_says_nothing(tmp_path):
    """The line keeps its place and the attempt's id; another process, which knew it, goes on as before."""
    channel, other = outbox(tmp_path), outbox(tmp_path)
    send(channel, message(1), message(2))
    send(other, message(3))
    length = (tmp_path / "var/outbox/outbox.jsonl").stat().st_size
    for _ in range(2):
        channel.forget(["attempt-1", "attempt-9"])
    assert (tmp_path / "var/outbox/outbox.jsonl").stat().st_size == length
    assert [list(line) for line in lines(tmp_path)] == [["attempt"], *([list(lines(tmp_path)[1])] * 2)]
    assert len(files(tmp_path, "eml")) == 2
    assert send(other, message(1)) == [Accepted("attempt-1")]
    assert known(outbox(tmp_path), message(1))
    send(outbox(tmp_path), message(4))
    assert [line["attempt"] for line in lines(tmp_path)] == [f"attempt-{number}" for number in (1, 2, 3, 4)]
    assert len(files(tmp_path, "eml")) == 3


def test_two_instances_share_a_folder(tmp_path):
    """What one has accepted the other knows, without being told."""
    mail, text = outbox(tmp_path), outbox(tmp_path, "sms")
    send(mail, message(1))
    send(text, message(2, "sms", b""))
    assert known(text, message(1))
    assert known(mail, message(2, "sms"))
    assert not known(mail, message(3))


def test_a_late_message_comes_back(tmp_path):
    """A message whose time is over is not written; the others of its batch are."""
    late = message(2, send_by=AT - timedelta(seconds=1))
    first, second = send(outbox(tmp_path), message(1), late)
    assert isinstance(first, Accepted)
    assert isinstance(second, TryLater)
    assert [line["attempt"] for line in lines(tmp_path)] == ["attempt-1"]


def test_a_torn_last_line_never_counted(tmp_path):
    """What a crash left of a last line is cut off: it was not accepted, and once looked up it never will be."""
    send(outbox(tmp_path), message(1), message(2))
    journal = tmp_path / "var/outbox/outbox.jsonl"
    journal.write_bytes(journal.read_bytes()[:-9])
    again = outbox(tmp_path)
    assert known(again, message(1))
    assert not known(again, message(2))
    assert isinstance(send(again, message(2))[0], TryLater)
    send(again, message(3))
    assert [line["attempt"] for line in lines(tmp_path) if "attempt" in line] == ["attempt-1", "attempt-3"]


def test_files_come_back_from_the_journal(tmp_path):
    """Files that a crash kept from being written, or cut short, are written at the first use."""
    send(outbox(tmp_path), message(1), message(2))
    one, other = files(tmp_path, "eml")
    one.unlink()
    other.write_bytes(b"Sub")
    send(outbox(tmp_path), message(3))
    assert [file.read_bytes() for file in files(tmp_path, "eml")] == [message().mime] * 3


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_takes_nothing(tmp_path, monkeypatch, call):
    """With the disk full nothing is accepted and the journal is as before; with room again the batch goes."""
    channel = outbox(tmp_path)
    send(channel, message(1))
    before = (tmp_path / "var/outbox/outbox.jsonl").read_bytes()
    real, used = getattr(os, call), []

    def full(file, *data):
        if used:
            return real(file, *data)
        used.append(file)
        if data:
            real(file, data[0][:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        first, second = send(channel, message(2), message(1))
    assert isinstance(first, TryLater)
    assert "No space left" in str(first)
    assert isinstance(second, Accepted)
    assert (tmp_path / "var/outbox/outbox.jsonl").read_bytes() == before
    assert send(channel, message(2)) == [Accepted("attempt-2")]


def test_what_can_be_neither_written_nor_put_right_is_in_doubt(tmp_path, monkeypatch):
    """If even taking back fails, the channel does not claim to know."""
    channel = outbox(tmp_path)
    send(channel, message(1))

    def broken(*_):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", broken)
        (outcome,) = send(channel, message(2))
    assert isinstance(outcome, Ambiguous)


def test_a_folder_that_cannot_be_written_is_no_refusal(tmp_path):
    """Where a file is in the folder's place, the message comes back to be tried later, with the reason."""
    (tmp_path / "var").write_text("in the way")
    (outcome,) = send(outbox(tmp_path), message())
    assert isinstance(outcome, TryLater)
    assert "outbox mail cannot be written" in str(outcome)


def test_a_file_for_people_that_cannot_be_written_takes_nothing_back(tmp_path):
    """The line is the accept; a file that fails is written again at the next start."""
    send(outbox(tmp_path), message(1))
    (file,) = files(tmp_path, "eml")
    file.unlink()
    (tmp_path / "var/outbox/outbox.jsonl").unlink()
    file.mkdir()
    assert send(outbox(tmp_path), message(1)) == [Accepted("attempt-1")]
    assert len(lines(tmp_path)) == 1


def test_a_journal_that_was_put_away_begins_anew(tmp_path):
    """When the journal is moved aside while the service runs, the next message begins a new one."""
    channel = outbox(tmp_path)
    send(channel, message(1))
    (tmp_path / "var/outbox/outbox.jsonl").rename(tmp_path / "var/outbox/old.jsonl")
    send(channel, message(2))
    assert [line["attempt"] for line in lines(tmp_path)] == ["attempt-2"]


def _worker(folder: Path, first: int) -> None:
    channel = outbox(folder)
    for batch in range(5):
        start = first + batch * 20
        asyncio.run(channel.send_batch([message(number) for number in range(start, start + 20)]))


def test_several_processes_append_at_once(tmp_path):
    """Four processes with overlapping attempts: every attempt once, every line whole."""
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_worker, args=(tmp_path, first)) for first in (0, 50, 100, 150)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert sorted(line["attempt"] for line in lines(tmp_path)) == sorted(f"attempt-{number}" for number in range(250))


CRASH = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_outbox import message, outbox
asyncio.run(outbox(Path(sys.argv[1])).send_batch([message(1), message(2)]))
"""


@pytest.mark.parametrize(("point", "accepted"), [("outbox-before-accept", 0), ("outbox-after-accept", 2)])
def test_a_kill_at_the_accept_leaves_no_doubt(tmp_path, point, accepted):
    """Killed before the accept, nothing was accepted; killed after it, everything was, and the files come back."""
    command = [sys.executable, "-c", CRASH, str(tmp_path), str(Path(__file__).parent)]
    killed = subprocess.run(command, env=os.environ | {"COMMSCHED_CRASH": point}, check=False)
    assert killed.returncode == -signal.SIGKILL
    again = outbox(tmp_path)
    assert [known(again, message(number)) for number in (1, 2)] == [accepted == 2] * 2
    assert files(tmp_path, "eml") == []
    send(again, message(3), message(4))
    accepted_now = [line for line in lines(tmp_path) if "attempt" in line]
    assert len(accepted_now) == len(files(tmp_path, "eml")) == accepted + 2


def test_the_console_shows_messages(capsys):
    """The console prints to whom and what, on the stream that the settings name."""
    for stream in ("stderr", "stdout"):
        channel = Console(ConsoleSettings(medium="sms", stream=stream), name="screen")
        asyncio.run(channel.send(message(medium="sms", subject="")))
        shown = getattr(capsys.readouterr(), "err" if stream == "stderr" else "out")
        assert shown == "--- sms to Ann <+13125550142>\nIt is due.\n---\n"
