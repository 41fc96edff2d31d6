"""A folder into which other systems put facts: every ``*.jsonl`` file is taken in, in the order of the names.

Once its facts are safe, a file moves to ``done`` inside the folder. A system that writes slowly should write under
another name (``export.tmp``) and rename when it has finished. A folder that does not exist yet is made. That it is
empty says nothing of the system that fills it: with ``fresh``, it is heard of when a file comes, be it an empty one::

    [[sources]]
    name = "dms"
    kind = "folder"
    path = "inbox"
    fresh = "2d"
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import Field

from commsched import CommschedError, Settings, Source, hookimpl


class FolderSettings(Settings):
    """Which folder."""

    path: str = Field(default="inbox", description="The folder, from the deployment's folder.")


class Folder(Source[FolderSettings]):
    """Reads the files of a folder."""

    kind = "folder"
    delivers = True

    def read(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Each file's lines. Raises :class:`CommschedError` if the folder cannot be read."""
        try:
            self._inbox.mkdir(parents=True, exist_ok=True)
            paths = sorted(path for path in self._inbox.iterdir() if path.suffix == ".jsonl" and path.is_file())
        except OSError as error:
            raise CommschedError(f"The source {self.name} cannot read {self._inbox}: {error.strerror}.") from error
        for path in paths:
            yield path.name, _lines(path)

    def taken(self, batch: str) -> None:
        """Move the file aside; one of the same name that was taken before keeps its place."""
        done = self._inbox / "done"
        done.mkdir(exist_ok=True)
        target, number = done / batch, 1
        while target.exists():
            number += 1
            target = done / f"{Path(batch).stem}-{number}.jsonl"
        (self._inbox / batch).rename(target)

    @property
    def _inbox(self) -> Path:
        return self.folder / self.settings.path


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


@hookimpl
def register_sources() -> list[type[Folder]]:
    """Announce the kind."""
    return [Folder]
