"""Calling a policy that may raise, hang or answer nonsense: it then refuses, and is named (fail closed).

In the main thread a timer interrupts a policy that overruns its limit, even one that sleeps or loops for ever. In
another thread Python cannot interrupt it; there the overrun is noticed when the call returns, and refuses all the same.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType
from typing import TypeGuard

from msgspec.structs import astuple

from commsched.model.decisions import ALLOW, Proposal, Verdict
from commsched.planning.world import Applied
from commsched.plugin.view import View
from commsched.timing.windows import Windows


class _Overrun(BaseException):
    """Not an Exception, so that a policy which swallows those cannot swallow its own end."""


class _Watch:
    """Since when the policy now running has been running."""

    def __init__(self) -> None:
        self.limit = 0.0
        self.started: float | None = None

    def alarm(self, _signal: int, _frame: FrameType | None) -> None:
        if self.started is not None and monotonic() - self.started >= self.limit:
            raise _Overrun


_watch = _Watch()


@contextmanager
def watched(limit: float) -> Iterator[None]:
    """Interrupt any policy that runs longer than ``limit`` seconds in this block; nested blocks change nothing."""
    if _watch.limit or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _watch.alarm)
    _watch.limit = limit
    signal.setitimer(signal.ITIMER_REAL, limit, limit / 4)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        _watch.limit, _watch.started = 0.0, None


@contextmanager
def bounded(limit: float) -> Iterator[None]:
    """Interrupt this block after ``limit`` seconds with ``TimeoutError``, where that can be done."""
    with watched(limit):
        _watch.started = monotonic()
        try:
            yield
        except _Overrun:
            raise TimeoutError(f"it did not end within {limit:g} s") from None
        finally:
            _watch.started = None


def ask(applied: Applied, proposal: Proposal, view: View, limit: float) -> Verdict | str:
    """The policy's verdict, or a sentence that says how it failed."""
    started = monotonic()
    _watch.started = started
    try:
        verdict = applied.policy.review(proposal, view)
    except _Overrun:
        return f"it did not answer within {limit:g} s"
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and must not take the others with it
        return f"it raised {type(error).__name__}: {error}"
    finally:
        _watch.started = None
    if monotonic() - started > limit:
        return f"it did not answer within {limit:g} s"
    return verdict if verdict is ALLOW or _is_verdict(verdict) else f"it returned {verdict!r:.80}, which is no verdict"


def _is_verdict(verdict: object) -> TypeGuard[Verdict]:
    if not isinstance(verdict, Verdict):
        return False
    # A dataclass does not check what it was made of, and the plugin that made it need not be typed.
    windows, media, detail, note, also, force = astuple(verdict)
    return (
        (windows is None or isinstance(windows, Windows))
        and (media is None or isinstance(media, frozenset))
        and isinstance(detail, str)
        and isinstance(note, str)
        and force in (None, "must_not", "could_not")
        and isinstance(also, tuple)
        and all(map(_is_verdict, also))
    )
