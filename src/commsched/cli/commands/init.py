"""``commsched init``."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from commsched.cli.session import Session, command

FOLDERS = ("config", "plugins", "templates", "facts")
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc")


@command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def init(session: Session, folder: Path) -> None:
    """Make a new deployment in DIR: configuration, rules, templates, plugins, and sample facts to try them on.

    DIR must be empty or not there yet. Everything in it is yours to change.

    Example: commsched init northside
    """
    from commsched.errors import Misuse

    if folder.exists() and any(folder.iterdir()):
        raise Misuse(f"{folder} is not empty; name a folder that is not there yet.")
    source = shipped()
    for name in FOLDERS:
        shutil.copytree(source / name, folder / name, ignore=_IGNORED)
    (folder / ".gitignore").write_text("# The database, and what goes out\nvar/\n__pycache__/\n", "utf-8")
    steps = ("demo", "check", "import facts/*.jsonl")
    text = "\n".join(
        [f"Made a deployment in {folder}. Next:", f"  cd {folder}", *(f"  commsched {step}" for step in steps)]
    )
    session.say(text, folder=str(folder))


def shipped() -> Path:
    """Where the shipped deployment lies: in the wheel, or at the root of the repository."""
    package = Path(__file__).resolve().parents[2]
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parents[1]
