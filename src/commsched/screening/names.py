"""When two names are the same: written differently, with another legal form, or with a slip.

Names are compared without accents, case, punctuation and legal forms, their words in any order. How alike two are is
rapidfuzz's ``ratio`` of that, 0 to 100; from :data:`THRESHOLD` on they count as the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import combinations

from rapidfuzz import fuzz, process

# One slip in a name of about twelve letters. Lower, and neighbours in the telephone book become one customer.
THRESHOLD = 92.0
# How much of a word must be right for two names to be compared at all.
PREFIX = 4
MOST_WORDS = 8
_WORD = re.compile(r"[^\W_]+")
_POSTCODE = re.compile(r"\b\d{4,5}\b")
# Legal forms, and what stands around them: they are left out wherever the rest of a name is enough.
FORMS = frozenset(
    re.findall(
        r"\w+",
        "ab ag and as asa bv co company corp corporation et eg ek ev gbr gmbh group holding inc incorporated kg kgaa "
        "limited llc llp ltd mbh mr mrs ms nv ohg oy oyj plc pty sa sarl sas se sl spa srl the und y",
    )
)


@lru_cache(maxsize=65536)
def normal(name: str) -> str:
    """The name as it is compared: its words in alphabetical order. Empty if nothing is left."""
    words = _WORD.findall((name.lower() if name.isascii() else plain(name)).replace("'", ""))
    return " ".join(sorted([word for word in words if word not in FORMS] or words))


def plain(name: str) -> str:
    """A name without accents and case; ASCII has no accents, and most names are ASCII."""
    flat = unicodedata.normalize("NFKD", name.replace("ß", "ss")).casefold()
    return "".join(letter for letter in flat if not unicodedata.combining(letter))


def blocks(name: str) -> Iterator[str]:
    """Under which keys a normalised name is looked for: the beginning of each of its words, and of every two of them.

    A word that many names have (Services, Heating) tells nothing alone; with another one it does.
    """
    words = list(dict.fromkeys(word[:PREFIX] for word in name.split()))
    yield from words
    yield from (f"{one} {other}" for one, other in combinations(words[:MOST_WORDS], 2))


def likeness(one: str, other: str) -> float:
    """How alike two normalised names are, 0 to 100; 0 for all that is below the threshold."""
    return float(fuzz.ratio(one, other, score_cutoff=THRESHOLD))


def alike(name: str, others: Iterable[str]) -> Iterator[tuple[str, float]]:
    """Which of many normalised names are like one, and how much; compared outside Python, since they are millions."""
    for other, how_much, _ in process.extract_iter(name, others, scorer=fuzz.ratio, score_cutoff=THRESHOLD):
        yield other, how_much


def postcodes(postal: str) -> frozenset[str]:
    """What may be a postcode in an address: numbers of four or five digits."""
    return frozenset(_POSTCODE.findall(postal))
