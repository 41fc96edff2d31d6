"""Taking facts in from files: JSON Lines and CSV, streamed, checked line by line, idempotent.

A line that cannot be taken is reported with its number, its field and what would be right, and goes into the rejects
file; the rest goes in. A file is read in batches of one transaction each, so that a crash loses nothing that was
reported and repeats nothing.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec.structs import force_setattr

from commsched.errors import Erased, FactRejected, Misuse
from commsched.model.facts import FACT_TYPES, OWN_TYPES, AnyFact, Customer
from commsched.model.subjects import subject_of
from commsched.store.checks import Checker

BATCH = 5000
MAX_LINE = 1_000_000
SHOWN = 200
REJECTS = Path("var/rejects")
_OWN = frozenset(FACT_TYPES[name] for name in OWN_TYPES)
_decoder = msgspec.json.Decoder(AnyFact)
# A spreadsheet runs a cell that begins like this; such a cell is an attack or a mistake, never a fact.
_FORMULA = ("=", "@", "\t", "\r", "+cmd", "-cmd")


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line of a file: its number, its bytes or row, and how far into the file it reaches (bytes)."""

    number: int
    raw: bytes | dict[str, str]
    end: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that was not taken in, and what would be right."""

    file: str
    line: int
    field: str
    error: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field + ': ' if self.field else ''}{self.error}"


@dataclass(slots=True)
class Batch:
    """Facts that go in together, and the lines that do not."""

    facts: list[tuple[str, AnyFact]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    end: int = 0
    lines: int = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """What a file's facts have unless they say otherwise."""

    source: str
    now: datetime
    stated_by: str = "import"
    recorded_at_is_at: bool = False


def read(path: Path, checker: Checker, origin: Origin, mapping: Path | None = None) -> Iterator[Batch]:
    """The facts of a file, a batch at a time. Raises :class:`Misuse` for a file that cannot be read at all."""
    if not path.is_file():
        message = f"there is no file {path}."
        raise Misuse(message)
    if path.suffix.lower() == ".csv":
        return _batches(path.name, _csv_lines(path), _Rows(path, mapping, checker).fact, checker, origin)
    return _batches(path.name, _json_lines(path), _from_json, checker, origin)


def from_lines(name: str, lines: Iterable[bytes], checker: Checker, origin: Origin) -> Iterator[Batch]:
    """The facts of JSON lines that come from elsewhere than a file."""
    numbered = (Line(number, line.strip(), 0) for number, line in enumerate(lines, 1) if line.strip())
    return _batches(name, numbered, _from_json, checker, origin)


def _batches(
    name: str, lines: Iterable[Line], parse: Callable[[Any], AnyFact], checker: Checker, origin: Origin
) -> Iterator[Batch]:
    batch = Batch()
    for line in lines:
        batch.end, batch.lines = line.end, batch.lines + 1
        try:
            batch.facts.append(_take(line, parse, checker, origin))
        except FactRejected as error:
            # Of somebody who was erased, not even a line that was rejected is kept.
            text = "" if isinstance(error, Erased) else _text(line.raw)
            batch.rejects.append(Reject(name, line.number, error.field, _sentence(error), text))
        if batch.lines >= BATCH:
            yield batch
            batch = Batch()
    if batch.lines:
        yield batch


def _take(line: Line, parse: Callable[[Any], AnyFact], checker: Checker, origin: Origin) -> tuple[str, AnyFact]:
    if line.fault:
        raise FactRejected("", line.fault)
    fact = parse(line.raw)
    if type(fact) in _OWN:
        raise FactRejected("type", f"{fact.type!r} is what commsched itself records; it cannot be imported")
    complete(fact, origin)
    checker.check(fact)
    try:
        return subject_of(fact), fact
    except ValueError as error:
        raise FactRejected("customer", str(error)) from error


def rejects_file(folder: Path, name: str) -> Path:
    """Where a deployment keeps the lines of a file that it did not take."""
    return folder / REJECTS / f"{Path(name).name}.rejects.jsonl"


