"""What a reply means: by whole sentences, in the shipped languages, and nothing where that is not plain.

The words are lists, one file a language (``en.toml``). A sentence means what one of its lines says *in full*, besides
what is polite: "cancel my appointment" is no opt-out, "stop texting me" is, and "it stopped yesterday" is neither. A
wish to be left alone counts wherever it stands, since not to hear it is worse than to ask; everything else counts only
where all that was said means the same.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, cast, get_args
from unicodedata import combining, normalize

from commsched.model.facts import Meaning as Kind

Scope = Literal["sms", "email", "voice", "everything"]
LANGUAGES = ("en", "es", "de", "fr")
# A text that is longer is a letter: somebody reads it.
MOST = 2000
# No sentence of the lists is longer.
LONGEST = 160
# Links are withdrawn on a page or at the desk: whoever has somebody's telephone can write from it, too.
_UNSPOKEN = frozenset({"stop", "number", "empty", "unclear", "links_withdrawn"})
_SPOKEN = tuple(kind for kind in get_args(Kind) if kind not in _UNSPOKEN)
_SCOPES: tuple[Scope, ...] = get_args(Scope)
_SENTENCES = re.compile(r"[.!?;,\n\r…]+|\s+(?:but|and then|pero|aber|mais)\s+|\s+-+\s+")
_NUMBER = re.compile(
    r"(?:it(?: is|s|'s|’s)|odometer|mileage|about|ca|circa)?\s*(\d{1,3}(?:[ ,.']\d{3})+|\d+)\s*"
    r"(mi|miles|km|kms|kilometers|kilometres|kilometros|kilometer|millas|meilen|miglia)?"
)
_TOKEN = re.compile(r"\w+|.")
# "time(s)?" is "time" or "times".
_ENDING = re.compile(r"(\w+)\((\w{1,3})\)\?")
_KILOMETRES = frozenset({"km", "kms", "kilometers", "kilometres", "kilometros", "kilometer"})
_MILES = frozenset({"mi", "miles", "millas", "meilen"})


@dataclass(frozen=True, slots=True)
class Meaning:
    """What was meant: ``scope`` of a stop, ``number`` and ``unit`` (``mi``, ``km``, or empty) of a reading."""

    kind: Kind
    scope: Scope = "everything"
    number: float | None = None
    unit: str = ""
    rest: bool = False


@dataclass(frozen=True, slots=True)
class _Words:
    """The lines of one language, compiled."""

    polite: re.Pattern[str]
    spoken: Mapping[Kind, re.Pattern[str]]
    stop: Mapping[Scope, re.Pattern[str]]


def meaning(text: str) -> Meaning:
    """What a reply means in any of the shipped languages.

    ``rest`` says that a stop stood beside something else, which somebody should read.
    """
    if not text.strip():
        return Meaning("empty")
    if len(text) > MOST:
        return Meaning("unclear")
    number = _number(text)
    if number is not None:
        return number
    sentences = list(_sentences(text))
    if not sentences:
        return Meaning("empty") if not any(character.isalnum() for character in text) else Meaning("unclear")
    stops = [scope for one in sentences if (scope := _stops(one)) is not None]
    if stops:
        named = stops[0] if len(set(stops)) == 1 else "everything"
        return Meaning("stop", named, rest=len(stops) < len(sentences))
    kinds = {_kind(one) for one in sentences}
    # "Yes, I will be there" says one thing twice; "yes, but another day" does not.
    return Meaning(kinds.pop()) if len(kinds) == 1 else Meaning(_together(kinds))


def _together(kinds: set[Kind]) -> Kind:
    """What two meanings come to: a refusal with a wish for another time is that wish; other pairs are for a person."""
    if kinds <= {"decline", "reschedule"}:
        return "reschedule"
    if kinds <= {"decline", "cancel"}:
        return "cancel"
    if kinds <= {"who", "wrong_person", "not_mine"} and "not_mine" in kinds:
        return "not_mine"
    return "unclear"


def plain(text: str) -> str:
    """A text in lower case, without accents and marks, its words apart by single spaces."""
    flat = "".join(letter for letter in normalize("NFKD", text.casefold()) if not combining(letter))
    return " ".join(re.sub(r"[^\w]+", " ", flat.replace("’", "'")).replace("_", " ").split())


def _sentences(text: str) -> Iterator[str]:
    """What was said, sentence by sentence, without what is only polite."""
    for part in _SENTENCES.split(text.casefold()):
        said = plain(part)
        for language in LANGUAGES:
            said = _words(language).polite.sub("", said).strip()
        if said:
            yield said if len(said) <= LONGEST else ""


def _stops(sentence: str) -> Scope | None:
    for language in LANGUAGES:
        for scope, pattern in _words(language).stop.items():
            if pattern.fullmatch(sentence):
                return scope
    return None


def _kind(sentence: str) -> Kind:
    found = {kind for name in LANGUAGES for kind, line in _words(name).spoken.items() if line.fullmatch(sentence)}
    return found.pop() if len(found) == 1 else "unclear"


def _number(text: str) -> Meaning | None:
    found = _NUMBER.fullmatch(re.sub(r"\s+", " ", text.strip().casefold()).rstrip(".!"))
    if found is None:
        return None
    digits = re.sub(r"[ ,.']", "", found[1])
    unit = "km" if found[2] in _KILOMETRES else "mi" if found[2] in _MILES else ""
    return Meaning("number", number=float(digits), unit=unit)


@lru_cache(maxsize=len(LANGUAGES))
def _words(language: str) -> _Words:
    lines = tomllib.loads(Path(__file__).with_name(f"{language}.toml").read_text("utf-8"))
    polite = "|".join(_pattern(line) for line in sorted(lines["polite"], key=len, reverse=True))
    spoken = {cast("Kind", kind): _any(lines[kind]) for kind in _SPOKEN}
    stop = {scope: _any(lines["stop"][scope]) for scope in _SCOPES}
    # What is polite stands at the beginning or at the end; in between it would be a part of the sentence.
    return _Words(re.compile(rf"^(?:(?:{polite})(?: |$))+|(?:(?:^| )(?:{polite}))+$"), spoken, stop)


def _any(lines: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{_pattern(line)})" for line in lines))


def _pattern(line: str) -> str:
    """A line of a list as a regular expression over plain words: each of them whole, a space where two meet."""
    line = _ENDING.sub(r"(\1|\1\2)", line)
    return "".join(_SAID.get(one, rf"\b{one}\b" if one.isalnum() else one) for one in _TOKEN.findall(line))


# What marks stand for; any other is a word or stands for itself.
_SAID = {"*": r"(?: +\w+\b){0,4}", "(": "(?:", " ": " ?"}
