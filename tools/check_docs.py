"""Keep the generated parts of the documentation in step with the code.

    python tools/check_docs.py [--write]

A generated part stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``; what is around it is written by hand.
The pages in ``docs/policies`` are made whole: one for each bundled policy (``tools/policy_pages.py``).
Without ``--write``, what differs is named, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import difflib
import inspect
import re
import sys
import types
from collections.abc import Callable, Iterator
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import click
import msgspec
from channel_pages import example, kinds
from msgspec import UnsetType
from policy_pages import pages
from pydantic import BaseModel, SecretStr

from commsched.builtin.policies.rules_of_place import Row, shipped_rows
from commsched.cli import cli
from commsched.cli.group import COMMANDS, Commands
from commsched.config import (
    CheckSettings,
    Configuration,
    DepartmentSettings,
    DeploymentSettings,
    FeedbackSettings,
    InstanceSettings,
)
from commsched.engine.meters import METERS
from commsched.keeping import ErasureSettings, RetentionSettings
from commsched.loading import load_plugins
from commsched.model.facts import FACT_TYPES, OWN_TYPES, Fact
from commsched.plugin import hookspecs

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
_PART = re.compile(r"(<!-- generated: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_HEADS = {
    "cli.md": "# Commands\n\n",
    "hooks.md": "# Hooks\n\nA plugin is a module whose functions have these names and are marked `@hookimpl`.\n\n",
    "configuration.md": (
        "# Configuration\n\nAll of it stands in `config/commsched.toml`. A value written as `env:NAME` or `file:PATH` "
        "is read from there.\nThe environment variable `COMMSCHED_STORE` names another database than the configured "
        "one.\n\n"
    ),
    "facts.md": "# Facts\n\nOne JSON object a line, or CSV with the field names as header.\n\n",
}


def commands() -> str:
    """Every command with its help, as the program itself shows it."""
    assert isinstance(cli, Commands)
    root = click.Context(cli, info_name="commsched", max_content_width=100, terminal_width=100)
    parts = [_help(cli, root)]
    for name in COMMANDS:
        command = cli.load(name)
        context = click.Context(command, info_name=name, parent=root, max_content_width=100, terminal_width=100)
        parts.append(f"## commsched {name}\n\n{_help(command, context)}")
    return "\n".join(parts)


def _help(command: click.Command, context: click.Context) -> str:
    """The help as plain text: rich draws boxes that a page need not have."""
    formatter = click.HelpFormatter(width=100, max_width=100)
    click.Command.format_usage(command, context, formatter)
    click.Command.format_help_text(command, context, formatter)
    click.Command.format_options(command, context, formatter)
    if isinstance(command, Commands):
        command.format_commands(context, formatter)
    return f"```text\n{formatter.getvalue().rstrip()}\n```\n"


def hooks() -> str:
    """Every hook with its exact signature and docstring."""
    parts = []
    for name, function in vars(hookspecs).items():
        if hasattr(function, "commsched_spec"):
            signature = str(inspect.signature(function)).replace("'", "")
            parts.append(f"## {name}\n\n```python\ndef {name}{signature}\n```\n\n{inspect.getdoc(function)}\n")
    return "\n".join(parts)


def settings() -> str:
    """The settings of the deployment, and of everything that can be declared in it."""
    parts = [
        f"## `[deployment]`\n\n{_table(DeploymentSettings)}",
        f"## `[departments.NAME]`\n\n{_table(DepartmentSettings)}",
        f"## `[check]`\n\n{_table(CheckSettings)}",
        f"## `[feedback.SOURCE]`\n\n{_table(FeedbackSettings)}",
        f"## `[erasure]`\n\n{_table(ErasureSettings)}",
        f"## `[retention]`\n\n{inspect.getdoc(RetentionSettings)}\n\n{_table(RetentionSettings)}",
        f"## Every channel, policy, calendar and source\n\n{_table(InstanceSettings)}",
    ]
    tables = {"deployment", "departments", "check", "feedback", "erasure", "retention"}
    lists = [name for name in Configuration.model_fields if name not in tables]
    kinds = sorted(load_plugins(ROOT / "docs").kinds.values(), key=lambda kind: (kind.what, kind.name))
    for group in lists:
        what = {"policies": "policy"}.get(group, group.removesuffix("s"))
        for kind in (kind for kind in kinds if kind.what == what):
            words = (inspect.getdoc(kind.plugin) or "").replace("``", "`")
            parts.append(
                f"## `[[{group}]]` of the kind `{kind.name}`\n\n{words}\n\n{_table(kind.plugin.settings_type())}"
            )
    return "\n".join(parts)


def _table(model: type[BaseModel]) -> str:
    rows = []
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else _shown(field.get_default(call_default_factory=True))
        rows.append(f"| `{name}` | {_type(field.annotation)} | {default} | {_cell(field.description or '')} |")
    if not rows:
        return "It has no settings.\n"
    return "\n".join(["| setting | type | default | is |", "|---|---|---|---|", *rows]) + "\n"


def facts() -> str:
    """Every type of fact with its fields."""
    common = "\n".join(_fields(Fact, frozenset()))
    head = "| field | type | |\n|---|---|---|\n"
    own = frozenset(Fact.__struct_fields__)
    parts = [f"## Every fact\n\n{inspect.getdoc(Fact)}\n\n{head}{common}\n".replace("``", "`")]
    for name, kind in FACT_TYPES.items():
        words = (inspect.getdoc(kind) or "").replace("``", "`")
        note = "\n\nOnly commsched itself writes it." if name in OWN_TYPES else ""
        required = frozenset(one.name for one in msgspec.structs.fields(kind) if one.name in own and one.required)
        rows = "\n".join(_fields(kind, own - (required - {"at"})))
        parts.append(f"## {name}\n\n{words}{note}\n\n{head}{rows}\n")
    return "\n".join(parts)


def _fields(kind: type[Fact], without: frozenset[str]) -> Iterator[str]:
    hints = get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        if field.name not in without:
            need = "required" if field.required else ""
            yield f"| `{field.encode_name}` | {_type(hints[field.name])} | {need} |"


def _type(annotation: Any) -> str:  # noqa: ANN401 - an annotation can be anything
    """A type in words that people who write configuration use."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin in {Union, types.UnionType}:
        known = [_type(one) for one in arguments if one not in {type(None), UnsetType}]
        return " or ".join(dict.fromkeys(known)) + (
            " or null" if type(None) in arguments and UnsetType in arguments else ""
        )
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in arguments)
    if origin in {list, tuple, set, frozenset}:
        inner = [one for one in arguments if one is not Ellipsis]
        if origin is tuple and Ellipsis not in arguments:
            return " and ".join(_type(one) for one in inner)
        return f"list of {_type(inner[0])}"
    if origin is dict:
        return f"table of {_type(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return f"{annotation.__name__.lower()} ({', '.join(f'`{name}`' for name in annotation.__struct_fields__)})"
    return _WORDS.get(getattr(annotation, "__name__", ""), f"`{getattr(annotation, '__name__', annotation)}`")


