"""What new plugins begin with: for each kind the plugin and its law test, both working as they stand."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template

from commsched.errors import Misuse

KINDS = ("channel", "policy")
_HERE = Path(__file__).parent
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def skeleton(kind: str, name: str) -> Mapping[str, str]:
    """The files of a new plugin, by path in a deployment. Raises :class:`Misuse` for a name that cannot be one."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise Misuse(
            f"A kind cannot be called {name!r}; use small letters, figures and underscores, such as sms_gateway."
        )
    words = {"name": name, "upper": name.upper(), "title": "".join(part.title() for part in name.split("_"))}
    paths = {"": f"plugins/{name}.py", "_test": f"tests/test_{name}.py"}
    return {
        path: Template((_HERE / f"{kind}{part}.txt").read_text("utf-8")).substitute(words)
        for part, path in paths.items()
    }


def write(folder: Path, kind: str, name: str) -> list[Path]:
    """Write a new plugin into a deployment. Raises :class:`Misuse` if one of its files is there already."""
    files = {folder / path: text for path, text in skeleton(kind, name).items()}
    for path in files:
        if path.exists():
            raise Misuse(f"There is a {path.relative_to(folder)} already; choose another name.")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return list(files)
