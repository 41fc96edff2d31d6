"""Every channel kind that hands over locally, built-in or of the shipped deployment, keeps the laws of channels."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from commsched import Accepted, Channel, Outgoing, Refused, Settings, TryLater
from commsched.loading import load_plugins
from commsched.testing.laws import channel_laws

ROOT = Path(__file__).parents[2]
KINDS = {name: kind for (what, name), kind in load_plugins(ROOT).kinds.items() if what == "channel"}
AT = datetime(2026, 11, 23, 15, tzinfo=UTC)


def outgoing(medium: str) -> Outgoing:
    """A message of this medium, still in time."""
    to = {"email": "ann@mail.example", "letter": "Ann Example\n1 Main Street\nEvanston, IL 60201"}.get(
        medium, "+13125550142"
    )
    mime = b"Subject: Oil\r\n\r\nDue." if medium == "email" else b""
    return Outgoing("a1", "ann/oil/-/1", medium, to, "Ann", "Oil", "It is due.", "", AT + timedelta(hours=1), AT, mime)


def outbox_lines(folder: Path) -> list[str]:
    """The attempts that the outbox has taken."""
    lines = [json.loads(line) for line in (folder / "var/outbox/outbox.jsonl").read_text().splitlines()]
    return [line["attempt"] for line in lines if "void" not in line]


def letters(folder: Path) -> list[str]:
    """The attempts that the mailing house was told of."""
    return [line.split("\t")[0] for line in (folder / "var/letters/manifest.tsv").read_text().splitlines()]


LOCAL: dict[str, tuple[dict[str, str], str, Callable[[Path], Sequence[str]] | None]] = {
    "console": ({"medium": "sms"}, "sms", None),
    "outbox": ({"medium": "email"}, "email", outbox_lines),
    "letters": ({}, "letter", letters),
}


@pytest.mark.parametrize("kind", sorted(LOCAL.keys() & KINDS.keys()))
def test_every_local_channel_keeps_the_laws(kind: str, tmp_path: Path) -> None:
    """Late messages come back, one attempt is one accept, a cancelled call leaves no doubt, secrets stay secret."""
    settings, medium, taken = LOCAL[kind]
    plugin = KINDS[kind].plugin
    channel = plugin(plugin.settings_type().model_validate(settings), name=kind, folder=tmp_path)
    accepted = None if taken is None else lambda: taken(tmp_path)
    channel_laws(channel, outgoing(medium), accepted=accepted)


class KeySettings(Settings):
    """Settings with a secret."""

    key: SecretStr = SecretStr("hunter2-hunter2")


class Careless(Channel[KeySettings]):
    """What the laws must notice."""

    kind = "careless"

    def __init__(self, how: str) -> None:
        super().__init__(KeySettings(), name="careless")
        self.how = how

    async def send(self, message: Outgoing) -> Accepted:
        if message.at > message.send_by and self.how != "late":
            raise TryLater(f"refused with {self.settings.key.get_secret_value()}")
        if self.how == "dead":
            raise Refused("never")
        return Accepted()


@pytest.mark.parametrize(("how", "law"), [("late", "comes back unsent"), ("leak", "no secret"), ("dead", "never")])
def test_the_laws_catch_a_channel_that_breaks_them(how: str, law: str) -> None:
    """A channel that breaks a law fails its test, and the failure names the law."""
    with pytest.raises((AssertionError, Refused), match=law):
        channel_laws(Careless(how), outgoing("sms"))