_WORDS = {
    "str": "text",
    "SecretStr": "secret",
    "int": "whole number",
    "float": "number",
    "bool": "true or false",
    "date": "date",
    "datetime": "time with zone",
    "time": "local time",
    "timedelta": "length of time",
}


def _shown(value: object) -> str:
    """A default as it would be written; nothing at all is an empty cell."""
    empty = isinstance(value, tuple | frozenset | list | dict) and not value
    if value is None or value in ("", SecretStr("")) or empty:
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, dict):
        return "; ".join(f"`{name} = {_shown(one).strip('`')}`" for name, one in value.items())
    if isinstance(value, tuple | list):
        return f"`{', '.join(str(one) for one in value)}`"
    if isinstance(value, frozenset | set):
        return f"`{', '.join(sorted(str(one) for one in value))}`"
    if isinstance(value, timedelta):
        return f"`{value.days}d`" if value == timedelta(days=value.days) else f"`{int(value.total_seconds() // 60)}m`"
    return f"`{_cell(f'{value:%H:%M}' if isinstance(value, time) else str(value))}`"


def _cell(text: str) -> str:
    return re.sub(r"<(\w+)>", r"\\<\1\\>", text.replace("|", "\\|").replace("\n", " "))


def rules_of_place() -> str:
    """The shipped rows of the policy `rules_of_place`, with what each asks for."""
    head = "| id | place | media | purposes | asks | since | source | looked up | sure |\n"
    return head + "|---" * 9 + "|\n" + "\n".join(map(_law, shipped_rows())) + "\n"


