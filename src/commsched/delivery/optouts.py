"""What a provider says that a person said about being written to: STOP and its like, START, complaints.

A STOP closes the medium at that address for everybody who has it, from the moment it is committed. A START takes back
that STOP, and nothing else: it permits nothing that was not permitted before, and no other refusal falls by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from commsched.model.facts import AnyFact, Consent
from commsched.model.subjects import address_subject, kind_of_medium

MARKETING = "marketing"
Facts = list[tuple[str, AnyFact]]


def opt_out(
    channel: str, medium: str, address: str, people: Iterable[str], times: tuple[datetime, datetime], words: str = ""
) -> Facts:
    """They want nothing more there: a refusal by each of these people, and at the address itself.

    ``times``: when it was said, and when it was learnt.
    """
    said = _said(channel, medium, times, granted=False, method="opt-out at the provider", words=words)
    return _everywhere(said, _name(channel, address), medium, address, people)


def unproven_opt_out(
    channel: str,
    medium: str,
    address: str,
    people: Iterable[str],
    times: tuple[datetime, datetime],
    words: str = "",
    *,
    purposes: Iterable[str],
) -> Facts:
    """The same where anybody may have written it: it counts for these purposes only."""
    whose, facts = sorted(set(people)), []
    for purpose in sorted(set(purposes)):
        said = _said(channel, medium, times, granted=False, method=f"by {medium}", purpose=purpose, words=words)
        facts += _everywhere(said, _name(channel, address), medium, address, whose)
    return facts


def opt_in(
    channel: str, medium: str, address: str, people: Iterable[str], times: tuple[datetime, datetime], words: str = ""
) -> Facts:
    """The refusal that came by this channel is taken back."""
    said = _said(channel, medium, times, granted=True, method="opt-in at the provider", words=words, withdrawn=True)
    return _everywhere(said, _name(channel, address), medium, address, people)


def complaint(
    channel: str, medium: str, address: str, people: Iterable[str], times: tuple[datetime, datetime]
) -> Facts:
    """They called a message spam: nothing more that advertises, there."""
    said = _said(channel, medium, times, granted=False, method="complaint at the provider", purpose=MARKETING)
    return _everywhere(said, None, medium, address, people)


def _said(
    channel: str,
    medium: str,
    times: tuple[datetime, datetime],
    *,
    granted: bool,
    method: str,
    purpose: str = "*",
    words: str = "",
    withdrawn: bool = False,
) -> Consent:
    return Consent(
        at=times[0],
        recorded_at=times[1],
        source=channel,
        stated_by="customer",
        medium=medium,
        purpose=purpose,
        granted=granted,
        method=method,
        text=words[:4000] or None,
        withdrawn=withdrawn,
    )


def _everywhere(said: Consent, name: str | None, medium: str, address: str, people: Iterable[str]) -> Facts:
    said = replace(said, id=name)
    facts: Facts = [(f"c:{person}", replace(said, customer=person)) for person in sorted(set(people))]
    return [*facts, (address_subject(kind_of_medium(medium), address), said)]


def _name(channel: str, address: str) -> str:
    """By which a START knows the STOP that it takes back."""
    return f"opt-out:{channel}:{address}"[:200]
