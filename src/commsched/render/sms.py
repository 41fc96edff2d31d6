"""SMS text: which alphabet it needs, how many segments it is billed as, and how to keep it in the cheap alphabet.

GSM 03.38 (3GPP TS 23.038) takes 160 characters in one message and 153 in each part of a longer one; its ten extension
characters count twice and are never cut in two. Any other character makes the whole message UCS-2: 70 UTF-16 units, or
67 in each part, and a surrogate pair is never cut in two.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gsm0338 import Codec

_ESCAPE = 0x1B
_WIDEST = 0xFFFF


def _table(prefix: bytes) -> frozenset[str]:
    codec = Codec()
    codes = (prefix + bytes((code,)) for code in range(128) if code != _ESCAPE)
    return frozenset(character for code in codes if (character := codec.decode(code, "ignore")[0]))


BASIC = _table(b"")
EXTENSION = _table(bytes((_ESCAPE,)))
GSM = BASIC | EXTENSION

# Typography for which the GSM alphabet has a plain equivalent: one curly quote would more than double the price.
_PLAIN = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201a\u201b\u2032`\u00b4", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2022\u00b7", "-")
    | dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000\t", " ")
    | dict.fromkeys("\u00ad\u200b\u2060\ufeff", "")
    | {"\u2026": "..."}
)
_PARAGRAPH = re.compile(r"\s*\n\s*\n\s*")


@dataclass(frozen=True, slots=True)
class Segments:
    """How an SMS travels: its alphabet, its length in that alphabet's units, and how many segments it is billed as."""

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    count: int


def segments(text: str) -> Segments:
    """The alphabet that a text needs, and the segments that it takes."""
    if GSM.issuperset(text):
        doubles = sum(map(text.count, EXTENSION))
        units, single, part = len(text) + doubles, 160, 153
        weights = (2 if character in EXTENSION else 1 for character in text)
        encoding: Literal["GSM-7", "UCS-2"] = "GSM-7"
    else:
        doubles = sum(ord(character) > _WIDEST for character in text)
        units, single, part = len(text) + doubles, 70, 67
        weights = (2 if ord(character) > _WIDEST else 1 for character in text)
        encoding = "UCS-2"
    if units <= single:
        return Segments(encoding, units, 1)
    return Segments(encoding, units, _parts(weights, part) if doubles else -(-units // part))


def _parts(weights: Iterable[int], limit: int) -> int:
    """How many parts hold characters of these weights, in order, when no character may be cut in two."""
    count = used = 0
    for weight in weights:
        if not count or used + weight > limit:
            count, used = count + 1, 0
        used += weight
    return count


def tidy(text: str) -> str:
    """An SMS from what a template printed: one line a paragraph, single spaces, plain punctuation."""
    return "\n".join(" ".join(part.split()) for part in _PARAGRAPH.split(text.translate(_PLAIN).strip()))


@lru_cache(maxsize=4096)
def _bare(character: str) -> str:
    if character in GSM:
        return character
    base = unicodedata.normalize("NFKD", character)[0]
    return base if base in GSM else character


def without_accents(text: str) -> str:
    """The text with accents taken off the letters that the GSM alphabet lacks: "sábado" becomes "sabado"; "é" stays."""
    return text if GSM.issuperset(text) else "".join(map(_bare, unicodedata.normalize("NFC", text)))
