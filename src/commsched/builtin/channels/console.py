"""Shows messages instead of sending them, for trying things out.

Nobody receives anything::

    [[channels]]
    name = "screen"
    kind = "console"
    medium = "sms"
    stream = "stderr"
"""

from __future__ import annotations

import sys
from typing import Literal

from pydantic import Field

from commsched import Accepted, Channel, Outgoing, Settings, TryLater, hookimpl


class ConsoleSettings(Settings):
    """Which messages, and where they are shown."""

    medium: Literal["email", "sms", "voice", "letter", "webhook"] = Field(description="The medium that it stands for.")
    stream: Literal["stderr", "stdout"] = Field(default="stderr", description="Where the messages are printed.")


class Console(Channel[ConsoleSettings]):
    """Prints each message."""

    kind = "console"

    async def send(self, message: Outgoing) -> Accepted:
        """Print it, unless its time is over."""
        if message.at > message.send_by:
            raise TryLater("It was too late to send this message.")
        head = f"--- {message.medium} to {message.name} <{message.to}>"
        words = [head, *([message.subject, ""] if message.subject else []), message.text.rstrip(), "---"]
        print(*words, sep="\n", file=getattr(sys, self.settings.stream), flush=True)
        return Accepted(message.attempt)


@hookimpl
def register_channels() -> list[type[Console]]:
    """Announce the kind."""
    return [Console]
