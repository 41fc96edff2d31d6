"""Laws that plugins keep, to be run by their authors' tests.

For example::

    def test_my_policy() -> None:
        policy_laws(MyPolicy(MySettings(), name="mine"))

Each function raises ``AssertionError`` with the example that breaks a law.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import structs
from pydantic import SecretStr

from commsched.model.decisions import Proposal, Verdict
from commsched.model.state import Profile, State
from commsched.plugin.base import OURS, Booking, Calendar, OutOfStep, Policy
from commsched.plugin.channel import (
    Accepted,
    Ambiguous,
    Attempt,
    Channel,
    Forged,
    Outgoing,
    Refused,
    TryLater,
    WebhookRequest,
)
from commsched.plugin.view import View
from commsched.testing.strategies import proposals, views, windows
from commsched.timing.windows import ALWAYS, NEVER, Span, Windows

UNSENT = (Refused, TryLater)
# Over by the clock as much as by the instant at which the message was to go.
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def policy_laws(policy: Policy[Any], *, examples: int = 100, shrink: bool = True) -> None:
    """What every policy keeps, whatever the proposal and the customer.

    It answers with a verdict, and says why when it takes something away. The same input gives the same answer. A
    narrower span gives the clipped verdict. Together with others it only takes away. What it does not declare in
    ``depends`` makes no difference to it. ``shrink``: look for the smallest example that breaks a law.
    """
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]

    @settings(
        max_examples=examples, phases=phases, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(proposals(), proposals(), views(), windows(), st.data())
    def hold(proposal: Proposal, other: Proposal, view: View, rest: Windows, data: st.DataObject) -> None:
        verdict = policy.review(proposal, view)
        _is_answer(verdict)
        _is_pure(policy, proposal, other, view, verdict)
        _only_takes_away(proposal, verdict, rest)
        _clips(policy, proposal, view, verdict, _part(proposal.span, data))
        _keeps_to_what_it_declares(policy, proposal, view, verdict)

    hold()


def channel_laws(
    channel: Channel[Any], message: Outgoing, *, accepted: Callable[[], Sequence[str]] | None = None
) -> None:
    """What every channel keeps. ``accepted`` gives the attempts that its provider has taken, with repetitions.

    A message whose time is over comes back unsent. A batch has one outcome for each message, in order. What it does not
    declare it refuses, and what it has it declares. Where ``lookup`` proves, it tells what was accepted from what was
    not, the same attempt twice is one accept, and a call that was cancelled leaves no doubt. No secret of the settings
    is in an error, in a log, or in how it shows itself. After all that it still sends.
    """
    with heard() as logged:
        asyncio.run(_channel_laws(channel, message, accepted))
    law(not any(secret in text for secret in secrets_of(channel) for text in logged), "no secret is in a log")


def calendar_laws(calendar: Calendar[Any], now: datetime, *, examples: int = 50) -> None:
    """What every calendar keeps that can be read at present; whatever stands in it, in the two years around ``now``.

    Its open times lie inside the span that was asked for, and a narrower span gives the clipped answer. The same
    question gives the same answer. One that keeps our appointments has what was written, once, and neither writes over
    nor takes away what is not as it was said to be; afterwards it is as it was.
    """
    year = timedelta(days=366)
    around = (now - year, now + year)

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.data())
    def hold(data: st.DataObject) -> None:
        wide = _part(around, data)
        found = calendar.snapshot(wide, now)
        law(found.name == calendar.name, "it answers with a snapshot of its name")
        law(not found.stale and found.taken_at == now, "what was read now was taken now")
        law(found.open.clip(*wide) == found.open, "it is open inside the span only")
        law(calendar.snapshot(wide, now) == found, "the same question gives the same answer")
        part = _part(wide, data) if wide[1] - wide[0] > timedelta(seconds=1) else wide
        narrow = calendar.snapshot(part, now)
        law(narrow.open == found.open.clip(*part), "a narrower span gives the clipped answer")

    hold()
    if calendar.writes:
        _keeps_appointments(calendar, now)


def _keeps_appointments(calendar: Calendar[Any], now: datetime) -> None:
    start = now.replace(microsecond=0) + timedelta(days=1)
    booking = Booking(f"0123456789abcdef{OURS}", start, start + timedelta(hours=1), "Law")
    later = replace(booking, start=start + timedelta(hours=2), end=start + timedelta(hours=3))
    around = (now, now + timedelta(days=3))
    before = list(calendar.entries(around, now))
    calendar.put(booking, "")
    (first,) = [one for one in calendar.entries(around, now) if one.uid == booking.uid]
    law((first.start, first.end) == (booking.start, booking.end), "what was written stands there")
    _refuses(lambda: calendar.put(later, ""), "what stands there is not written over as if it were new")
    calendar.put(later, first.token)
    (second,) = [one for one in calendar.entries(around, now) if one.uid == booking.uid]
    law((second.start, second.end) == (later.start, later.end), "what was changed is changed")
    _refuses(lambda: calendar.put(booking, first.token), "what was changed since is not written over")
    _refuses(lambda: calendar.remove(booking.uid, first.token), "what was changed since is not taken away")
    for _ in range(2):
        calendar.remove(booking.uid, second.token)
    law(list(calendar.entries(around, now)) == before, "afterwards it is as it was")


def _refuses(deed: Callable[[], object], law: str) -> None:
    try:
        deed()
    except OutOfStep:
        return
    raise AssertionError(law)


def law(kept: bool, said: str) -> None:  # noqa: FBT001 - reads as the assert that it is, and is kept under -O too
    """Raise ``AssertionError`` with what the law says, unless it is kept."""
    if not kept:
        raise AssertionError(said)


@contextmanager
def heard() -> Iterator[list[str]]:
    """All that is logged by anybody inside the block, down to the last detail, in words."""
    words: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            words.append(record.getMessage())

    ear, root = Ear(), logging.getLogger()
    before = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    try:
        yield words
    finally:
        root.setLevel(before)
        root.removeHandler(ear)


def secrets_of(channel: Channel[Any]) -> list[str]:
    """The secrets in the settings of a channel."""
    values = [getattr(channel.settings, name) for name in type(channel.settings).model_fields]
    return [one.get_secret_value() for one in values if isinstance(one, SecretStr) and one.get_secret_value()]


def _is_answer(verdict: object) -> None:
    if not isinstance(verdict, Verdict):
        raise AssertionError(f"{verdict!r} is no verdict")  # noqa: TRY004 - a broken law, like the others
    law(verdict.windows is None or isinstance(verdict.windows, Windows), "windows are Windows")
    law(verdict.media is None or isinstance(verdict.media, frozenset), "media are a frozenset")
    law(verdict.windows is None or bool(verdict.detail.strip()), "a policy that takes something away says why")
    law(not verdict.note or bool(verdict.detail.strip()), "what the staff are told has a sentence for the customer")
    for other in verdict.also:
        _is_answer(other)


def _is_pure(policy: Policy[Any], proposal: Proposal, other: Proposal, view: View, verdict: Verdict) -> None:
    before = list(view.history)
    policy.review(other, view)
    law(policy.review(proposal, view) == verdict, "the same proposal and view give the same verdict")
    law(list(view.history) == before, "a policy leaves what it is shown as it was")


def _only_takes_away(proposal: Proposal, verdict: Verdict, rest: Windows) -> None:
    for medium in proposal.media:
        both = rest & _allowed(verdict, medium)
        law(not both - rest, "one more policy never allows more")
        law(both == _allowed(verdict, medium) & rest, "the order of policies makes no difference")


def _clips(policy: Policy[Any], proposal: Proposal, view: View, verdict: Verdict, part: Span) -> None:
    narrow = policy.review(structs.replace(proposal, span=part), view)
    for medium in proposal.media:
        wide = _allowed(verdict, medium).clip(*part)
        law(_allowed(narrow, medium).clip(*part) == wide, "a narrower span gives the clipped verdict")


def _keeps_to_what_it_declares(policy: Policy[Any], proposal: Proposal, view: View, verdict: Verdict) -> None:
    law(policy.depends <= {"time", "facts", "history"}, "depends names time, facts and history, and nothing else")
    if "time" not in policy.depends:
        told = {one.windows for one in (verdict, *verdict.also)}
        law(told <= {None, NEVER, ALWAYS}, "it does not declare `time`, yet it tells times apart")
    if "facts" not in policy.depends:
        without = _view(view, State(Profile(view.customer.id)), view.history)
        law(policy.review(proposal, without) == verdict, "it does not declare `facts`, yet they matter to it")
    if "history" not in policy.depends:
        without = _view(view, view._state, ())  # noqa: SLF001 - the view that it was made from
        law(policy.review(proposal, without) == verdict, "it does not declare `history`, yet it matters to it")


def _view(view: View, state: State, history: Sequence[Any]) -> View:
    return View(
        state,
        history,
        view.zones,
        view.vocabulary,
        view.calendars,
        view.departments,
        region=view.region,
        stale=view.silent,
    )


def _allowed(verdict: Verdict, medium: str) -> Windows:
    allowed = verdict.on(medium)
    return ALWAYS if allowed is None else allowed


def _part(span: Span, data: st.DataObject) -> Span:
    seconds = int((span[1] - span[0]).total_seconds())
    start = data.draw(st.integers(0, seconds - 1))
    end = data.draw(st.integers(start + 1, seconds))
    return span[0] + timedelta(seconds=start), span[0] + timedelta(seconds=end)


async def _channel_laws(channel: Channel[Any], message: Outgoing, accepted: Callable[[], Sequence[str]] | None) -> None:
    errors = [await _comes_back_late(channel, message)]
    await _answers_in_order(channel, message)
    await _declares(channel, message)
    if channel.capabilities.lookup == "proof":
        await _proves(channel, message)
        await _leaves_no_doubt(channel, message)
    once = _another(message, "once")
    law(isinstance(await channel.send(once), Accepted), "after all that it still sends")
    if accepted is not None:
        taken = accepted()
        law(once.attempt in taken, "what it accepted has arrived")
        law(len(taken) == len(set(taken)), "the same attempt is accepted once")
    _tells_no_secret(channel, errors)


async def _comes_back_late(channel: Channel[Any], message: Outgoing) -> Exception:
    late = replace(_another(message, "late"), send_by=LONG_AGO)
    try:
        await channel.send(late)
    except UNSENT as error:
        return error
    raise AssertionError("a message whose time is over comes back unsent")


async def _answers_in_order(channel: Channel[Any], message: Outgoing) -> None:
    if not channel.capabilities.batch:
        return
    late = replace(_another(message, "late"), send_by=LONG_AGO)
    batch = [_another(message, "batch-1"), late, _another(message, "batch-2")]
    outcomes = await channel.send_batch(batch)
    kinds = [isinstance(outcome, Accepted) for outcome in outcomes]
    law(kinds == [True, False, True], "a batch has one outcome for each message, in order")
    law(isinstance(outcomes[1], UNSENT), "a message whose time is over comes back unsent, from a batch too")


async def _declares(channel: Channel[Any], message: Outgoing) -> None:
    can, kind = channel.capabilities, type(channel)
    has = {
        "batch": (can.batch > 0, kind.send_batch is not Channel.send_batch),
        "lookup": (can.lookup != "none", kind.lookup is not Channel.lookup),
        "webhook": (can.webhook, kind.webhook is not Channel.webhook),
        "inbound": (can.inbound, kind.inbound is not Channel.inbound),
    }
    for name, (declared, written) in has.items():
        law(declared == written, f"it declares {name} if it has it, and only then")
    if not can.batch:
        await _is_refused(channel.send_batch([message]), "batch")
    if can.lookup == "none":
        await _is_refused(channel.lookup(_attempt(channel, message)), "lookup")
    if not can.inbound:
        await _is_refused(channel.inbound(message.at), "inbound")
    try:
        list(channel.webhook(WebhookRequest("POST", "https://example.org/", {}, b"")))
    except Forged:
        return
    raise AssertionError("a call without a signature is forged")


async def _is_refused(call: Awaitable[object], what: str) -> None:
    try:
        await call
    except (Refused, TryLater, Ambiguous):
        return
    raise AssertionError(f"it does not declare {what}, and refuses it")


async def _proves(channel: Channel[Any], message: Outgoing) -> None:
    twice = _another(message, "twice")
    never = _attempt(channel, _another(message, "never"))
    law(await channel.lookup(never) is None, "what was never handed over is not known")
    await channel.send(twice)
    found = await channel.lookup(_attempt(channel, twice))
    law(found is not None and found.attempt == twice.attempt, "what it accepted is known")
    law(isinstance(await channel.send(twice), Accepted), "the same attempt again is accepted, and not sent again")


async def _leaves_no_doubt(channel: Channel[Any], message: Outgoing) -> None:
    """Cancelled before it began, and after each of its first steps."""
    for steps in range(3):
        cut = _another(message, f"cut-{steps}")
        task = asyncio.ensure_future(channel.send(cut))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        known = await channel.lookup(_attempt(channel, cut))
        law(known is not None or not isinstance(outcome, Accepted), "what it accepted is known, cancelled or not")
        # What was not known when it was asked for may be shut out for good; the message then goes under a new attempt.
        again = cut if known is not None else replace(cut, attempt=f"{cut.attempt}-again")
        law(isinstance(await channel.send(again), Accepted), "after a cancelled call the message can be settled")


def _tells_no_secret(channel: Channel[Any], errors: Sequence[Exception]) -> None:
    said = " ".join([repr(channel), repr(channel.settings), *map(str, errors), *map(repr, errors)])
    law(not any(secret in said for secret in secrets_of(channel)), "no secret is in an error")


def _another(message: Outgoing, name: str) -> Outgoing:
    return replace(message, attempt=f"{message.attempt}-{name}", key=f"{message.key}-{name}")


def _attempt(channel: Channel[Any], message: Outgoing) -> Attempt:
    started = message.at
    return Attempt(message.attempt, message.key, "customer", channel.name, message.to, started, message.send_by)
