"""Breakers: a channel that gives no good answer is closed for a while, then tried with one message.

It closes at once where it says that it is down, and after several answers in a row of which nobody can say what became
of the message, unless calls that began later were answered meanwhile. Any other answer, also a refusal, shows that the
provider is there. How it stands is a row in the store,
so that all threads and processes go by it, and a restart does not forget it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from commsched.delivery.send import CALL_SECONDS, NotTried, Overtaken
from commsched.planning.world import Down
from commsched.plugin.channel import Ambiguous, ChannelDown, Outcome
from commsched.store import queries
from commsched.store.store import instant, micros

# So many unclear answers in a row close a channel.
FAILURES = 5
# How long it stays closed: at first, and at most; each failed try doubles it.
FIRST, LONGEST = timedelta(minutes=1), timedelta(minutes=15)
# How long the others wait for the answer to the one message that is tried.
PROBE = timedelta(seconds=CALL_SECONDS + 15)
DETAIL = 300


def is_open(row: Row[Any] | None, now: datetime) -> bool:
    """Whether messages may go by a channel: it is well, or its time has come to be tried."""
    return row is None or row.since is None or instant(row.until) <= now


def is_tried(row: Row[Any] | None) -> bool:
    """Whether the next message is the one with which the channel is tried."""
    return row is not None and row.since is not None


def try_out(connection: Connection, row: Row[Any], now: datetime) -> None:
    """One message goes; until its answer is there, no other does."""
    queries.put_outage(connection, row.channel, {"until": micros(now + PROBE)})


def note(
    connection: Connection, outcomes: Mapping[str, Sequence[Outcome]], now: datetime
) -> tuple[list[str], list[str]]:
    """Write down what the answers of each channel say about it; the channels that closed by them, and that opened."""
    told = {
        name: [one for one in found if not isinstance(one, NotTried | Overtaken)] for name, found in outcomes.items()
    }
    bad = {name for name, found in told.items() if any(map(_bad, found))}
    # Those that have a row in one order first: of two workers, what is bad to one may be well to the other.
    rows = queries.lock_outages(connection, {name for name, found in told.items() if found})
    rows |= queries.begin_outages(connection, bad)
    closed, opened = [], []
    for name, row in sorted(rows.items()):
        values = _after(row, told[name], now)
        if values is None:
            queries.drop_outage(connection, name)
            if row.since is not None:
                opened.append(name)
        else:
            queries.put_outage(connection, name, values)
            if row.since is None and values["since"] is not None:
                closed.append(name)
    return closed, opened


def wake(connection: Connection, now: datetime) -> None:
    """A channel is well again: what was put off until it was to be tried need not wait for that.

    In a transaction of its own, as it may be everybody: nobody's result is to wait for their rows.
    """
    queries.wake_planned(connection, (micros(now), micros(now + LONGEST)), micros(now))


def _bad(outcome: Outcome) -> bool:
    return isinstance(outcome, ChannelDown | Ambiguous)


def _after(row: Row[Any], outcomes: Sequence[Outcome], now: datetime) -> dict[str, object] | None:
    """How it stands with a channel after these answers; ``None``: it is well."""
    failures, down = row.failures, None
    for outcome in outcomes:
        if isinstance(outcome, ChannelDown):
            down = outcome
        failures = failures + 1 if _bad(outcome) else 0
    # The calls of a pass overlap: one that was clear says nothing against one that says that the channel is down.
    if failures == 0 and down is None:
        return None
    was = row.since is not None
    since, until, tries = row.since, row.until, row.tries
    if was or down is not None or failures >= FAILURES:
        tries += 1
        wait = min(FIRST * 2 ** min(tries - 1, 10), LONGEST)
        since = since if was else micros(now)
        until = micros(now + (max(wait, min(down.after, LONGEST)) if down is not None else wait))
    last = next(one for one in reversed(outcomes) if isinstance(one, ChannelDown | Ambiguous))
    return {
        "failures": failures,
        "since": since,
        "until": until,
        "tries": tries,
        "detail": (last.detail or str(last))[:DETAIL],
    }


def down_media(
    rows: Iterable[Row[Any]], carriers: Mapping[str, Sequence[str]], paused: Collection[str], now: datetime
) -> dict[str, Down]:
    """The media by which nothing can go for now, since every channel of theirs that is not paused is closed."""
    closed = {row.channel: row for row in rows if not is_open(row, now)}
    found = {}
    for medium, names in carriers.items():
        left = [name for name in names if name not in paused]
        if left and all(name in closed for name in left):
            first = min((closed[name] for name in left), key=lambda row: int(row.until))
            found[medium] = Down(instant(first.until), f"{first.channel}: {first.detail}")
    return found
