"""What all queries share: chunks of keys, and the insert that both databases know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Text,
    cast,
    func,
)
from sqlalchemy.dialects import postgresql, sqlite

CHUNK = 500
T = TypeVar("T")


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The values in lists of at most ``size``."""
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk


def upsert(connection: Connection) -> Any:  # noqa: ANN401 - the dialects share no base class for their insert
    """The database's own insert, which can say what happens on a conflict."""
    return sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert


def text_of(connection: Connection, body: ColumnElement[bytes]) -> ColumnElement[str]:
    """Stored JSON as text."""
    return cast(body, Text) if connection.dialect.name == "sqlite" else func.convert_from(body, "UTF8")


def inside(connection: Connection, body: ColumnElement[bytes], *path: str | int) -> ColumnElement[str]:
    """A value inside stored JSON, as text: ``inside(c, body, "reasons", 0, 1)``; null where there is none."""
    text = text_of(connection, body)
    if connection.dialect.name == "sqlite":
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
        return func.json_extract(text, f"${steps}")
    return func.json_extract_path_text(cast(text, JSON), *map(str, path))
