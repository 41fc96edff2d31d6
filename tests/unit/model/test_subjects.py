"""The identity of facts."""

from __future__ import annotations

from datetime import UTC
from hashlib import blake2b
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commsched.model.facts import FACT_TYPES, Hold
from commsched.model.subjects import DIGEST_BYTES, digest_of, kept
from commsched.testing.strategies import instants

zones = st.sampled_from([UTC, ZoneInfo("Asia/Kathmandu")])
words = st.text() | st.just(',"recorded_at":"2026-01-01T00:00:00Z"')


@given(instants(), st.none() | instants(), zones, words)
def test_the_identity_is_that_of_the_fact_without_when_it_was_recorded(at, recorded_at, where, reason):
    """What is cut out of the stored bytes is ``recorded_at`` and nothing else, whatever a text looks like."""
    bare = Hold(at=at.astimezone(where), customer=reason, purposes=[reason], reason=reason, until=at, by="Meg")
    recorded = recorded_at and recorded_at.astimezone(where).replace(microsecond=at.second)
    fact = msgspec.structs.replace(bare, recorded_at=recorded)
    identity = blake2b(msgspec.json.encode(bare), digest_size=DIGEST_BYTES).digest()
    assert digest_of(fact) == identity
    assert kept(fact) == (identity, msgspec.json.encode(fact))


@pytest.mark.parametrize("kind", FACT_TYPES.values(), ids=FACT_TYPES)
def test_recorded_at_comes_right_after_at(kind):
    """Of every type, the bytes begin with two times; the identity rests on that."""
    assert kind.__struct_fields__[:2] == ("at", "recorded_at")
