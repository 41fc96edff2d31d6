"""What is wrong with a document: pydantic's findings and our own, each with its line and what would be right."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from commsched.errors import Problem
from commsched.rules.yamldoc import Document, KeyPath


class Entry(BaseModel):
    """A part of a configuration file: validated, frozen; an unknown key is a problem."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


E = TypeVar("E", bound=Entry)


class Findings:
    """The problems of one document, gathered so that an operator sees all of them at once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def add(self, path: KeyPath, code: str, message: str) -> None:
        """Note a problem at a path of the document."""
        self.problems.append(Problem(self.document.file, self.document.line(path), code, message))

    def unknown(self, path: KeyPath, what: str, name: str, known: Iterable[str]) -> None:
        """Note that ``name`` is not a declared ``what``."""
        choices = sorted(known)
        listed = f" (declared are {', '.join(choices)})" if choices else " (none is declared)"
        self.add(path, "unknown", f"There is no {what} {name!r}" + (suggestion(name, choices) or f"{listed}."))

    def validated(self, model: type[E]) -> E | None:
        """The document as a model, or ``None`` when it does not fit; then all that is wrong is noted."""
        try:
            return model.model_validate(self.document.values)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self.add(_path(detail["loc"]), _code(detail), _message(detail, model))
            return None


def suggestion(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?``, or an empty string when nothing is close."""
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def as_list(value: object) -> object:
    """A single value as a list of one, for keys that take either."""
    if value is None or isinstance(value, dict):
        return value
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _path(location: tuple[int | str, ...]) -> KeyPath:
    # A key of a mapping that is itself wrong is reported as (…, key, "[key]").
    return tuple(part for part in location if part != "[key]")


def _code(detail: ErrorDetails) -> str:
    return {"extra_forbidden": "unknown_key", "missing": "missing"}.get(detail["type"], "invalid")


def _message(detail: ErrorDetails, model: type[BaseModel]) -> str:
    location = _path(detail["loc"])
    key = _shown(location)
    if detail["type"] == "extra_forbidden":
        known = _keys(model, location[:-1])
        return f"There is no key {location[-1]!r} here" + (suggestion(str(location[-1]), known) or _one_of(known))
    words = _MESSAGES.get(detail["type"])
    return words(key, detail) if words else f"{key}: {detail['msg']}."


def _shown(location: KeyPath) -> str:
    names = [part for part in location if isinstance(part, str)]
    return f"`{names[-1]}`" if names else "The file"


def _one_of(known: Iterable[str]) -> str:
    return f"; the keys are {', '.join(sorted(known))}." if known else "."


def _given(detail: ErrorDetails) -> str:
    value = detail["input"]
    return "empty" if value is None else repr(value) if len(repr(value)) <= 40 else repr(value)[:40] + "…"  # noqa: PLR2004


def _text(key: str, detail: ErrorDetails) -> str:
    quote = not isinstance(detail["input"], dict | list | type(None))
    return f"{key} must be a text, but is {_given(detail)}" + ("; put it in quotes." if quote else ".")


def _literal(key: str, detail: ErrorDetails) -> str:
    expected = str(detail.get("ctx", {}).get("expected", ""))
    choices = [choice.strip("' ") for choice in expected.replace(" or ", ", ").split(",")]
    return f"{key} is {_given(detail)}; write {expected.replace(chr(39), '')}" + (
        suggestion(str(detail["input"]), choices) or "."
    )


def _value(key: str, detail: ErrorDetails) -> str:
    said = str(detail.get("ctx", {}).get("error", detail["msg"]))
    return f"{key}: {said}" + ("" if said.endswith((".", "?")) else ".")


_MESSAGES: Mapping[str, Callable[[str, ErrorDetails], str]] = {
    "missing": lambda key, _: f"The key {key} is missing.",
    "string_type": _text,
    "literal_error": _literal,
    "value_error": _value,
    "string_too_short": lambda key, _: f"{key} must not be empty.",
    "string_too_long": lambda key, d: f"{key} is longer than {d['ctx']['max_length']} characters.",
    "too_short": lambda key, _: f"{key} must not be empty.",
    "int_type": lambda key, d: f"{key} must be a whole number, but is {_given(d)}.",
    "bool_type": lambda key, d: f"{key} must be true or false, but is {_given(d)}.",
    "date_type": lambda key, d: f"{key} must be a date such as 2026-10-01, but is {_given(d)}.",
    "greater_than_equal": lambda key, d: f"{key} must be at least {d['ctx']['ge']}, but is {_given(d)}.",
    "less_than_equal": lambda key, d: f"{key} must be at most {d['ctx']['le']}, but is {_given(d)}.",
    "model_type": lambda key, d: f"{key} must have keys of its own (`key: value`), but is {_given(d)}.",
    "dict_type": lambda key, d: f"{key} must have keys of its own (`key: value`), but is {_given(d)}.",
    "list_type": lambda key, d: f"{key} must be a list, such as [a, b], but is {_given(d)}.",
    "tuple_type": lambda key, d: f"{key} must be a list, such as [a, b], but is {_given(d)}.",
}


def _keys(model: type[BaseModel], location: KeyPath) -> tuple[str, ...]:
    """The keys that the model takes at a location of the document."""
    here: Any = model
    for part in location:
        here = _inside(_plain(here), part)
    found = _plain(here)
    return tuple(_fields(found)) if isinstance(found, type) and issubclass(found, BaseModel) else ()


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _inside(annotation: Any, part: str | int) -> Any:  # noqa: ANN401 (an annotation can be anything)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _fields(annotation).get(str(part))
    arguments = get_args(annotation)
    return (arguments[1] if get_origin(annotation) is dict else arguments[0]) if arguments else None


def _plain(annotation: Any) -> Any:  # noqa: ANN401 (an annotation can be anything)
    """The annotation without ``None`` and without what is annotated to it."""
    while get_origin(annotation) in (Union, types.UnionType, Annotated):
        arguments = [each for each in get_args(annotation) if each is not type(None)]
        annotation = arguments[0]
    return annotation
