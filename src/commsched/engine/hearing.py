"""What comes in at channels: calls of providers, and what they list when asked; both go one way, and count once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from commsched.delivery.events import Origin, Taken, take
from commsched.engine.channels import medium_of
from commsched.errors import UnknownName
from commsched.model.facts import Unit
from commsched.model.vocabulary import MUST_TELL, PURPOSES
from commsched.plugin.channel import Channel, ChannelEvent, Forged, WebhookAnswer, WebhookRequest
from commsched.signals import Called, Failed, announce
from commsched.store import queries
from commsched.store.store import Store

log = structlog.get_logger("commsched.engine")
# Settings that remember when a channel was last asked what came in, and what was in the way.
ASKED, PROBLEM = "heard:", "unheard:"
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

    ``department`` is asked where no message says which is concerned; ``units`` is what meters count in.

    ``silenced``: the purposes for which a wish to stop counts that nobody can prove.

    ``forged`` counts the calls of this process that carried no valid signature.
    """

    store: Store
    channels: Mapping[str, Channel[Any]]
    department: str
    units: Unit
    tell: Callable[..., None]
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
        proven = channel.capabilities.proven
        origin = Origin(channel.name, medium_of(channel), self.department, self.units, proven, self.silenced)
        with self.store.write() as connection:
            taken = take(connection, origin, events, now)
            if asked:
                queries.put_setting(connection, ASKED + channel.name, now.isoformat())
                queries.put_setting(connection, PROBLEM + channel.name, "")
        if taken.unknown:
            log.warning("reply_from_nobody_known", channel=channel.name, count=taken.unknown)
        for one in taken.heard:
            announce(one)
        for fact in taken.facts:
            self.tell("received", event=fact)
        return taken

    def ask(self, now: datetime, run: Run) -> None:
        """Ask the channels that can list what came in, for what a lost call would have told; all of them at once.

        Nothing is sent meanwhile: so it takes no longer than ``ASK_SECONDS``, whatever they do.
        """
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


async def _all_listed(channels: Sequence[Channel[Any]], since: Sequence[datetime]) -> Found:
    """What each channel lists, or what it raised: a channel may raise anything, and takes no other with it."""
    return await asyncio.gather(*map(_listed, channels, since), return_exceptions=True)


async def _listed(channel: Channel[Any], since: datetime) -> Listed:
    async with asyncio.timeout(ASK_SECONDS):
        return list(await channel.inbound(since))
