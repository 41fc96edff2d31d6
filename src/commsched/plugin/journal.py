"""A file of JSON lines that several processes append to, for plugins that hand things over through a folder.

A line counts once it is on the disk. What a crash leaves of a last line never counted, and is cut off.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path

from commsched.plugin.channel import Ambiguous

# Every line begins with its name, so that a long journal is searched without decoding what is in it.
_NAME = re.compile(rb'\{"\w+": ("(?:[^"\\]|\\.)*")')


class Journal:
    """Lines that are known by their first field; every use but ``in`` is inside :meth:`locked`.

    ``recent`` has the last lines that stood in the file when it was first read, at most ``remember`` of them.
    """

    def __init__(self, path: Path, *, remember: int = 0) -> None:
        self.path = path
        self.recent: deque[bytes] = deque(maxlen=remember)
        self._known: set[bytes] = set()
        self._file: BufferedRandom | None = None
        self._inode, self._end = 0, 0

    def __contains__(self, name: str) -> bool:
        return json.dumps(name).encode() in self._known

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The journal, for this process alone, with all that others have written to it known. Raises ``OSError``."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self.path.exists()
        with self.path.open("a+b") as self._file:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            if is_new:
                _sync_folder(self.path.parent)
            self._catch_up(self._file)
            yield

    @property
    def end(self) -> int:
        """How far the file reaches, in bytes."""
        return self._end

    def lines(self, start: int) -> Iterator[bytes]:
        """The lines from a place in the file on, for what is not kept in memory; all, if the file is a new one."""
        if self._file is None:
            raise RuntimeError("lines needs the lock")
        self._file.seek(start if start <= self._end else 0)
        yield from self._file

    def append(self, records: Sequence[Mapping[str, str]]) -> None:
        """Write the records, each with its name as the first field, and wait for the disk; all count, or none does.

        Raises ``OSError`` if they could not be written; :class:`Ambiguous` if that could not be put right either.
        """
        if self._file is None:
            raise RuntimeError("append needs the lock")
        data = b"".join(json.dumps(record).encode() + b"\n" for record in records)
        file = self._file.fileno()
        try:
            _write(file, data)
            os.fsync(file)
        except OSError:
            self._take_back(file)
            raise
        self._end += len(data)
        self._known.update(json.dumps(next(iter(record.values()))).encode() for record in records)

    def blank(self, names: Collection[str]) -> list[dict[str, str]]:
        """Leave of these records only their names, each in its place and as long as before; the records that were.

        Raises ``OSError``. Interrupted, it can be done again.
        """
        if self._file is None:
            raise RuntimeError("blank needs the lock")
        wanted = {json.dumps(name).encode() for name in names} & self._known
        self._file.seek(0)
        found, place = [], 0
        for line in self._file if wanted else ():
            match = _NAME.match(line)
            if match is not None and match[1] in wanted:
                found.append(json.loads(line))
                self._overwrite(place, (match[0] + b"}").ljust(len(line) - 1) + b"\n")
            place += len(line)
        os.fsync(self._file.fileno())
        self.recent.clear()
        return found

    def _overwrite(self, place: int, data: bytes) -> None:
        # The file is open for appending, which writes at its end whatever the place.
        with self.path.open("r+b") as file:
            file.seek(place)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def _take_back(self, file: int) -> None:
        try:
            os.ftruncate(file, self._end)
            os.fsync(file)
        except OSError as error:
            raise Ambiguous(f"{self.path} could neither be written nor put right: {error.strerror}.") from error

    def _catch_up(self, file: BufferedRandom) -> None:
        found = os.fstat(file.fileno())
        if (found.st_ino, found.st_size) == (self._inode, self._end):
            return
        first = self._inode == 0
        if self._inode != found.st_ino or self._end > found.st_size:
            self._known, self._inode, self._end = set(), found.st_ino, 0
        file.seek(self._end)
        for line in file:
            if not line.endswith(b"\n"):
                os.ftruncate(file.fileno(), self._end)
                break
            self._end += len(line)
            if match := _NAME.match(line):
                self._known.add(match[1])
            if first:
                self.recent.append(line)


def _write(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]


def _sync_folder(folder: Path) -> None:
    """A new file's name is safe only once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
