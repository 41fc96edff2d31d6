"""The channels of a deployment, by the medium that each serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from commsched.plugin.channel import Channel


def medium_of(channel: Channel[Any]) -> str:
    """The medium that a channel instance serves: its kind's, or the one in its settings."""
    kind = type(channel).medium
    return str(getattr(channel.settings, "medium", kind)) if kind == "*" else kind


def carriers(channels: Mapping[str, Channel[Any]]) -> dict[str, tuple[str, ...]]:
    """The channels of each medium, in the order in which they are configured: that of preference."""
    found: dict[str, tuple[str, ...]] = {}
    for name, channel in channels.items():
        medium = medium_of(channel)
        found[medium] = (*found.get(medium, ()), name)
    return found


def first_of(channels: Mapping[str, Channel[Any]]) -> dict[str, str]:
    """The first channel of each medium: the one that plans, reports and costs name."""
    return {medium: names[0] for medium, names in carriers(channels).items()}
