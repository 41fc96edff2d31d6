"""SMS segments against the table of another project's segment calculator."""

from __future__ import annotations

import json

import pytest
from corpora import corpus

from commsched.render.sms import segments

CASES = json.loads(corpus("sms/segments.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_segments(case):
    """Alphabet and number of segments are those that the calculator gives, and the bits are those of the units."""
    found = segments(case["body"])
    assert (found.encoding, found.count) == (case["encoding"], case["segments"])
    if "message_bits" in case and found.count > 1:
        assert found.units * (7 if found.encoding == "GSM-7" else 16) == case["message_bits"]
