"""What all queries share: chunks of keys, and the insert that both databases know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Table,
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


class Upsert:
    """Rows written where others may stand already, and what is done then; ``build`` is handed the database's insert.

    The statement is compiled once for each database. SQLAlchemy keeps no compiled form of an insert with ON CONFLICT,
    and to compile one takes longer than to write a row. What it says must be of columns, and hold no values. The driver
    is handed the rows as they are: SQLAlchemy would take as long for each as the database does.
    """

    def __init__(self, table: Table, columns: Sequence[str], build: Callable[[Any], Any]) -> None:
        self._table, self._columns, self._build = table, list(columns), build
        self._compiled: dict[str, str] = {}
        self._values = itemgetter(*columns)

    def __call__(self, connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
        """Write the rows, which have all of the columns."""
        name = connection.dialect.name
        if name not in self._compiled:
            module: Any = sqlite if name == "sqlite" else postgresql
            statement = self._build(module.insert(self._table))
            dialect = module.dialect(paramstyle="qmark" if name == "sqlite" else "format")
            self._compiled[name] = str(statement.compile(dialect=dialect, column_keys=self._columns))
        connection.exec_driver_sql(self._compiled[name], [self._values(row) for row in rows])


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
