"""Opening the store: connections, transactions, migrations, and database errors in plain words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from commsched.errors import StoreBusy, StoreError, StoreFull, StoreReadOnly, StoreTooNew

# The newest migration in store/migrations/versions; a test holds the two together.
HEAD = "0015"
MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 30
# How long a change of the tables may wait for a lock. Whoever comes after it waits as well, so it gives up soon.
MIGRATION_WAIT = "5s"
TURN_SECONDS = 0.1
# What a session of PostgreSQL may take, unless the URL has options of its own: a lock is waited for as long as on
# SQLite; a statement that runs on, or a transaction whose client is gone, does not hold its locks for ever.
LIMITS = f"-c lock_timeout={BUSY_SECONDS}s -c statement_timeout=10min -c idle_in_transaction_session_timeout=10min"
SECRET = "commsched_secret"  # noqa: S105 - the name of an option
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """An instant as the store keeps it."""
    return (at - _EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """An instant from what the store keeps."""
    return _EPOCH + value * _MICROSECOND


class Store:
    """A database and its transactions. SQLite (WAL, FULL) or PostgreSQL, by URL.

    One that is ``scratch`` goes away with the process that made it, so that nothing need wait for the disk.
    """

    def __init__(
        self, url: str, *, folder: Path = Path(), max_pages: int | None = None, secret: str = "", scratch: bool = False
    ) -> None:
        self.url = _resolved(url, folder)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self._max_pages = max_pages
        self._scratch = scratch
        # What no copy of the database has, for the hashes of erased names.
        self._options = {SECRET: secret}
        self.engine = self._engine()

    def _engine(self) -> Engine:
        if not self.sqlite:
            limits = {} if "options" in self.url.query else {"options": LIMITS}
            return create_engine(self.url, pool_pre_ping=True, connect_args=limits, execution_options=self._options)
        connect = {"timeout": BUSY_SECONDS, "check_same_thread": False}
        engine = create_engine(self.url, connect_args=connect, execution_options=self._options)
        event.listen(engine, "connect", self._prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _prepare_sqlite(self, connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection has no type
        # The driver must not open transactions by itself, so that BEGIN IMMEDIATE is ours to say.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "cache_size=-16384",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        if self._max_pages is not None:
            cursor.execute(f"PRAGMA max_page_count={self._max_pages}")
        cursor.close()

    @contextmanager
    def write(self, *, lasting: bool = True) -> Iterator[Connection]:
        """A transaction that writes: everything in it becomes durable, or nothing.

        One that is not ``lasting`` does not wait for the disk on SQLite, whose log keeps the order of the commits: a
        power failure may undo it as long as no lasting one was committed after it, and ends every process that knew of
        it. PostgreSQL always waits, for its workers may outlive a failure of its machine.
        """
        synchronous = "OFF" if self._scratch else "FULL" if lasting else "NORMAL"
        with _plain_errors(), self.engine.connect() as connection:
            connection = connection.execution_options(commsched_writes=synchronous)  # noqa: PLW2901 - the same one
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads; on SQLite one snapshot, on PostgreSQL one a statement."""
        with _plain_errors(), self.engine.connect() as connection, connection.begin():
            yield connection

    def prepare(self) -> None:
        """Bring the tables to the newest version; create them in a new database."""
        with _plain_errors():
            if self.sqlite and self.url.database not in {None, ":memory:"}:
                Path(str(self.url.database)).parent.mkdir(parents=True, exist_ok=True)
            version = self._version()
            if version == HEAD:
                return
            if version is not None and not list((MIGRATIONS / "versions").glob(f"{version}_*.py")):
                raise StoreTooNew
            self._migrate()

    def _version(self) -> str | None:
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

    def _migrate(self, to: str = "head") -> None:
        # Alembic is needed once in a database's life; every other start is spared its import.
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self._alone() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, to)

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        """A connection to migrate on: of several processes that start together, one does, and the others find it done.

        On PostgreSQL each migration is a transaction of its own, so that one can make an index while others write.
        """
        if self.sqlite:
            with self.write() as connection:
                yield connection
            return
        with _plain_errors(), self.engine.connect() as connection:
            # Whoever migrates may take long; the others wait for it, and only then no longer than that.
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text(f"SET lock_timeout = '{MIGRATION_WAIT}'"))
            # Asked for again and again: an index that is made beside the work of others waits for every statement that
            # has begun, and would wait for ever for one that waits for this lock.
            while not connection.execute(text("SELECT pg_try_advisory_lock(hashtext('commsched'))")).scalar():
                connection.commit()
                sleep(TURN_SECONDS)
            connection.commit()
            try:
                yield connection
            finally:
                # With the session go the lock and the settings.
                connection.invalidate()

    def scrub(self) -> bool:
        """Leave nothing of what was deleted in the file: write it anew, and empty its log; whether that was possible.

        SQLite keeps deleted bytes in free pages and in the log (https://sqlite.org/lang_vacuum.html). PostgreSQL reuses
        such space by itself.
        """
        if not self.sqlite:
            return True
        connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            # The copy may be larger than what there is of memory.
            cursor.execute("PRAGMA temp_store=FILE")
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA temp_store=MEMORY")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (busy, *_) = cursor.fetchone() or (0,)
        except sqlite3.OperationalError:
            return False
        finally:
            connection.close()
        return not busy

    def is_current(self) -> bool:
        """Whether the tables are of this version: another process may have brought them to a newer one."""
        with self.read() as connection:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _begin_sqlite(connection: Connection) -> None:
    synchronous = connection.get_execution_options().get("commsched_writes")
    if synchronous is not None and connection.info.get("synchronous", "FULL") != synchronous:
        connection.exec_driver_sql(f"PRAGMA synchronous={synchronous}")
        connection.info["synchronous"] = synchronous
    connection.exec_driver_sql("BEGIN" if synchronous is None else "BEGIN IMMEDIATE")


def _resolved(url: str, folder: Path) -> URL:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            return parsed.set(database=str(folder / parsed.database))
        return parsed
    message = f"{parsed.get_backend_name()} is not a database commsched knows; use sqlite:///FILE or postgresql://…"
    raise StoreError(message)


_WORDS: tuple[tuple[str, type[StoreError]], ...] = (
    ("readonly database", StoreReadOnly),
    ("permission denied", StoreReadOnly),
    ("must be owner", StoreReadOnly),
    ("read-only transaction", StoreReadOnly),
    ("disk is full", StoreFull),
    ("no space left", StoreFull),
    ("database is locked", StoreBusy),
    ("lock timeout", StoreBusy),
    ("deadlock detected", StoreBusy),
)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Database errors as one sentence that says what to do."""
    try:
        yield
    except DBAPIError as error:
        words = str(error.orig).strip()
        for part, kind in _WORDS:
            if part in words.lower():
                raise kind from error
        raise StoreError(words.splitlines()[0] if words else type(error.orig).__name__) from error
    except PermissionError as error:
        raise StoreReadOnly from error
