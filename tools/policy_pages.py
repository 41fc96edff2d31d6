"""A page for each bundled policy, and an index of them, made from the code: what ``docs/policies`` holds.

For ``tools/check_docs.py``.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from commsched.loading import load_plugins
from commsched.plugin.base import Policy

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "config" / "commsched.toml"
FORCE = {
    "must_not": "must not: a veto. Nothing else is tried in its place, and nobody is to telephone instead.",
    "could_not": "could not: the rule's fallback runs once it is too late.",
}
COMMON = (
    "Besides these it has those that [every policy has](../configuration.md): `name`, `purposes`, `topics`,\n"
    "`departments`, `media`."
)
_BLOCK = re.compile(r"::\n\n((?:    .*\n|\n)+)")
Table = Callable[[type[BaseModel]], str]


def pages(table: Table) -> dict[str, str]:
    """The text of each page by its name; ``table`` makes the table of a kind's settings."""
    kinds = bundled()
    shipped = dict(_shipped(SHIPPED.read_text("utf-8"), kinds))
    made = {f"{kind}.md": _page(kind, plugin, shipped.get(kind, []), table) for kind, plugin in kinds.items()}
    return {"README.md": _index(kinds, shipped), **made}


def bundled() -> dict[str, type[Policy[Any]]]:
    """The policies that commsched brings along, by kind."""
    plugins = load_plugins(ROOT / "docs").kinds.values()  # a folder without plugins of its own
    return {kind.name: kind.plugin for kind in sorted(plugins, key=lambda kind: kind.name) if kind.what == "policy"}


def _page(kind: str, plugin: type[Policy[Any]], shipped: list[str], table: Table) -> str:
    module = sys.modules[plugin.__module__]
    file = Path(inspect.getfile(plugin)).relative_to(ROOT)
    where = "\n\n".join(f"```toml\n{block}\n```" for block in shipped) or "It is not used there."
    return "\n\n".join(
        [
            f"# `{kind}`",
            _markdown(inspect.getdoc(module) or ""),
            _plain(inspect.getdoc(plugin) or ""),
            _facts(plugin),
            f"## Settings\n\n{table(plugin.settings_type()).rstrip()}\n\n{COMMON}",
            f"## In the shipped deployment\n\n{where}",
            f"Made from [{file.name}](../../{file.as_posix()}). All policies: [README.md](README.md).\n",
        ]
    )


def _facts(plugin: type[Policy[Any]]) -> str:
    rows = [
        ("what stays open", _plain(" ".join((inspect.getdoc(plugin.review) or "").split()))),
        ("code", f"`{plugin.code.name}`"),
        ("force", FORCE[plugin.code.force]),
        ("depends on", ", ".join(sorted(plugin.depends))),
        ("purposes, unless the configuration says others", _names(plugin.purposes)),
        ("media, unless the configuration says others", _names(plugin.media)),
    ]
    return "| | |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows)


def _index(kinds: dict[str, type[Policy[Any]]], shipped: dict[str, list[str]]) -> str:
    rows = []
    for kind, plugin in kinds.items():
        first = _markdown(inspect.getdoc(sys.modules[plugin.__module__]) or "").split("\n\n")[0].replace("\n", " ")
        force = plugin.code.force.replace("_", " ")
        rows.append(f"| [`{kind}`]({kind}.md) | {first} | {force} | {'yes' if kind in shipped else ''} |")
    return (
        "# Policies\n\n"
        "What a message must pass before it goes. Each takes away times or media, none ever adds any, so their order "
        "makes no\ndifference. `commsched check --matrix` shows which of yours has a say in what; writing one: "
        "[plugins.md](../plugins.md).\n\n"
        "| policy | | says | in the shipped deployment |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def _shipped(text: str, kinds: dict[str, type[Policy[Any]]]) -> Iterator[tuple[str, list[str]]]:
    """The tables of each kind as they stand in the shipped configuration, with their comments."""
    found = re.split(r"^(?=\[\[policies\]\])", text, flags=re.MULTILINE)[1:]
    blocks = [re.split(r"^(?:\[(?!\[?policies)|# -)", block, flags=re.MULTILINE)[0].strip() for block in found]
    for kind in kinds:
        mine = [block for block in blocks if f'\nkind = "{kind}"' in block]
        if mine:
            yield kind, mine


def _markdown(text: str) -> str:
    """A docstring as Markdown: its example is TOML."""
    return _BLOCK.sub(lambda m: f":\n\n```toml\n{inspect.cleandoc(m[1])}\n```\n", f"{_plain(text)}\n").strip()


def _plain(text: str) -> str:
    return re.sub(r":\w+:`(\w+)`", r"`\1`", text.replace("``", "`"))


def _names(names: frozenset[str] | set[str] | None) -> str:
    return "all" if names is None else ", ".join(f"`{name}`" for name in sorted(names))
