"""The tools that make sample facts, for the tests of what they make."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

import msgspec

from commsched.model.facts import AnyFact, Fact

TOOLS = str(Path(__file__).resolve().parents[1] / "tools")


def load(name: str) -> ModuleType:
    """One of the tools, by name."""
    sys.path.insert(0, TOOLS)
    try:
        return import_module(name)
    finally:
        sys.path.remove(TOOLS)


def decoded(files: Mapping[str, bytes]) -> list[Fact]:
    """The facts in the files that a tool has made."""
    decode = msgspec.json.Decoder(AnyFact).decode
    return [decode(line) for content in files.values() for line in content.splitlines()]


def of(facts: Iterable[Fact], kind: type) -> list[Fact]:
    """Those of one type."""
    return [fact for fact in facts if isinstance(fact, kind)]
