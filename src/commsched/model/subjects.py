"""Names of ledgers, and the identity of facts.

A ledger belongs to a customer (``c:ID``) or to a circle: an organisation (``o:``), a household (``h:``), an address
(``a:email:…``, ``a:phone:…``).
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from urllib.parse import quote, unquote

import msgspec
from msgspec import UNSET

from commsched.model.facts import AnyFact, Customer

DIGEST_BYTES = 12
_RECORDED = b',"recorded_at":"'
_encoder = msgspec.json.Encoder()


def subject_of(fact: AnyFact) -> str:
    """The ledger that a fact belongs to; ``ValueError`` if it names none, or several."""
    if isinstance(fact, Customer):
        name = fact.id or fact.customer
        if name is None or (fact.customer is not None and fact.customer != name):
            message = "a customer fact needs its id"
            raise ValueError(message)
        return f"c:{name}"
    if fact.customer is not None and fact.organisation is UNSET and fact.household is UNSET:
        return f"c:{fact.customer}"
    named = [
        f"{letter}:{name}"
        for letter, name in (("c", fact.customer), ("o", fact.organisation), ("h", fact.household))
        if name is not None and name is not UNSET
    ]
    if len(named) != 1:
        message = "exactly one of customer, organisation and household must be given"
        raise ValueError(message)
    return named[0]


def address_subject(kind: str, address: str) -> str:
    """The circle of everybody who shares an address; ``kind`` is email, phone or postal.

    Mail systems could tell upper from lower case in the local part (RFC 5321 §2.4); none that people use does.
    """
    return f"a:{kind}:{address.lower() if kind == 'email' else address}"


def kind_of_medium(medium: str) -> str:
    """The kind of contact point that a medium needs."""
    return {"email": "email", "sms": "phone", "voice": "phone", "letter": "postal", "webhook": "url"}.get(
        medium, medium
    )


def digest_of(fact: AnyFact) -> bytes:
    """What makes two facts the same: source, id and content; not when they were recorded."""
    return kept(fact)[0]


def kept(fact: AnyFact) -> tuple[bytes, bytes]:
    """A fact's identity and its bytes, as the store keeps them.

    The identity is that of the bytes without ``recorded_at``. A fact is written once and that is cut out: it stands
    right after ``at``, and neither of them has a quote inside.
    """
    body = _encoder.encode(fact)
    if fact.recorded_at is None:
        return _digest(body), body
    start = body.index(_RECORDED)
    return _digest(body[:start] + body[body.index(b'"', start + len(_RECORDED)) + 1 :]), body


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=DIGEST_BYTES).digest()


def key_of(customer: str, rule: str, step: str, subject: str, occurrence: str) -> str:
    """A message's identity, made of ids; a part that has a slash or a space of its own is quoted."""
    return f"{_quoted(customer)}/{_quoted(rule)}/{_quoted(step)}/{_quoted(subject)}/{_quoted(occurrence)}"


@lru_cache(maxsize=65536)
def _quoted(part: str) -> str:
    return quote(part, safe="+:-._~@#!")


def customer_of(key: str) -> str:
    """The customer that a message key belongs to."""
    return unquote(key.partition("/")[0])


def masked(address: str | None) -> str:
    """An address that is shown but not told: ``m…@example.com``, ``+1847…42``."""
    if not address:
        return ""
    name, at, domain = address.rpartition("@")
    if at:
        return f"{name[:1]}…@{domain}"
    if address.startswith("+"):
        return f"{address[:5]}…{address[-2:]}"
    return f"{address[:3]}…"
