"""What all queries share: chunks of keys, and the insert that both databases know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
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
