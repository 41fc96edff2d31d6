"""For channels that call a provider over a network: calls that do not block, what is left of time, careful words.

A provider's library is mostly synchronous, so its calls run in threads, some at a time. What a call raises is one of
the outcomes of :mod:`commsched.plugin.base`.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from commsched.plugin.channel import Accepted, Ambiguous, ChannelDown, Outcome, Outgoing, Refused, TryLater

T = TypeVar("T")
AT_ONCE = 50
# So much of what a provider says is kept.
LONGEST = 200
A_WHILE, A_DAY = timedelta(minutes=1), timedelta(days=1)
_SECRETIVE = re.compile(r"\S+@\S+|\+?\d[\d ().-]{5,}\d|[A-Za-z0-9+/=_.~-]{20,}")
_TOO_OFTEN = frozenset({425, 429})
_NOT_US = frozenset({401, 402, 403, 407})
_GAVE_UP_WAITING = 408
_REDIRECT, _CLIENT, _SERVER = 300, 400, 500


class Calls:
    """Runs calls in threads of its own, ``at_once`` of them at a time, none for longer than ``seconds``.

    One that has not begun within ``begin`` seconds, half of these by default, never does, so that it has time to end.
    """

    def __init__(self, seconds: float, *, at_once: int = AT_ONCE, begin: float | None = None) -> None:
        self.seconds = seconds
        self.begin = seconds / 2 if begin is None else begin
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="commsched-channel")

    async def run(self, call: Callable[[], T]) -> T:
        """What the call returns or raises.

        A call that has not begun in time, or is cancelled before it has, never does: :class:`TryLater`. Of one that has
        not ended in time nobody knows what became: :class:`Ambiguous`.
        """
        (future,) = await self._ended([call], 0)
        return _result(future, self.seconds)

    async def run_all(self, calls: Sequence[Callable[[], T]], *, more: float = 0.0) -> list[T | Outcome]:
        """Several calls, each one's result or outcome, in order; all of them together have ``seconds``.

        ``more``: so many seconds are added within which they may begin, where there are more than go at once.
        """
        return [_outcome(future, self.seconds + more) for future in await self._ended(calls, more)]

    async def _ended(self, calls: Sequence[Callable[[], T]], more: float) -> list[Future[T]]:
        """The calls, each of which has ended, or goes on where nobody waits for it, or never begins."""
        futures = [self._pool.submit(call) for call in calls]
        waiting = [asyncio.wrap_future(future) for future in futures]
        try:
            if waiting:
                await asyncio.wait(waiting, timeout=self.begin + more)
                for future in futures:
                    future.cancel()  # has no effect on those that have begun
                await asyncio.wait(waiting, timeout=self.seconds - self.begin)
        finally:
            for future, one in zip(futures, waiting, strict=True):
                future.cancel()
                one.cancel()
                # What a call raises is read here, so that asyncio does not report it as unheard.
                one.add_done_callback(_hear)
        return futures


def _hear(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


def _result(future: Future[T], seconds: float) -> T:
    if future.cancelled():
        raise TryLater("All the places for calls were taken; nothing was sent.")
    if future.done():
        return future.result()
    raise Ambiguous(f"There was no answer within {seconds:g} seconds.")


def _outcome(future: Future[Any], seconds: float) -> Any:  # noqa: ANN401 - the call's own result, or an outcome
    try:
        return _result(future, seconds)
    except (Refused, TryLater, Ambiguous) as outcome:
        return outcome


def raised(outcome: Accepted | Outcome) -> Accepted:
    """An outcome as :meth:`Channel.send` gives it: returned if it was accepted, else raised."""
    if isinstance(outcome, Accepted):
        return outcome
    raise outcome


def time_left(message: Outgoing) -> timedelta:
    """How long the message may still be accepted. Raises :class:`TryLater` if its time is over.

    By the clock of this machine, as what has waited for a place may have become late since it was decided.
    """
    left = message.send_by - max(message.at, datetime.now(UTC))
    if left <= timedelta():
        raise TryLater("It was too late to send this message.")
    return left


def outcome_of_status(status: int, detail: str, after: timedelta = A_WHILE) -> Refused | TryLater | Ambiguous:
    """What an HTTP status means of a request that was to hand a message over, where the provider says no more.

    429 and 425 were certainly not taken; 401, 402, 403 and 407 are about us, as is a redirect: nothing goes there. Any
    other 4xx but 408 is for good. All else leaves it open (RFC 9110, 15).
    """
    if status in _TOO_OFTEN:
        return TryLater(detail, after=after)
    if status in _NOT_US or _REDIRECT <= status < _CLIENT:
        return ChannelDown(detail, after=after)
    if _CLIENT <= status < _SERVER and status != _GAVE_UP_WAITING:
        return Refused(detail)
    return Ambiguous(detail)


def retry_after(value: str | None, default: timedelta = A_WHILE) -> timedelta:
    """The header ``Retry-After`` (RFC 9110, 10.2.3): seconds or a date; between a second and a day."""
    after = default
    if value and value.strip().isascii() and value.strip().isdigit():
        after = timedelta(seconds=min(int(value), int(A_DAY.total_seconds())))
    elif value:
        with suppress(ValueError, TypeError):
            after = parsedate_to_datetime(value) - datetime.now(UTC)
    return min(max(after, timedelta(seconds=1)), A_DAY)


def masked(text: str, *never: str) -> str:
    """What a provider said, short enough for a log: no addresses, numbers, keys and the like, and ``never`` these."""
    for one in sorted(filter(str.strip, never), key=len, reverse=True):
        text = text.replace(one, "…")
    return _SECRETIVE.sub("…", " ".join(text.split()))[:LONGEST]


def quiet(*loggers: str) -> None:
    """Keep the details of libraries out of every log, as numbers, words and keys stand in them."""
    for name in loggers:
        logging.getLogger(name).setLevel(logging.WARNING)


def attempt_in(url: str, channel: str) -> str:
    """The attempt that a callback address names: as ``?attempt=``, or after the channel's name; else nothing."""
    parts = urlsplit(url)
    named = parse_qs(parts.query).get("attempt")
    if named:
        return named[0]
    *before, last = [""] + [unquote(part) for part in parts.path.split("/") if part]
    return last if channel in before else ""


def library(name: str, extra: str) -> ModuleType:
    """A provider's library, imported when a channel that needs it is set up; ``ImportError`` says how to get it."""
    try:
        return import_module(name)
    except ImportError as error:
        message = f"it needs the library {name.partition('.')[0]}; run: pip install 'commsched[{extra}]'"
        raise ImportError(message) from error