def _law(row: Row) -> str:
    asks = [f"{days} {', '.join(hours) or 'never'}" for days, hours in (row.hours or {}).items()]
    asks += [f"at most {one.count} in {_shown(one.per).strip('`')} to the same {one.same}" for one in row.at_most]
    asks += [f"a consent, {row.consent}"] if row.consent else []
    asks += [f"at most {row.characters} characters"] if row.characters else []
    place = f"{', '.join(row.place)}{f' ({row.sector})' if row.sector else ''}"
    since = f"{row.effective_from or ''}"
    what = "; ".join(asks) or f"kept elsewhere: {row.handled}"
    cells = (row.id, place, ", ".join(sorted(row.media)), ", ".join(sorted(row.purposes)), what, since, row.source)
    return "| " + " | ".join(map(_cell, (*cells, f"{row.verified_on or 'not looked up'}", row.confidence))) + " |"


def metrics() -> str:
    """Every metric, with its labels and what it means."""
    head = "| metric | labels | stands or did | is |\n|---|---|---|---|\n"
    rows = (
        (f"`{one.name}`", ", ".join(f"`{label}`" for label in one.labels), "stands" if one.stands else "did", one.means)
        for one in METERS
    )
    return head + "".join(f"| {' | '.join(row)} |\n" for row in rows)


GENERATED: dict[str, dict[str, Callable[[], str]]] = {
    "channels.md": {"example": example, "kinds": kinds},
    "cli.md": {"commands": commands},
    "hooks.md": {"hooks": hooks},
    "configuration.md": {"settings": settings},
    "facts.md": {"facts": facts},
    "observability.md": {"metrics": metrics},
    "rules-of-place.md": {"rows": rules_of_place},
}


def page(name: str, text: str) -> str:
    """A page with its generated parts made anew; a page that has none of them gets them at its end."""
    for part, make in GENERATED[name].items():
        if f"<!-- generated: {part} -->" not in text:
            text = f"{text or _HEADS.get(name, '')}<!-- generated: {part} -->\n<!-- end -->\n"
        body = make().strip("\n")
        text = _PART.sub(lambda m, p=part, b=body: f"{m[1]}\n{b}\n\n{m[3]}" if m["name"] == p else m[0], text)
    return text


def changed() -> Iterator[tuple[str, str, str]]:
    """The pages that differ from the code: name, text, and what it should be (empty: there should be no such page)."""
    for name in GENERATED:
        text = _read(name)
        if (made := page(name, text)) != text:
            yield name, text, made
    whole = {f"policies/{name}": made for name, made in pages(_table).items()}
    stale = {f"policies/{path.name}": "" for path in (DOCS / "policies").glob("*.md")}
    for name, made in sorted({**stale, **whole}.items()):
        if (text := _read(name)) != made:
            yield name, text, made


def _read(name: str) -> str:
    path = DOCS / name
    return path.read_text("utf-8") if path.is_file() else ""


def _write(name: str, text: str) -> None:
    path = DOCS / name
    path.parent.mkdir(exist_ok=True)
    if text:
        path.write_text(text, "utf-8")
    else:
        path.unlink()
    print(f"{'wrote' if text else 'removed'} docs/{name}")


def main() -> int:
    """Check the pages, or write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true", help="write what differs")
    write = parser.parse_args().write
    differs = False
    for name, text, made in changed():
        if write:
            _write(name, made)
            continue
        differs = True
        lines = difflib.unified_diff(text.splitlines(), made.splitlines(), f"docs/{name}", "the code", lineterm="", n=1)
        print("\n".join(list(lines)[:40]))
    if differs:
        print("The documentation is not what the code says. Run: python tools/check_docs.py --write", file=sys.stderr)
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main())
