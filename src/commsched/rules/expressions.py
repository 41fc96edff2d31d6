"""The one adapter over CEL: an expression is checked against typed names at load and asked very often afterwards.

CEL returns a run-time error as a value that is true; so an answer counts only if it *is* ``True`` or ``False``.
Whatever else comes back means "no answer", and who asks must then refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, Literal

from cel_expr_python import cel

from commsched.errors import ExpressionError
from commsched.rules.celerrors import explain, place_in
from commsched.rules.yamldoc import is_text

CelType = Literal["string", "number", "integer", "boolean", "strings", "timestamp"]

_CEL_TYPES: dict[CelType, cel.Type] = {
    "string": cel.Type.STRING,
    "number": cel.Type.DOUBLE,
    "integer": cel.Type.INT,
    "boolean": cel.Type.BOOL,
    "strings": cel.Type.List(cel.Type.STRING),
    "timestamp": cel.Type.TIMESTAMP,
}
_PYTHON_TYPES: dict[CelType, tuple[type, ...]] = {
    "string": (str,),
    "number": (float,),
    "integer": (int,),
    "boolean": (bool,),
    "strings": (list,),
    "timestamp": (datetime,),
}
_REMEMBERED = 4096
# Text in quotes and comments are no names; a path may have spaces around its dots.
_TOKEN = re.compile(
    r"""(?P<text>[rRbB]{0,2}(?:\"\"\"[\s\S]*?\"\"\"|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))"""
    r"""|(?P<comment>//[^\n]*)"""
    r"""|(?P<number>\d[\w.]*)"""
    r"""|(?P<path>[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*)(?P<call>\s*\()?"""
)


class Declarations(Mapping[str, CelType]):
    """The names that an expression may use, each with its type; immutable and hashable."""

    __slots__ = ("_hash", "_types")

    def __init__(self, types: Mapping[str, CelType]) -> None:
        self._types = dict(types)
        self._hash = hash(frozenset(self._types.items()))

    def __getitem__(self, name: str) -> CelType:
        return self._types[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Declarations) and self._types == other._types

    def __repr__(self) -> str:
        return f"Declarations({self._types!r})"

    def __or__(self, other: Mapping[str, CelType]) -> Declarations:
        """These and those; a name in both has the type that ``other`` gives it."""
        return Declarations({**self._types, **other})


def strings(*names: str) -> dict[str, CelType]:
    """Names of texts."""
    return dict.fromkeys(names, "string")


def booleans(*names: str) -> dict[str, CelType]:
    """Names of truth values."""
    return dict.fromkeys(names, "boolean")


def numbers(*names: str) -> dict[str, CelType]:
    """Names of numbers that may have decimals."""
    return dict.fromkeys(names, "number")


def lists(*names: str) -> dict[str, CelType]:
    """Names of lists of texts."""
    return dict.fromkeys(names, "strings")


class Expression:
    """A checked expression. Pure: the same values always give the same answer, so answers are remembered."""

    __slots__ = ("_answers", "_declarations", "_get", "_lists", "_order", "_program", "names", "text")

    def __init__(self, text: str, names: frozenset[str], declarations: Declarations, program: cel.Expression) -> None:
        self.text = text
        self.names = names
        self._declarations = declarations
        self._program = program
        self._order = tuple(sorted(names))
        self._lists = any(declarations[name] == "strings" for name in names)
        self._get = _getter(self._order)
        self._answers: dict[object, bool | None] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and (self.text, self._declarations) == (other.text, other._declarations)

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def __str__(self) -> str:
        return self.text

    def holds(self, values: Mapping[str, object]) -> bool | None:
        """Whether it is true of these values; ``None`` is no answer: a value is missing or CEL met an error."""
        key = self._key(values)
        try:
            return self._answers[key]
        except KeyError:
            answer = self._ask(values)
        if len(self._answers) >= _REMEMBERED:
            self._answers.clear()
        self._answers[key] = answer
        return answer

    def _key(self, values: Mapping[str, object]) -> object:
        """The values it reads, with their types: to a dictionary, 1, 1.0 and True are the same key."""
        try:
            read = self._get(values)
        except KeyError:
            read = tuple([values.get(name) for name in self._order])
        if self._lists:
            read = tuple([tuple(value) if type(value) is list else value for value in read])
        return read + tuple(map(type, read))

    def _ask(self, values: Mapping[str, object]) -> bool | None:
        data: dict[str, Any] = {}
        for name in self._order:
            value = _for_cel(values.get(name), self._declarations[name])
            if value is not None:
                data[name] = value
        answer = self._program.eval(data=data).value()
        return answer if answer is True or answer is False else None


def _getter(names: tuple[str, ...]) -> Callable[[Mapping[str, object]], tuple[object, ...]]:
    """Reads all the names at once; ``KeyError`` when one is missing."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple([values[name] for name in names])


def _for_cel(value: object, kind: CelType) -> object:
    """The value in CEL's own type, or ``None`` when it is unknown or of another type: then the name is unbound."""
    if kind == "number" and type(value) is int:
        return float(value) if abs(value) < 1 << 1000 else None
    if kind == "strings" and isinstance(value, list | tuple):
        return list(value) if all(isinstance(item, str) and is_text(item) for item in value) else None
    if kind == "integer" and type(value) is int and not -(1 << 63) <= value < 1 << 63:
        return None
    if kind == "timestamp" and isinstance(value, datetime):
        return value if value.tzinfo is not None else None
    if kind == "string" and isinstance(value, str) and not is_text(value):
        return None
    return value if type(value) in _PYTHON_TYPES[kind] else None


@lru_cache(maxsize=256)
def _environment(declarations: Declarations) -> cel.Env:
    return cel.NewEnv(variables={name: _CEL_TYPES[kind] for name, kind in declarations.items()})


def compile_expression(text: str, declarations: Declarations, *, where: str) -> Expression:
    """Check an expression against the names it may use. ``where`` begins the message, for instance ``when``.

    Raises :class:`ExpressionError` with line, column, what is wrong and what would be right.
    """
    if not text.strip():
        raise ExpressionError(f"{where}: the expression is empty; leave the key out if nothing is meant.")
    if not is_text(text):
        raise ExpressionError(f"{where}: the expression has half a character in it, such as \\ud800; write it again.")
    for token in _TOKEN.finditer(text):
        if token["call"] and token["path"] == "has":
            place = _place(text, token.start())
            hint = "a name that has no value gives no answer, and the rule then stays quiet"
            raise ExpressionError(f"{where}: {place}: has() is not needed here; {hint}.")
    try:
        program = _environment(declarations).compile(text)
    except RuntimeError as error:
        raise ExpressionError(f"{where}: {explain(str(error), text, tuple(declarations))}") from error
    found = program.return_type()
    if found != cel.Type.BOOL:
        hint = 'compare it with something, as in mood == "fine"'
        message = f"the answer must be true or false, but this gives {found.name().lower()}; {hint}"
        raise ExpressionError(f"{where}: {message}.")
    return Expression(text, _names(text, declarations), declarations, program)


def _place(text: str, position: int) -> str:
    return place_in(text, text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position))


def _names(text: str, declarations: Declarations) -> frozenset[str]:
    """The declared names in the text: of ``customer.name.size`` the longest declared beginning."""
    paths = {token["path"] for token in _TOKEN.finditer(text) if token["path"]}
    return frozenset(name for path in paths if (name := _declared(path, declarations)))


def _declared(path: str, declarations: Declarations) -> str | None:
    parts = re.split(r"\s*\.\s*", path)
    beginnings = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((name for name in beginnings if name in declarations), None)
