"""What depends on a stale source waits and says since when."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from commsched.builtin.policies.freshness import Freshness


@pytest.mark.parametrize(
    ("source", "stale", "says"),
    [
        ("dms", {}, None),
        ("dms", {"crm": datetime(2026, 6, 10, 14, tzinfo=UTC)}, None),
        ("dms", {"dms": datetime(2026, 6, 10, 14, tzinfo=UTC)}, "from dms since 2026-06-10 09:00"),
        (["dms", "crm"], {"crm": datetime(2026, 6, 9, 14, tzinfo=UTC)}, "from crm since 2026-06-09 09:00"),
    ],
)
def test_it_holds_while_a_source_is_stale(ask, may, source, stale, says):
    """One stale source is enough; others do not matter; the sentence tells which, and since when by their clock."""
    verdict = ask(Freshness, {"source": source}, stale=stale)
    assert may(verdict) is (says is None)
    if says:
        assert says in verdict.detail


@pytest.mark.parametrize("purpose", ["safety", "legal", "transactional"])
def test_what_must_be_said_is_not_held_unless_the_configuration_says_so(purpose):
    """Safety, law and appointments are not among the purposes of the kind."""
    assert purpose not in Freshness.purposes
