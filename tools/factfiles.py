"""Files of facts, as the tools that make sample facts write them: one fact a line, in the order they were learnt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from commsched.model.facts import AnyFact, Fact


def contents(facts: Mapping[str, Iterable[Fact]]) -> dict[str, bytes]:
    """The content of every file, from the facts by the name of their file."""
    return {f"{name}.jsonl": _lines(some) for name, some in sorted(facts.items())}


def write(files: Mapping[str, bytes], out: Path) -> None:
    """Check the files, write them into a folder, and say how many facts there are."""
    kinds = count(files)
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (out / name).write_bytes(content)
        print(f"{name:24} {len(content.splitlines()):6} facts {len(content) / 1024:8.0f} KiB")
    print(", ".join(f"{number} {kind}" for kind, number in kinds.most_common()))


def count(files: Mapping[str, bytes]) -> Counter[str]:
    """How many facts of each type there are; ``ValidationError`` if a line is no fact."""
    decode = msgspec.json.Decoder(AnyFact).decode
    return Counter(decode(line).type for content in files.values() for line in content.splitlines())


def _lines(facts: Iterable[Fact]) -> bytes:
    encode = msgspec.json.Encoder().encode
    return b"".join(line + b"\n" for _, line in sorted((_learnt(fact), encode(fact)) for fact in facts))


def _learnt(fact: Fact) -> datetime:
    return fact.recorded_at or fact.at
