"""What measures need beside them: a Redis, a PostgreSQL, processes that are told to stop; all on this machine alone."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from tempfile import TemporaryFile
from time import monotonic, sleep

from benchmarks.bench import environment
from benchmarks.population import ROOT
from tests import postgres

STOP_SECONDS = 20.0
START_SECONDS = 60.0


class Missing(Exception):
    """A program or a library is not on this machine."""


def needs(*libraries: str) -> None:
    """Raises :class:`Missing` if one of the libraries is not installed."""
    for name in libraries:
        if find_spec(name) is None:
            raise Missing(f"{name} is not installed: make bench installs it")


@contextmanager
def redis() -> Iterator[str]:
    """The address of a Redis that writes nothing to the disk, as quick as it can be."""
    program = shutil.which("redis-server")
    if program is None:
        raise Missing("redis-server is not on this machine: apt-get install redis-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with process(command):
        wait(lambda: _listens(port), "redis-server")
        yield f"redis://127.0.0.1:{port}/0"


def wait(there: Callable[[], bool], what: str) -> None:
    """Wait for another process to be there. Raises :class:`Missing` if it does not come to be."""
    end = monotonic() + START_SECONDS
    while not there():
        if monotonic() > end:
            raise Missing(f"{what} does not start")
        sleep(0.1)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of a fresh database."""
    if postgres.programs() is None:
        raise Missing(postgres.MISSING)
    with postgres.running() as server:
        yield server.url(server.create())


@contextmanager
def process(command: Sequence[str], more: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own until the end of the block; the end of its log is shown if it did not live so long."""
    env = {**environment(), **(more or {})}
    with TemporaryFile() as log:
        begun = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=log)
        try:
            yield begun
        finally:
            if begun.poll() is not None:
                log.seek(0)
                print(log.read()[-2000:].decode("utf-8", "replace"), file=sys.stderr)
            begun.terminate()
            try:
                begun.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                begun.kill()
                begun.wait()


@contextmanager
def processes(commands: Sequence[Sequence[str]], more: Mapping[str, str] | None = None) -> Iterator[list[int]]:
    """Several at once; their ids."""
    with ExitStack() as stack:
        yield [stack.enter_context(process(command, more)).pid for command in commands]


def module(name: str, *arguments: object) -> list[str]:
    """The command that runs a module."""
    return [sys.executable, "-m", name, *map(str, arguments)]
