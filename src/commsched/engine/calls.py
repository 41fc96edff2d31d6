"""Where calls to channels run: here, one batch after the other, or aside, while the next batch is planned."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Calls(Protocol):
    """One event loop, which lasts: what a channel opened in one call it finds again in the next."""

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Wait for a call, and return what came of it."""

    def begin(self, call: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin a call; it may go on while the caller does something else."""


class Here:
    """Calls are over before anything else happens: where no time passes, the order of things is what counts."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Wait for a call, and return what came of it."""
        return self._runner.run(call)

    def begin(self, call: Coroutine[Any, Any, T]) -> Future[T]:
        """Wait for a call; what is returned has ended."""
        found: Future[T] = Future()
        found.set_result(self.run(call))
        return found


class Aside:
    """Calls run in a thread of their own, which begins with the first of them and ends with the process."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._beginning = Lock()

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Wait for a call, and return what came of it."""
        return self.begin(call).result()

    def begin(self, call: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin a call."""
        with self._beginning:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                Thread(target=self._loop.run_forever, name="calls", daemon=True).start()
        return asyncio.run_coroutine_threadsafe(call, self._loop)
