"""Makes policies' inputs short to write: everything has a default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from commsched import Anchor, Department, Placed, Policy, Proposal, Settings, Snapshot, Verdict, View, zone
from commsched.model.state import Profile, State
from commsched.testing.strategies import ADDRESSES, VOCABULARY

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)  # a Monday
DAY = timedelta(days=1)
SPAN = (NOON - 30 * DAY, NOON + 30 * DAY)


def a_proposal(**fields: Any) -> Proposal:
    """A service message about a car, at noon of 15 June 2026, thirty days more or less."""
    given: dict[str, Any] = {
        "key": "ann/oil/invite/car-1/1",
        "customer": "ann",
        "rule": "oil",
        "step": "invite",
        "subject": "car-1",
        "occurrence": "1",
        "purpose": "service",
        "topic": "oil",
        "department": "service",
        "priority": 5,
        "anchor": Anchor("due", NOON),
        "ideal": NOON,
        "span": SPAN,
        "template": "oil",
        "media": ("email", "sms"),
        "addresses": {"email": ADDRESSES["email"], "sms": ADDRESSES["sms"]},
        "recipient": "ann",
    }
    return Proposal(**given | fields)


def a_placed(at: datetime, **fields: Any) -> Placed:
    """Another message to the same customer."""
    given: dict[str, Any] = {
        "key": f"ann/other/{at.isoformat()}",
        "at": at,
        "rule": "other",
        "step": "invite",
        "subject": "car-2",
        "occurrence": "1",
        "purpose": "service",
        "topic": "oil",
        "department": "sales",
        "medium": "email",
        "address": ADDRESSES["email"],
        "template": "other",
        "content": "other-text",
        "sent": True,
    }
    return Placed(**given | fields)


def review(
    policy: type[Policy[Any]],
    settings: Mapping[str, object] | None = None,
    *,
    proposal: Proposal | None = None,
    history: Sequence[Placed] = (),
    zones: Sequence[str] = ("America/Chicago",),
    calendars: Mapping[str, Snapshot] | None = None,
    departments: Mapping[str, Department] | None = None,
    compiled: Mapping[str, Any] | None = None,
    stale: Mapping[str, datetime] | None = None,
    **state: Any,
) -> Verdict:
    """A policy's verdict on a proposal, for a customer of whom only what is given is known."""
    model: type[Settings] = policy.settings_type()
    made: Any = policy(model.model_validate(settings or {}), name=policy.kind)
    if compiled is not None:
        made.compiled = compiled
    known = State(state.pop("profile", Profile("ann")), **state)
    clocks = tuple(map(zone, zones))
    view = View(known, history, clocks, VOCABULARY, calendars or {}, departments or {}, stale=stale or {})
    return made.review(proposal or a_proposal(), view)


def allows(verdict: Verdict, medium: str, at: datetime) -> bool:
    """Whether a message may go on this medium at this instant."""
    windows = verdict.on(medium)
    return windows is None or at in windows


@pytest.fixture
def ask() -> Callable[..., Verdict]:
    """Ask a policy."""
    return review


@pytest.fixture
def proposal() -> Callable[..., Proposal]:
    """Make a proposal."""
    return a_proposal


@pytest.fixture
def placed() -> Callable[..., Placed]:
    """Make a message of the history."""
    return a_placed


@pytest.fixture
def may() -> Callable[..., bool]:
    """Whether a verdict allows a medium at an instant, by default at noon of 15 June 2026."""

    def asked(verdict: Verdict, medium: str = "email", at: datetime = NOON) -> bool:
        return allows(verdict, medium, at)

    return asked


@pytest.fixture
def noon() -> datetime:
    """Noon UTC of Monday, 15 June 2026."""
    return NOON
