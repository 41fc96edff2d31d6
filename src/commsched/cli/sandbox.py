"""Where the demo works: a database of its own, and the folders that messages are laid down in."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from commsched.app import App
from commsched.errors import Misuse

STORE = "sqlite:///var/demo/commsched.db"
MARK = ".demo"
AS_OF = Path("facts/as-of.txt")
_SETTINGS = ("folder", "path")


def clean_store(folder: Path) -> None:
    """Leave no database of an earlier demo."""
    shutil.rmtree(folder / "var" / "demo", ignore_errors=True)
    (folder / "var" / "demo").mkdir(parents=True)


def outboxes(app: App) -> list[Path]:
    """The folders below ``var/`` that channels lay messages down in."""
    var = app.folder / "var"
    named = [getattr(channel.settings, name, None) for channel in app.channels.values() for name in _SETTINGS]
    folders = [(app.folder / name).resolve() for name in dict.fromkeys(named) if isinstance(name, str)]
    return [folder for folder in folders if folder.is_relative_to(var) and folder != var]


def clean_outboxes(folders: Iterable[Path], *, fresh: bool) -> None:
    """Empty the folders of what an earlier demo wrote. Raises :class:`Misuse` rather than touch anything else."""
    for folder in folders:
        held = folder.is_dir() and any(folder.iterdir())
        if held and not fresh and not (folder / MARK).is_file():
            raise Misuse(
                f"{folder} has messages that no demo wrote. Move them away, "
                "or run `commsched demo --fresh` to delete them."
            )
        if folder.is_dir():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        (folder / MARK).write_text(
            "What lies here was written by `commsched demo`, which deletes it next time.\n", "utf-8"
        )