def keep_rejects(folder: Path, name: str, rejects: Sequence[Reject]) -> None:
    """Add to the lines that were not taken, each with what is wrong."""
    if rejects:
        path = rejects_file(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.writelines(msgspec.json.encode(reject) + b"\n" for reject in rejects)


def complete(fact: AnyFact, origin: Origin) -> None:
    """Fill in source, who said it and when it was learnt, where the fact does not say."""
    if fact.customer is None and isinstance(fact, Customer):
        force_setattr(fact, "customer", fact.id)
    if fact.source is None:
        force_setattr(fact, "source", origin.source)
    if fact.stated_by is None:
        force_setattr(fact, "stated_by", origin.stated_by)
    if fact.recorded_at is None:
        force_setattr(fact, "recorded_at", fact.at if origin.recorded_at_is_at else origin.now)


def _from_json(raw: bytes) -> AnyFact:
    try:
        fact: AnyFact = _decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise _rejected(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FactRejected("", f"this line is not JSON ({error})") from error
    return fact


def _rejected(words: str) -> FactRejected:
    """An error of the decoder as field and sentence."""
    what, _, where = words.partition(" - at `$.")
    name = where.rstrip("`")
    if "`datetime` with a timezone" in what:
        return FactRejected(name, "the time has no zone; write e.g. 2026-12-01T09:00:00-06:00 or …Z")
    if "RFC3339" in what:
        return FactRejected(name, "this is no time; write e.g. 2026-12-01T09:00:00-06:00 or …Z")
    if what.startswith("Invalid value") and name == "type":
        return FactRejected(
            "type", f"there is no such type of fact; there are {', '.join(sorted(set(FACT_TYPES) - OWN_TYPES))}"
        )
    if "Object contains unknown field" in what:
        return FactRejected(what.split("`")[1], "this type of fact has no such field; see docs/facts.md")
    if "Object missing required field" in what:
        return FactRejected(what.split("`")[1], "this field is required")
    if name and what.endswith("got `null`"):
        return FactRejected(name, "this field cannot be null; leave it out where nothing has changed")
    return FactRejected(name, what[0].lower() + what[1:])


def _json_lines(path: Path) -> Iterator[Line]:
    """The lines of a file; one that is too long is skipped without being held in memory."""
    end = 0
    with path.open("rb") as file:
        for number, raw in enumerate(iter(partial(file.readline, MAX_LINE), b""), 1):
            fault = ""
            text = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
            if len(raw) == MAX_LINE and not raw.endswith(b"\n"):
                fault = f"the line is longer than {MAX_LINE:,} bytes; one line holds one fact"
                while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                    pass
            end = file.tell() if fault else end + len(raw)
            if fault or not (text.isspace() or text == b""):
                yield Line(number, text[:SHOWN] if fault else text, end, fault)


def _csv_lines(path: Path) -> Iterator[Line]:
    with path.open("r", encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, None)
        if not header:
            message = f"{path} is empty; its first line must name the fields."
            raise Misuse(message)
        header = [name.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for name in header]
        if twice := [name for name in header if name and header.count(name) > 1]:
            message = f"{path}: two columns are called {twice[0]!r}; give one of them another name."
            raise Misuse(message)
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield Line(rows.line_num, b"", 0, f"this line is not CSV ({error})")
                continue
            if row:
                yield _csv_line(rows.line_num, header, row)


def _csv_line(number: int, header: list[str], row: list[str]) -> Line:
    cells = dict(zip(header, row, strict=False))
    if len(row) != len(header):
        return Line(number, cells, 0, f"the row has {len(row)} cells, the header {len(header)}")
    for name, cell in cells.items():
        if cell.startswith(_FORMULA):
            return Line(number, cells, 0, f"{name}: {cell[:20]!r} is a spreadsheet formula, not a value")
        if any("\udc80" <= character <= "\udcff" for character in cell):
            return Line(number, cells, 0, f"{name}: the cell is not UTF-8")
    return Line(number, cells, 0)


class _Rows:
    """Rows of one CSV file as facts: the type from a mapping file, a ``type`` column, or the file's name."""

    def __init__(self, path: Path, mapping: Path | None, checker: Checker) -> None:
        self.checker = checker
        beside = path.with_suffix(".map.yaml")
        plan = _mapping(mapping or beside) if mapping or beside.is_file() else {}
        stem = path.stem.lower().rstrip("0123456789-_")
        self.kind = plan.get("type") or next(
            (name for name in (stem, stem.removesuffix("s")) if name in FACT_TYPES), None
        )
        self.fields: Mapping[str, str] = {column: name for name, column in plan.get("fields", {}).items()}
        self.constants: dict[str, Any] = plan.get("constants", {})

    def fact(self, row: dict[str, str]) -> AnyFact:
        if unknown := self.fields.keys() - row.keys():
            message = f"the mapping names the column {min(unknown)!r}; the file has {', '.join(row)}."
            raise Misuse(message)
        values: dict[str, Any] = deepcopy(self.constants)
        for column, cell in row.items():
            name = self.fields.get(column, column) if self.fields else column
            if cell != "" and (not self.fields or column in self.fields):
                _put(values, name.split("."), None if cell == "null" else cell)
        kind = values.pop("type", self.kind)
        if kind not in FACT_TYPES:
            raise FactRejected(
                "type", "no column or mapping says what type of fact this is; name the file e.g. reading.csv"
            )
        _split_lists(values)
        try:
            fact: AnyFact = msgspec.convert({**values, "type": kind}, AnyFact, strict=False)
        except msgspec.ValidationError as error:
            raise _rejected(str(error)) from error
        self.checker.read_cells(fact)
        return fact


def _mapping(path: Path) -> dict[str, Any]:
    try:
        plan = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        message = f"the mapping file {path} cannot be read: {error}"
        raise Misuse(message) from error
    if not isinstance(plan, dict) or not _is_mapping(plan):
        message = f"the mapping file {path} has the keys type, fields (our name: their column) and constants."
        raise Misuse(message)
    return plan


def _is_mapping(plan: dict[str, Any]) -> bool:
    fields, constants = plan.get("fields", {}), plan.get("constants", {})
    return (
        not set(plan) - {"type", "fields", "constants"}
        and isinstance(plan.get("type", ""), str)
        and isinstance(constants, dict)
        and isinstance(fields, dict)
        and all(isinstance(text, str) for pair in fields.items() for text in pair)
    )


def _put(values: dict[str, Any], path: list[str], cell: str | None) -> None:
    for part in path[:-1]:
        values = values.setdefault(part, {})
        if not isinstance(values, dict):
            raise FactRejected(part, "this field is given both whole and in parts")
    values[path[-1]] = cell


def _split_lists(values: dict[str, Any]) -> None:
    """Lists stand in one cell, parted by semicolons."""
    for name in ("roles", "media", "purposes", "between"):
        if isinstance(values.get(name), str):
            values[name] = [part.strip() for part in values[name].split(";") if part.strip()]


def _sentence(error: FactRejected) -> str:
    words = str(error).removeprefix("This fact was not taken in. ")
    return words.removeprefix(f"{error.field}: ") if error.field else words


def _text(raw: bytes | dict[str, str]) -> str:
    text = raw[:SHOWN].decode("utf-8", "replace") if isinstance(raw, bytes) else json.dumps(raw, ensure_ascii=True)
    return text.strip()[:SHOWN]
