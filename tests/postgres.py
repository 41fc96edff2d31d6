"""A PostgreSQL server of the tests' own, from the system's programs: started once, ended by its process id."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from threading import Thread

import psycopg
from psycopg import sql
from sqlalchemy import text

from commsched.store.store import Store

USER = "commsched"
MISSING = "PostgreSQL's server programs (initdb, postgres) are not on this machine: run tools/test-services"


def programs() -> tuple[Path, Path] | None:
    """The paths of initdb and postgres: those on PATH, else the newest of a Debian system's."""
    versioned = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: -float(folder.parent.name))
    for folder in [None, *versioned]:
        found = [shutil.which(name, path=None if folder is None else str(folder)) for name in ("initdb", "postgres")]
        if found[0] and found[1]:
            return Path(found[0]), Path(found[1])
    return None


@dataclass
class Server:
    """A running server, and databases in it."""

    port: int
    process: subprocess.Popen[str]
    begin: Callable[[], subprocess.Popen[str]]

    def restart(self) -> None:
        """End it as if the power had failed, and begin it anew, on the same port."""
        _stop(self.process)
        self.process = self.begin()

    def __post_init__(self) -> None:
        self._numbers = count(1)

    def url(self, database: str) -> str:
        """Where a database is."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        """A connection to a database, past all of commsched."""
        return psycopg.connect(self.url(database))

    def create(self, template: str = "template1") -> str:
        """A fresh database; its name."""
        name = f"test_{next(self._numbers)}"
        self._run("CREATE DATABASE {} TEMPLATE {}", name, template)
        return name

    def drop(self, name: str) -> None:
        """Away with a database, whoever may still be connected to it."""
        self._run("DROP DATABASE {} WITH (FORCE)", name)

    def empty(self, name: str, tables: Iterable[str]) -> None:
        """Make a database that a test has used as good as fresh: a tenth of the time that copying one takes."""
        with self.connect(name) as connection:
            connection.execute("SET lock_timeout = '10s'")
            for table in tables:
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def running() -> Iterator[Server]:
    """A server on a free port of 127.0.0.1, which is gone with all its data afterwards."""
    found = programs()
    if found is None:
        raise FileNotFoundError(MISSING)
    initdb, postgres = found
    folder = Path(tempfile.mkdtemp(prefix="commsched-pg-"))
    who = _somebody_else(folder)
    try:
        _initialise(initdb, folder / "data", who)
        port = _free_port()
        begin = partial(_start, postgres, folder, port, who)
        server = Server(port, begin(), begin)
        try:
            yield server
        finally:
            _stop(server.process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _somebody_else(folder: Path) -> dict[str, object]:
    """PostgreSQL refuses to run as root: whom it runs as instead, and the folder is theirs."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = known.get("postgres") or known["nobody"]
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _initialise(initdb: Path, data: Path, who: dict[str, object]) -> None:
    """A language's own order of letters, as most servers have it: nothing may rest on the order of bytes."""
    base = [str(initdb), "-D", str(data), "-U", USER, "--auth=trust", "--encoding=UTF8", "--no-instructions"]
    base.append("--no-sync")  # of the empty cluster only: the server itself waits for the disk
    language = ["--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8"]
    for command in (base + language, base):
        done = subprocess.run(command, capture_output=True, text=True, cwd=data.parent, check=False, **who)  # type: ignore[call-overload]
        if done.returncode == 0:
            return
    raise RuntimeError(f"initdb failed: {done.stderr}")


def _start(postgres: Path, folder: Path, port: int, who: dict[str, object]) -> subprocess.Popen[str]:
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": folder,
        "fsync": "on",
        "max_connections": 60,
        "shared_buffers": "32MB",
        "lc_messages": "C",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    process: subprocess.Popen[str] = subprocess.Popen(
        [str(postgres), "-D", str(folder / "data"), *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        cwd=folder,
        **who,  # type: ignore[call-overload]
    )
    if process.stderr is None:
        raise RuntimeError
    said: deque[str] = deque(maxlen=20)
    for line in process.stderr:
        said.append(line)
        if re.search("ready to accept connections", line):
            Thread(target=deque, args=(process.stderr, 0), daemon=True).start()
            return process
    raise RuntimeError(f"postgres did not start: {''.join(said)}")


def _stop(process: subprocess.Popen[str]) -> None:
    """At once: all of it is thrown away. The server's own children end with it."""
    process.send_signal(signal.SIGQUIT)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until_waiting(store: Store, count: int) -> None:
    """Until so many sessions wait for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    while True:
        with store.read() as connection:
            if connection.execute(waiting).scalar_one() >= count:
                return
