"""YAML as operators write it: plain values, and the line of every key.

Only ``true`` and ``false`` are truth values, only ``2026-10-01`` is a date; ``10:00``, ``1e3``, ``on``, ``no`` and
``10-01`` are texts, as they look. Keys are always texts, and none may stand twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from commsched.errors import ConfigurationError, Problem

LARGEST = 1_000_000
KeyPath = tuple[str | int, ...]

_HALF = re.compile("[\ud800-\udfff]")
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file as plain values; ``lines`` maps the path of each key and list item to its line, from 1."""

    file: str
    values: dict[str, object]
    lines: Mapping[KeyPath, int]

    def line(self, path: KeyPath) -> int:
        """The line of a path, or of the nearest key around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


def read_document(path: Path) -> Document:
    """Read a file that must hold one mapping.

    Raises :class:`ConfigurationError` with everything that is wrong with it as YAML.
    """
    file = str(path)
    try:
        if path.stat().st_size > LARGEST:
            raise ConfigurationError.one(file, "The file is larger than 1 MB; no configuration is.", code="too_large")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError.one(file, f"The file cannot be read: {error.strerror}.", code="unreadable") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = "The file is not UTF-8 text; save it again with that encoding."
        raise ConfigurationError.one(file, message, line=line, code="encoding") from error
    return parse_document(text, file)


def parse_document(text: str, file: str) -> Document:
    """Like :func:`read_document`, for a text that is at hand; ``file`` is the name that problems are reported under."""
    root = _composed(text, file)
    if root is None or (root.tag == f"{_TAG}null" and not root.value):
        raise ConfigurationError.one(file, "The file is empty; delete it or fill it.", line=1, code="empty")
    builder = _Builder(file)
    values = builder.value(root, ())
    if not isinstance(values, dict):
        builder.problem(root, "structure", "The file must be a mapping: lines such as `key: value`.")
    if builder.problems or not isinstance(values, dict):
        raise ConfigurationError(builder.problems)
    return Document(file, values, builder.lines)


def is_text(text: str) -> bool:
    """Whether it can be written at all: JSON and YAML escapes can hold half a character, a lone surrogate."""
    return text.isascii() or not _HALF.search(text)


def _composed(text: str, file: str) -> yaml.Node | None:
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"This is not valid YAML: {_in_words(error)}."
        raise ConfigurationError.one(file, message, line=mark.line + 1 if mark else None, code="yaml") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"The file has a character that YAML does not allow (code {error.character})."
        raise ConfigurationError.one(file, message, line=line, code="yaml") from error
    except RecursionError as error:
        raise ConfigurationError.one(file, "The YAML is nested too deeply.", code="yaml") from error


def _in_words(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "it cannot be read"
    column = f" (column {error.problem_mark.column + 1})" if error.problem_mark else ""
    if "mapping values are not allowed" in problem:
        return f"a text with a colon in it must be put in quotes{column}"
    if "'\\t'" in problem:
        return f"lines are indented with spaces, never with tabs{column}"
    if "but found another document" in problem:
        return "there is a second document after ---; write one file for each"
    return f"{problem}{column}"


class _Loader(yaml.SafeLoader):
    """Composes nodes; which plain texts are numbers, dates or truth values is decided below, not by YAML 1.1."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _refusal(event, f"references such as *{event.anchor} are not supported; write the value out")
        tag = getattr(event, "tag", None)
        if tag is not None:
            tag = tag.removeprefix(_TAG)
            raise _refusal(event, f"{tag!r} is a tag to YAML; put a text that begins with ! in quotes")
        return super().compose_node(parent, index)


def _refusal(event: yaml.Event, message: str) -> yaml.MarkedYAMLError:
    mark = event.start_mark
    return yaml.MarkedYAMLError(problem=message, problem_mark=mark if isinstance(mark, yaml.Mark) else None)


_Loader.yaml_implicit_resolvers = {}
for _kind, _pattern, _first in (
    ("null", r"~|null|", ["~", "n", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"[-+]?(?:0|[1-9][0-9]{0,17})", list("-+0123456789")),
    ("float", r"[-+]?[0-9]{1,17}\.[0-9]{1,17}", list("-+0123456789")),
    ("date", r"[0-9]{4}-[0-9]{2}-[0-9]{2}", list("0123456789")),
):
    _Loader.add_implicit_resolver(_TAG + _kind, re.compile(f"(?:{_pattern})\\Z"), _first)


class _Builder:
    """Nodes to values; notes the lines, and what is wrong."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[KeyPath, int] = {}
        self.problems: list[Problem] = []

    def problem(self, node: yaml.Node, code: str, message: str) -> None:
        self.problems.append(Problem(self.file, node.start_mark.line + 1, code, message))

    def value(self, node: yaml.Node, path: KeyPath) -> object:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, number)) for number, item in enumerate(node.value)]
        return self.scalar(node)

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        values: dict[str, object] = {}
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.problem(key, "structure", "A key must be a single word or text.")
                continue
            here = (*path, key.value)
            if not is_text(key.value):
                self.problem(key, "encoding", "The key has half a character in it, such as \\ud800; write it again.")
                continue
            if key.value in values:
                self.problem(
                    key, "duplicate_key", f"The key {key.value!r} stands twice (first on line {self.lines[here]})."
                )
                continue
            self.lines[here] = key.start_mark.line + 1
            values[key.value] = self.value(item, here)
        return values

    def scalar(self, node: yaml.Node) -> object:
        kind, text = node.tag.removeprefix(_TAG), str(node.value)
        if not is_text(text):
            self.problem(node, "encoding", "The text has half a character in it, such as \\ud800; write it again.")
            return None
        if kind == "date":
            try:
                return date.fromisoformat(text)
            except ValueError:
                self.problem(node, "date", f"{text} is not a day of the calendar.")
                return None
        if kind == "null":
            return None
        if kind == "bool":
            return text == "true"
        return {"int": int, "float": float}.get(kind, str)(text)
