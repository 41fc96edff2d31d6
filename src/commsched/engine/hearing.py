"""What comes in at channels: calls of providers, and what they list when asked; both go one way, and count once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from commsched.delivery.events import Origin, Taken, take, take_kept
from commsched.delivery.replying import Takes
from commsched.engine.channels import medium_of
from commsched.engine.taking import Needed, Unread, takes_in
from commsched.errors import UnknownName
from commsched.model.facts import Unit
from commsched.model.vocabulary import MUST_TELL, PURPOSES
from commsched.planning.world import World
from commsched.plugin.channel import Channel, ChannelEvent, Forged, WebhookAnswer, WebhookRequest
from commsched.plugin.view import Snapshot
from commsched.signals import Called, Failed, announce
from commsched.store import queries
from commsched.store.store import Store
from commsched.timing.windows import Span

log = structlog.get_logger("commsched.engine")
# Settings that remember when a channel was last asked what came in, and what was in the way; sources have their own.
ASKED, PROBLEM = "asked:", "unheard:"
# So many seconds the engine waits for what channels list.
ASK_SECONDS = 10.0
# What is listed is asked for again from a while before; a channel never asked tells of the last day.
OVERLAP, FIRST = timedelta(hours=1), timedelta(days=1)
Listed = Sequence[ChannelEvent]
Found = Sequence[Listed | BaseException]
Run = Callable[[Coroutine[Any, Any, Found]], Found]


@dataclass
class Hearing:
    """Takes in what channels hear.

    ``world`` and ``snapshot`` say whether a time can be had that a reply takes (see :mod:`commsched.engine.taking`).
    ``department`` is asked where no message says which is concerned; ``units`` is what meters count in.

    ``silenced``: the purposes for which a wish to stop counts that nobody can prove.

    ``forged`` counts the calls of this process that carried no valid signature.
    """

    store: Store
    channels: Mapping[str, Channel[Any]]
    department: str
    units: Unit
    tell: Callable[..., None]
    world: Callable[[Connection], World]
    snapshot: Callable[[str, Span, datetime], Snapshot]
    silenced: frozenset[str] = frozenset(PURPOSES) - MUST_TELL
    forged: Counter[str] = field(default_factory=Counter)

    def called(self, name: str, request: WebhookRequest, now: datetime) -> WebhookAnswer:
        """A provider's call: verified, durable, and only then answered.

        Raises :class:`Forged`, and then nothing was written; :class:`UnknownName` where there is no such channel.
        """
        channel = self.channels.get(name)
        if channel is None:
            announce(Called("", "forged"))
            raise UnknownName(f"there is no channel {name!r}.")
        try:
            events = list(channel.webhook(request))
        except Forged:
            self.forged[name] += 1
            announce(Called(name, "forged"))
            log.warning("forged_call", channel=name, times=self.forged[name])
            raise
        except Exception as error:
            announce(Called(name, "failed"))
            announce(Failed("channel", name, type(error).__name__))
            raise
        self.take(channel, events, now)
        answer = channel.answer(request)
        announce(Called(name, "accepted"))
        return answer

    def take(
        self, channel: Channel[Any], events: Iterable[ChannelEvent], now: datetime, *, asked: bool = False
    ) -> Taken:
        """Make events durable, and tell the observers; ``asked``: remember that this channel was asked by now."""
        told = tuple(events)

        def work(connection: Connection, origin: Origin) -> Taken:
            taken = take(connection, origin, told, now)
            if asked:
                queries.put_setting(connection, ASKED + channel.name, now.isoformat())
                queries.put_setting(connection, PROBLEM + channel.name, "")
            return taken

        return self._in_one(channel, work, now)

    def match(self, now: datetime) -> None:
        """Take in what was told before its message was known, where it is known by now."""
        for channel in self.channels.values():
            with self.store.read() as connection:
                known = queries.now_known(connection, channel.name)
            if known:
                self._in_one(channel, lambda connection, origin: take_kept(connection, origin, now), now)

    def _in_one(self, channel: Channel[Any], work: Callable[[Connection, Origin], Taken], now: datetime) -> Taken:
        """Do this in one transaction; if the world or a calendar has to be read first, it is, and all begins anew."""
        known: dict[Needed, Snapshot] = {}
        world: World | None = None
        while True:
            try:
                with self.store.write() as connection:
                    taken = work(connection, self._origin(channel, takes_in(world, known)))
                break
            except Unread as one:
                # Either may take a while: not in a transaction that keeps others from writing.
                if one.needed is not None:
                    known[one.needed] = self.snapshot(*one.needed, now)
                    continue
                with self.store.read() as connection:
                    world = self.world(connection)
        if taken.unknown:
            log.warning("reply_from_nobody_known", channel=channel.name, count=taken.unknown)
        if taken.unmatched:
            log.warning("event_about_no_known_message", channel=channel.name, count=taken.unmatched)
        for event in taken.heard:
            announce(event)
        for fact in taken.facts:
            self.tell("received", event=fact)
        return taken

    def _origin(self, channel: Channel[Any], takes: Takes) -> Origin:
        proven = channel.capabilities.proven
        return Origin(
            channel.name, medium_of(channel), self.department, self.units, proven, self.silenced, takes, channel
        )

    def ask(self, now: datetime, run: Run) -> None:
        """Ask the channels that can list what came in, for what a lost call would have told; all of them at once.

        Nothing is sent meanwhile: so it takes no longer than ``ASK_SECONDS``, whatever they do.
        """
        self.match(now)
        asked = [channel for channel in self.channels.values() if channel.capabilities.inbound]
        if not asked:
            return
        with self.store.read() as connection:
            last = [queries.setting(connection, ASKED + channel.name) for channel in asked]
        since = [datetime.fromisoformat(one) - OVERLAP if one else now - FIRST for one in last]
        for channel, found in zip(asked, run(_all_listed(asked, since)), strict=True):
            if isinstance(found, BaseException):
                announce(Failed("channel", channel.name, type(found).__name__))
                log.warning("not_listed", channel=channel.name, error=type(found).__name__)
                with self.store.write() as connection:
                    queries.put_setting(connection, PROBLEM + channel.name, type(found).__name__)
            else:
                self.take(channel, found, now, asked=True)


def ask_again(connection: Connection, channels: Mapping[str, Channel[Any]], since: datetime) -> list[str]:
    """Have channels asked for all that came in since then; those that only call, and cannot be asked."""
    for name, channel in channels.items():
        if channel.capabilities.inbound:
            last = queries.setting(connection, ASKED + name)
            first = min(since, datetime.fromisoformat(last)) if last else since
            queries.put_setting(connection, ASKED + name, first.isoformat())
    return [
        name
        for name, channel in channels.items()
        if not channel.capabilities.inbound and type(channel).webhook is not Channel.webhook
    ]


async def _all_listed(channels: Sequence[Channel[Any]], since: Sequence[datetime]) -> Found:
    """What each channel lists, or what it raised: a channel may raise anything, and takes no other with it."""
    return await asyncio.gather(*map(_listed, channels, since), return_exceptions=True)


async def _listed(channel: Channel[Any], since: datetime) -> Listed:
    async with asyncio.timeout(ASK_SECONDS):
        return list(await channel.inbound(since))
