"""Copies of the shipped deployment with rules of their own, for stories that it tells only with one more rule."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]


def copy_of_the_deployment(folder: Path) -> Path:
    """A copy of what an operator owns."""
    for name in ("config", "plugins", "templates"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def with_rule(folder: Path, name: str, text: str) -> Path:
    """The deployment with one more rule."""
    (folder / "config" / "rules" / f"{name}.yaml").write_text(text, "utf-8")
    return folder


def with_message(folder: Path, name: str, subject: str, words: str) -> Path:
    """The deployment with one more message, in both of its languages."""
    for place in (folder / "templates" / name, folder / "templates" / name / "es"):
        place.mkdir(parents=True, exist_ok=True)
        (place / "email.txt").write_text(f"Subject: {subject}\n\n{words}\n", "utf-8")
        (place / "email.mjml").write_text(f"<p>{words}</p>\n", "utf-8")
    return folder
