"""CEL's error messages in words that tell an operator what to write instead."""

from __future__ import annotations

import re
from difflib import get_close_matches

_ENTRY = re.compile(r"ERROR: [^:\n]*:(\d+):(\d+): (.+)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_OVERLOAD = re.compile(r"found no matching overload for '([^']*)' applied to '\((.*)\)'")
_TOKEN = re.compile(r"token recognition error at: '(.*)'")
_INPUT = re.compile(r"(?:mismatched|extraneous) input '(.*?)' expecting|no viable alternative at input '(.*?)'")
_INTEGER_AFTER = re.compile(r".=?\s*(-?\d+)(?![\w.])")
_INTEGER_BEFORE = re.compile(r"(?<![\w.])(-?\d+)\s*$")
_OPERATORS = {"=": "==", "and": "&&", "or": "||", "not": "!", "&": "&&", "|": "||", "<>": "!="}
_WORDS = {
    "string": "a text",
    "double": "a number",
    "int": "a whole number",
    "bool": "true or false",
    "timestamp": "an instant",
    "list(string)": "a list of texts",
    "list(int)": "a list of whole numbers",
    "list(double)": "a list of numbers",
    "null_type": "null",
}


def explain(error: str, text: str, names: tuple[str, ...]) -> str:
    """What is wrong with the expression ``text``, with line and column, from CEL's own report."""
    entries = [(int(line), int(column), message) for line, column, message in _ENTRY.findall(error)]
    if not entries:
        return "the expression is nested too deeply." if "recursion limit" in error else f"{error.strip()}."
    # One slip often makes a parser complain several times; the first complaint is the one to mend.
    syntax = [entry for entry in entries if "yntax error" in entry[2]]
    shown = syntax[:1] or entries
    said = "; ".join(_sentence(*entry, text, names) for entry in shown)
    return said if said.endswith("?") else f"{said}."


def _sentence(line: int, column: int, message: str, text: str, names: tuple[str, ...]) -> str:
    source = text.splitlines()[line - 1] if line <= len(text.splitlines()) else ""
    if found := _UNDECLARED.search(message):
        column = _start_of(found[1], source, column)
        what = _unknown(found[1], source, column, names)
    elif found := _OVERLOAD.search(message):
        what = _mismatch(found[1], found[2], source, column)
    elif found := _TOKEN.search(message):
        unclosed = found[1][:1] in {'"', "'"}
        what = f"the text {found[1]} is not closed" if unclosed else _unexpected(found[1].strip())
    elif found := _INPUT.search(message):
        what = _unexpected(found[1] or found[2])
    else:
        what = message.removesuffix(" [INVALID_ARGUMENT]").removeprefix("Syntax error: ")
    return f"{place_in(text, line, column)}: {what}"


def place_in(text: str, line: int, column: int) -> str:
    """A place in an expression; the line is said only where there are several."""
    return f"line {line}, column {column}" if "\n" in text.strip() else f"column {column}"


def _unexpected(found: str) -> str:
    if found == "<EOF>":
        return "the expression ends too early"
    instead = _OPERATORS.get(found)
    return f"{found!r} is not expected here" + (f"; write {instead}" if instead else "")


def _start_of(name: str, source: str, column: int) -> int:
    """CEL points at the last dot of a name; people look at its beginning."""
    begin = source.rfind(name, 0, column - 1 + len(name))
    return begin + 1 if begin >= 0 else column


def _unknown(name: str, source: str, column: int, names: tuple[str, ...]) -> str:
    if re.match(r"\s*\(", source[column - 1 + len(name) :]):
        return f"there is no function {name}()"
    if name == "now":
        return "there is no 'now': when a message goes is said by at, not_before and deadline"
    under = sorted(known for known in names if known.startswith(f"{name}."))
    if under:
        return f"{name!r} alone is no value; write {under[0]!r} or another of its parts"
    near = _siblings(name, names) or names
    close = _closest(name, near) or _same_ending(name, names)
    return f"there is no {name!r} here" + (f"; did you mean {close!r}?" if close else f" ({_listed(near)})")


def _siblings(name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    group, dot, _ = name.rpartition(".")
    return tuple(known for known in names if dot and known.startswith(f"{group}."))


def _closest(name: str, names: tuple[str, ...]) -> str | None:
    """The name that differs least; among names of one group, their common beginning makes none of them similar."""
    group = name.rpartition(".")[0] + "."
    ends = {known.removeprefix(group): known for known in names}
    close = get_close_matches(name.removeprefix(group), list(ends), n=1)
    return ends[close[0]] if close else None


def _same_ending(name: str, names: tuple[str, ...]) -> str | None:
    """``asset.fuel`` for ``fuel``: the part that people forget is the one in front."""
    return next((known for known in names if known.rpartition(".")[2] == name.rpartition(".")[2]), None)


def _listed(names: tuple[str, ...]) -> str:
    return "known are " + ", ".join(sorted(names)) if names else "nothing is known here"


def _mismatch(function: str, types: str, source: str, column: int) -> str:
    kinds = re.split(r", (?![^(]*\))", types)
    sign = function.strip("_@")
    shown = " and ".join(_WORDS.get(kind, kind) for kind in kinds)
    return f"{sign!r} cannot take {shown}{_hint(kinds, source, column)}"


def _hint(kinds: list[str], source: str, column: int) -> str:
    if "null_type" in kinds:
        return "; nothing is ever null here: a name that has no value gives no answer"
    if sorted(kinds) == ["double", "int"]:
        after = kinds[1] == "int"
        literal = _INTEGER_AFTER.match(source, column - 1) if after else _INTEGER_BEFORE.search(source[: column - 1])
        if literal:
            return f"; write {literal[1]}.0"
        whole = re.search(r"(?<![\w.])(-?\d+)\.0*(?![\w.])", source)
        return f"; write {whole[1]}" if whole else "; put double(…) around the whole number"
    if kinds == ["double", "list(int)"]:
        return "; write the numbers of the list with a decimal point, as in 3.0"
    return ""
