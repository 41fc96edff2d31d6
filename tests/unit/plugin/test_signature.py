"""What is posted is signed in one way only, whoever posts it."""

from __future__ import annotations

from pathlib import Path

import commsched
from commsched import signature_of


def test_a_known_signature():
    """The value that `openssl dgst -sha256 -hmac` gives for the time, a full stop and the body."""
    expected = "cad4d561a24c0fb3a72e83b163dbcba3e295669591787cb77d9cd5c7f0a1dc77"
    assert signature_of("between-us-and-them", "1781542800", b'{"a":1}') == expected


def test_it_is_made_in_one_place():
    """Nothing else in the package signs a body that it posts."""
    root = Path(commsched.__file__).parent
    makers = {path.name for path in root.rglob("*.py") if b"stamp.encode() +" in path.read_bytes()}
    assert makers == {"web.py"}
